"""Cells of any origin as plain Python values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

DEEPEST: Final = 64
"""Lists and objects inside each other: some writers of JSON and Parquet give up at a hundred."""


class TooDeepError(ValueError):
    """A cell of more lists and objects inside each other than any table can hold."""


def plain_value(value: Any, depth: int = 0) -> Any:
    """The value as None, bool, int, float, str, list or dict; NaN, NaT and NA become None.

    Dates become ISO text, decimals floats, NumPy values Python's; bytes become a note of their size, since a table
    of scores is no place for files.

    Raises:
        TooDeepError: nested deeper than ``DEEPEST``.
    """
    if depth >= DEEPEST and isinstance(value, (Mapping, list, tuple, set, frozenset)):
        raise TooDeepError("a deeper one")
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, Mapping):
        return {str(name): plain_value(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_value(inner, depth + 1) for inner in value]
    return value if value is None or isinstance(value, (str, int)) else _foreign_value(value, depth)


def _foreign_value(value: Any, depth: int) -> Any:
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, Decimal):
        return plain_value(float(value))
    if hasattr(value, "tolist"):
        return plain_value(value.tolist(), depth + 1)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
