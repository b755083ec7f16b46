"""What is computed from weights once and kept beside them: an array that is used only while it is as it was written."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edit_metrics.io.atomic import write_bytes
from edit_metrics.weights.store import models_folder

_HASH_BYTES = 32
N = TypeVar("N", bound=np.generic)


def derived_array(name: str, key: str, compute: Callable[[], NDArray[N]]) -> NDArray[N]:
    """The array from ``derived/`` in the models' folder; computed anew where it is absent or not as it was written.

    The file is an ``.npy`` file with a SHA-256 over the key and its bytes behind it: one that was emptied, cut, altered
    or put under another key's name is computed again and replaced. A folder that cannot be written is fine.

    Args:
        name: what it is.
        key: of everything that it is computed from.
        compute: makes it.
    """
    path = models_folder() / "derived" / f"{name}-{key}.npy"
    known: NDArray[N] | None = _read(path, key)
    if known is not None:
        return known
    found = compute()
    stream = io.BytesIO()
    np.save(stream, found, allow_pickle=False)
    data = stream.getvalue()
    with contextlib.suppress(OSError):
        write_bytes(data + _hash(key, data), path)
    return found


def _read(path: Path, key: str) -> NDArray[N] | None:
    try:
        whole = path.read_bytes()
    except OSError:
        return None
    data, hash_ = whole[:-_HASH_BYTES], whole[-_HASH_BYTES:]
    if not data or _hash(key, data) != hash_:
        return None
    array: NDArray[N] = np.load(io.BytesIO(data), allow_pickle=False)
    return array


def _hash(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\n" + data).digest()
