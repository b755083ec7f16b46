"""KRIS-Bench (arXiv 2505.16707): a folder a category with its annotations, and the edits as its scripts read them.

    PATH/CATEGORY/annotation.json           {ID: {ori_img, ins_en, explain_en[, gt_img]}}; ori_img may be a list
    PATH/CATEGORY/…                         the pictures that it names; PATH may be the folder above KRIS_Bench/, too
    EDITED/[MODEL/]CATEGORY/ID.jpg          results/ in the benchmark's own tree

Of several original pictures the first is the source and the others are references. The explanation of what the edit
should show travels as ``explain``, the true picture's name as ``gt_img``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edit_metrics.errors import ManifestError
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
    subfolders,
)
from edit_metrics.types import ManifestRow

_ANNOTATIONS = "annotation.json"


@layout("kris")
def read_kris(path: Path, *, edited: Path | None = None, model: str | None = None) -> Converted:
    """Read KRIS-Bench and models' edits.

    Args:
        path: the folder of the categories.
        edited: a model's folder or a folder of models' folders; ``results/`` in or beside the benchmark by default.
        model: name of the model when ``edited`` is one model's folder.

    Raises:
        ManifestError: no annotations, or no edits.
    """
    base = path / "KRIS_Bench" if (path / "KRIS_Bench").is_dir() else path
    categories = [folder for folder in subfolders(base) if (folder / _ANNOTATIONS).is_file()]
    if not categories:
        raise ManifestError(f"a folder a category, each with {_ANNOTATIONS}", "none", str(path))
    beside = [folder for folder in (base / "results", base.parent / "results") if folder.is_dir()]
    names = {folder.name for folder in categories}
    folders = model_folders(
        edited or (beside or [base / "results"])[0],
        lambda folder: bool(names & {one.name for one in subfolders(folder)}),
        model,
    )
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    for category in categories:
        entries = read_json(category / _ANNOTATIONS, "KRIS-Bench's annotations")
        if not isinstance(entries, dict):
            raise ManifestError("an object of annotations", type(entries).__name__, str(category / _ANNOTATIONS))
        for key, entry in entries.items():
            identity = f"{category.name}/{key}"
            try:
                task = _task(category, key, entry)
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                text = f"no {error}" if isinstance(error, KeyError) else str(error)
                problems.append(Problem(f"{category.name}/{_ANNOTATIONS}: {key}", identity, text, "skipped"))
                continue
            rows += [
                ManifestRow(
                    id=row_id(identity, name, len(folders)),
                    edited=picture_named(folder / category.name, key, ".jpg"),
                    edit_type=category.name,
                    model=name,
                    **task,
                )
                for name, folder in folders.items()
            ]
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def _task(category: Path, key: str, entry: dict[str, Any]) -> dict[str, Any]:
    if "/" in key or key in ("", ".", ".."):
        raise ValueError(f"a key that is no file name: {key!r}")
    named = entry["ori_img"]
    originals = [below(category, name) for name in (named if isinstance(named, list) else [named])]
    if not originals:
        raise ValueError("no original picture")
    told = {
        "explain": one_text(entry.get("explain_en"), "explain_en"),
        "gt_img": one_text(entry.get("gt_img"), "gt_img"),
    }
    return {
        "source": originals[0],
        "references": tuple(originals[1:]),
        "instruction": one_text(entry.get("ins_en", entry.get("instruction")), "ins_en"),
        "metadata": {name: value for name, value in told.items() if value is not None},
    }
