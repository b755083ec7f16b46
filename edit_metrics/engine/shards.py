"""Shards: consecutive rows of the manifest that are scored and committed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.sources import stat_tags
from edit_metrics.types import EditItem


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive rows of the manifest.

    Attributes:
        inputs_tag: sizes and modification times of every file that it reads, as they were when the run began. Its done
            mark keeps it: a picture that has changed since, be it while the run went on, is scored again by the next.
    """

    index: int
    items: tuple[EditItem, ...]
    inputs_tag: str

    @property
    def name(self) -> str:
        """File stem, sortable."""
        return f"{self.index:06d}"


def cut_into_shards(items: Sequence[EditItem], size: int) -> list[Shard]:
    """Shards of ``size`` consecutive items, the last one shorter; every file is looked at once.

    On object storage each look is a request. So they are all made here, together and before anything is scored: a
    source that many shards share is asked for once, and neither workers nor the end of the run ask again.
    """
    parts = [tuple(items[start : start + size]) for start in range(0, len(items), size)]
    files = [[path for item in part for path in _files_of(item)] for part in parts]
    tags = iter(stat_tags([path for paths in files for path in paths]))
    inputs_tags = [canonical_json_sha256([next(tags) for _ in paths]) for paths in files]
    return [Shard(n, part, tag) for n, (part, tag) in enumerate(zip(parts, inputs_tags, strict=True))]


def _files_of(item: EditItem) -> list[str]:
    return [path for path in (item.source, item.edited, item.mask, *item.references) if path]
