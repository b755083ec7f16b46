"""The rows of a manifest with what was seen of their files, each file looked at once."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io.glance import GRID, Glance, MaskGlance, glance, glance_at_mask
from edit_metrics.io.manifest import Manifest
from edit_metrics.types import EditItem

T = TypeVar("T")
Index = NDArray[np.intp]
_MOST_THREADS: Final = 16
_NOTHING: Final = -1


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a file could not be looked at: its reason code, and in words."""

    code: str
    text: str


@dataclass(frozen=True)
class EditSet:
    """What every check reads.

    Attributes:
        manifest: the checked rows.
        seen: path → what was seen of a picture.
        masks: path → what was seen of a mask, white taken for what may change.
        failures: path → why nothing was seen.
    """

    manifest: Manifest
    seen: Mapping[str, Glance]
    masks: Mapping[str, MaskGlance]
    failures: Mapping[str, Failure]

    @property
    def items(self) -> Sequence[EditItem]:
        """The rows that are no rejections."""
        return self.manifest.items

    def name(self, index: int) -> str:
        """The item's id."""
        return self.items[index].id

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Pictures that could be looked at: positions in :attr:`grids` and :attr:`hashes`."""
        return tuple(self.seen)

    @cached_property
    def grids(self) -> NDArray[np.uint8]:
        """P×GRID×GRID×3, see :class:`edit_metrics.io.glance.Glance`."""
        found = np.empty((len(self.paths), GRID, GRID, 3), np.uint8)
        for position, one in enumerate(self.seen.values()):
            found[position] = one.grid
        return found

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """P perceptual hashes."""
        return np.array([one.phash for one in self.seen.values()], np.uint64)

    @cached_property
    def source_positions(self) -> Index:
        """For each item its source among :attr:`paths`; -1 where it could not be looked at."""
        return self._positions(item.source for item in self.items)

    @cached_property
    def edited_positions(self) -> Index:
        """Likewise its edited picture."""
        return self._positions(item.edited for item in self.items)

    @cached_property
    def pairs(self) -> Index:
        """Items of which both pictures could be looked at."""
        return np.flatnonzero((self.source_positions >= 0) & (self.edited_positions >= 0))

    @cached_property
    def differences(self) -> NDArray[np.uint8]:
        """For each of :attr:`pairs` GRID×GRID: largest difference of the three channels, 0 … 255."""
        before, after = self.source_positions[self.pairs], self.edited_positions[self.pairs]
        found = np.empty((len(before), GRID, GRID), np.uint8)
        for start in range(0, len(before), _CHUNK):
            part = slice(start, start + _CHUNK)
            apart = self.grids[before[part]].astype(np.int16) - self.grids[after[part]]
            found[part] = np.abs(apart).max(axis=3)
        return found

    def source_sha(self, index: int) -> str:
        """Content hash of an item's source; its path where it could not be read."""
        return self._sha(self.items[index].source)

    def edited_sha(self, index: int) -> str:
        """Likewise of its edited picture."""
        return self._sha(self.items[index].edited)

    @cached_property
    def by_source(self) -> Mapping[str, list[int]]:
        """Content hash of a source → the items that start from it."""
        found: dict[str, list[int]] = defaultdict(list)
        for index in range(len(self.items)):
            found[self.source_sha(index)].append(index)
        return found

    def _sha(self, path: str) -> str:
        known = self.seen.get(path)
        return path if known is None else known.sha256

    def _positions(self, paths: Iterable[str]) -> Index:
        place = {path: position for position, path in enumerate(self.paths)}
        return np.array([place.get(path, _NOTHING) for path in paths], np.intp)


_CHUNK: Final = 4096  # pairs: 28 MB of differences


def look_at(
    manifest: Manifest, progress: Callable[[int, int], None] | None = None, limits: DecodeLimits | None = None
) -> EditSet:
    """Look at every file that the rows name, once, in threads.

    Args:
        manifest: the checked rows.
        progress: called with (files done, files in all).
        limits: on pictures.
    """
    bounds = limits or DecodeLimits()
    pictures = list(dict.fromkeys(p for item in manifest.items for p in (item.source, item.edited, *item.references)))
    masks = list(dict.fromkeys(item.mask for item in manifest.items if item.mask is not None))
    failures: dict[str, Failure] = {}
    total, done = len(pictures) + len(masks), 0

    def each(paths: Sequence[str], look: Callable[[str, DecodeLimits], T]) -> dict[str, T]:
        nonlocal done
        found: dict[str, T] = {}

        def one(path: str) -> T | Failure:
            try:
                return look(path, bounds)
            except ImageError as error:
                return Failure(error.code, f"expected {error.expected}, got {error.got}")

        with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
            for path, result in zip(paths, pool.map(one, paths), strict=True):
                if isinstance(result, Failure):
                    failures[path] = result
                else:
                    found[path] = result
                done += 1
                if progress is not None:
                    progress(done, total)
        return found

    seen = each(pictures, glance)
    return EditSet(manifest, seen, each(masks, glance_at_mask), failures)
