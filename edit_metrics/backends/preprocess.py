"""Preparing pictures side by side: Pillow and numpy release the interpreter's lock, and a GPU should not wait."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_MOST_THREADS: Final = 8
REDUCING_GAP: Final = 3.0
"""Pillow's: a picture of twice as many times its new size and more is first made smaller by whole factors, to no less
than so many times that size. Most of what resizing a large picture costs is spared so.
"""


def map_in_threads(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``[function(item) for item in items]``, several at a time, results in order."""
    if len(items) < 2:
        return [function(item) for item in items]
    return list(_pool().map(function, items))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="edit-metrics-prepare")
