"""What a run says as a whole: per dimension, per metric, per slice. Pure: items and columns in, numbers out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edit_metrics.report.items import Item, codes, number, text
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


def summarise_dimensions(items: Sequence[Item], names: Sequence[str]) -> list[DimensionSummary]:
    """One summary a dimension."""
    return [_dimension(items, name) for name in names]


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


def slice_rows(items: Sequence[Item], names: Sequence[str], key: Callable[[Item], str]) -> list[SliceRow]:
    """Means per value of ``key``, the most frequent first; at most ``MOST_SLICES`` values. Empty without any value."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    if not any(groups):
        return []
    order = sorted(groups, key=lambda value: (-len(groups[value]), value))[:MOST_SLICES]
    return [
        SliceRow(
            value or "(none)",
            len(groups[value]),
            tuple(_cell([i.scores[name].score for i in groups[value]]) for name in names),
        )
        for value in order
    ]


def count_flags(items: Sequence[Item]) -> list[tuple[str, int]]:
    """Flag → items, most frequent first."""
    return Counter(flag for item in items for flag in item.flags).most_common()


def _dimension(items: Sequence[Item], name: str) -> DimensionSummary:
    own = [item.scores[name] for item in items]
    scores = tuple(one.score for one in own if one.score is not None)
    confidences = [one.confidence for one in own if one.score is not None]
    missing = Counter((one.status, one.reasons[0] if one.reasons else "") for one in own if one.score is None)
    return DimensionSummary(name, scores, _cell(scores).mean, _cell(confidences).mean, _causes(missing))


def _metric(frame: pd.DataFrame, name: str) -> MetricSummary:
    values = [number(value) for value in frame[name]]
    reasons = frame.get(f"{name}.reason", frame[f"{name}.status"])
    gaps = zip(values, frame[f"{name}.status"], reasons, strict=True)
    missing = Counter((text(status), _first(reason)) for value, status, reason in gaps if value is None)
    cell = _cell(values)
    return MetricSummary(name, cell.n, cell.mean, _causes(missing))


def _first(reason: object) -> str:
    """The leading code; a failure's text is its own every time, so only the exception's name counts."""
    found = codes(reason)
    return found[0].split(":")[0] if found else ""


def _causes(missing: Counter[tuple[str, str]]) -> tuple[Cause, ...]:
    return tuple(Cause(status, reason, n) for (status, reason), n in missing.most_common())


def _cell(values: Sequence[float | None]) -> Cell:
    there = [value for value in values if value is not None]
    return Cell(sum(there) / len(there) if there else None, len(there))
