"""Plain folders: ``source/``, ``edited/``, ``masks/`` and a CSV of instructions.

    PATH/instructions.csv       id,instruction[,edit_type,source_caption,…]; id = file name without suffix
    PATH/source/ID.png
    PATH/edited/ID.png          or edited/MODEL/ID.png for several models
    PATH/masks/ID.png           optional

The CSV decides which edits there are; pictures that it does not name are reported.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from edit_metrics.choices import WhiteMeans
from edit_metrics.errors import ManifestError
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import (
    PICTURE_SUFFIXES,
    Converted,
    Problem,
    need_folder,
    picture_index,
    pictures,
    row_id,
    shared_missing,
    subfolders,
)
from edit_metrics.types import ManifestRow

_TEXTS: Final = ("instruction", "source_caption", "target_caption", "edit_type", "group")


@layout("folders")
def read_folders(
    path: Path, *, edited: Path | None = None, model: str | None = None, white_means: WhiteMeans = "edited"
) -> Converted:
    """Read plain folders.

    Args:
        path: the folder that holds ``source/`` and the CSV.
        edited: the folder of edits; ``PATH/edited`` by default.
        model: name of the model when the edits lie in one folder.
        white_means: what the light part of the masks marks.

    Raises:
        ManifestError: no ``source/``, no edits, not exactly one CSV, or a CSV without ``id``.
    """
    need_folder(path / "source", "the source pictures")
    outputs = need_folder(edited or path / "edited", "the edited pictures")
    table = _read_csv(path)
    models: dict[str | None, Path] = {folder.name: folder for folder in subfolders(outputs)}
    problems = list(_strays(path, outputs, models, table))
    rows: list[ManifestRow[Path]] = []
    sources, mask_files = picture_index(path / "source"), picture_index(path / "masks")
    indexes = {folder: picture_index(folder) for folder in (models or {model: outputs}).values()}
    for name, cells in table.items():
        source = _one(sources, path / "source", name, problems)
        if source is None:
            continue
        masks = mask_files.get(name, [])
        if len(masks) > 1:
            text = f"several masks: {', '.join(mask.name for mask in masks)}"
            problems.append(Problem(str(path / "masks"), name, text, "row kept: without a mask"))
        for model_name, folder in (models or {model: outputs}).items():
            target = _one(indexes[folder], folder, name, problems, source.suffix)
            if target is None:
                continue
            row = ManifestRow(
                id=row_id(name, model_name, len(models)),
                source=source,
                edited=target,
                mask=masks[0] if len(masks) == 1 else None,
                mask_white_means=white_means,
                model=model_name or cells.get("model") or None,
                instruction=cells.get("instruction") or None,
                source_caption=cells.get("source_caption") or None,
                target_caption=cells.get("target_caption") or None,
                edit_type=cells.get("edit_type") or None,
                group=cells.get("group") or None,
                metadata={k: v for k, v in cells.items() if k not in (*_TEXTS, "id", "model") and v},
            )
            rows.append(row)
            if not (row.instruction or row.target_caption):
                problems.append(
                    Problem(row.id, row.id, "no instruction and no target_caption", "row kept: it will be rejected")
                )
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def _one(
    index: Mapping[str, list[Path]], folder: Path, name: str, problems: list[Problem], suffix: str = ".png"
) -> Path | None:
    """The picture; where it should be when there is none; None, with a problem, when there are several."""
    found = index.get(name, [])
    if len(found) > 1:
        problems.append(
            Problem(str(folder), name, f"several pictures: {', '.join(path.name for path in found)}", "skipped")
        )
        return None
    return found[0] if found else folder / f"{name}{suffix}"


def _read_csv(path: Path) -> Mapping[str, dict[str, str]]:
    files = sorted(path.glob("*.csv"))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "none"
        raise ManifestError("exactly one CSV of instructions", names, str(path), "Columns: id,instruction.")
    with files[0].open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        columns = [name.strip() for name in reader.fieldnames or ()]
        if "id" not in columns:
            raise ManifestError("a column 'id' (the file name without suffix)", f"columns {columns}", str(files[0]))
        reader.fieldnames = columns
        table: dict[str, dict[str, str]] = {}
        for record in reader:
            cells = {name: (value or "").strip() for name, value in record.items() if isinstance(name, str)}
            name = Path(cells["id"])
            key = name.stem if name.suffix.lower() in PICTURE_SUFFIXES else cells["id"]
            if not key or key in table or "/" in key or "\\" in key:
                expected = "a unique id in every row, the name of a file without its folder"
                raise ManifestError(expected, repr(cells["id"]), f"{files[0]}:{reader.line_num}")
            table[key] = cells
    return table


def _strays(
    path: Path, outputs: Path, models: Mapping[str | None, Path], table: Mapping[str, object]
) -> Iterator[Problem]:
    if models:
        for picture in pictures(outputs):
            yield Problem(str(picture), None, "a picture beside the models' folders", "skipped")
    for folder in (path / "source", path / "masks", *(models.values() or [outputs])):
        for picture in pictures(folder):
            if picture.stem not in table:
                yield Problem(str(picture), picture.stem, "no row of the CSV names it", "skipped")
