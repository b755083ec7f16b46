"""A manifest's own word for an edit type, mapped whole."""

from __future__ import annotations

import re
import tomllib
import warnings
from functools import cache
from importlib import resources
from typing import Final

from edit_metrics.errors import suggest
from edit_metrics.instruction.kinds import EditType

_NOT_WORDS: Final = re.compile(r"[^a-z0-9]+")
_PIE_NUMBER: Final = re.compile(r"_\d+$")
"""PIE-Bench's folders end in a count (``1_change_object_80``)."""


class UnknownLabelWarning(UserWarning):
    """An edit type of a manifest that no table has."""


@cache
def label_to_type(label: str) -> EditType | None:
    """The edit type of a label, or None with one warning for a label that no benchmark of ``labels.toml`` has."""
    name = _NOT_WORDS.sub("_", label.lower()).strip("_")
    table = label_table()
    found = table.get(name) or table.get(_PIE_NUMBER.sub("", name))
    if found is None and name:
        nearest = suggest(name, table) or ""
        warnings.warn(
            f"unknown edit_type {label!r}: it is ignored. {nearest}".strip(), UnknownLabelWarning, stacklevel=2
        )
    return found


@cache
def label_table() -> dict[str, EditType]:
    """Label → edit type, of all benchmarks; ``other`` where two benchmarks mean different things."""
    file = resources.files("edit_metrics.instruction").joinpath("labels.toml")
    table: dict[str, EditType] = {str(kind): kind for kind in EditType}
    for labels in tomllib.loads(file.read_text(encoding="utf-8")).values():
        for name, kind in labels.items():
            if name != "source":
                same = table.setdefault(name, EditType(kind)) is EditType(kind)
                table[name] = table[name] if same else EditType.OTHER
    return table
