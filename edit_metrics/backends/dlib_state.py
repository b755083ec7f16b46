"""dlib's detector as dlib writes it: read, and written again with other settings or with fewer filters.

Integers stand as a byte with sign and length, then their bytes, lowest first; other numbers as mantissa and exponent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from edit_metrics.errors import WeightsError
from edit_metrics.types import Float64

CELL: Final = 8
"""px, of the detector's HOG cells; its window is ten cells wide."""
SMALLEST: Final = 64
"""px, the shorter side down to which dlib's pyramid goes."""
_WINDOW: Final = 10
_KINDS: Final = (18, 9, 4)
_TYPICAL: Final = (0.06, 0.09, 0.3)
"""Kinds of HOG features (signed and unsigned directions, texture), and about what they are on average."""
_EXPECTED: Final = (2, 1, 0, 0, CELL, 0, _WINDOW * CELL, _WINDOW * CELL, 1000, SMALLEST, SMALLEST)
_ONE: Final = b"\x01\x01\x01\x00"


@dataclass(frozen=True, slots=True)
class DetectorState:
    """A detector of windows of ten cells.

    Attributes:
        training: what only training reads, and the number of weights a filter.
        match: of the box around two windows, the share that both cover from which they show one face.
        overlap: of the smaller window, the share in the other from which they do.
        overlaps: both, as they are written.
        filters: how many, and all of them.
    """

    training: bytes
    match: float
    overlap: float
    overlaps: bytes
    filters: bytes

    @classmethod
    def read(cls, data: bytes) -> DetectorState:
        """Read what dlib has written.

        Raises:
            WeightsError: another format, or another detector.
        """
        numbers, place = [], 0
        for _ in _EXPECTED:
            number, place = _integer(data, place)
            numbers.append(number)
        if tuple(numbers) != _EXPECTED:
            raise WeightsError("dlib's frontal face detector of 80 px", f"one that begins with {numbers}")
        first = place
        _, place = _real(data, place)
        _, place = _integer(data, place)
        second = place
        match, place = _real(data, place)
        overlap, place = _real(data, place)
        return cls(data[first:second], match, overlap, data[second:place], data[place:])

    def written(self, *, levels: int, cell: int = CELL, suppress: bool = False, keep: int | None = None) -> bytes:
        """The detector with other settings, as dlib reads it.

        Args:
            levels: of the pyramid, the picture itself the first; none is too small.
            cell: px, side of a HOG cell.
            suppress: whether of windows that show one face only the best is given.
            keep: separable parts of each filter that are kept, the largest ones; None = all.
        """
        window = _WINDOW * cell
        settings = (*_EXPECTED[:4], cell, 0, window, window, levels, 1, 1)
        overlaps = self.overlaps if suppress else _ONE + _ONE
        filters = self.filters if keep is None else self._fewer(keep)
        return b"".join(map(_integer_bytes, settings)) + self.training + overlaps + filters

    def _fewer(self, keep: int) -> bytes:
        typical = np.repeat(_TYPICAL, _KINDS)
        filters = list(self._weights())
        written = [_integer_bytes(len(filters))]
        for weights in filters:
            planes, threshold = weights[:-1].reshape(len(typical), _WINDOW, _WINDOW), weights[-1]
            left, sizes, right = np.linalg.svd(planes)
            kept = np.where(sizes >= np.sort(sizes, axis=None)[-keep], sizes, 0)
            fewer = (left * kept[:, None, :]) @ right
            # What is left out gives about as much everywhere.
            lower = threshold - float(((planes - fewer).sum((1, 2)) * typical).sum())
            numbers = [*fewer.ravel().tolist(), lower]
            written += [_integer_bytes(-len(numbers)), _integer_bytes(-1), *map(_real_bytes, numbers)]
        return b"".join(written)

    def _weights(self) -> Iterator[Float64]:
        count, place = _integer(self.filters, 0)
        for _ in range(count):
            rows, place = _integer(self.filters, place)
            columns, place = _integer(self.filters, place)
            numbers = np.empty(rows * columns)
            for index in range(len(numbers)):
                numbers[index], place = _real(self.filters, place)
            yield numbers


def _integer(data: bytes, place: int) -> tuple[int, int]:
    """An integer, and where it ends."""
    length = data[place] & 0x0F
    size = int.from_bytes(data[place + 1 : place + 1 + length], "little")
    return (-size if data[place] & 0x80 else size), place + 1 + length


def _real(data: bytes, place: int) -> tuple[float, int]:
    """A number, and where it ends."""
    mantissa, place = _integer(data, place)
    exponent, place = _integer(data, place)
    return math.ldexp(mantissa, exponent), place


def _integer_bytes(number: int) -> bytes:
    size = abs(number)
    length = max(1, (size.bit_length() + 7) // 8)
    return bytes([length | (0x80 if number < 0 else 0)]) + size.to_bytes(length, "little")


def _real_bytes(number: float) -> bytes:
    mantissa, exponent = math.frexp(number)
    return _integer_bytes(round(mantissa * 2**53)) + _integer_bytes(exponent - 53)
