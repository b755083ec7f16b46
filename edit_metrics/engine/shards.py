"""Shards: consecutive rows of the manifest that are scored and committed together; what each row's score rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

from edit_metrics.io.sources import MISSING, stat_tags
from edit_metrics.types import EditItem, ManifestRow

_NOT_SCORED: Final = ("id", "model", "metadata")
"""Columns that no measurement reads: they are taken from the manifest whenever a table is written."""
_SCORED: Final = tuple(column.name for column in fields(ManifestRow) if column.name not in _NOT_SCORED)
TAG_BYTES: Final = 8
"""Of a tag: by chance, two versions of one row agree once in 10¹⁹ times."""


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive rows of the manifest.

    Attributes:
        index: which part of the manifest it is.
        tags: see :func:`item_tags`, one an item.
        label: name of its files where another shard's rows already have the usual one.
    """

    index: int
    items: tuple[EditItem, ...]
    tags: tuple[str, ...]
    label: str = ""

    @property
    def name(self) -> str:
        """File stem."""
        return self.label or f"{self.index:06d}"

    def of_items(self, positions: Sequence[int]) -> Shard:
        """The same shard with those of its items alone."""
        return replace(self, items=tuple(self.items[n] for n in positions), tags=tuple(self.tags[n] for n in positions))


def item_tags(items: Sequence[EditItem]) -> list[str]:
    """What each item's score rests on, as 16 hexadecimal digits: its texts, its paths, its files' sizes and times.

    Taken once, when a run begins, and so before the files are read: a picture that changes while the run goes on is
    scored again by the next. An odd tag says that a file was not there (:func:`all_there`).

    On object storage each look is a request. So they are all made here, together: a source that many items share is
    asked for once, and neither workers nor the end of the run ask again.
    """
    files = [[path for path in (item.source, item.edited, item.mask, *item.references) if path] for item in items]
    looks = iter(stat_tags([path for paths in files for path in paths]))
    return [_tag(item, [next(looks) for _ in paths]) for item, paths in zip(items, files, strict=True)]


def all_there(tag: str) -> bool:
    """Whether every file of an item was there when its tag was taken."""
    return int(tag[-1], 16) % 2 == 0


def cut_into_shards(items: Sequence[EditItem], size: int, tags: Sequence[str] | None = None) -> list[Shard]:
    """Shards of ``size`` consecutive items, the last one shorter.

    Args:
        items: of the manifest.
        size: items a shard.
        tags: of the items; None: taken here.
    """
    known = item_tags(items) if tags is None else tags
    starts = range(0, len(items), size)
    return [
        Shard(n, tuple(items[start : start + size]), tuple(known[start : start + size]))
        for n, start in enumerate(starts)
    ]


def without_done(shards: Sequence[Shard], done: Sequence[bool], taken: Collection[str]) -> list[Shard]:
    """What is left of the shards; a shard keeps its edges, so that batches are those of an undisturbed run.

    Args:
        shards: of the whole manifest.
        done: for each item, whether it is.
        taken: names under which there are files already.
    """
    free = _free_names(len(shards), taken)
    left: list[Shard] = []
    start = 0
    for shard in shards:
        open_ = [n for n in range(len(shard.items)) if not done[start + n]]
        start += len(shard.items)
        if open_:
            part = shard.of_items(open_)
            left.append(replace(part, label=next(free)) if part.name in taken else part)
    return left


def _free_names(first: int, taken: Collection[str]) -> Iterator[str]:
    number = first
    while True:
        name = f"{number:06d}"
        if name not in taken:
            yield name
        number += 1


def _tag(item: EditItem, looks: Sequence[str]) -> str:
    parts = [*(getattr(item, name) for name in _SCORED), *looks]
    # The manifest reader has refused what cannot be encoded; a tag must not break on it all the same.
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    digits = hashlib.sha256(text).hexdigest()[: 2 * TAG_BYTES]
    return f"{digits[:-1]}{int(digits[-1], 16) & 14 | (MISSING in looks):x}"
