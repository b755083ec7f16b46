"""What a run says as a whole: per dimension, metric and slice, column by column, however long the table is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.report.items import codes, number, text
from edit_metrics.types import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

MOST_SLICES: Final = 40


@dataclass(frozen=True, slots=True)
class Cause:
    """Why values are missing: a status, a reason code, and how many rows."""

    status: str
    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class DimensionSummary:
    """One dimension over all items.

    Attributes:
        confidence: mean over the items that have a score.
        scores: the values, for the histogram.
    """

    name: str
    scores: tuple[float, ...]
    mean: float | None
    confidence: float | None
    missing: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric's coverage over all items; the mean is over the rows that have a value."""

    name: str
    n: int
    mean: float | None
    missing: tuple[Cause, ...]

    @property
    def dimension(self) -> str:
        """What it stands under."""
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        """Its name below the dimension."""
        return self.name.partition(".")[2] or self.name


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


def summarise_dimensions(frame: pd.DataFrame, names: Sequence[str]) -> list[DimensionSummary]:
    """One summary a dimension."""
    return [_dimension(frame, name) for name in names]


def summarise_metrics(frame: pd.DataFrame) -> list[MetricSummary]:
    """Coverage of every metric column that the table has a status of, in the table's order."""
    names = [n.removesuffix(".status") for n in frame.columns if str(n).endswith(".status")]
    return [_metric(frame, name) for name in names if name not in DIMENSIONS and name in frame.columns]


def by_dimension(metrics: Sequence[MetricSummary]) -> list[tuple[str, list[MetricSummary]]]:
    """Metrics under their dimensions, in the table's order."""
    groups: dict[str, list[MetricSummary]] = {}
    for one in metrics:
        groups.setdefault(one.dimension, []).append(one)
    return list(groups.items())


def slice_rows(frame: pd.DataFrame, names: Sequence[str], column: str) -> list[SliceRow]:
    """Means per value of a column, the most frequent first; at most ``MOST_SLICES`` values. Empty without any value."""
    if column not in frame.columns or not frame[column].map(text).any():
        return []
    labels = frame[column].map(text)
    scores = frame[[f"{name}.score" for name in names]].astype("float64")
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


def count_flags(frame: pd.DataFrame) -> list[tuple[str, int]]:
    """Flag → items, most frequent first."""
    if "flags" not in frame.columns:
        return []
    total: Counter[str] = Counter()
    for joined, n in frame["flags"].map(text).value_counts().items():
        total.update(dict.fromkeys(codes(joined), int(n)))
    return total.most_common()


def _dimension(frame: pd.DataFrame, name: str) -> DimensionSummary:
    scores = frame[f"{name}.score"].astype("float64")
    there = scores.notna()
    confidence = (
        number(frame.loc[there, f"{name}.confidence"].mean()) if f"{name}.confidence" in frame.columns else None
    )
    missing = _causes(frame, ~there, f"{name}.status", f"{name}.reasons")
    return DimensionSummary(name, tuple(scores[there].tolist()), number(scores.mean()), confidence, missing)


def _metric(frame: pd.DataFrame, name: str) -> MetricSummary:
    values = frame[name].astype("float64")
    missing = _causes(frame, values.isna(), f"{name}.status", f"{name}.reason")
    return MetricSummary(name, int(values.count()), number(values.mean()), missing)


def _causes(frame: pd.DataFrame, absent: pd.Series[bool], status: str, reason: str) -> tuple[Cause, ...]:
    columns = [column for column in (status, reason) if column in frame.columns]
    found: Counter[tuple[str, str]] = Counter()
    if columns:
        for values, n in frame.loc[absent, columns].value_counts(dropna=False).items():
            cells: dict[str, Any] = dict(zip(columns, values if isinstance(values, tuple) else (values,), strict=True))
            found[text(cells.get(status)), _first(cells.get(reason))] += int(n)
    return tuple(Cause(*cause, n) for cause, n in found.most_common())


def _first(reason: object) -> str:
    """The leading code; a failure's text is its own every time, so only the exception's name counts."""
    found = codes(reason)
    return found[0].split(":")[0] if found else ""
