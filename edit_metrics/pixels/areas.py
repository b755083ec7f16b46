"""Areas of a picture: erosion, tiles, and the rule of how little is too little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.types import RGB, Float64, Mask

MIN_SHARE: Final = 0.02
"""An area under this share of the frame says nothing about the picture: ``undefined``."""


def erode(area: Mask, pixels: int) -> Mask:
    """The area without what lies within ``pixels`` (along either axis) of its complement; the frame is no edge."""
    side = 2 * pixels + 1
    eroded: Mask = cv2.erode(as_bytes(area), np.ones((side, side), np.uint8)).view(np.bool_)
    return eroded


def as_bytes(area: Mask) -> NDArray[np.uint8]:
    """0 and 1 bytes, for OpenCV; shares the memory where it can."""
    return np.ascontiguousarray(area).view(np.uint8)


def fill(edited: RGB, source: RGB, kept: Mask) -> RGB:
    """E where it is to be compared, S everywhere else: what lies outside ``kept`` then cannot matter."""
    filled = source.copy()
    cv2.copyTo(edited, as_bytes(kept), filled)
    return filled


@dataclass(frozen=True, slots=True)
class TileMeans:
    """Means over square tiles.

    Attributes:
        means: of the values over the kept pixels of each tile that has enough of them.
        tops, lefts: the tiles' upper left corners, px.
        size: the tile's side, px (less where the picture is smaller).
    """

    means: Float64
    tops: NDArray[np.int64]
    lefts: NDArray[np.int64]
    size: int


def tile_means(
    values: NDArray[Any], kept: Mask, *, size: int = 64, stride: int = 32, min_share: float = 0.5
) -> TileMeans:
    """Means of ``values`` over the kept pixels of each tile whose kept share is ``min_share`` or more.

    Args:
        values: H×W, any real type or bool.
        kept: H×W.
        size: side of a tile, px.
        stride: step between tiles, px; a last row and column of tiles end at the frame.
        min_share: kept share of a tile under which it is not looked at.
    """
    height, width = kept.shape
    tops, lefts = tile_starts(height, size, stride), tile_starts(width, size, stride)
    sums = _window_sums(np.where(kept, values, 0).astype(np.float64), tops, lefts, size)
    counts = _window_sums(kept.astype(np.float64), tops, lefts, size)
    enough = counts >= min_share * min(size, height) * min(size, width)
    rows, columns = np.nonzero(enough)
    return TileMeans(sums[enough] / counts[enough], tops[rows], lefts[columns], size)


def tile_starts(length: int, size: int, stride: int) -> NDArray[np.int64]:
    """First pixels of the tiles along one axis."""
    last = max(length - size, 0)
    return np.unique(np.append(np.arange(0, last + 1, stride), last))


def _window_sums(values: Float64, tops: NDArray[np.int64], lefts: NDArray[np.int64], size: int) -> Float64:
    total = np.asarray(cv2.integral(values, sdepth=cv2.CV_64F), np.float64)
    bottoms = np.minimum(tops + size, values.shape[0])
    rights = np.minimum(lefts + size, values.shape[1])
    rows: Float64 = total[bottoms] - total[tops]
    return rows[:, rights] - rows[:, lefts]
