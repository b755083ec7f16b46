"""Which columns a calibration may use, and which way each of them points."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from edit_metrics.errors import TableError, suggest
from edit_metrics.scores.columns import NOT_MEASUREMENTS, is_measured
from edit_metrics.scores.facts import metric_facts
from edit_metrics.types import Direction, Float64

MIN_COVERAGE: Final = 0.8
"""Smallest share of rated items that must carry a value for a column to be a default feature."""


@dataclass(frozen=True, slots=True)
class ScoreColumn:
    """A feature column.

    Attributes:
        sign: +1 higher is better, −1 lower is better, 0 to be learned from the ratings.
    """

    name: str
    sign: int


def parse_features(text: str, frame: pd.DataFrame, where: str = "--features") -> list[ScoreColumn]:
    """Read ``col,col:-,col:+``; a column without a sign takes the registry's direction, or learns it.

    Raises:
        TableError: a column is absent, not numeric, or names items or models.
    """
    declared = _declared_signs(frame)
    specs = []
    for part in (piece.strip() for piece in text.split(",")):
        name, _, sign = part.rpartition(":")
        if not name or sign not in ("+", "-"):
            name, sign = part, ""
        if name in NOT_MEASUREMENTS:
            raise TableError("a column that measures the edit", f"{name!r}, which names it", where)
        if name not in frame:
            raise TableError("a column of the table", repr(name), where, suggest(name, map(str, frame)))
        if not is_numeric_dtype(frame[name]):
            raise TableError("a numeric column", f"{name!r} of type {frame[name].dtype}", where)
        specs.append(ScoreColumn(name, {"+": 1, "-": -1}.get(sign, declared.get(name, 0))))
    return specs


def default_features(frame: pd.DataFrame, rated: pd.Series[bool], exclude: Collection[str]) -> list[ScoreColumn]:
    """Columns that measure something, that vary, and that at least 80 % of the rated items carry.

    In a table of ours: registered metrics with a direction. In any other: every numeric column but identifiers and
    ``exclude``, with its direction to be learned.

    Raises:
        TableError: there is none.
    """
    declared = _declared_signs(frame)
    names = [str(name) for name in frame.columns if str(name) not in (*NOT_MEASUREMENTS, *exclude)]
    names = [name for name in names if is_numeric_dtype(frame[name]) and not is_bool_dtype(frame[name])]
    if declared:
        names = [name for name in names if declared.get(name, 0) or not is_measured(name)]
    usable = [name for name in names if is_usable(frame[name][rated])]
    if not usable:
        raise TableError("at least one numeric column that varies over the rated items", "none", "--features")
    return [ScoreColumn(name, declared.get(name, 0)) for name in usable]


def feature_matrix(frame: pd.DataFrame, names: Sequence[str]) -> Float64:
    """N×F values as they stand, NaN where missing.

    Raises:
        TableError: a column is absent.
    """
    absent = [name for name in names if name not in frame]
    if absent:
        raise TableError(
            f"the columns {', '.join(names)}", f"no {', '.join(absent)}", todo="Give them with --join FILE."
        )
    return np.column_stack([pd.to_numeric(frame[name]).to_numpy(np.float64, na_value=np.nan) for name in names])


def is_usable(values: pd.Series[float]) -> bool:
    """Enough of the rated items carry a value, and it varies."""
    return bool(values.notna().mean() >= MIN_COVERAGE and values.nunique() > 1)


def _declared_signs(frame: pd.DataFrame) -> dict[str, int]:
    """Column → +1, −1 or 0 for registered metrics; importing the registry is skipped for foreign tables."""
    if not any(is_measured(str(name)) for name in frame.columns):
        return {}
    signs = {Direction.HIGHER_IS_BETTER: 1, Direction.LOWER_IS_BETTER: -1, Direction.NEITHER: 0}
    return {name: signs[facts.direction] for name, facts in metric_facts().items() if name in frame}
