"""The score table: a schema built once from the plan, and rows that fit it whatever is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from edit_metrics.dimensions import Priority, PriorityRow
from edit_metrics.engine.plan import Plan
from edit_metrics.engine.scoring import ScoredItem
from edit_metrics.io.metadata import metadata_column
from edit_metrics.io.sources import relative_to_root
from edit_metrics.types import DIMENSIONS, PreScore, Status

MANIFEST_FIELDS = (
    ("id", pa.string()),
    ("source", pa.string()),
    ("edited", pa.string()),
    ("instruction", pa.string()),
    ("mask", pa.string()),
    ("mask_white_means", pa.string()),
    ("source_caption", pa.string()),
    ("target_caption", pa.string()),
    ("edit_type", pa.string()),
    ("model", pa.string()),
    ("references", pa.list_(pa.string())),
)


def build_schema(plan: Plan, metadata: Sequence[pa.Field]) -> pa.Schema:
    """Columns of ``scores.parquet`` in order; a shard whose column is all null has the same type there.

    Args:
        plan: names the metrics and labels.
        metadata: name and type of each further manifest column, decided over the whole manifest.
    """
    fields = [pa.field(name, kind) for name, kind in MANIFEST_FIELDS]
    fields += metadata
    fields += [pa.field(name, pa.string()) for name in ("group", "source_phash", "edited_phash", *plan.labels)]
    for dimension in DIMENSIONS:
        fields += [pa.field(f"{dimension}.{part}", pa.float64()) for part in ("score", "confidence")]
        fields += [pa.field(f"{dimension}.{part}", pa.string()) for part in ("status", "reasons")]
        for metric in plan.metrics:
            if metric.dimension == dimension:
                fields.append(pa.field(metric.name, pa.float64()))
                fields += [pa.field(f"{metric.name}.{part}", pa.string()) for part in ("status", "reason")]
    fields += [pa.field(name, pa.float64()) for name in ("overall.min", "overall.geomean")]
    fields += [pa.field("flags", pa.string())]
    return pa.schema(fields)


PRIORITY_FIELDS = (pa.field("priority", pa.int64()), pa.field("priority.reasons", pa.string()))
"""Added when the run is complete: the only columns that look at other items."""


def to_table(scored: Sequence[ScoredItem], schema: pa.Schema, metadata: Sequence[pa.Field], root: str) -> pa.Table:
    """Scored items as rows of that schema.

    Args:
        scored: items in manifest order.
        schema: from :func:`build_schema`.
        metadata: the fields of it that hold further manifest columns.
        root: paths below it are written relative to it, so that the table is the same wherever the folder lies.
    """
    own = pa.schema([field for field in schema if field not in metadata])
    table = pa.Table.from_pylist([_row(item, root) for item in scored], schema=own)
    items = [one.item for one in scored]
    for field in metadata:
        table = table.append_column(field, metadata_column(items, field))
    return table.select(schema.names)


def _row(scored: ScoredItem, root: str) -> dict[str, Any]:
    item = scored.item
    row: dict[str, Any] = {name: getattr(item, name) for name, _ in MANIFEST_FIELDS}
    row |= {name: relative_to_root(row[name], root) for name in ("source", "edited", "mask") if row[name]}
    row["references"] = [relative_to_root(path, root) for path in item.references]
    row |= {"group": scored.group, "source_phash": scored.source_phash, "edited_phash": scored.edited_phash}
    row |= scored.labels
    for name, prescore in scored.prescores.items():
        row[f"{name}.score"] = prescore.score
        row[f"{name}.confidence"] = prescore.confidence
        row[f"{name}.status"] = prescore.status.value
        row[f"{name}.reasons"] = ";".join(prescore.reasons)
    for name, measurement in scored.measurements.items():
        row[name] = measurement.value
        row[f"{name}.status"] = measurement.status.value
        row[f"{name}.reason"] = measurement.reason
    row["overall.min"] = scored.overall_minimum
    row["overall.geomean"] = scored.overall_geometric_mean
    row["flags"] = ";".join(scored.flags)
    return row


def priority_rows(table: pa.Table, plan: Plan) -> list[PriorityRow]:
    """What the order needs, read back from score columns: resumed shards and fresh ones are treated alike."""
    watched = watched_columns(plan)
    return [_priority_row(row, watched) for row in table.select(priority_columns(plan)).to_pylist()]


def watched_columns(plan: Plan) -> list[str]:
    """Metrics that a pre-score rests on: one that failed puts its item in front."""
    names = []
    for dimension in DIMENSIONS:
        section = plan.config.dimension(dimension)
        names += [f"{dimension}.{name}" for name in (*section.gates, *section.curves)]
    return list(dict.fromkeys(names))


def priority_columns(plan: Plan) -> list[str]:
    """Columns that :func:`priority_rows` reads."""
    dimensions = [f"{d}.{part}" for d in DIMENSIONS for part in ("score", "confidence", "status")]
    return ["group", "flags", *dimensions, *(f"{name}.status" for name in watched_columns(plan))]


def _priority_row(row: Mapping[str, Any], watched: Iterable[str]) -> PriorityRow:
    prescores = {d: PreScore(row[f"{d}.score"], row[f"{d}.confidence"], Status(row[f"{d}.status"])) for d in DIMENSIONS}
    failures = [f"failed:{name}" for name in watched if row[f"{name}.status"] == Status.FAILED]
    # One degenerate metric beside others that speak lowers the confidence; a dimension without any voice is missing.
    silent = [f"missing:{d}" for d, p in prescores.items() if p.status in (Status.FAILED, Status.UNDEFINED)]
    return PriorityRow(
        flags=tuple(filter(None, row["flags"].split(";"))),
        broken=(*failures, *silent),
        prescores=prescores,
        group=row["group"],
    )


def priority_table(priorities: Sequence[Priority]) -> pa.Table:
    """The two priority columns."""
    columns = [[p.rank for p in priorities], [";".join(p.reasons) for p in priorities]]
    return pa.Table.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, PRIORITY_FIELDS, strict=True)], schema=pa.schema(PRIORITY_FIELDS)
    )
