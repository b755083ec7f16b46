"""GEdit-Bench (Step1X-Edit, arXiv 2504.17761): the data set's Parquet or Arrow, and edits as its example saves them.

    PATH/…/*.parquet or *.arrow                             key, task_type, instruction, instruction_language,
                                                            input_image, input_image_raw, Intersection_exist
    EDITED/[MODEL/]fullset/TASK_TYPE/LANGUAGE/KEY.png       LANGUAGE: en or cn

The source is ``input_image_raw``, which models are given; ``input_image``, the same at the benchmark's own size, where
there is no other. ``KEY_SRCIMG.png`` beside the edits is not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edit_metrics.errors import ManifestError, UserError
from edit_metrics.io.hf_cells import MISSING, picture_cell, text_cell
from edit_metrics.io.hf_rows import HfTable
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted, Problem, model_folders, picture_named, row_id, shared_missing
from edit_metrics.io.layouts.hf_arrow import arrow_tables
from edit_metrics.io.layouts.hf_parquet import parquet_tables
from edit_metrics.types import ManifestRow

_NEEDED = ("key", "task_type", "instruction", "instruction_language")
_SOURCES = ("input_image_raw", "input_image")


@layout("gedit")
def read_gedit(path: Path, *, files: Path, edited: Path | None = None, model: str | None = None) -> Converted:
    """Read GEdit-Bench and models' edits.

    Args:
        path: the data set's folder, or one of its files.
        files: folder for the source pictures, which the data set holds in its tables.
        edited: a model's folder, which holds ``fullset/``, or a folder of such.
        model: name of the model when ``edited`` is one model's folder.

    Raises:
        UserError: no folder of edits.
        ManifestError: no data set, another one, or no edits.
    """
    if edited is None:
        raise UserError("the models' edits", "none", "gedit", "Name their folder: --edited DIR, which holds fullset/.")
    folders = model_folders(edited, lambda folder: (folder / "fullset").is_dir(), model)
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    for table in _tables(path):
        lacking = [name for name in _NEEDED if name not in table.schema.names]
        if lacking or not set(_SOURCES) & set(table.schema.names):
            raise ManifestError(
                "GEdit-Bench's columns", f"none named {', '.join(lacking or _SOURCES)}", str(table.path)
            )
        for number, record in enumerate(table.rows):
            where = f"{table.path.name}: row {number}"
            rows += _rows(record, where, table.path.parent, files, folders, problems)
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def _tables(path: Path) -> Iterator[HfTable]:
    arrow = path.suffix == ".arrow" or (path.is_dir() and not any(path.rglob("*.parquet")))
    return arrow_tables(path) if arrow else parquet_tables(path)


def _rows(
    record: Mapping[str, Any],
    where: str,
    folder: Path,
    files: Path,
    folders: Mapping[str, Path],
    problems: list[Problem],
) -> Iterator[ManifestRow[Path]]:
    try:
        key, task, language, instruction = (
            text_cell(record[name]) for name in ("key", "task_type", "instruction_language", "instruction")
        )
        if not key or not task or not language or any("/" in part or part == ".." for part in (key, task, language)):
            raise ValueError("a key, task type or language that is missing or is no file name")
    except ValueError as error:
        problems.append(Problem(where, None, str(error), "skipped"))
        return
    cells = [picture_cell(record[name], folder, files) for name in _SOURCES if record.get(name) is not None][:1]
    source = next((cell.path for cell in cells if cell.path is not None), None)
    for name, outputs in folders.items():
        yield ManifestRow(
            id=row_id(key, name, len(folders)),
            source=source or files / MISSING / f"{key}.png",
            edited=picture_named(outputs / "fullset" / task / language, key),
            instruction=instruction,
            edit_type=task,
            model=name,
            metadata={
                "instruction_language": language,
                **{k: v for k, v in record.items() if k == "Intersection_exist" and isinstance(v, bool)},
            },
        )
