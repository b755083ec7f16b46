"""Cells of a data set: pictures, texts and further values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.io.layout_rows import write_once
from edit_metrics.io.tables import as_name

_SUFFIXES: Final = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif", b"BM": ".bmp"}


MISSING: Final = "missing"
"""Folder in which no file is: where a picture would be that a cell does not have."""


@dataclass(frozen=True, slots=True)
class PictureCell:
    """What a cell has of a picture: a file, its bytes where they were in the cell, or why there is none."""

    path: Path | None
    data: bytes | None
    problem: str


def picture_cell(value: object, folder: Path, files: Path) -> PictureCell:
    """A cell's picture, written out where the cell holds its bytes.

    Args:
        value: ``{bytes, path}``, bytes, or a path.
        folder: what a path in the cell starts from, and what it may not leave.
        files: folder for the pictures that are written out.
    """
    if isinstance(value, bytes):
        value = {"bytes": value, "path": None}
    elif isinstance(value, str):
        value = {"bytes": None, "path": value}
    if not isinstance(value, dict) or not (value.get("bytes") or value.get("path")):
        return PictureCell(None, None, "an empty cell" if value is None or isinstance(value, dict) else "no picture")
    data = value.get("bytes")
    if data is None:
        path = folder / str(value["path"])
        inside = path.resolve().is_relative_to(folder.resolve())
        problem = "" if inside else f"a path that leaves the folder: {value['path']!r}"
        return PictureCell(path if inside else None, None, problem)
    suffix = next((suffix for magic, suffix in _SUFFIXES.items() if data.startswith(magic)), ".bin")
    return PictureCell(write_once(data, files / "pictures", suffix), data, "")


def plain_metadata(cells: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What a manifest in JSON can hold, and the names of cells that are infinite, which it cannot. NaN is no cell."""
    further = {k: v for k, v in cells.items() if isinstance(v, str | int | float)}
    infinite = [name for name, value in further.items() if isinstance(value, float) and math.isinf(value)]
    kept = {k: v for k, v in further.items() if not (isinstance(v, float) and not math.isfinite(v))}
    return kept, infinite


def text_cell(value: object) -> str | None:
    """Text of a cell; None where it is missing or blank. A list of one text is that text.

    Raises:
        ValueError: a list of more, or something that is no text: it is not written as Python would print it.
    """
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if isinstance(value, list | dict | bytes):
        what = f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
        raise ValueError(f"{what} where one text is expected")
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    text = "" if missing else as_name(value).strip()
    return text or None
