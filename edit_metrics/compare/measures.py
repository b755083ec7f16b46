"""Which columns of a score table are compared, and what a larger value of each means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from edit_metrics.errors import ConfigError, TableError, suggest
from edit_metrics.scores.columns import (
    NOT_MEASUREMENTS,
    OVERALL,
    DimensionColumns,
    MetricColumns,
    is_confidence,
    is_measured,
)
from edit_metrics.scores.facts import metric_facts
from edit_metrics.types import DIMENSIONS, Direction

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["dimension", "overall", "declared", "metric"]

_CACHE_NOISE: Final = 1e-5
"""Runs with and without a feature cache may differ by this much (a cached item changes who shares a batch)."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One compared column.

    Attributes:
        name: a dimension's name, ``overall.min``, or the metric's column.
        column: where the values stand.
        kind: ``declared`` for a column whose direction the user gave: ranked and sliced like a score.
        status_column: where the reason for a missing value stands; empty when the table has none.
        tie: differences up to this size are a tie.
        margin: differences up to this size do not matter; None where nobody has said.
    """

    name: str
    column: str
    kind: Kind
    direction: Direction
    status_column: str = ""
    reason_column: str = ""
    tie: float = 0.0
    margin: float | None = None

    @property
    def sign(self) -> int:
        """Which sign of a difference is better: +1, −1, or 0 for a diagnostic."""
        return {Direction.HIGHER_IS_BETTER: 1, Direction.LOWER_IS_BETTER: -1}.get(self.direction, 0)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the user says about columns that this program does not know.

    Attributes:
        higher: columns of which more is better.
        lower: columns of which less is better.
        margins: column → difference that does not matter.
    """

    higher: tuple[str, ...] = ()
    lower: tuple[str, ...] = ()
    margins: dict[str, float] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Columns with a direction."""
        return (*self.higher, *self.lower)


def find_measures(
    frames: Sequence[pd.DataFrame],
    declared: Declared,
    *,
    margin: float,
    tie: float,
    reserved: Sequence[str] = (),
    metrics: bool = True,
) -> tuple[Measure, ...]:
    """Dimensions in the rubric's order, then the overall scores, then metrics in the first table's order.

    Args:
        frames: score tables; a column counts when any of them has it.
        declared: directions and margins given by the user.
        margin: equivalence margin of dimension scores.
        tie: tie width of dimension scores.
        reserved: columns that are used for something else (pairing, slicing).
        metrics: also every other numeric column; without it, the declared ones alone.

    Raises:
        ConfigError: a declared column that no table has, or that is declared twice.
        TableError: nothing to compare.
    """
    columns = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    _check_declared(declared, columns)
    scores = [_dimension(DimensionColumns(name), tie, margin, declared) for name in DIMENSIONS]
    scores += [_overall(name, tie, margin, declared) for name in OVERALL]
    found = [measure for measure in scores if measure.column in columns]
    # What the user gives a direction is compared, even if it looks like a name.
    names = {name for name in columns if name in NOT_MEASUREMENTS or is_confidence(name)} - set(declared.names)
    taken = {measure.column for measure in found} | names | set(reserved)
    wanted = [name for name in columns if name not in taken and (metrics or name in declared.names)]
    numeric = [name for name in wanted if any(_is_numeric(frame, name) for frame in frames)]
    found += [_metric(name, declared) for name in numeric]
    if not found:
        raise nothing_to_compare(columns)
    return tuple(found)


def nothing_to_compare(columns: Sequence[str]) -> TableError:
    """For tables in which no column can be compared, or judged."""
    return TableError(
        "score tables with '<dimension>.score' columns",
        f"columns {', '.join(columns[:20])}",
        todo="For another program's table, name the columns and their direction: --higher COLUMN or --lower COLUMN.",
    )


def _dimension(own: DimensionColumns, tie: float, margin: float, declared: Declared) -> Measure:
    own_margin = (declared.margins or {}).get(own.score, margin)
    better = Direction.HIGHER_IS_BETTER
    return Measure(own.dimension, own.score, "dimension", better, own.status, own.reasons, tie, own_margin)


def _overall(column: str, tie: float, margin: float, declared: Declared) -> Measure:
    own_margin = (declared.margins or {}).get(column, margin)
    return Measure(column, column, "overall", Direction.HIGHER_IS_BETTER, tie=tie, margin=own_margin)


def _metric(column: str, declared: Declared) -> Measure:
    kind: Kind = "declared"
    if column in declared.higher:
        direction = Direction.HIGHER_IS_BETTER
    elif column in declared.lower:
        direction = Direction.LOWER_IS_BETTER
    else:
        kind, direction = "metric", _registered_direction(column)
    own, own_margin = MetricColumns(column), (declared.margins or {}).get(column)
    return Measure(column, column, kind, direction, own.status, own.reason, _CACHE_NOISE, own_margin)


def _registered_direction(column: str) -> Direction:
    if not is_measured(column):
        return Direction.NEITHER
    known = metric_facts().get(column)
    # A column of another program may stand under one of our prefixes.
    return Direction.NEITHER if known is None else known.direction


def _is_numeric(frame: pd.DataFrame, column: str) -> bool:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    if column not in frame.columns:
        return False
    dtype = frame[column].dtype
    return bool(is_numeric_dtype(dtype) and not is_bool_dtype(dtype))


def _check_declared(declared: Declared, columns: Sequence[str]) -> None:
    for name in [*declared.names, *(declared.margins or {})]:
        if name not in columns:
            raise ConfigError("a column of the score tables", repr(name), todo=suggest(name, columns))
    twice = sorted(set(declared.higher) & set(declared.lower))
    if twice:
        raise ConfigError("one direction for a column", f"{', '.join(twice)} given as both higher and lower")
