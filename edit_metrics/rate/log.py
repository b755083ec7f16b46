"""The append-only file of one rater: every answer is on the disk before the call returns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from edit_metrics.errors import UserError
from edit_metrics.ratings.entries import Entry, read_entries


class RaterLog:
    """One rater's file, open for appending and locked: a second page of the same name would mix two people.

    Args:
        path: made when absent; its entries are read. A torn last line was never confirmed and is cut off.

    Raises:
        UserError: somebody rates under that name right now.
        TableError: the file is another one; see :func:`edit_metrics.ratings.entries.read_entries`.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            _lock(self._descriptor, path)
            self.entries, torn = read_entries(path)
            if torn:
                os.ftruncate(self._descriptor, path.read_bytes().rfind(b"\n") + 1)
            os.fsync(self._descriptor)
            _flush_folder(path.parent)
        except BaseException:
            os.close(self._descriptor)
            raise

    def append(self, entries: Sequence[Entry]) -> None:
        """Write the lines with one call and wait until the disk has them.

        Raises:
            OSError: the disk is full or gone; nothing of these entries counts, and what was half written is cut off.
        """
        data = "".join(f"{entry.to_line()}\n" for entry in entries).encode("utf-8", "surrogatepass")
        end = os.fstat(self._descriptor).st_size
        try:
            written = 0
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise
        self.entries.extend(entries)

    def close(self) -> None:
        """Let the file go; the lock dies with it."""
        os.close(self._descriptor)

    def __enter__(self) -> RaterLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def log_name(rater: str) -> str:
    """File name of a rater; whatever a file name cannot hold is percent-encoded.

    Raises:
        UserError: an empty name.
    """
    if not rater.strip():
        raise UserError("a rater's name", repr(rater), "--rater")
    return quote(rater.strip(), safe="@ +") + ".jsonl"


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: no advisory locks; two pages of one name are the user's to avoid
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        todo = "Close the other page's server, or rate under another name: --rater NAME."
        raise UserError("one rating server a rater", "another one that holds the file", str(path), todo) from None


def _flush_folder(folder: Path) -> None:
    import contextlib

    with contextlib.suppress(OSError):  # not every filesystem can flush a folder
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
