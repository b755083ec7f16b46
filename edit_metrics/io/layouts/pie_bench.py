"""PIE-Bench (Ju et al., "Direct Inversion", 2023): ``mapping_file.json``, ``annotation_images/``, one folder a method.

Masks are run lengths, ``[start, length, start, length, …]`` over 512×512 pixels row by row, 1 = edited; the outermost
pixels count as edited, as in the benchmark's own evaluation, which does so to forgive annotation errors there. They
are written out as PNG. ``[`` and ``]``, which mark words in the prompts, are taken out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np

from edit_metrics.errors import ManifestError
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import (
    Converted,
    Problem,
    need_folder,
    row_id,
    shared_missing,
    subfolders,
    write_once,
)
from edit_metrics.io.tables import write_bytes
from edit_metrics.types import ManifestRow, Mask

SIDE: Final = 512

# The benchmark's categories in our words; the others (0 random, 4 content, 5 pose, 7 material) are for the parser.
_EDIT_TYPES: Final = {"1": "replace", "2": "add", "3": "remove", "6": "recolour", "8": "background", "9": "style"}


@layout("pie-bench")
def read_pie_bench(path: Path, *, files: Path, edited: Path | None = None) -> Converted:
    """Read PIE-Bench and the outputs of methods on it.

    Args:
        path: the folder that holds ``mapping_file.json`` and ``annotation_images/``.
        files: folder for the masks that are written out.
        edited: folder of the methods' folders, ``PATH/output`` by default; each holds the pictures at
            ``annotation_images/<image_path>`` or ``<image_path>``.

    Raises:
        ManifestError: no mapping file, or no method's folder.
    """
    entries = _read_mapping(path / "mapping_file.json")
    sources = need_folder(path / "annotation_images", "PIE-Bench's source pictures")
    outputs = need_folder(edited or path / "output", "one folder a method")
    methods = subfolders(outputs)
    if not methods:
        raise ManifestError("one folder a method", "no folder", str(outputs))
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    for key, entry in entries.items():
        try:
            picture = _inside(sources, str(entry["image_path"]))
            texts = _texts(entry)
        except (KeyError, TypeError, ValueError) as error:
            problems.append(
                Problem(f"mapping_file.json: {key}", key, f"an entry that cannot be read: {error}", "skipped")
            )
            continue
        mask = _mask_file(key, entry, files, problems)
        for method in methods:
            name = row_id(key, method.name, len(methods))
            target = _target(method, picture.relative_to(sources), name, files, problems)
            rows.append(ManifestRow(name, picture, target, mask=mask, model=method.name, group=key, **texts))
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def decode_run_lengths(runs: Sequence[int], side: int = SIDE) -> Mask:
    """Start and length pairs to a mask, the outermost pixels set.

    Raises:
        ValueError: an odd count of numbers, or a run that leaves the picture.
    """
    if len(runs) % 2:
        raise ValueError(f"expected pairs of start and length, got {len(runs)} numbers")
    flat = np.zeros(side * side, dtype=bool)
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if not 0 <= start <= flat.size or length < 0:
            raise ValueError(f"expected a run inside {side}×{side} pixels, got start {start}, length {length}")
        # The last run of some annotations is one too long; the benchmark cuts it.
        flat[start : start + length] = True
    mask: Mask = flat.reshape(side, side)
    mask[[0, -1], :] = True
    mask[:, [0, -1]] = True
    return mask


def _read_mapping(file: Path) -> Mapping[str, Any]:
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError("PIE-Bench's mapping_file.json", str(error), str(file)) from None
    if not isinstance(loaded, dict):
        raise ManifestError("an object of annotations", type(loaded).__name__, str(file))
    return loaded


def _texts(entry: Mapping[str, Any]) -> dict[str, Any]:
    kind = str(entry.get("editing_type_id", ""))
    return {
        "instruction": str(entry["editing_instruction"]),
        "source_caption": _plain(entry["original_prompt"]),
        "target_caption": _plain(entry["editing_prompt"]),
        "edit_type": _EDIT_TYPES.get(kind),
        "metadata": {"pie_type": kind} if kind else {},
    }


def _plain(prompt: object) -> str:
    return " ".join(str(prompt).replace("[", "").replace("]", "").split())


def _mask_file(key: str, entry: Mapping[str, Any], files: Path, problems: list[Problem]) -> Path | None:
    raw = entry.get("mask")
    try:
        runs = [int(number) for number in (raw.split() if isinstance(raw, str) else raw or ())]
        if not runs:
            raise ValueError("no mask")
        mask = decode_run_lengths(runs)
    except (TypeError, ValueError) as error:
        problems.append(Problem(f"mapping_file.json: {key}", key, f"mask: {error}", "row kept: without a mask"))
        return None
    return write_once(_png(mask), files / "masks", ".png")


def _png(mask: Mask) -> bytes:
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, format="PNG")
    return buffer.getvalue()


def _target(method: Path, relative: Path, name: str, files: Path, problems: list[Problem]) -> Path:
    """The method's picture; a strip of panels is cut to its last one, as the benchmark does."""
    from PIL import Image, UnidentifiedImageError

    found = next(_candidates(method, relative))
    try:
        with Image.open(found) as picture:
            width, height = picture.size
            if width == height or width < SIDE or height < SIDE:
                return found
            buffer = BytesIO()
            picture.crop((width - SIDE, height - SIDE, width, height)).save(buffer, format="PNG")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        # Absent or unreadable: the row stays, and scoring says which.
        return found
    cut = files / "panels" / method.name / relative.with_suffix(".png")
    write_bytes(buffer.getvalue(), cut)
    problems.append(
        Problem(str(found), name, f"{width}×{height}, a strip of panels", f"row kept: its last {SIDE}×{SIDE} pixels")
    )
    return cut


def _candidates(method: Path, relative: Path) -> Iterator[Path]:
    below = [method / "annotation_images" / relative, method / relative]
    yield from (path for path in below if path.is_file())
    yield below[0] if below[0].parent.parent.is_dir() else below[1]


def _inside(folder: Path, relative: str) -> Path:
    path = folder / relative
    if ".." in Path(relative).parts or not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"an image_path outside {folder.name}: {relative!r}")
    return path
