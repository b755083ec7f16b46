"""Two runs' *edited* pictures as pairs: what one inference engine, precision or seed made beside what another did.

    PATH         a run folder, its scores.parquet or a manifest: the reference
    CANDIDATE    the same of the other engine

Rows pair by ``id``. The reference's edited picture becomes the source and the candidate's the edit, with an empty mask
(nothing may change), so that preservation measures over the whole picture how far the second strays from the first. The
group stays that of the edit's own source.
"""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Final

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError, ManifestError, UserError
from edit_metrics.io.header import read_header
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted, Problem, shared_missing, write_once
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.io.sources import parent_of
from edit_metrics.types import EditItem, ManifestRow

INSTRUCTION: Final = "Change nothing"
"""What the second picture is asked to be; the edit's own instruction travels along as ``edit_instruction``."""


@layout("parity")
def read_parity(path: Path, *, candidate: Path | None = None, files: Path) -> Converted:
    """Pair the edited pictures of two runs.

    Args:
        path: the reference.
        candidate: what is held against it.
        files: folder for the empty masks, one a size of picture.

    Raises:
        UserError: no second run.
        ManifestError: one of them cannot be read, or they have no id in common.
    """
    if candidate is None:
        raise UserError(
            "two runs or manifests", "one", "parity", "edit-metrics manifest parity BASELINE CANDIDATE --out FILE"
        )
    before, after = _read(path), _read(candidate)
    partners = {item.id: item for item in after.items}
    problems = [
        Problem(str(where), rejected.id, f"{rejected.field}: {rejected.expected}, got {rejected.got}", "skipped")
        for where, manifest in ((path, before), (candidate, after))
        for rejected in manifest.rejections
    ]
    masks = _EmptyMasks(files)
    rows = [_row(item, partners[item.id], before.root, masks) for item in before.items if item.id in partners]
    if not rows:
        first = f"for example {before.items[0].id!r}" if before.items else "the reference has no rows"
        raise ManifestError(
            "ids that both have", f"none; {first}", f"{path} and {candidate}", "Same benchmark, same ids."
        )
    known = {row.id for row in rows}
    for where, manifest in ((path, before), (candidate, after)):
        alone = [item.id for item in manifest.items if item.id not in known]
        problems += [Problem(str(where), name, "an id that the other run lacks", "skipped") for name in alone]
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


class _EmptyMasks:
    """An all-black mask of a picture's size, written once a size."""

    def __init__(self, files: Path) -> None:
        self.files = files
        self.known: dict[tuple[int, int], Path] = {}

    def of(self, picture: Path) -> Path | None:
        """None where the picture cannot be read; scoring says why."""
        try:
            header = read_header(picture.read_bytes(), DecodeLimits(), str(picture))
        except (OSError, ImageError):
            return None
        size = header.width, header.height
        if size not in self.known:
            self.known[size] = write_once(_black(size), self.files / "masks", ".png")
        return self.known[size]


def _black(size: tuple[int, int]) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("L", size, 0).save(buffer, format="PNG")
    return buffer.getvalue()


def _row(reference: EditItem, other: EditItem, root: str, masks: _EmptyMasks) -> ManifestRow[Path]:
    text = reference.instruction or reference.target_caption
    return ManifestRow(
        id=reference.id,
        source=Path(reference.edited),
        edited=Path(other.edited),
        instruction=INSTRUCTION,
        mask=masks.of(Path(reference.edited)),
        edit_type=reference.edit_type,
        model=other.model,
        # Without one of its own, every pair would be a group: the reference's edits differ even where sources do not.
        group=reference.group or Path(os.path.relpath(reference.source, root)).as_posix(),
        metadata={"edit_instruction": text} if text else {},
    )


def _read(path: Path) -> Manifest:
    table = path / "scores.parquet" if path.is_dir() else path
    return read_manifest(table, root=_recorded_root(table), allow_outside_root=True)


def _recorded_root(table: Path) -> str:
    """What a run's paths start from: its ``run.json`` knows; else the table's folder."""
    info = table.parent / "run.json"
    if table.name == "scores.parquet" and info.is_file():
        try:
            return str(json.loads(info.read_text(encoding="utf-8"))["manifest"]["root"])
        except (ValueError, KeyError, TypeError):
            pass
    return parent_of(str(table))
