"""What was computed of pictures that were seen a moment ago: a source comes again with each model's edit of it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")


class Remembered(Generic[T]):
    """Values of what was used most recently. Safe for threads; two that ask for one key at once may both compute it.

    Args:
        most: of all sizes together.
        size_of: the size of a value; without it each counts as one.
    """

    def __init__(self, most: int, size_of: Callable[[T], int] = lambda _: 1) -> None:
        self._most, self._size_of = most, size_of
        self._size = 0
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> T | None:
        """The value, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, value: T) -> None:
        """Keep a value, if there is room for it at all; it may not be written to from here on."""
        size = self._size_of(value)
        if size > self._most:
            return
        with self._lock:
            if key in self._kept:
                self._size -= self._size_of(self._kept.pop(key))
            self._kept[key] = value
            self._size += size
            while self._size > self._most:
                _, oldest = self._kept.popitem(last=False)
                self._size -= self._size_of(oldest)

    def clear(self) -> None:
        """Keep nothing of what was seen."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def of(self, key: str, compute: Callable[[], T]) -> T:
        """The value; computed and kept where it is not there."""
        found = self.get(key)
        if found is None:
            found = compute()
            self.put(key, found)
        return found


def key_of(image: NDArray[Any]) -> str:
    """By its content."""
    return f"{image.shape}:{hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()}"
