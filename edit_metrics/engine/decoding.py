"""Reading and decoding ahead of the models, in micro-batches, as far as there is memory for it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from edit_metrics.config import Config
from edit_metrics.engine.budget import Budget, grid_cap
from edit_metrics.engine.inputs import (
    DecodedItem,
    OpenedItem,
    RejectedAtDecoding,
    decode_opened,
    open_item,
    without_pixels,
)
from edit_metrics.types import EditItem

Decoded: TypeAlias = DecodedItem | RejectedAtDecoding
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Batch:
    """Items that go through the steps together.

    Attributes:
        cost: bytes of the budget that they hold until they are through.
        large: as many pixels as a batch may have, or more: no other one is decoded while it waits for a lane.
    """

    items: tuple[Decoded, ...]
    cost: int
    large: bool = False


def decoded_batches(
    items: Sequence[EditItem],
    config: Config,
    pool: ThreadPoolExecutor,
    budget: Budget,
    seconds: MutableMapping[str, float],
) -> Iterator[Batch]:
    """Decode ahead of the models through a bounded queue; cut micro-batches by count, by pixels and by memory.

    Where a batch ends depends on its items alone, never on what else is under way.

    Args:
        items: in the order in which they come out.
        config: limits of decoding, and of a batch.
        pool: threads that read and decode.
        budget: an item takes its cost before it is decoded; the caller gives each batch's back. One that costs more
            than all of it comes without pixels, typed ``undefined(too_large)``.
        seconds: the time that the caller had to wait is added under ``wait_for_decode``.
    """
    queue = _Queue(items, config, pool, budget, seconds)
    engine = config.engine
    batch: list[Decoded] = []
    pixels = cost = 0

    def is_full(more_pixels: int, more_cost: int) -> bool:
        return len(batch) >= engine.batch_size or (
            pixels + more_pixels > engine.batch_pixels or not budget.fits(cost + more_cost)
        )

    while (ahead := queue.next_size()) is not None:
        if batch and is_full(*ahead):
            yield Batch(tuple(batch), cost, pixels >= engine.batch_pixels)
            batch, pixels, cost = [], 0, 0
        # May wait for room: what is under way apart from this batch is in the lanes, and ends there.
        batch.append(queue.take())
        pixels, cost = pixels + ahead[0], cost + ahead[1]
    if batch:
        yield Batch(tuple(batch), cost, pixels >= engine.batch_pixels)


class _Queue:
    """Files being read, then pictures being decoded; in order, one micro-batch ahead of the caller and no more.

    A source that fills a batch by itself is decoded when it is taken: of such pictures none waits for another.
    """

    def __init__(
        self,
        items: Sequence[EditItem],
        config: Config,
        pool: ThreadPoolExecutor,
        budget: Budget,
        seconds: MutableMapping[str, float],
    ) -> None:
        self._remaining = iter(items)
        self._limits, self._ahead, self._most = config.decode, config.engine.batch_size, config.engine.batch_pixels
        self._cap = grid_cap(config)
        self._pool, self._budget, self._seconds = pool, budget, seconds
        self._reading: deque[Future[OpenedItem]] = deque()
        self._decoding: deque[tuple[Future[Decoded], tuple[int, int]]] = deque()

    def next_size(self) -> tuple[int, int] | None:
        """Pixels of the next item's source, and its cost; None when there is no further item."""
        self._refill()
        if self._decoding:
            return self._decoding[0][1]
        return self._size(self._wait(self._reading[0])) if self._reading else None

    def take(self) -> Decoded:
        """The next item, decoded."""
        if not self._decoding:
            self._decode(wait=True)
        future, _ = self._decoding.popleft()
        decoded = self._wait(future)
        self._refill()
        return decoded

    def _refill(self) -> None:
        while len(self._reading) < self._ahead and (item := next(self._remaining, None)) is not None:
            self._reading.append(self._pool.submit(open_item, item, self._limits, self._cap))
        while len(self._decoding) < self._ahead and self._reading and self._reading[0].done():
            pixels, _ = self._size(self._wait(self._reading[0]))
            if sum(size[0] for _, size in self._decoding) + pixels >= self._most or not self._decode(wait=False):
                break

    def _decode(self, *, wait: bool) -> bool:
        """Begin to decode the next item that was read, where there is room."""
        opened = self._wait(self._reading[0])
        pixels, cost = self._size(opened)
        if not self._budget.take(cost, wait=wait):
            return False
        self._reading.popleft()
        decode = decode_opened if self._budget.fits(opened.cost) else without_pixels
        self._decoding.append((self._pool.submit(decode, opened, self._limits), (pixels, cost)))
        return True

    def _size(self, opened: OpenedItem) -> tuple[int, int]:
        return (opened.source_pixels, opened.cost) if self._budget.fits(opened.cost) else (0, 0)

    def _wait(self, future: Future[_T]) -> _T:
        started = time.perf_counter()
        try:
            return future.result()
        finally:
            self._seconds["wait_for_decode"] += time.perf_counter() - started
