"""Warps: displacements of what must stay that no shift and no zoom of the whole picture explains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.metrics.registration import Registration
from edit_metrics.pixels.areas import as_bytes, erode
from edit_metrics.pixels.luma import bt709
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float32, Float64, Grid, Mask, Missing, undefined

# Chosen together: re-encodes read up to .44, a bend by 1 px 1.2, by 4 px 4.9 (docs/metrics.md, measure_structure.py).
TILE: Final = 96
STRIDE: Final = 32
MAX_TILES: Final = 100
MIN_TILES: Final = 6
MIN_SHARE: Final = 0.25
MIN_RESPONSE: Final = 0.3
"""Share of the correlation's energy in its peak, under which two tiles do not show the same thing."""
MIN_TEXTURE: Final = 1.5  # grey levels, standard deviation of a tile's high pass
FARTHEST: Final = 8.0  # px: beyond it the tiles do not show the same thing
_HIGH_PASS: Final = 13  # px
_CUBIC_REACH: Final = 2  # px
_AS_IT_LIES: Final = Registration(dx=0.0, dy=0.0, consensus=1.0, tiles=0, scale=1.0)


@metric(
    "structure.warp_px", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, FARTHEST * 2**0.5), unit="px",
    version=2, identity=Identity(0.0, 1e-3), blind_inside=True, grid=Grid.WORKING,
)  # fmt: skip
def warp_px(
    source: RGB, edited: RGB, geometry_region: Mask, registration: Registration | None = None
) -> float | Missing:
    """90 % quantile of the local displacement in R that is left after the global shift and zoom.

    Phase correlation of high-passed 96-px tiles that lie wholly in R, are textured, and correlate. Straight lines that
    bend, a swirl, a rotation, a change of perspective all show; a shift or a zoom of the whole does not (see
    ``preservation.shift_px`` and ``preservation.scale``). Tiles whose content was replaced do not correlate and have no
    say: this reads the geometry of what is still there.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        geometry_region: R, H×W, True where geometry must hold.
        registration: of E to S. A bent picture often has none, since no shift is shared: then E is taken as it lies,
            and the median displacement of the tiles as the shift.

    Returns:
        px; re-encodes read up to .4. ``undefined(too_few_tiles)`` with under 6 textured tiles in R,
        ``undefined(nothing_correlates)`` when under 6, or under a quarter of them, correlate.
    """
    tiles = _residuals(source, edited, geometry_region, registration or _AS_IT_LIES)
    if tiles.textured < MIN_TILES:
        return undefined("too_few_tiles")
    if len(tiles.offsets) < max(MIN_TILES, MIN_SHARE * tiles.textured):
        return undefined("nothing_correlates")
    left = tiles.offsets - np.median(tiles.offsets, axis=0)
    return float(np.quantile(np.linalg.norm(left, axis=1), 0.9))


@dataclass(frozen=True, slots=True)
class _Tiles:
    """How many tiles had texture, and the displacements (N×2) of those that correlate."""

    textured: int
    offsets: Float64


def _residuals(source: RGB, edited: RGB, region: Mask, registration: Registration) -> _Tiles:
    laid, moved_region = laid_over(edited, region, registration)
    first, second = (_high_pass(bt709(image)) for image in (source, laid))
    window = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)
    textured, found = 0, []
    for x, y in _corners(region & moved_region):
        here, there = (plane[y : y + TILE, x : x + TILE] for plane in (first, second))
        if min(_variance(here), _variance(there)) < MIN_TEXTURE**2:
            continue
        textured += 1
        left, response = cv2.phaseCorrelate(here, there, window)
        if response >= MIN_RESPONSE and max(map(abs, left)) <= FARTHEST:
            found.append(left)
    return _Tiles(textured, np.array(found, np.float64).reshape(-1, 2))


def laid_over(edited: RGB, region: Mask, registration: Registration) -> tuple[RGB, Mask]:
    """E where S shows the same, bicubic, and R moved with it; 0 where E has nothing.

    Args:
        edited: E on S's grid, H×W×3.
        region: R, H×W.
        registration: of E to S.
    """
    if registration.scale == 1:
        return _shifted(edited, registration.dx, registration.dy), _moved(region, registration.dx, registration.dy)
    matrix, size = _to_edited(registration, region.shape), (region.shape[1], region.shape[0])
    laid = cv2.warpAffine(edited, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    moved_region = cv2.warpAffine(as_bytes(region), matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    return np.asarray(laid, np.uint8), np.asarray(moved_region) > 0


def _shifted(edited: RGB, dx: float, dy: float) -> RGB:
    """``cv2.warpAffine``'s bicubic shift by two filters of four taps, which cost less."""
    whole_x, whole_y = math.floor(dx), math.floor(dy)
    taps = (_cubic_taps(dx - whole_x), _cubic_taps(dy - whole_y))
    framed = _cut(edited, whole_x - _CUBIC_REACH, whole_y - _CUBIC_REACH, 2 * _CUBIC_REACH)
    filtered = cv2.sepFilter2D(framed, cv2.CV_8U, *taps, anchor=(1, 1), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(filtered[_CUBIC_REACH:-_CUBIC_REACH, _CUBIC_REACH:-_CUBIC_REACH], np.uint8)


def _cubic_taps(part: float) -> Float32:
    """Of the pixels from one before to two after, for a place that lies ``part`` of a pixel on."""
    sharpness = -0.75  # OpenCV's
    distance = np.abs(np.arange(-1, 3) - part)
    near = ((sharpness + 2) * distance - (sharpness + 3)) * distance**2 + 1
    far = sharpness * (((distance - 5) * distance + 8) * distance - 4)
    return np.asarray(np.where(distance <= 1, near, far), np.float32)


def _moved(region: Mask, dx: float, dy: float) -> Mask:
    x, y = math.floor(dx + 0.5), math.floor(dy + 0.5)
    return _cut(region, x, y, 0) if x or y else region


def _cut(picture: NDArray[Any], left: int, top: int, more: int) -> NDArray[Any]:
    """The picture from (left, top) on, ``more`` px larger than it is; 0 where there is none."""
    height, width = picture.shape[:2]
    frame = np.zeros((height + more, width + more, *picture.shape[2:]), picture.dtype)
    part = picture[max(top, 0) : max(top + height + more, 0), max(left, 0) : max(left + width + more, 0)]
    y, x = max(-top, 0), max(-left, 0)
    frame[y : y + part.shape[0], x : x + part.shape[1]] = part
    return frame


def _variance(tile: Float32) -> float:
    """As ``cv2.meanStdDev``'s, for less."""
    return cv2.norm(tile, cv2.NORM_L2SQR) / tile.size - (cv2.sumElems(tile)[0] / tile.size) ** 2


def _to_edited(registration: Registration, frame: tuple[int, ...]) -> Float64:
    """2×3: where E shows what S shows at (x, y), by shift and zoom about the centre."""
    zoom = registration.scale
    centre_x, centre_y = (frame[1] - 1) / 2, (frame[0] - 1) / 2
    return np.array(
        [
            [zoom, 0, registration.dx + (1 - zoom) * centre_x],
            [0, zoom, registration.dy + (1 - zoom) * centre_y],
        ]
    )


def _high_pass(grey: Float32) -> Float32:
    low = np.asarray(cv2.blur(grey, (_HIGH_PASS, _HIGH_PASS), borderType=cv2.BORDER_REFLECT), np.float32)
    return np.subtract(grey, low, out=low)


def _corners(region: Mask) -> list[tuple[int, int]]:
    """Upper left corners (x, y) of the tiles wholly in R and away from its rim, evenly thinned out to MAX_TILES."""
    height, width = region.shape
    holes = np.asarray(cv2.integral(as_bytes(~erode(region, _HIGH_PASS // 2 + _CUBIC_REACH))), np.int32)
    upper, lower = (holes[start : start + height - TILE + 1 : STRIDE] for start in (0, TILE))
    left, right = (slice(start, start + max(width - TILE, 0) + 1, STRIDE) for start in (0, TILE))
    rows, columns = np.nonzero(lower[:, right] - lower[:, left] - upper[:, right] + upper[:, left] == 0)
    corners = [(int(x), int(y)) for x, y in zip(columns * STRIDE, rows * STRIDE, strict=True)]
    if len(corners) <= MAX_TILES:
        return corners
    return [corners[i] for i in np.linspace(0, len(corners) - 1, MAX_TILES).round().astype(int)]
