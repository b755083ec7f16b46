"""Where E's frame lies on S, when a model has drawn the picture again with another crop, zoom or aspect.

An axis-aligned affine map: outputs are rounded to multiples of 16 a side, so that the two scales differ. Keypoints give
a start, tiles refine it. What cannot be told is not guessed: a wrong frame would make every number on it wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.metrics.grid import GridFit
from edit_metrics.metrics.registration import phase_shifts
from edit_metrics.types import RGB, Float32, Float64, Mask, Missing, undefined

LONG_SIDE: Final = 512
"""px, of both pictures while searching."""
TILE: Final = 64
MOVED: Final = 2.0
"""px that a corner must move, on pictures of one size, before a frame is called another one."""
BEATS: Final = 0.3
"""By how much the share of agreeing tiles must then exceed that of no movement at all."""
_RATIO: Final = 0.8
_RANSAC: Final = 2.5  # px
_LEAST_INLIERS: Final = 12
_LEAST_CELLS: Final = 5  # of 8×8
_LEAST_TILES: Final = 6
_AGREE: Final = 0.4
_NEAR: Final = 1.0  # px
_ALIKE: Final = 0.25  # NCC
_TEXTURE: Final = 6.0  # grey levels
_ROTATION: Final = 2.0  # degrees
_SCALES: Final = (0.3, 3.5)
_STEP: Final = 0.05
_SPAN: Final = (0.25, 0.15)
_MOST_TILES: Final = 60
_STILL: Final = 0.05  # px anywhere in the frame: nothing is left to refine
_SOFT_TILE: Final = 16  # px
_WHOLE: Final = 0.99
_SOFTER: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)  # px; under .3 a gaussian is one pixel wide
_NONE: Final = undefined("no_registration")


@dataclass(frozen=True, slots=True)
class Frame:
    """What lies at (x, y) in S lies at (x · scale_x + left, y · scale_y + top) in E, both in px from the outer corner.

    Attributes:
        source_size: width and height of S.
        edited_size: of E.
        agreement: share of the textured tiles that lie within 1 px of this map.
        tiles: textured tiles in the overlap.
    """

    scale_x: float
    scale_y: float
    left: float
    top: float
    source_size: tuple[int, int]
    edited_size: tuple[int, int]
    agreement: float
    tiles: int

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
        return _matrix((self.scale_x, self.scale_y), (self.left, self.top))

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
        Rublee et al.: ORB (ICCV 2011). Arandjelović, Zisserman: RootSIFT (CVPR 2012). Fischler, Bolles: RANSAC (1981).
    """
    small = [_grey(image) for image in (source, edited)]
    start = _start(*(grey for grey, _ in small))
    if start is None:
        return _NONE
    scale, offset = _refined(small[0][0], small[1][0], *start)
    agreement, tiles = _agreement(small[0][0], small[1][0], scale, offset)
    if tiles < _LEAST_TILES or agreement < _AGREE:
        return _NONE
    if max(scale) / min(scale) > 1 + _STEP:
        return _NONE
    # Grey pictures were shrunk by factors of their own, a side each: put the map on the pictures themselves.
    ratio = [small[0][1][axis] / small[1][1][axis] for axis in (0, 1)]
    return Frame(
        float(scale[0] * ratio[0]), float(scale[1] * ratio[1]),
        float(offset[0] / small[1][1][0]), float(offset[1] / small[1][1][1]),
        (source.shape[1], source.shape[0]), (edited.shape[1], edited.shape[0]), agreement, tiles,
    )  # fmt: skip


def is_reframed(frame: Frame, source: RGB, edited: RGB) -> bool:
    """Whether the frame is another one than S's own: always at another aspect; at the same, where it moved clearly."""
    (width, height), (wide, high) = frame.source_size, frame.edited_size
    left, top, right, bottom = frame.box
    moved = max(abs(left), abs(top), abs(right - width), abs(bottom - height))
    if moved <= MOVED:
        return False
    if (width, height) != (wide, high):
        return True
    greys = [_grey(image) for image in (source, edited)]
    still, _ = _agreement(greys[0][0], greys[1][0], np.ones(2), np.zeros(2))
    return frame.agreement >= still + BEATS


def lay_on_source(source: RGB, edited: RGB, frame: Frame) -> tuple[RGB, RGB, Mask]:
    """Both pictures on S's grid, as sharp as each other, and where both are.

    E is taken to S's grid. S goes to E's grid and back: what resampling alone takes away is then missing in both.

    Args:
        source: S.
        edited: E.
        frame: of E on S.

    Returns:
        S and E, H×W×3, and the overlap, H×W, without a rim of 2 px. Outside of it E has S's pixels.
    """
    overlap = frame.overlap()
    there = _warp(source, frame.matrix(), frame.edited_size)
    first, second = (_to_source(image, frame) for image in (there, edited))
    first = _as_soft(first, second, overlap)
    return first, np.where(overlap[..., None], second, first), overlap


def _as_soft(source: RGB, edited: RGB, overlap: Mask) -> RGB:
    """S under the gaussian, of at most 1 px, that brings it nearest to E: how E was resampled is not known.

    Nearest in the median of tiles, so that what the edit changed has no say while it is under half.
    """
    target = cv2.cvtColor(edited, cv2.COLOR_RGB2GRAY).astype(np.float32)
    weights = overlap.astype(np.float32)
    side = (_SOFT_TILE, _SOFT_TILE)
    inside = cv2.resize(weights, None, fx=1 / side[0], fy=1 / side[1], interpolation=cv2.INTER_AREA) > _WHOLE
    if not inside.any():
        return source
    best, least = source, np.inf
    for sigma in _SOFTER:
        soft = np.asarray(cv2.GaussianBlur(source, (0, 0), sigma), np.uint8) if sigma else source
        error = (cv2.cvtColor(soft, cv2.COLOR_RGB2GRAY).astype(np.float32) - target) ** 2
        tiles = cv2.resize(error, (inside.shape[1], inside.shape[0]), interpolation=cv2.INTER_AREA)
        typical = float(np.median(np.asarray(tiles)[inside]))
        if typical < least:
            best, least = soft, typical
    return best


def fit_by_frame(source: RGB, edited: RGB, frame: Frame) -> GridFit:
    """E on S's grid where its frame lies: only the overlap is compared. Caution ``reframed``."""
    overlap = frame.overlap()
    laid = np.where(overlap[..., None], _to_source(edited, frame), source)
    scales = (1 / frame.scale_x, 1 / frame.scale_y)
    return GridFit(laid, overlap, "reframed", "frame", *scales, None, ("reframed",))


def _matrix(scale: Sequence[float] | Float64, offset: Sequence[float] | Float64) -> Float64:
    """2×3 between pixel centres, of a map between outer corners."""
    across, down = scale
    return np.array([[across, 0, offset[0] + (across - 1) / 2], [0, down, offset[1] + (down - 1) / 2]])


def _to_source(image: RGB, frame: Frame) -> RGB:
    """A picture on E's grid, taken to S's."""
    return _warp(image, np.asarray(cv2.invertAffineTransform(frame.matrix()), np.float64), frame.source_size)


def _warp(image: RGB, matrix: Float64, size: tuple[int, int]) -> RGB:
    """Forward map; where it shrinks the picture is blurred first, so that nothing aliases."""
    scales = (matrix[0, 0], matrix[1, 1])
    sigmas = [max(0.0, 0.5 * float(np.sqrt(max(1 / scale**2 - 1, 0)))) for scale in scales]
    if max(sigmas) > 0.1:
        sides = [2 * int(np.ceil(3 * sigma)) + 1 for sigma in sigmas]
        image = np.asarray(
            cv2.GaussianBlur(image, (sides[0], sides[1]), max(sigmas[0], 1e-3), None, max(sigmas[1], 1e-3))
        )
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border), np.uint8)


def _grey(image: RGB) -> tuple[Float32, tuple[float, float]]:
    """Luma with a longer side of 512 px at most, and its size over the picture's, per axis."""
    height, width = image.shape[:2]
    factor = min(1.0, LONG_SIDE / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if factor < 1 else grey
    return np.asarray(small, np.float32), (size[0] / width, size[1] / height)


def _start(first: Float32, second: Float32) -> tuple[Float64, Float64] | None:
    """Scale and offset from keypoints: ORB, and SIFT where ORB does not convince."""
    bytes_ = [np.asarray(grey, np.uint8) for grey in (first, second)]
    for finder in (_orb, _sift):
        found = _similarity(*finder(bytes_[0], bytes_[1]), first.shape)
        if found is not None:
            return found
    return None


def _orb(first: Any, second: Any) -> tuple[Float64, Float64]:
    detector = cv2.ORB.create(1500)
    own, theirs = (detector.detectAndCompute(grey, None) for grey in (first, second))
    return _matched(own, theirs, cv2.NORM_HAMMING)


def _sift(first: Any, second: Any) -> tuple[Float64, Float64]:
    detector = cv2.SIFT.create(800, contrastThreshold=0.02, edgeThreshold=15)
    own, theirs = (_rooted(*detector.detectAndCompute(grey, None)) for grey in (first, second))
    return _matched(own, theirs, cv2.NORM_L2)


def _rooted(points: Any, descriptors: Any) -> tuple[Any, Any]:
    if descriptors is None:
        return points, None
    return points, np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-9))


def _matched(first: Any, second: Any, norm: int) -> tuple[Float64, Float64]:
    """Places of keypoints that are each other's nearest, and clearly so: N×2 and N×2."""
    (points, own), (others, theirs) = first, second
    if own is None or theirs is None or len(own) < 2 or len(theirs) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    matcher = cv2.BFMatcher(norm)
    there = _clear(matcher.knnMatch(own, theirs, k=2))
    asked = sorted(set(there.values()))
    # The way back is asked only of those that were found: a fifth of the time.
    back = {asked[j]: i for j, i in _clear(matcher.knnMatch(theirs[asked], own, k=2)).items()} if asked else {}
    pairs = [(i, j) for i, j in there.items() if back.get(j) == i]
    places = [[points[i].pt for i, _ in pairs], [others[j].pt for _, j in pairs]]
    return np.array(places[0]).reshape(-1, 2), np.array(places[1]).reshape(-1, 2)


def _clear(matches: Any) -> dict[int, int]:
    good = (m for m in matches if len(m) == 2 and m[0].distance < _RATIO * m[1].distance)
    return {m[0].queryIdx: m[0].trainIdx for m in good}


def _similarity(first: Float64, second: Float64, shape: tuple[int, ...]) -> tuple[Float64, Float64] | None:
    if len(first) < _LEAST_INLIERS:
        return None
    cv2.setRNGSeed(0)
    found: Any = cv2.estimateAffinePartial2D(first, second, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC)
    matrix, inliers = found
    if matrix is None:
        return None
    good = first[inliers[:, 0] > 0]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    rotation = abs(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    cells = {(int(8 * x / shape[1]), int(8 * y / shape[0])) for x, y in good}
    if len(good) < _LEAST_INLIERS or len(cells) < _LEAST_CELLS or rotation >= _ROTATION:
        return None
    if not _SCALES[0] <= scale <= _SCALES[1]:
        return None
    # Without the rotation, about the middle of what was found.
    middle, image = good.mean(axis=0) + 0.5, second[inliers[:, 0] > 0].mean(axis=0) + 0.5
    return np.full(2, scale), image - scale * middle


def _refined(first: Float32, second: Float32, scale: Float64, offset: Float64) -> tuple[Float64, Float64]:
    for _ in range(3):
        corners, shifts, alike = _tiles(first, second, scale, offset)
        good = alike > _ALIKE
        if good.sum() < _LEAST_TILES:
            break
        places = corners[good] + TILE / 2
        span = np.ptp(places, axis=0) / (first.shape[1], first.shape[0])
        # A corner of the frame says nothing of the scale.
        wide = bool(span[0] >= _SPAN[0] and span[1] >= _SPAN[1])
        steps = [_line(places[:, axis], shifts[good][:, axis], wide) for axis in (0, 1)]
        if any(abs(slope) > _STEP for _, slope in steps):
            break
        # What lies at x in S was looked for at x·scale + offset and found (a + b·x)·scale beside it.
        offset = offset + np.array([a for a, _ in steps]) * scale
        scale = scale * np.array([1 + b for _, b in steps])
        if all(abs(a) + abs(b) * max(first.shape) < _STILL for a, b in steps):
            break
    return scale, offset


def _line(places: Float64, shifts: Float64, slope: bool) -> tuple[float, float]:
    """The line a + b·place through the shifts, outliers trimmed at 1 and then at .5 px of the median line."""
    used = np.abs(shifts - np.median(shifts)) <= (4 * _NEAR if slope else _NEAR)
    a, b = float(np.median(shifts)), 0.0
    for limit in (_NEAR, _NEAR / 2):
        if used.sum() < 4:
            break
        if slope:
            b, a = (float(v) for v in np.polyfit(places[used], shifts[used], 1))
        else:
            a = float(shifts[used].mean())
        used = np.abs(shifts - (a + b * places)) <= limit
    return a, b


def _agreement(first: Float32, second: Float32, scale: Float64, offset: Float64) -> tuple[float, int]:
    """Share of the textured tiles that lie where the map says, and their number."""
    _, shifts, alike = _tiles(first, second, scale, offset)
    if not len(shifts):
        return 0.0, 0
    good = (np.linalg.norm(shifts, axis=1) < _NEAR) & (alike > _ALIKE)
    return float(good.mean()), len(shifts)


def _tiles(first: Float32, second: Float32, scale: Float64, offset: Float64) -> tuple[Float64, Float64, Float64]:
    """Corners, shifts in px of S, and normalised correlation of the tiles of E, drawn on S's grid, against S's."""
    height, width = first.shape
    matrix = _matrix(scale, offset)
    if max(scale) > 1.2:
        second = np.asarray(cv2.GaussianBlur(second, (0, 0), 0.5 * float(np.sqrt(max(scale) ** 2 - 1))), np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = np.asarray(cv2.warpAffine(second, matrix, (width, height), flags=flags, borderValue=-1e6), np.float32)
    if min(height, width) < TILE:
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0)
    windows = [np.lib.stride_tricks.sliding_window_view(plane, (TILE, TILE)) for plane in (first, moved)]
    own, other = (view[:: TILE // 2, :: TILE // 2] for view in windows)
    good = other.min(axis=(2, 3)) >= 0
    good &= np.minimum(own.std(axis=(2, 3)), np.where(good, other.std(axis=(2, 3)), 0)) >= _TEXTURE
    places = np.argwhere(good)
    if len(places) > _MOST_TILES:
        places = places[np.linspace(0, len(places) - 1, _MOST_TILES).round().astype(int)]
    if not len(places):
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0)
    rows, columns = places.T
    stacks = [_normalised(view[rows, columns]) for view in (own, other)]
    window = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
    shifts = phase_shifts(stacks[0] * window, stacks[1] * window)
    corners = places[:, ::-1] * (TILE // 2)
    return corners.astype(np.float64), shifts, _correlation(stacks[0], windows[1], corners, shifts)


def _correlation(own: Float32, moved: Float32, corners: NDArray[np.int64], shifts: Float64) -> Float64:
    """NCC of each tile with E's where its shift says, to whole pixels; 0 where that reaches over the frame.

    Args:
        own: N tiles of S, normalised.
        moved: all tiles of E by row and column.
        corners: N×2, x and y.
        shifts: N×2.
    """
    left, top = (corners + np.rint(shifts).astype(int)).T
    inside = (left >= 0) & (left < moved.shape[1]) & (top >= 0) & (top < moved.shape[0])
    tiles = moved[np.where(inside, top, 0), np.where(inside, left, 0)]
    inside &= tiles.min(axis=(1, 2)) >= 0
    alike = (own * _normalised(tiles)).mean(axis=(1, 2))
    return np.where(inside, alike, 0.0).astype(np.float64)


def _normalised(tiles: Float32) -> Float32:
    """Each of N tiles with mean 0 and deviation 1."""
    centred = tiles - tiles.mean(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.maximum(tiles.std(axis=(1, 2), keepdims=True), 1e-3), np.float32)
