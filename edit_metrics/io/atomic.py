"""Atomic local writes: a reader sees the old file or the new one, never half of either."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

_HOST: Final = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
_TEMPORARY: Final = re.compile(r"\.tmp-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}")
_SECONDS_OF_A_DAY: Final = 86_400


def write_atomically(path: str | Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a new file in the same folder, flush it to the disk, then rename it over ``path``.

    Folders on the way are made. On any error, Ctrl-C included, the old file stays and the new one is removed. A device
    (``/dev/stdout``, a pipe) is written to as it stands: a rename would put a file in its place.

    Raises:
        OSError: of the class that fits its number (no room, no permission, no folder), with ``path`` as its name.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if _is_device(target):
        write(target)
        return
    # Not named after the target: a name near the filesystem's limit would not fit with a suffix.
    temporary = target.parent / f".tmp-{_HOST}-{os.getpid()}-{secrets.token_hex(6)}"
    try:
        write(temporary)
        _flush(temporary)
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            # Of the same class, but with the name that the caller knows.
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise
    with contextlib.suppress(OSError):  # Not every filesystem can flush a folder.
        _flush(target.parent)


def _is_device(path: Path) -> bool:
    # /dev/stdout is a link to whatever it stands for, a file included.
    return not path.is_dir() and path.exists() and (not path.is_file() or path.parent == Path("/dev"))


def write_bytes(data: bytes, path: str | Path) -> None:
    """Write bytes atomically."""
    write_atomically(path, lambda temporary: _write(temporary, data))


def write_text(text: str, path: str | Path) -> None:
    """Write UTF-8 text atomically, line ends as given."""
    write_bytes(text.encode("utf-8"), path)


def write_json(value: Any, path: str | Path) -> None:
    """Write indented JSON in the order given; NaN and infinities raise ValueError."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False, default=_plain) + "\n", path)


def write_jsonl(rows: Iterable[Mapping[str, Any]], path: str | Path) -> None:
    """Write one JSON object a line; NaN and infinities raise ValueError."""
    lines = (json.dumps(row, ensure_ascii=False, allow_nan=False, default=_plain) + "\n" for row in rows)
    write_text("".join(lines), path)


def sweep(folder: Path) -> None:
    """Remove what writers that are dead left half written: those of this machine, and any that is a day old."""
    for path in folder.glob(".tmp-*") if folder.is_dir() else ():
        named = _TEMPORARY.fullmatch(path.name)
        if named is None or not path.is_file():
            continue
        host, pid = named.group(1), int(named.group(2))
        with contextlib.suppress(OSError):
            dead = host == _HOST and not _is_alive(pid)
            if dead or time.time() - path.stat().st_mtime > _SECONDS_OF_A_DAY:
                path.unlink()


def _is_alive(pid: int) -> bool:
    if os.name == "nt":  # There os.kill would end it.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # NumPy scalars and arrays.
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
