"""Cells of any score table, also another program's, as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from edit_metrics.types import split_codes

if TYPE_CHECKING:
    import pandas as pd


def text(value: Any) -> str:
    """A cell as text; missing is empty."""
    return "" if is_missing(value) else str(value)


def number(value: Any) -> float | None:
    """A cell as a finite number, or None."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def codes(value: Any) -> tuple[str, ...]:
    """A cell of codes, taken apart."""
    return split_codes(text(value))


def is_missing(value: Any) -> bool:
    """Whether a cell is None, NaN, NaT or NA; a list is not."""
    # NaN and NaT are the only values that differ from themselves; NA does not answer, and is named.
    return value is None or type(value).__name__ == "NAType" or (not hasattr(value, "__len__") and value != value)  # noqa: PLR0124


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain dictionaries, column names as text."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def column_of_codes(frame: pd.DataFrame, name: str) -> list[tuple[str, ...]]:
    """A column of codes, taken apart; no codes anywhere where the table lacks it."""
    return [codes(cell) for cell in frame[name]] if name in frame.columns else [()] * len(frame)
