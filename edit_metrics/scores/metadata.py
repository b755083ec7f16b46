"""Manifest columns that only travel through: names that do not clash with ours, one Arrow type each."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from edit_metrics.scores.columns import is_reserved
from edit_metrics.types import EditItem


@dataclass(frozen=True, slots=True)
class MetadataColumn:
    """One further column of the manifest.

    Attributes:
        name: in the manifest.
        field: in the score table; its name differs where ours has the manifest's.
    """

    name: str
    field: pa.Field

    def values(self, items: Sequence[EditItem]) -> pa.Array:
        """A cell an item, in the field's type."""
        cells = [item.metadata.get(self.name) for item in items]
        if pa.types.is_string(self.field.type):
            cells = [None if cell is None else _text(cell) for cell in cells]
        elif pa.types.is_floating(self.field.type):
            cells = [None if cell is None else float(cell) for cell in cells]
        return pa.array(cells, type=self.field.type)


def metadata_columns(items: Iterable[EditItem], also_ours: Collection[str] = ()) -> tuple[MetadataColumn, ...]:
    """The further columns of all items together, in order of appearance.

    Args:
        items: of the whole manifest.
        also_ours: see :func:`column_names`.

    Booleans only: bool. Whole numbers that fit 64 bits: int64. Numbers: float64. Anything else, and any mixture:
    string, in which lists, objects and odd values stand as JSON.
    """
    kinds: dict[str, set[str]] = {}
    for item in items:
        for name, value in item.metadata.items():
            kinds.setdefault(name, set()).add(_kind(value))
    types = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "string": pa.string()}
    names = column_names(kinds, also_ours)
    return tuple(MetadataColumn(name, pa.field(names[name], types[_common(seen)])) for name, seen in kinds.items())


def column_names(metadata: Iterable[str], also_ours: Collection[str] = ()) -> dict[str, str]:
    """Manifest column → its name in the score table: ``meta.<name>`` where ours has that name.

    Args:
        metadata: names in order of appearance.
        also_ours: names that the run's own text columns (labels) have, beside those that every run has.
    """

    def is_ours(name: str) -> bool:
        return is_reserved(name) or name in also_ours

    names = list(dict.fromkeys(metadata))
    taken = {name for name in names if not is_ours(name)}
    renamed: dict[str, str] = {}
    for name in names:
        new = name
        while is_ours(new) or (new != name and new in taken):
            new = f"meta.{new}"
        taken.add(new)
        renamed[name] = new
    return renamed


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
