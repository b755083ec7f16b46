"""Features kept on disk between runs: content hash + feature + fingerprint → arrays.

The second checkpoint on a benchmark has the same sources and the same texts: what depends on those alone is read back.
A key holds the content of every input (never an id or a path), the definition of every computation on the way and the
backend's fingerprint, so that nothing stale can be served. One SQLite file: several processes may share it, and a
damaged entry, or a damaged file, costs its own contents only.
"""

from __future__ import annotations

import hashlib
import io
import json
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from edit_metrics.types import Missing, Status

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, sha256 BLOB NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON entries (used);
"""
_EVICT_TO: Final = 0.9
"""Share of the limit that eviction goes down to, so that it does not run at every write; any share under 1 does."""
_SECONDS_TO_WAIT: Final = 60.0
"""For another process that writes: a write of one micro-batch takes milliseconds."""


class FeatureCache:
    """A bounded store of feature values. Safe for threads and for several processes on one filesystem.

    Args:
        folder: where ``features.sqlite`` lies; made when absent.
        max_bytes: of the values; beyond it the least recently used go.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "features.sqlite"
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection = self._connect()

    def get(self, keys: Sequence[str]) -> dict[str, Any]:
        """Key → value for those that are there and whole. A damaged entry is dropped and counts as absent."""
        with self._lock:
            try:
                return self._read(keys)
            except sqlite3.DatabaseError:
                self._heal()
                return {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Keep values; those of a kind that is not kept are passed over."""
        rows = []
        for key, value in values.items():
            data = encode(value)
            if data is not None:
                rows.append((key, data, _hash(key, data), len(data), time.time()))
        if not rows:
            return
        with self._lock:
            try:
                self._connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", rows)
                self._evict()
                self._connection.commit()
            except sqlite3.DatabaseError:
                self._heal()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def _read(self, keys: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        damaged: list[str] = []
        for key in dict.fromkeys(keys):
            row = self._connection.execute("SELECT value, sha256 FROM entries WHERE key = ?", (key,)).fetchone()
            if row is None:
                continue
            if _hash(key, row[0]) != row[1]:
                damaged.append(key)
            else:
                found[key] = decode(row[0])
        self._connection.executemany("DELETE FROM entries WHERE key = ?", [(key,) for key in damaged])
        now = time.time()
        self._connection.executemany("UPDATE entries SET used = ? WHERE key = ?", [(now, key) for key in found])
        self._connection.commit()
        return found

    def _evict(self) -> None:
        total = self._connection.execute("SELECT COALESCE(SUM(bytes), 0) FROM entries").fetchone()[0]
        if total <= self._max_bytes:
            return
        surplus = total - int(self._max_bytes * _EVICT_TO)
        going = []
        for key, size in self._connection.execute("SELECT key, bytes FROM entries ORDER BY used"):
            going.append((key,))
            surplus -= size
            if surplus <= 0:
                break
        self._connection.executemany("DELETE FROM entries WHERE key = ?", going)

    def _connect(self) -> sqlite3.Connection:
        try:
            return self._open()
        except sqlite3.DatabaseError:
            self._set_aside()
            return self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_SECONDS_TO_WAIT, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        # A cache may lose its last seconds in a power cut; it may not slow the run down for fear of one.
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_SCHEMA)
        return connection

    def _heal(self) -> None:
        """Start afresh beside a file that SQLite cannot read; scores do not depend on the cache."""
        self._connection.close()
        self._set_aside()
        self._connection = self._open()

    def _set_aside(self) -> None:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _hash(key: str, data: bytes) -> bytes:
    # Over the key too: a value under another's key is as wrong as one that was altered.
    return hashlib.sha256(key.encode() + b"\n" + data).digest()


def encode(value: Any) -> bytes | None:
    """A feature value as bytes; None for kinds that are not kept. No pickle."""
    if isinstance(value, Missing):
        return b"J" + json.dumps([value.status.value, value.reason]).encode()
    if isinstance(value, np.ndarray | np.generic | float):
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(value), allow_pickle=False)
        return (b"F" if isinstance(value, float) else b"A") + buffer.getvalue()
    return None


def decode(data: bytes) -> Any:
    """The value that :func:`encode` was given."""
    kind, body = data[:1], data[1:]
    if kind == b"J":
        status, reason = json.loads(body)
        return Missing(Status(status), reason)
    array = np.load(io.BytesIO(body), allow_pickle=False)
    return float(array) if kind == b"F" else array
