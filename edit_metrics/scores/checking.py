"""Scores of a table that somebody else has written: numbers in [0, 1] or nothing, or the table is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.errors import TableError
from edit_metrics.io.plain import TooDeepError, plain_value
from edit_metrics.scores.columns import OVERALL, DimensionColumns
from edit_metrics.types import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

_SLACK: Final = 1e-6  # what a sum of float32 may be beside 1
_SHARES: Final = (
    *(name for own in map(DimensionColumns, DIMENSIONS) for name in (own.score, own.confidence)),
    *OVERALL,
)
_NAMES: Final = ("group", "model", "edit_type", "instruction", "source", "edited", "flags")


def checked_scores(frame: pd.DataFrame, where: Path) -> pd.DataFrame:
    """The table with every score as float64.

    Raises:
        TableError: a score or confidence that is no number in [0, 1], or a list or an object where text belongs.
    """
    changed = {name: _numbers(frame, name, where) for name in _SHARES if name in frame.columns}
    for name in _NAMES:
        if name in frame.columns and frame[name].dtype == object:
            _check_text(frame, name, where)
    return frame.assign(**changed)


def _numbers(frame: pd.DataFrame, name: str, where: Path) -> pd.Series[float]:
    import numpy as np
    import pandas as pd

    values = frame[name]
    if values.dtype.kind not in "iuf":
        values = pd.Series([_number(cell, n, frame, name, where) for n, cell in enumerate(values)], frame.index)
    numbers = values.astype("float64")
    array = numbers.to_numpy()
    outside = np.flatnonzero(~np.isnan(array) & ~((array >= -_SLACK) & (array <= 1 + _SLACK)))
    if len(outside):
        value = float(array[outside[0]])
        todo = "Leave the cell empty where there is no score." if math.isinf(value) else "Divide by the scale's length."
        raise _error(name, f"{value:g}", int(outside[0]), frame, where, todo)
    return numbers


def _number(cell: Any, row: int, frame: pd.DataFrame, name: str, where: Path) -> float:
    try:
        value = plain_value(cell)
        if value is None:
            return math.nan
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    except (TooDeepError, OverflowError):
        pass
    raise _error(name, _shown(cell), row, frame, where, "")


def _check_text(frame: pd.DataFrame, name: str, where: Path) -> None:
    for row, cell in enumerate(frame[name]):
        if not (cell is None or isinstance(cell, (str, int, float)) or not hasattr(cell, "__len__")):
            got = f"{_shown(cell)} (id {frame['id'].iloc[row]!r})"
            raise TableError(f"text in {name!r}", got, str(where))


def _shown(cell: Any) -> str:
    try:
        text = repr(plain_value(cell))
    except (TooDeepError, ValueError):  # whole numbers of thousands of digits have no text
        return f"a {type(cell).__name__}"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _error(name: str, got: str, row: int, frame: pd.DataFrame, where: Path, todo: str) -> TableError:
    return TableError(
        f"a number in [0, 1], or nothing, in {name!r}", f"{got} (id {frame['id'].iloc[row]!r})", str(where), todo
    )
