"""Neighbours among perceptual hashes, without a loop over pairs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
_BITS: Final = 64
_BLOCK: Final = 2**20  # comparisons at once: 8 MB
_COUNT: Final = getattr(np, "bitwise_count", None)  # NumPy 2
_EVERY_2, _EVERY_4, _EVERY_8 = (np.uint64(n) for n in (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F))


@dataclass(frozen=True, slots=True)
class Nearest:
    """The nearest of the known hashes: its position, and in how many bits it differs."""

    position: int
    bits: int


def bits_apart(a: Hashes, b: Hashes) -> NDArray[np.uint8]:
    """In how many bits hashes differ; broadcasts."""
    if _COUNT is not None:
        counted: NDArray[np.uint8] = _COUNT(a ^ b)
        return counted
    one, two, four, top = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)
    bits = a ^ b
    bits -= (bits >> one) & _EVERY_2
    bits = (bits & _EVERY_4) + ((bits >> two) & _EVERY_4)
    bits = (bits + (bits >> four)) & _EVERY_8
    return ((bits * np.uint64(0x0101010101010101)) >> top).astype(np.uint8)


def nearest_bits(asked: Hashes, known: Hashes) -> Iterator[Nearest]:
    """For each hash the nearest known one, the first of several; nothing where none is known."""
    if not len(known):
        return
    step = max(1, _BLOCK // len(known))
    for start in range(0, len(asked), step):
        bits = bits_apart(asked[start : start + step, None], known[None, :])
        positions = bits.argmin(axis=1)
        for position, row in zip(positions.tolist(), bits, strict=True):
            yield Nearest(position, int(row[position]))


def close_pairs(hashes: Hashes, most: int) -> NDArray[np.intp]:
    """Every pair of positions whose hashes differ in at most ``most`` bits, P×2, the smaller position first.

    Two hashes within ``most`` bits agree in at least one of ``most`` + 1 bands of their bits, so that only those that
    share a band are compared. Hashes that are zero (flat pictures) are left out.

    Args:
        hashes: any number.
        most: bits.
    """
    used = np.flatnonzero(hashes != 0)
    edges = [round(_BITS * band / (most + 1)) for band in range(most + 2)]
    found = [np.empty((0, 2), np.intp)]
    for low, high in pairwise(edges):
        keys = (hashes[used] >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = used[np.argsort(keys, kind="stable")]
        keys = np.sort(keys, kind="stable")
        left = np.arange(len(order))
        for apart in range(1, len(order)):
            left = left[left + apart < len(order)]
            left = left[keys[left] == keys[left + apart]]
            if not len(left):
                break
            a, b = order[left], order[left + apart]
            near = bits_apart(hashes[a], hashes[b]) <= most
            found.append(np.sort(np.stack([a[near], b[near]], axis=1), axis=1))
    return np.unique(np.concatenate(found), axis=0)
