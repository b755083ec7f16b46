"""One writer a run folder: a lock that dies with its owner, and says who that is."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from edit_metrics.errors import UserError
from edit_metrics.io.atomic import sweep

LOCK_NAME: Final = ".edit-metrics.lock"
_NO_LOCKS: Final = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
"""A filesystem that has none."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Be the only one who writes into a run folder, which is made when absent.

    The operating system holds the lock, so that it is gone with the process, however that ends; a file that a dead
    process left is taken over. What dead writers left half written (``.tmp-*``) is swept away.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
    """
    path = folder / LOCK_NAME
    made = not folder.exists()
    lock = _acquired(folder, path)
    try:
        with contextlib.suppress(OSError):  # A full disk is said where results are written.
            path.write_text(json.dumps(_ourselves()), encoding="utf-8")
        for part in (folder, folder / "shards", folder / "evidence"):
            sweep(part)
        yield
    finally:
        # Before it is let go: whoever opens the name afterwards makes a file of their own.
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        if lock is not None:
            lock.release()
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # Nothing came of it.


def _acquired(folder: Path, path: Path) -> FileLock | None:
    """The lock, held; None where the filesystem has none: content hashes still hold there."""
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        todo = "Wait for it to end, or take another folder. A lock whose owner has died is taken over without asking."
        raise UserError("a run folder that nobody else writes", _owner(path), str(folder), todo) from None
    except OSError as error:
        if error.errno in _NO_LOCKS:
            return None
        got = error.strerror or type(error).__name__
        raise UserError("a folder that can be written", got, str(folder), "Choose another folder.") from error
    return lock


def _ourselves() -> dict[str, str | int]:
    started = datetime.now(UTC).isoformat(timespec="seconds")
    command = " ".join(sys.argv[:2])[:100]
    return {"pid": os.getpid(), "host": platform.node(), "since": started, "command": command}


def _owner(path: Path) -> str:
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return f"process {known['pid']} on {known['host']}, which has it since {known['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process that has it"
