"""MagicBrush (Zhang et al., NeurIPS 2023): a split's folder, and the edits that its evaluation script reads.

PATH/edit_sessions.json                             {ID: [{input, mask, output, instruction}, …]}
PATH/images/ID/ID-input.png, ID-mask1.png, ID-output1.png, …
PATH/global_descriptions.json                       optional: {ID: {picture: caption}}
EDITED/ID/ID_1.png                                  the first turn; or EDITED/MODEL/ID/…
EDITED/ID/ID_inde_2.png                             turn 2 of the true picture of turn 1
EDITED/ID/ID_iter_2.png                             turn 2 of the model's own turn 1
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import ManifestError
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import (
    Converted,
    Problem,
    need_folder,
    pictures,
    row_id,
    shared_missing,
    subfolders,
)
from edit_metrics.io.mask_reading import mask_reading
from edit_metrics.types import ManifestRow

_NAME: Final = re.compile(r"_(?:(?P<first>1)|(?P<setting>inde|iter)_(?P<turn>\d+))$")


@dataclass(frozen=True, slots=True)
class _Benchmark:
    images: Path
    sessions: Mapping[str, list[dict[str, Any]]]
    captions: Mapping[str, Mapping[str, str]]


@layout("magicbrush")
def read_magicbrush(path: Path, *, edited: Path | None = None, model: str | None = None) -> Converted:
    """Read a split of MagicBrush and a model's edits.

    Args:
        path: the split's folder.
        edited: a model's folder or a folder of models' folders; None: the benchmark's own output pictures, as a check.
        model: name of the model when ``edited`` is one model's folder.

    Raises:
        ManifestError: no sessions, no pictures, or no edits.
    """
    images = need_folder(path / "images", "one folder a picture")
    benchmark = _Benchmark(images, _sessions(path), _read(path / "global_descriptions.json", optional=True))
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    if edited is None:
        rows += [row for name in benchmark.sessions for row in _true_outputs(benchmark, name, problems)]
    else:
        folders = _model_folders(need_folder(edited, "the models' edits"), benchmark.sessions, model)
        for model_name, folder in folders.items():
            for picture_folder in subfolders(folder):
                if picture_folder.name not in benchmark.sessions:
                    problems.append(Problem(str(picture_folder), None, "no session of that name", "skipped"))
            for name in benchmark.sessions:
                rows += _edits(benchmark, name, folder / name, model_name, len(folders), problems)
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def _model_folders(edited: Path, sessions: Mapping[str, object], model: str | None) -> dict[str, Path]:
    if any(folder.name in sessions for folder in subfolders(edited)):
        return {model or edited.name: edited}
    folders = {folder.name: folder for folder in subfolders(edited)}
    if not folders:
        raise ManifestError("one folder a picture, or one a model", "no folder", str(edited))
    return folders


def _edits(
    benchmark: _Benchmark, name: str, folder: Path, model: str, n_models: int, problems: list[Problem]
) -> Iterator[ManifestRow[Path]]:
    turns = benchmark.sessions[name]
    found = {path.stem: path for path in pictures(folder)}
    wanted = [(1, "single", f"{name}_1")]
    wanted += [(turn, "independent", f"{name}_inde_{turn}") for turn in range(2, len(turns) + 1)]
    if any("_iter_" in stem for stem in found):
        wanted += [(turn, "iterative", f"{name}_iter_{turn}") for turn in range(2, len(turns) + 1)]
    elif len(turns) > 1:
        problems.append(Problem(str(folder), name, "no iterative edits (_iter_)", "those turns skipped"))
    for stem in sorted(found.keys() - {stem for _, _, stem in wanted}):
        what = "a turn that the session has not" if _NAME.search(stem) else "a name that is none of _1, _inde_, _iter_"
        problems.append(Problem(str(found[stem]), name, what, "skipped"))
    for turn, setting, stem in wanted:
        previous = f"{name}_1" if turn == 2 else f"{name}_iter_{turn - 1}"
        own_source = found.get(previous, folder / f"{previous}.png") if setting == "iterative" else None
        target = found.get(stem, folder / f"{stem}.png")
        yield from _row(
            benchmark, name, turn, row_id(stem, model, n_models), target, model, setting, own_source, problems
        )


def _true_outputs(benchmark: _Benchmark, name: str, problems: list[Problem]) -> Iterator[ManifestRow[Path]]:
    for turn, entry in enumerate(benchmark.sessions[name], start=1):
        target = benchmark.images / name / Path(str(entry.get("output"))).name
        yield from _row(benchmark, name, turn, f"{name}_{turn}", target, "magicbrush", "independent", None, problems)


def _row(
    benchmark: _Benchmark,
    name: str,
    turn: int,
    identity: str,
    target: Path,
    model: str,
    setting: str,
    own_source: Path | None,
    problems: list[Problem],
) -> Iterator[ManifestRow[Path]]:
    entry = benchmark.sessions[name][turn - 1]
    if not entry.get("input") or not entry.get("instruction"):
        problems.append(
            Problem(f"edit_sessions.json: {name}", identity, f"turn {turn} lacks input or instruction", "skipped")
        )
        return
    folder = benchmark.images / name
    source_name = Path(str(entry["input"])).name
    captions = benchmark.captions.get(name, {})
    mask = mask_reading(folder / Path(str(entry["mask"])).name) if entry.get("mask") else None
    if mask is None or mask.problem:
        what = mask.problem if mask else "no mask in the session"
        problems.append(Problem(str(folder), identity, what, "row kept: without a mask"))
    yield ManifestRow(
        id=identity,
        source=own_source or folder / source_name,
        edited=target,
        instruction=str(entry["instruction"]),
        mask=mask.path if mask and not mask.problem else None,
        mask_white_means=mask.white_means if mask else "edited",
        # The caption speaks of the true picture, which is not what an iterative turn starts from.
        source_caption=None if own_source else captions.get(source_name),
        target_caption=captions.get(Path(str(entry.get("output"))).name),
        model=model,
        group=name,
        metadata={"turn": turn, "setting": setting},
    )


def _sessions(path: Path) -> Mapping[str, list[dict[str, Any]]]:
    loaded = _read(path / "edit_sessions.json")
    for name, turns in loaded.items():
        if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
            raise ManifestError("a list of turns for every picture", repr(turns)[:60], f"edit_sessions.json: {name}")
        if name in ("", ".", "..") or "/" in name or "\\" in name:
            raise ManifestError("a picture's name that is no path", repr(name), "edit_sessions.json")
    return loaded


def _read(file: Path, optional: bool = False) -> Mapping[str, Any]:
    if optional and not file.is_file():
        return {}
    try:
        loaded = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ManifestError(f"MagicBrush's {file.name}", str(error), str(file)) from None
    if not isinstance(loaded, dict):
        raise ManifestError("a JSON object", type(loaded).__name__, str(file))
    return loaded
