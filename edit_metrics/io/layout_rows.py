"""What every benchmark layout becomes: manifest rows, and a problem for whatever is missing or ambiguous."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import ManifestError
from edit_metrics.io.tables import write_bytes, write_jsonl
from edit_metrics.types import MANIFEST_COLUMNS, ManifestRow

PICTURE_SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is missing or ambiguous in the benchmark.

    Attributes:
        where: the file, folder or table row concerned.
        id: the row's id, where there is one.
        what: what was expected and what is there.
        action: what was done about it: ``row kept: …`` or ``skipped``.
    """

    where: str
    id: str | None
    what: str
    action: str


@dataclass(frozen=True, slots=True)
class Converted:
    """A benchmark as rows."""

    rows: tuple[ManifestRow[Path], ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What :func:`write_manifest` left on the disk.

    Attributes:
        outside: rows with a path that is not below the manifest's folder: scoring them takes
            ``--allow-outside-root``.
    """

    manifest: Path
    problems: Path | None
    rows: int
    outside: int


def write_manifest(converted: Converted, out: Path) -> Written:
    """Write the manifest as JSONL, and ``<out>.problems.jsonl`` when there is something to say.

    Raises:
        ManifestError: there are no rows at all.
    """
    if not converted.rows:
        first = converted.problems[0].what if converted.problems else "an empty folder"
        raise ManifestError("at least one edit", f"none: {first}", str(out), "Check the path and the format.")
    base = out.resolve().parent
    records = [_record(row, base) for row in converted.rows]
    write_jsonl(records, out)
    sidecar = problems_file(out)
    if converted.problems:
        write_jsonl([_plain(problem) for problem in converted.problems], sidecar)
    else:
        sidecar.unlink(missing_ok=True)
    outside = sum(any(path.startswith("../") for path in _paths(record)) for record in records)
    return Written(out, sidecar if converted.problems else None, len(records), outside)


def problems_file(out: Path) -> Path:
    """Where the problems of a manifest lie."""
    return out.with_name(f"{out.name}.problems.jsonl")


def files_folder(out: Path) -> Path:
    """Where pictures go that a manifest needs and the benchmark does not hold as files."""
    return out.with_name(f"{out.stem}_files")


def write_once(data: bytes, folder: Path, suffix: str) -> Path:
    """Write bytes under their content hash, unless they are there already; returns the file."""
    path = folder / f"{hashlib.sha256(data).hexdigest()[:32]}{suffix}"
    if not path.is_file():
        write_bytes(data, path)
    return path


def row_id(name: str, model: str | None, n_models: int) -> str:
    """The benchmark's own name, behind the model's where several share a manifest.

    One model alone keeps the plain name, so that the manifests of two checkpoints pair by ``id``.
    """
    return f"{model}/{name}" if n_models > 1 else name


def picture_index(folder: Path) -> dict[str, list[Path]]:
    """Pictures of a folder by file name without suffix; more than one of a name is for the caller to judge."""
    index: dict[str, list[Path]] = {}
    for path in pictures(folder):
        index.setdefault(path.stem, []).append(path)
    return index


def pictures(folder: Path) -> list[Path]:
    """Picture files directly in a folder, sorted by name; empty when there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and not p.name.startswith("."))


def subfolders(folder: Path) -> list[Path]:
    """Folders directly in a folder, sorted by name."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def need_folder(path: Path, what: str) -> Path:
    """The folder, or a ManifestError that says what it should have been."""
    if not path.is_dir():
        raise ManifestError(f"a folder with {what}", "no such folder", str(path))
    return path


def read_json(file: Path, what: str) -> Any:
    """A benchmark's own JSON file, or a ManifestError that says what it should have been."""
    try:
        return json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise ManifestError(what, " ".join(str(error).split())[:200], str(file)) from None


def model_folders(edited: Path, is_one: Callable[[Path], bool], model: str | None = None) -> dict[str, Path]:
    """Model → the folder of its edits.

    Args:
        edited: one model's folder, or a folder of models' folders.
        is_one: whether a folder is one model's.
        model: its name, where it is one; the folder's by default.

    Raises:
        ManifestError: no such folder, or nothing in it.
    """
    need_folder(edited, "the models' edits")
    if is_one(edited):
        return {model or edited.resolve().name: edited}
    found = {folder.name: folder for folder in subfolders(edited) if is_one(folder)}
    if not found:
        raise ManifestError("a model's edits, or one folder a model", "none", str(edited))
    return found


def picture_named(folder: Path, stem: str, suffix: str = ".png") -> Path:
    """The picture of that name with any suffix; where it should be when there is none."""
    there = (folder / f"{stem}{ending}" for ending in (suffix, *sorted(PICTURE_SUFFIXES - {suffix})))
    return next((path for path in there if path.is_file()), folder / f"{stem}{suffix}")


def below(folder: Path, relative: object) -> Path:
    """A path that a benchmark's file names, inside a folder.

    Raises:
        ValueError: it leaves the folder, or is no text.
    """
    if not isinstance(relative, str) or not relative:
        raise ValueError(f"expected a picture's name, got {relative!r}")
    path = folder / relative
    if ".." in Path(relative).parts or not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"a path that leaves the folder: {relative!r}")
    return path


def one_text(value: object, what: str) -> str | None:
    """A text of a benchmark's file; None where it is missing or blank.

    Raises:
        ValueError: a list or an object: it is not written as Python would print it.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        got = f"a list of {len(value)}" if isinstance(value, list) else type(value).__name__
        raise ValueError(f"{what}: {got} where one text is expected")
    return value


def shared_missing(rows: Iterable[ManifestRow[Path]]) -> list[Problem]:
    """Pictures that rows name and that are not there: kept, since a missing edit is an infeasible one."""
    problems = []
    for row in rows:
        problems += [
            Problem(str(path), row.id, f"no {name} picture", "row kept: it will be scored as infeasible")
            for name, path in (("source", row.source), ("edited", row.edited))
            if not path.is_file()
        ]
    return problems


def _record(row: ManifestRow[Path], base: Path) -> dict[str, Any]:
    record = {name: _cell(getattr(row, name), base) for name in MANIFEST_COLUMNS}
    if row.mask is None:
        record["mask_white_means"] = None
    clash = {f"meta.{name}" if name in record else name: value for name, value in row.metadata.items()}
    return {name: value for name, value in (record | clash).items() if value is not None}


def _cell(value: str | Path | tuple[Path, ...] | None, base: Path) -> Any:
    if isinstance(value, Path):
        return _relative(value, base)
    return [_relative(path, base) for path in value] or None if isinstance(value, tuple) else value


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path.resolve(), base)).as_posix()


def _paths(record: Mapping[str, Any]) -> Sequence[str]:
    named = [str(record[name]) for name in ("source", "edited", "mask") if name in record]
    return [*named, *record.get("references", ())]


def _plain(problem: Problem) -> dict[str, Any]:
    return {"where": problem.where, "id": problem.id, "what": problem.what, "action": problem.action}
