"""Where the weights lie, and whether they are what they are pinned to be. Nothing here touches the network.

Hashing a large file at every start would cost seconds, so a hash is taken once and remembered beside the file under
its size and modification time; :func:`verify` always reads every byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from edit_metrics.errors import WeightsError, suggest
from edit_metrics.weights.catalogue import CATALOGUE
from edit_metrics.weights.entries import Weight, WeightFile, combine_digests

ENVIRONMENT_VARIABLE: Final = "EDIT_METRICS_MODELS"
State = Literal["present", "missing", "corrupt"]


@dataclass(frozen=True, slots=True)
class WeightState:
    """What :func:`verify` found of one weight.

    Attributes:
        problem: in words; empty when the weight is present.
    """

    weight: Weight
    state: State
    problem: str = ""


def models_folder() -> Path:
    """``EDIT_METRICS_MODELS``, else the user's cache folder on this platform. It need not exist yet."""
    chosen = os.environ.get(ENVIRONMENT_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("edit-metrics")) / "models"


def folder_of(weight: Weight) -> Path:
    """The folder that holds the weight's files."""
    return models_folder() / weight.name


def is_present(weight: Weight) -> bool:
    """Whether every file lies there with its pinned size; hashes are not read."""
    return all(_has_size(folder_of(weight) / file.name, file) for file in weight.files)


def locate(reference: str) -> Path:
    """A catalogue name, or a path of the user's own, to the file (or, for weights of several files, the folder).

    Raises:
        WeightsError: it is missing, or its bytes are not the pinned ones.
    """
    weight = CATALOGUE.get(reference)
    if weight is None:
        return _local(reference)
    _digests(weight)
    folder = folder_of(weight)
    return folder if weight.is_folder else folder / weight.files[0].name


def digest(reference: str) -> str:
    """The sha256 that a fingerprint records; needs no file where the catalogue pins every hash.

    Raises:
        WeightsError: the hash is not pinned and the file is missing or corrupt.
    """
    weight = CATALOGUE.get(reference)
    if weight is not None:
        pinned = {file.name: file.sha256 for file in weight.files if file.sha256 is not None}
        return combine_digests(pinned if len(pinned) == len(weight.files) else _digests(weight))
    path = _local(reference)
    root = path if path.is_dir() else path.parent
    files = [file for file in sorted(root.rglob("*")) if file.is_file()] if path.is_dir() else [path]
    memory = models_folder() / "local" / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"
    return combine_digests(_remembered_hashes({file.relative_to(root).as_posix(): file for file in files}, memory))


def require(references: Iterable[str]) -> None:
    """Check that all are there before any work starts.

    Raises:
        WeightsError: one is missing or corrupt; the message is about the first one, and names all that are missing.
    """
    wanted = list(dict.fromkeys(references))
    absent = [weight for name in wanted if (weight := CATALOGUE.get(name)) is not None and not _has_files(weight)]
    if absent:
        raise missing_error(*absent)
    for reference in wanted:
        locate(reference)


def verify(weight: Weight) -> WeightState:
    """Read every byte of the weight and compare with the pinned hashes."""
    folder = folder_of(weight)
    for file in weight.files:
        path = folder / file.name
        if not path.is_file():
            return WeightState(weight, "missing", f"{file.name} is not in {folder}")
        found = sha256_of(path)
        if file.sha256 is not None and found != file.sha256:
            return WeightState(weight, "corrupt", f"{path} has sha256 {found}, the catalogue pins {file.sha256}")
    return WeightState(weight, "present")


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def missing_error(weight: Weight, *others: Weight) -> WeightsError:
    """What to tell a user whose machine lacks the weights: one paragraph about the first, with what to do for all."""
    absent = [file for file in weight.files if not _has_size(folder_of(weight) / file.name, file)]
    names = ", ".join(file.name for file in absent or weight.files)
    missing = " ".join(one.name for one in (weight, *others))
    todo = (
        f"Fetch {'it' if not others else f'all {len(others) + 1} that are missing'} with: edit-metrics models pull "
        f"{missing}. On a machine without network, run that elsewhere with "
        f"{ENVIRONMENT_VARIABLE}=FOLDER, copy FOLDER here and set {ENVIRONMENT_VARIABLE} to it."
    )
    if not all(one.from_package_index for one in (weight, *others)):
        todo += " The profile that needs no model hub is: --profile embedded."
    return WeightsError(
        expected=f"the weight {weight.name!r} ({weight.role}; {names}, {human_size(weight.size)})",
        got="no such file" if not folder_of(weight).is_dir() else "a folder without it",
        where=str(folder_of(weight)),
        todo=todo,
    )


def human_size(size: int | None) -> str:
    """Bytes in words: ``23.6 MB``."""
    if size is None:
        return "size not published"
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def _has_size(path: Path, file: WeightFile) -> bool:
    return path.is_file() and (file.size is None or path.stat().st_size == file.size)


def _has_files(weight: Weight) -> bool:
    return all((folder_of(weight) / file.name).is_file() for file in weight.files)


def _local(reference: str) -> Path:
    if "/" not in reference and os.sep not in reference:
        raise WeightsError(
            "the name of a catalogued weight, or a path with a slash in it",
            repr(reference),
            todo=suggest(reference, CATALOGUE),
        )
    path = Path(reference).expanduser()
    if not path.exists():
        raise WeightsError("a weight of your own", "no such file or folder", str(path))
    return path


def _digests(weight: Weight) -> dict[str, str]:
    """File name → sha256, each compared with its pin."""
    folder = folder_of(weight)
    for file in weight.files:
        path = folder / file.name
        if not path.is_file():
            raise missing_error(weight)
        if not _has_size(path, file):
            raise _corrupt_error(weight, path, f"{path.stat().st_size} bytes", f"{file.size} bytes")
    found = _remembered_hashes({file.name: folder / file.name for file in weight.files}, folder / ".verified.json")
    for file in weight.files:
        if file.sha256 not in (None, found[file.name]):
            raise _corrupt_error(weight, folder / file.name, f"sha256 {found[file.name]}", f"sha256 {file.sha256}")
    return found


def _corrupt_error(weight: Weight, path: Path, got: str, expected: str) -> WeightsError:
    return WeightsError(
        expected=f"{path.name} of {weight.name!r} with {expected}",
        got=f"a corrupt file with {got}",
        where=str(path),
        todo=f"Fetch it again with: edit-metrics models pull {weight.name}.",
    )


def _remembered_hashes(files: dict[str, Path], memory: Path) -> dict[str, str]:
    """Name → sha256; files whose size and modification time are those in ``memory`` are not read again."""
    known = _read_memory(memory)
    hashes: dict[str, str] = {}
    stamps: dict[str, list[object]] = {}
    for name, path in files.items():
        status = path.stat()
        stamp: list[object] = [status.st_size, status.st_mtime_ns]
        remembered = known.get(name, [])
        hashes[name] = str(remembered[2]) if remembered[:2] == stamp and len(remembered) == 3 else sha256_of(path)
        stamps[name] = [*stamp, hashes[name]]
    if stamps != known:
        _write_memory(memory, stamps)
    return hashes


def _read_memory(memory: Path) -> dict[str, list[object]]:
    try:
        kept = json.loads(memory.read_text())
        known: dict[str, list[object]] = kept["files"]
        whole = kept["sha256"] == _hash_of_memory(known)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return known if whole else {}


def _write_memory(memory: Path, stamps: dict[str, list[object]]) -> None:
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=memory.parent, prefix=".verified-", delete=False) as stream:
            json.dump({"files": stamps, "sha256": _hash_of_memory(stamps)}, stream)
        Path(stream.name).replace(memory)
    except OSError:
        return  # a read-only cache is fine: the hash is then taken once a process


def _hash_of_memory(stamps: dict[str, list[object]]) -> str:
    """What was remembered wrongly would be believed: a memory that is not as it was written is none."""
    return hashlib.sha256(json.dumps(stamps, sort_keys=True).encode()).hexdigest()
