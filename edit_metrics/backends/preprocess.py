"""Preparing pictures side by side: Pillow and numpy release the interpreter's lock, and a GPU should not wait."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar

from edit_metrics.backends.torch_runtime import bound_threads, threads_here

T = TypeVar("T")
R = TypeVar("R")
_MOST_THREADS: Final = 8
REDUCING_GAP: Final = 3.0
"""Pillow's: a picture of twice as many times its new size and more is first made smaller by whole factors, to no less
than so many times that size. Most of what resizing a large picture costs is spared so.
"""


def map_in_threads(function: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """``[function(item) for item in items]``, several at a time, results in order.

    An operation of torch has as many threads in there as the caller's have: with others its sums end in another last
    bit, and an item's result would depend on whether a second one came with it.
    """
    if len(items) < 2:
        return [function(item) for item in items]
    threads = threads_here()

    def apply(item: T) -> R:
        bound_threads(threads)
        return function(item)

    return list(_pool().map(apply, items))


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="edit-metrics-prepare")
