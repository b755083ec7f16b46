"""Columns that only travel through: plain values, names that do not clash with ours, one Arrow type each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.types import DIMENSIONS, EditItem

if TYPE_CHECKING:
    import pyarrow as pa

_OURS: Final = frozenset({"flags", "priority", "priority.reasons", "source_phash", "edited_phash"})
_PREFIXES: Final = ("overall.", *(f"{dimension}." for dimension in DIMENSIONS))


def plain_value(value: Any) -> Any:
    """The value as None, bool, int, float, str, list or dict; NaN, NaT and NA become None.

    Dates become ISO text, decimals floats, NumPy values Python's; bytes become a note of their size, since a table
    of scores is no place for files.
    """
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, Mapping):
        return {str(name): plain_value(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain_value(inner) for inner in value]
    return value if value is None or isinstance(value, (str, int)) else _foreign_value(value)


def _foreign_value(value: Any) -> Any:
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, Decimal):
        return plain_value(float(value))
    if hasattr(value, "tolist"):
        return plain_value(value.tolist())
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def column_names(metadata: Iterable[str], fields: Sequence[str]) -> dict[str, str]:
    """Metadata column → its name in the score table: ``meta.<name>`` where ours has that name.

    Args:
        metadata: names in order of appearance.
        fields: the manifest's own columns.
    """
    names = list(dict.fromkeys(metadata))
    taken = {name for name in names if not _is_ours(name, fields)}
    renamed: dict[str, str] = {}
    for name in names:
        new = name
        while _is_ours(new, fields) or (new != name and new in taken):
            new = f"meta.{new}"
        taken.add(new)
        renamed[name] = new
    return renamed


def metadata_schema(items: Iterable[EditItem]) -> list[pa.Field]:
    """One Arrow field a metadata column, from all items together, in order of appearance.

    Booleans only: bool. Whole numbers that fit 64 bits: int64. Numbers: float64. Anything else, and any mixture:
    string, in which lists, objects and odd values stand as JSON. Build columns with :func:`metadata_column`.
    """
    import pyarrow as pa

    kinds: dict[str, set[str]] = {}
    for item in items:
        for name, value in item.metadata.items():
            kinds.setdefault(name, set()).add(_kind(value))
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "string": pa.string()}
    return [pa.field(name, types[_common(seen)]) for name, seen in kinds.items()]


def metadata_column(items: Sequence[EditItem], field: pa.Field) -> pa.Array:
    """The values of one metadata column, in the type that :func:`metadata_schema` chose."""
    import pyarrow as pa

    values = [item.metadata.get(field.name) for item in items]
    if pa.types.is_string(field.type):
        values = [None if value is None else _text(value) for value in values]
    elif pa.types.is_floating(field.type):
        values = [None if value is None else float(value) for value in values]
    return pa.array(values, type=field.type)


def _is_ours(name: str, fields: Sequence[str]) -> bool:
    return name in fields or name in _OURS or name.startswith(_PREFIXES)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else "string"
    return "float" if isinstance(value, float) else "string"


def _common(kinds: set[str]) -> str:
    if len(kinds) == 1:
        return next(iter(kinds))
    return "float" if kinds == {"int", "float"} else "string"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
