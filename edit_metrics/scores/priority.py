"""What the order for people rests on, read from a table's columns, and the two columns that the order becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from edit_metrics.config import Config
from edit_metrics.scores.codes import failed, missing
from edit_metrics.scores.columns import FLAGS, PRIORITY, PRIORITY_REASONS, DimensionColumns, MetricColumns, metric_name
from edit_metrics.types import DIMENSIONS, PreScore, Status, join_codes, split_codes

PRIORITY_FIELDS: Final = (pa.field(PRIORITY, pa.int64()), pa.field(PRIORITY_REASONS, pa.string()))
"""Added when the run is complete: the only columns that look at other items."""


@dataclass(frozen=True, slots=True)
class PriorityRow:
    """What the order needs to know of one item.

    Attributes:
        flags: raised flags; ``unsafe`` and ``infeasible`` have lanes of their own.
        broken: codes of what should be there and is not: ``failed:<metric>``, ``missing:<dimension>``.
        prescores: dimension → pre-score, without its reasons.
        group: items of one source; ties are spread over groups.
    """

    flags: tuple[str, ...]
    broken: tuple[str, ...]
    prescores: Mapping[str, PreScore]
    group: str


@dataclass(frozen=True, slots=True)
class Priority:
    """Place in the queue (1 = look at this first) and why."""

    rank: int
    reasons: tuple[str, ...]


def watched_metrics(config: Config) -> list[str]:
    """Metrics that a pre-score rests on: one that failed puts its item in front."""
    sections = ((name, config.dimension(name)) for name in DIMENSIONS)
    names = [metric_name(name, short) for name, section in sections for short in (*section.gates, *section.curves)]
    return list(dict.fromkeys(names))


def priority_columns(config: Config) -> list[str]:
    """Columns that :func:`priority_rows` reads."""
    dimensions = [name for d in map(DimensionColumns, DIMENSIONS) for name in (d.score, d.confidence, d.status)]
    return ["group", FLAGS, *dimensions, *(MetricColumns(name).status for name in watched_metrics(config))]


def priority_rows(table: pa.Table, config: Config) -> list[PriorityRow]:
    """What the order needs of each item, from the table alone: resumed shards and fresh ones are treated alike."""
    watched = watched_metrics(config)
    return [_priority_row(row, watched) for row in table.select(priority_columns(config)).to_pylist()]


def broken_codes(prescores: Mapping[str, PreScore], statuses: Mapping[str, str | None]) -> tuple[str, ...]:
    """What should be there and is not.

    Args:
        prescores: dimension → pre-score.
        statuses: watched metric → status; None for one that was not asked for.
    """
    failures = [failed(name) for name, status in statuses.items() if status == Status.FAILED]
    # One degenerate metric beside others that speak lowers the confidence; a dimension without any voice is missing.
    silent = [missing(d) for d, p in prescores.items() if p.status in (Status.FAILED, Status.UNDEFINED)]
    return (*failures, *silent)


def priority_table(priorities: Sequence[Priority]) -> pa.Table:
    """The two priority columns."""
    columns = [[p.rank for p in priorities], [join_codes(p.reasons) for p in priorities]]
    return pa.Table.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, PRIORITY_FIELDS, strict=True)], schema=pa.schema(PRIORITY_FIELDS)
    )


def _priority_row(row: Mapping[str, Any], watched: Sequence[str]) -> PriorityRow:
    prescores = {
        d.dimension: PreScore(row[d.score], row[d.confidence], Status(row[d.status]))
        for d in map(DimensionColumns, DIMENSIONS)
    }
    statuses = {name: row[MetricColumns(name).status] for name in watched}
    return PriorityRow(
        flags=split_codes(row[FLAGS]),
        broken=broken_codes(prescores, statuses),
        prescores=prescores,
        group=row["group"],
    )
