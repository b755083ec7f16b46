"""Which worker processes have begun a shard: on disk, since it has to outlive them."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Final

from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.shard_files import ATTEMPTS as SUFFIX
from edit_metrics.engine.shards import Shard

ATTEMPTS: Final = 3
"""A shard that has taken this many workers down with it is given up, and the run breaks with its name."""


class AttemptLog:
    """One line for each worker that has begun a shard.

    Args:
        folder: of the run.
        shard: the shard.
    """

    def __init__(self, folder: RunFolder, shard: Shard) -> None:
        self._path = folder.files.path(shard.name, SUFFIX)

    def add(self) -> None:
        """Say that this process begins the shard."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{platform.node()} {os.getpid()}\n")

    def count(self) -> int:
        """Attempts so far."""
        return len(self._path.read_text(encoding="utf-8").splitlines()) if self._path.exists() else 0

    def clear(self) -> None:
        """Forget those of an earlier run."""
        self._path.unlink(missing_ok=True)


def begun_and_not_done(folder: RunFolder, shards: Sequence[Shard]) -> list[str]:
    """In words, the shards that somebody has begun and nobody committed, each with its first item."""
    return [
        f"{shard.name} (from item {shard.items[0].id!r})"
        for shard in shards
        if AttemptLog(folder, shard).count() and folder.mark_of(shard) is None
    ]
