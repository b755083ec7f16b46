"""ImgEdit-Bench (arXiv 2505.20275): its three suites, each a JSON file, and the folder of original pictures.

    PATH/*.json                                             {KEY: {id, prompt, edit_type}}        basic, and UGE without
                                                            {KEY: {id, turn1, turn2, turn3}}      multi-turn
    PATH/ID or PATH/original_images/ID                      ID: animal/000342021.jpg
    EDITED/[MODEL/]KEY.png                                  basic, UGE
    EDITED/[MODEL/]KEY_turn1.png or KEY/turn1.png, …        multi-turn: the benchmark names no files; these are ours

A turn's source is the model's own picture of the turn before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import ManifestError, UserError
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import (
    Converted,
    Problem,
    below,
    model_folders,
    one_text,
    picture_named,
    pictures,
    read_json,
    row_id,
    shared_missing,
    subfolders,
)
from edit_metrics.types import ManifestRow

_TURN: Final = re.compile(r"turn(\d+)")


@layout("imgedit")
def read_imgedit(path: Path, *, edited: Path | None = None, model: str | None = None) -> Converted:
    """Read a suite of ImgEdit-Bench and models' edits.

    Args:
        path: the suite's JSON file, or a folder that holds it alone; the original pictures lie beside it.
        edited: a model's folder or a folder of models' folders.
        model: name of the model when ``edited`` is one model's folder.

    Raises:
        UserError: no folder of edits.
        ManifestError: no suite, or no edits.
    """
    file = _suite(path)
    if edited is None:
        raise UserError("the models' edits", "none", "imgedit", "Name their folder: --edited DIR.")
    entries = read_json(file, "a JSON file of ImgEdit-Bench")
    if not isinstance(entries, dict) or not all(isinstance(one, dict) and "id" in one for one in entries.values()):
        raise ManifestError("an object of edits, each with an 'id'", type(entries).__name__, str(file))
    folders = model_folders(edited, lambda folder: _has_edits(folder, entries), model)
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    for key, entry in entries.items():
        try:
            if "/" in key or key in ("", ".", ".."):
                raise ValueError(f"a key that is no file name: {key!r}")
            originals = [below(folder, entry["id"]) for folder in (file.parent, file.parent / "original_images")]
            texts = _texts(entry)
        except ValueError as error:
            problems.append(Problem(f"{file.name}: {key}", key, str(error), "skipped"))
            continue
        source = next((one for one in originals if one.is_file()), originals[0])
        for name, folder in folders.items():
            rows += _rows(key, entry, texts, source, folder, name, len(folders))
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def _suite(path: Path) -> Path:
    if path.suffix == ".parquet" or (path / "Parquet").is_dir():
        todo = "The training tables are read by the format imgedit-train."
        raise ManifestError("a JSON file of ImgEdit-Bench", "Parquet", str(path), todo)
    if path.is_file():
        return path
    found = [file for file in sorted(path.glob("*.json")) if "prompt" not in file.stem] if path.is_dir() else []
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise ManifestError("one JSON file of ImgEdit-Bench", names, str(path), "Name the file: basic_edit.json.")
    return found[0]


def _has_edits(folder: Path, entries: Mapping[str, Any]) -> bool:
    stems = [picture.stem for picture in pictures(folder)]
    return any(stem in entries or stem.rpartition("_turn")[0] in entries for stem in stems) or any(
        one.name in entries and pictures(one) for one in subfolders(folder)
    )


def _texts(entry: Mapping[str, Any]) -> list[tuple[int | None, str | None]]:
    """Turns and what each asks for; one without a number where there is a single one."""
    turns = sorted((int(found[1]), key) for key in entry if (found := _TURN.fullmatch(key)))
    if not turns:
        return [(None, one_text(entry.get("prompt"), "prompt"))]
    return [(turn, one_text(entry[key], key)) for turn, key in turns]


def _rows(
    key: str,
    entry: Mapping[str, Any],
    texts: list[tuple[int | None, str | None]],
    source: Path,
    folder: Path,
    model: str,
    n_models: int,
) -> Iterator[ManifestRow[Path]]:
    further = {k: v for k, v in entry.items() if k not in ("id", "prompt", "edit_type") and not _TURN.fullmatch(k)}
    kind = entry.get("edit_type")
    for turn, text in texts:
        name = key if turn is None else f"{key}_turn{turn}"
        target = picture_named(folder, name)
        if turn is not None and not target.is_file() and (folder / key).is_dir():
            target = picture_named(folder / key, f"turn{turn}")
        yield ManifestRow(
            id=row_id(name, model, n_models),
            source=source,
            edited=target,
            instruction=text,
            edit_type=kind if isinstance(kind, str) else None,
            model=model,
            group=None if turn is None else key,
            metadata={k: v for k, v in further.items() if isinstance(v, str | int | float)}
            | ({} if turn is None else {"turn": turn}),
        )
        source = target
