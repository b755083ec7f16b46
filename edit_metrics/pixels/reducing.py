"""Pictures and areas on a smaller grid: what costs by the pixel reads them there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.pixels.areas import as_bytes
from edit_metrics.types import RGB, Mask

SHORTEST_SIDE: Final = 176
_EXACT: Final = 16
_ROWS: Final = 128  # of the result, counted at a time
_WITHIN: Final = 1e-9  # px, of a window's end: what rounding may do to a product of whole numbers


@dataclass(frozen=True, slots=True)
class PictureGrid:
    """A grid with a cap, for one source.

    Attributes:
        width, height: of S on it, px.
        scale: px of S a pixel, along the longer side; 1 = S's own pixels.
        max_side: the cap; None = none.
    """

    width: int
    height: int
    scale: float
    max_side: int | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.width, self.height


def size_within(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height with a longer side of at most ``longest``, aspect kept to whole pixels; never enlarged."""
    factor = min(1.0, longest / max(height, width))
    return max(1, round(width * factor)), max(1, round(height * factor))


def capped_size(width: int, height: int, max_side: int | None) -> tuple[int, int]:
    """:func:`size_within` for measuring: the shorter side stays at 176 px, which MS-SSIM needs; None caps nothing.

    A strip is longer than the cap then.
    """
    longer, shorter = max(width, height), min(width, height)
    if max_side is None or longer <= max_side or shorter <= SHORTEST_SIDE:
        return width, height
    scale = max(max_side / longer, SHORTEST_SIDE / shorter)
    return round(width * scale), round(height * scale)


def reduced(picture: RGB, size: tuple[int, int]) -> RGB:
    """The picture at another size (width, height), each pixel the mean of what it covers; itself where it has that."""
    if (picture.shape[1], picture.shape[0]) == size:
        return picture
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def reduced_area(area: Mask, size: tuple[int, int]) -> Mask:
    """The area at another size (width, height): True where all that a pixel covers, in part or whole, is in it.

    So that what lies outside the area has no say in a reduced picture inside it, to the last bit.
    """
    if (area.shape[1], area.shape[0]) == size:
        return area
    if area.all():
        return np.ones(size[::-1], np.bool_)
    steps = [divmod(length, count) for length, count in zip(area.shape, size[::-1], strict=True)]
    if all(rest == 0 and step <= _EXACT for step, rest in steps):
        # A mean of 255 says that no pixel is out: one of 16×16 takes a whole level from it.
        full: Mask = np.asarray(cv2.resize(as_bytes(area) * np.uint8(255), size, interpolation=cv2.INTER_AREA)) == 255
        return full
    tops, bottoms = _windows(area.shape[0], size[1])
    lefts, rights = _windows(area.shape[1], size[0])
    whole = np.empty(size[::-1], np.bool_)
    for first in range(0, size[1], _ROWS):
        part = slice(first, first + _ROWS)
        start = tops[part][0]
        holes = np.asarray(cv2.integral(as_bytes(~area[start : bottoms[part][-1]])), np.int32)
        rows = holes[bottoms[part] - start] - holes[tops[part] - start]
        whole[part] = rows[:, rights] == rows[:, lefts]
    return whole


def _windows(length: int, count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First pixel, and the one after the last, that each of ``count`` pixels reaches into along one axis."""
    step = length / count
    edges = np.arange(count + 1) * step
    first = np.floor(edges[:-1] + _WITHIN).astype(np.intp)
    return first, np.minimum(np.ceil(edges[1:] - _WITHIN).astype(np.intp), length)
