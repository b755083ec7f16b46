"""Where E's frame lies on S, when a model has drawn the picture again with another crop, zoom or aspect.

An axis-aligned affine map: outputs are rounded to multiples of 16 a side, so that the two scales differ. Keypoints give
a start, tiles refine it. What cannot be told is not guessed: a wrong frame would make every number on it wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.frame_keypoints import find_start
from edit_metrics.metrics.frame_tiles import SourceTiles, centre_matrix
from edit_metrics.metrics.grid import NEAR_ASPECT
from edit_metrics.pixels.reducing import reduced, size_within
from edit_metrics.types import RGB, Float32, Float64, Mask, Missing, undefined

LONG_SIDE: Final = 512
"""px, of both pictures while searching."""
MOVED: Final = 2.0
"""px that a corner must move, on pictures of one size, before a frame is called another one."""
BEATS: Final = 0.3
"""By how much the share of agreeing tiles must then exceed that of no movement at all."""
_STANDS: Final = 0.8
"""Share of agreeing tiles from which keypoints are not looked for: no other frame could beat that by so much."""
_LEAST_TILES: Final = 6
_AGREE: Final = 0.4
_AGREE_CLOSELY: Final = 0.33
_CLOSE: Final = 0.15
"""px of the pictures searched: standard error of the map up to which the smaller share of tiles will do; both
chosen on 264 reframed edits of 24 sources (docs/reframing.md)."""
_ASPECT: Final = 1.05
_NONE: Final = undefined("no_registration")


@dataclass(frozen=True, slots=True)
class Frame:
    """What lies at (x, y) in S lies at (x · scale_x + left, y · scale_y + top) in E, both in px from the outer corner.

    Attributes:
        source_size: width and height of S.
        edited_size: of E.
        agreement: share of the textured tiles that lie within 1 px of this map.
        tiles: textured tiles in the overlap.
        still: the same share for pictures of one size laid one over the other as they are; None where that cannot be.
    """

    scale_x: float
    scale_y: float
    left: float
    top: float
    source_size: tuple[int, int]
    edited_size: tuple[int, int]
    agreement: float
    tiles: int
    still: float | None = None

    @property
    def zoom(self) -> float:
        """How much larger things are drawn than where E's frame is just filled with S; below 1 = zoomed out."""
        cover = max(e / s for e, s in zip(self.edited_size, self.source_size, strict=True))
        return float(np.sqrt(self.scale_x * self.scale_y)) / cover

    @property
    def box(self) -> tuple[float, float, float, float]:
        """E's frame on S: left, top, right, bottom, px of S; may reach over it."""
        right = (self.edited_size[0] - self.left) / self.scale_x
        bottom = (self.edited_size[1] - self.top) / self.scale_y
        return -self.left / self.scale_x, -self.top / self.scale_y, right, bottom

    @property
    def kept(self) -> float:
        """Share of S that E shows."""
        return self._shared_pixels() / (self.source_size[0] * self.source_size[1])

    @property
    def new(self) -> float:
        """Share of E that S does not hold."""
        left, top, right, bottom = self.box
        return 1 - self._shared_pixels() / ((right - left) * (bottom - top))

    def _shared_pixels(self) -> float:
        left, top, right, bottom = self.box
        width = min(right, self.source_size[0]) - max(left, 0)
        height = min(bottom, self.source_size[1]) - max(top, 0)
        return max(width, 0.0) * max(height, 0.0)

    def between(self, source_size: tuple[int, int], edited_size: tuple[int, int]) -> Frame:
        """The same frame between the same pictures at other sizes, width and height each."""
        if (source_size, edited_size) == (self.source_size, self.edited_size):
            return self
        own = [new / old for new, old in zip(source_size, self.source_size, strict=True)]
        other = [new / old for new, old in zip(edited_size, self.edited_size, strict=True)]
        return replace(
            self, scale_x=self.scale_x * other[0] / own[0], scale_y=self.scale_y * other[1] / own[1],
            left=self.left * other[0], top=self.top * other[1], source_size=source_size, edited_size=edited_size,
        )  # fmt: skip

    def matrix(self) -> Float64:
        """2×3, from pixel centres of S to pixel centres of E, as ``cv2.warpAffine`` takes it."""
        return centre_matrix((self.scale_x, self.scale_y), (self.left, self.top))

    def overlap(self) -> Mask:
        """Where S and E both are, H×W of S, without a rim of 2 px."""
        left, top, right, bottom = self.box
        width, height = self.source_size
        area = np.zeros((height, width), np.bool_)
        rows = slice(max(0, int(np.ceil(top)) + 2), max(0, min(height, int(bottom)) - 2))
        columns = slice(max(0, int(np.ceil(left)) + 2), max(0, min(width, int(right)) - 2))
        area[rows, columns] = True
        return area


def find_frame(source: RGB, edited: RGB) -> Frame | Missing:
    """E's frame on S.

    Args:
        source: S, H×W×3.
        edited: E, of any size.

    Returns:
        ``undefined(no_registration)`` where too little agrees.

    References:
        See :func:`edit_metrics.metrics.frame_keypoints.find_start`.
    """
    (first, by), (second, its) = _grey(source), _grey(edited)
    tiles = SourceTiles(first)
    start = _as_it_stands(tiles, first, second)
    if start is None:
        found = find_start(*(np.asarray(grey, np.uint8) for grey in (first, second)))
        if found is None:
            return _NONE
        start = found
    placed = tiles.refine(second, *start)
    enough = _AGREE if placed.error > _CLOSE else _AGREE_CLOSELY
    if placed.tiles < _LEAST_TILES or placed.agreement < enough:
        return _NONE
    if max(placed.scale) / min(placed.scale) > _ASPECT:
        return _NONE
    # Grey pictures were shrunk by factors of their own, a side each: put the map on the pictures themselves.
    scale, offset = placed.scale * by / its, placed.offset / its
    still = None
    if source.shape == edited.shape:
        still = tiles.agreement(second, np.ones(2), np.zeros(2)).agreement
    return Frame(
        float(scale[0]), float(scale[1]), float(offset[0]), float(offset[1]),
        (source.shape[1], source.shape[0]), (edited.shape[1], edited.shape[0]), placed.agreement, placed.tiles,
        still,
    )  # fmt: skip


def is_reframed(frame: Frame) -> bool:
    """Whether the frame is another one than S's own: always at another aspect; at the same, where it moved clearly."""
    (width, height), size = frame.source_size, frame.edited_size
    left, top, right, bottom = frame.box
    moved = max(abs(left), abs(top), abs(right - width), abs(bottom - height))
    if moved <= MOVED:
        return False
    return (width, height) != size or frame.agreement >= (frame.still or 0.0) + BEATS


def _as_it_stands(tiles: SourceTiles, first: Float32, second: Float32) -> tuple[Float64, Float64] | None:
    """Scale and offset of E just drawn in S's size, where the tiles agree with it at a glance."""
    scale, offset = np.array([second.shape[1] / first.shape[1], second.shape[0] / first.shape[0]]), np.zeros(2)
    if max(scale) / min(scale) > 1 + NEAR_ASPECT:
        return None
    seen = tiles.agreement(second, scale, offset, glance=True)
    return (scale, offset) if seen.tiles >= _LEAST_TILES and seen.agreement >= _STANDS else None


def _grey(image: RGB) -> tuple[Float32, Float64]:
    """Luma with a longer side of 512 px at most, and its size over the picture's, per axis."""
    height, width = image.shape[:2]
    size = size_within(width, height, LONG_SIDE)
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    return np.asarray(reduced(grey, size), np.float32), np.array([size[0] / width, size[1] / height])
