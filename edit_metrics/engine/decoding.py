"""Decoding ahead of the models, in micro-batches."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from edit_metrics.config import Config
from edit_metrics.engine.inputs import DecodedItem, RejectedAtDecoding, decode_item
from edit_metrics.types import EditItem

Decoded: TypeAlias = DecodedItem | RejectedAtDecoding


def decoded_batches(
    items: Sequence[EditItem], config: Config, pool: ThreadPoolExecutor, seconds: MutableMapping[str, float]
) -> Iterator[list[Decoded]]:
    """Decode ahead of the models through a bounded queue; cut micro-batches by count and by pixels.

    Args:
        items: in the order in which they come out.
        config: limits of decoding, and of a batch.
        pool: threads that decode.
        seconds: the time that the caller had to wait is added under ``wait_for_decode``.
    """
    engine, limits = config.engine, config.decode
    # One batch ahead, and no more: what waits decoded is what memory has to hold.
    ahead = engine.batch_size
    waiting: deque[Future[Decoded]] = deque()
    remaining = iter(items)

    def refill() -> None:
        while len(waiting) < ahead and (item := next(remaining, None)) is not None:
            waiting.append(pool.submit(decode_item, item, limits))

    batch: list[Decoded] = []
    pixels = 0
    refill()
    while waiting:
        started = time.perf_counter()
        decoded = waiting.popleft().result()
        seconds["wait_for_decode"] += time.perf_counter() - started
        refill()
        size = decoded.pixels if isinstance(decoded, DecodedItem) else 0
        if batch and (len(batch) >= engine.batch_size or pixels + size > engine.batch_pixels):
            yield batch
            batch, pixels = [], 0
        batch.append(decoded)
        pixels += size
    if batch:
        yield batch
