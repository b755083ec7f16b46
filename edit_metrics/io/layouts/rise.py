"""RISEBench (arXiv 2504.02826) and its second edition: one JSON list, and the edits as its evaluation reads them.

    PATH/*.json                                             [{index, category, instruction, image, …}, …]
    PATH/CATEGORY_images/1.png                              as ``image`` names it; the second edition has lists
    EDITED/[MODEL/]images/CATEGORY/INDEX.png                or .jpg, .jpeg; outputs/ in the benchmark's own tree

Of several pictures the first is the source and the others are references. What the answer should show travels as
metadata (``reference``, ``reference_txt``, ``reference_img``, ``subtask``, ``subcategory``, ``task_type`` …).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edit_metrics.errors import ManifestError, UserError
from edit_metrics.io.hf_cells import plain_metadata
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import (
    Converted,
    Problem,
    below,
    model_folders,
    one_text,
    picture_named,
    read_json,
    row_id,
    shared_missing,
)
from edit_metrics.types import ManifestRow


@layout("rise")
def read_rise(path: Path, *, edited: Path | None = None, model: str | None = None) -> Converted:
    """Read RISEBench and models' edits.

    Args:
        path: its JSON file, or the folder that holds it alone.
        edited: a model's folder, which holds ``images/``, or a folder of such.
        model: name of the model when ``edited`` is one model's folder.

    Raises:
        UserError: no folder of edits.
        ManifestError: no list of tasks, or no edits.
    """
    if edited is None:
        raise UserError("the models' edits", "none", "rise", "Name their folder: --edited outputs.")
    file = _tasks_file(path)
    entries = read_json(file, "a JSON file of RISEBench")
    if not isinstance(entries, list):
        raise ManifestError("a list of tasks", type(entries).__name__, str(file))
    folders = model_folders(edited, lambda folder: (folder / "images").is_dir(), model)
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    for number, entry in enumerate(entries):
        name = str(entry.get("index", number)) if isinstance(entry, dict) else str(number)
        try:
            task, category = _task(file.parent, entry)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            text = f"no {error}" if isinstance(error, KeyError) else str(error)
            problems.append(Problem(f"{file.name}: {name}", name, text, "skipped"))
            continue
        rows += [
            ManifestRow(
                id=row_id(name, who, len(folders)),
                edited=picture_named(folder / "images" / category, name),
                edit_type=category,
                model=who,
                **task,
            )
            for who, folder in folders.items()
        ]
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def _tasks_file(path: Path) -> Path:
    if path.is_file():
        return path
    found = sorted(path.glob("*.json")) if path.is_dir() else []
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise ManifestError("one JSON file of RISEBench", names, str(path), "Name the file: data_total.json.")
    return found[0]


def _task(folder: Path, entry: dict[str, Any]) -> tuple[dict[str, Any], str]:
    category, index = entry["category"], entry["index"]
    if any(not isinstance(part, str) or "/" in part or part in ("", ".", "..") for part in (category, index)):
        raise ValueError(f"a category or index that is no file name: {category!r}, {index!r}")
    named = entry["image"]
    originals = [below(folder, name) for name in (named if isinstance(named, list) else [named])]
    if not originals:
        raise ValueError("no picture")
    own = ("index", "category", "instruction", "image")
    return {
        "source": originals[0],
        "references": tuple(originals[1:]),
        "instruction": one_text(entry.get("instruction"), "instruction"),
        "metadata": plain_metadata({k: v for k, v in entry.items() if k not in own})[0],
    }, category
