"""Whatever a Python user holds to rows of a manifest: mappings, a frame, items, one pair or lists of pairs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.api.pictures import is_picture, save_picture
from edit_metrics.errors import ManifestError, UserError
from edit_metrics.types import EditItem

PICTURES: Final = ("source", "edited", "mask")
_USE: Final = "Call score(source, edited, instruction), score(manifest, profile=NAME), or give rows with these columns."


def is_manifest(items: Any) -> bool:
    """A path of a manifest file."""
    return isinstance(items, str | os.PathLike)


def rows_of_pairs(
    source: Any, edited: Any, instruction: Any, mask: Any, extra: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One pair, or lists of the same length, as rows.

    Args:
        source: a picture, or a list of them.
        edited: as many.
        instruction: one for all, or as many.
        mask: None, one for a single pair, or as many.
        extra: further columns, each one value for all or a list.

    Raises:
        UserError: lists of different length.
    """
    if not isinstance(source, list | tuple):
        if isinstance(edited, list | tuple):
            raise UserError("two pictures or two lists", "a picture and a list", todo=_USE)
        source, edited, mask = [source], [edited], None if mask is None else [mask]
    n = len(source)
    columns: dict[str, Any] = {"source": source, "edited": edited, "instruction": instruction, "mask": mask, **extra}
    rows = [dict[str, Any]() for _ in range(n)]
    for name, values in columns.items():
        if values is None:
            continue
        several = list(values) if isinstance(values, list | tuple) and name != "references" else [values] * n
        if len(several) != n:
            raise UserError(f"{n} values, as there are sources", f"{len(several)}", name)
        for row, value in zip(rows, several, strict=True):
            row[name] = value
    return rows


def rows_of(items: Any) -> list[dict[str, Any]]:
    """Mappings, items or a DataFrame as rows; a frame's own index gives the ids where it says something.

    Raises:
        UserError: something else.
    """
    if hasattr(items, "to_dict") and hasattr(items, "columns"):
        rows = [{str(name): value for name, value in row.items()} for row in items.to_dict("records")]
        if "id" not in items.columns and items.index.dtype.kind not in "iu" and items.index.is_unique:
            return [{"id": str(name), **row} for name, row in zip(items.index, rows, strict=True)]
        return rows
    if isinstance(items, Mapping):
        items = [items]
    if is_picture(items) or not isinstance(items, Iterable):
        raise UserError("a manifest, rows, a DataFrame, or a pair of pictures", type(items).__name__, todo=_USE)
    return [_row(one) for one in items]


def completed(rows: list[dict[str, Any]], folder: Callable[[], Path]) -> list[dict[str, Any]]:
    """Ids where none are given (by place: ``0001`` …), pictures in memory written to files.

    Args:
        rows: of a manifest.
        folder: where pictures are written; called when there is one to write.

    Raises:
        ManifestError: no rows.
        UserError: a picture of a form that nobody knows.
    """
    if not rows:
        raise ManifestError("at least one edit", "none", todo=_USE)
    digits = max(4, len(str(len(rows))))
    done = []
    for number, row in enumerate(rows, start=1):
        name = row.get("id")
        missing = name is None or (isinstance(name, float) and name != name)  # noqa: PLR0124 - NaN alone differs from itself
        new = {**row, "id": f"{number:0{digits}d}" if missing else name}
        for column in PICTURES:
            value = new.get(column)
            if is_picture(value):
                new[column] = save_picture(
                    value, folder() / f"{number:0{digits}d}-{column}.png", f"row {number}, {column}"
                )
            elif isinstance(value, os.PathLike):
                new[column] = os.fspath(value)
        done.append(new)
    return done


def _row(one: Any) -> dict[str, Any]:
    if isinstance(one, EditItem) or (is_dataclass(one) and not isinstance(one, type)):
        known = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in ("row", "line")}
        metadata = known.pop("metadata", None) or {}
        known = {name: list(value) if isinstance(value, tuple) else value for name, value in known.items()}
        return {**metadata, **{name: value for name, value in known.items() if value not in (None, [])}}
    if isinstance(one, Mapping):
        return {str(name): value for name, value in one.items()}
    if isinstance(one, list | tuple) and len(one) == 3:
        return dict(zip(("source", "edited", "instruction"), one, strict=True))
    raise UserError("rows: mappings, or (source, edited, instruction)", type(one).__name__, todo=_USE)
