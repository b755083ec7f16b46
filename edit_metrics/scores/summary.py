"""What a run says as a whole: per dimension, metric and slice, column by column, however long the table is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.io.tables import as_name
from edit_metrics.scores.cells import codes, is_missing, number, text
from edit_metrics.scores.codes import short_cause
from edit_metrics.scores.columns import (
    FLAGS,
    DimensionColumns,
    MetricColumns,
    dimension_of,
    dimensions_in,
    metrics_in,
    short_name,
)

if TYPE_CHECKING:
    import pandas as pd

MOST_SLICES: Final = 40
"""Rows of a table that a person still reads; further values are identifiers rather than kinds."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why values are missing: a status, a reason code, and how many rows."""

    status: str
    reason: str
    n: int

    @property
    def code(self) -> str:
        """``unavailable(no_weights)``."""
        return f"{self.status}({self.reason})"


@dataclass(frozen=True, slots=True)
class Coverage:
    """One column of scores or measurements over all items.

    Attributes:
        name: a dimension, or a metric's column.
        n: rows with a value.
        mean: over those rows; None when there are none.
        missing: causes of the others, most frequent first; reasons of values that are there (cautions) do not count.
        confidence: of a dimension: mean over the rows with a score; None for metrics.
    """

    name: str
    n: int
    mean: float | None
    missing: tuple[Cause, ...]
    confidence: float | None = None

    @property
    def dimension(self) -> str:
        """What it stands under."""
        return dimension_of(self.name)

    @property
    def short(self) -> str:
        """Its name below the dimension."""
        return short_name(self.name)


@dataclass(frozen=True, slots=True)
class Summary:
    """A table in a few tables.

    Attributes:
        dimensions: those that it has scores of, in the rubric's order.
        metrics: those that it has a status of, in its own order.
        flags: flag and rows, most frequent first.
    """

    rows: int
    dimensions: tuple[Coverage, ...]
    metrics: tuple[Coverage, ...]
    flags: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A mean with the number of values it rests on."""

    mean: float | None
    n: int


@dataclass(frozen=True, slots=True)
class SliceRow:
    """Items that share a value of a column: their means per dimension, in the order of the dimensions shown."""

    value: str
    n: int
    cells: tuple[Cell, ...]


def summarise(frame: pd.DataFrame) -> Summary:
    """Coverage and means of a table that is in memory."""
    names = [str(name) for name in frame.columns]
    return _summarise(names, len(frame), lambda name: frame[name])


def summarise_file(path: Path) -> Summary:
    """The same of a Parquet file, a column at a time: a million rows need no more memory than one column."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        if file.num_row_groups <= 1:  # at once: opening each of some hundred columns takes longer than the reading
            table = file.read()
            return _summarise(table.column_names, table.num_rows, lambda name: table.column(name).to_pandas())
        return _summarise(
            file.schema_arrow.names,
            file.metadata.num_rows,
            lambda name: file.read(columns=[name]).column(0).to_pandas(),
        )


def by_dimension(metrics: Sequence[Coverage]) -> list[tuple[str, list[Coverage]]]:
    """Metrics under their dimensions, in the table's order."""
    groups: dict[str, list[Coverage]] = {}
    for one in metrics:
        groups.setdefault(one.dimension, []).append(one)
    return list(groups.items())


def slice_rows(frame: pd.DataFrame, names: Sequence[str], column: str) -> list[SliceRow]:
    """Means per value of a column, the most frequent first; at most ``MOST_SLICES`` values. Empty without any value."""
    if column not in frame.columns or not frame[column].map(text).any():
        return []
    labels = frame[column].map(lambda cell: "" if is_missing(cell) else as_name(cell))  # turn 2, not 2.0
    scores = frame[[DimensionColumns(name).score for name in names]].astype("float64")
    grouped = scores.groupby(labels, sort=True)
    means, counts, sizes = grouped.mean(), grouped.count(), labels.value_counts(sort=True)
    order = sorted(means.index, key=lambda value: (-sizes[value], value))[:MOST_SLICES]
    return [
        SliceRow(
            value or "(none)",
            int(sizes[value]),
            tuple(Cell(number(m), int(n)) for m, n in zip(means.loc[value], counts.loc[value], strict=True)),
        )
        for value in order
    ]


class _Columns:
    """Columns by name; None for those that the table lacks."""

    def __init__(self, names: Sequence[str], read: Callable[[str], pd.Series]) -> None:
        self._names = frozenset(names)
        self._read = read

    def get(self, name: str) -> pd.Series | None:
        return self._read(name) if name in self._names else None

    def numbers(self, name: str) -> pd.Series:
        return self._read(name).astype("float64")


def _summarise(names: Sequence[str], rows: int, read: Callable[[str], pd.Series]) -> Summary:
    columns = _Columns(names, read)
    return Summary(
        rows=rows,
        dimensions=tuple(_dimension(columns, DimensionColumns(name)) for name in dimensions_in(names)),
        metrics=tuple(_metric(columns, MetricColumns(name)) for name in metrics_in(names)),
        flags=tuple(_count_flags(columns.get(FLAGS))),
    )


def _dimension(columns: _Columns, own: DimensionColumns) -> Coverage:
    scores, confidence = columns.numbers(own.score), columns.get(own.confidence)
    missing = _causes(scores.isna(), columns.get(own.status), columns.get(own.reasons))
    mean = None if confidence is None else number(confidence[scores.notna()].mean())
    return Coverage(own.dimension, int(scores.count()), number(scores.mean()), missing, mean)


def _metric(columns: _Columns, own: MetricColumns) -> Coverage:
    values = columns.numbers(own.value)
    missing = _causes(values.isna(), columns.get(own.status), columns.get(own.reason))
    return Coverage(own.value, int(values.count()), number(values.mean()), missing)


def _causes(absent: pd.Series[bool], status: pd.Series | None, reason: pd.Series | None) -> tuple[Cause, ...]:
    """Counted by value first: a long table has few different reasons."""
    if status is None and reason is None:
        return ()
    rows = np.flatnonzero(absent.to_numpy())
    statuses, status_of = _numbered(status, rows)
    reasons, reason_of = _numbered(reason, rows)
    pairs, first, counts = np.unique(status_of * len(reasons) + reason_of, return_index=True, return_counts=True)
    found: Counter[tuple[str, str]] = Counter()
    for place in np.argsort(first):  # so that causes of equal number stand in the same order every time
        status_number, reason_number = divmod(int(pairs[place]), len(reasons))
        found[text(statuses[status_number]), _first(reasons[reason_number])] += int(counts[place])
    return tuple(Cause(*cause, n) for cause, n in found.most_common())


def _numbered(column: pd.Series | None, rows: NDArray[np.int64]) -> tuple[list[object], NDArray[np.int64]]:
    """The different values of some rows, the missing one last, and for each row which of them it has."""
    import pandas as pd

    if column is None:
        return [None], np.zeros(len(rows), np.int64)
    which, values = pd.factorize(column.iloc[rows])
    return [*values, None], np.where(which < 0, len(values), which).astype(np.int64)


def _first(reason: object) -> str:
    """The leading code; a failure's text is its own every time, so only the exception's name counts."""
    found = codes(reason)
    return short_cause(found[0]) if found else ""


def _count_flags(flags: pd.Series | None) -> list[tuple[str, int]]:
    total: Counter[str] = Counter()
    if flags is not None:
        for joined, n in flags.map(text).value_counts(sort=False).items():
            total.update(dict.fromkeys(codes(joined), int(n)))
    return total.most_common()
