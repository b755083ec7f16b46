"""Near-duplicate edits by perceptual hash, so that a queue does not ask the same question many times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

MAX_BITS: Final = 4
"""Most differing bits (of 64) between near-duplicates."""
_BANDS: Final = MAX_BITS + 1
_BITS: Final = 64


def duplicate_clusters(hashes: Sequence[str | None]) -> list[int]:
    """Cluster number of each item; items without a hash are alone.

    Leader clustering in the given order: an item joins the first cluster whose leader differs in at most
    ``MAX_BITS`` bits, so that chains of small steps do not grow together. Two hashes within 4 bits agree in at least
    one of 5 bands, which is how leaders are found without comparing all pairs.

    Args:
        hashes: 16 hexadecimal digits each, as in ``edited_phash``; None or empty where there is none.
    """
    leaders: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    clusters: list[int] = []
    for number, text in enumerate(hashes):
        if not text:
            clusters.append(number)
            continue
        value = int(text, 16)
        bands = list(enumerate(_bands(value)))
        found = [cluster for band in bands for leader, cluster in leaders[band] if _close(leader, value)]
        clusters.append(min(found, default=number))
        if not found:
            for band in bands:
                leaders[band].append((value, number))
    return clusters


def _close(a: int, b: int) -> bool:
    return (a ^ b).bit_count() <= MAX_BITS


def _bands(value: int) -> list[int]:
    edges = [round(_BITS * band / _BANDS) for band in range(_BANDS + 1)]
    return [(value >> low) & ((1 << (high - low)) - 1) for low, high in pairwise(edges)]
