"""Registration of E to S by tiles: shift, zoom, how many tiles agree, and per-channel gain.

Only tiles that lie wholly in the kept area are read, so that what is inside the mask has no influence. (A picture whose
mask was filled from S must never be registered: the fill correlates at zero shift.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.phase_correlation import shifts_between, spectra
from edit_metrics.pixels.areas import as_bytes, erode, tile_starts
from edit_metrics.pixels.reducing import PictureGrid
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float32, Float64, Grid, Mask, Missing, undefined

TILE: Final = 96
STRIDE: Final = 48
MAX_TILES: Final = 36
CLUSTER_RADIUS: Final = 0.35  # px
MIN_CONSENSUS: Final = 0.3
MIN_TILES: Final = 4
_HIGH_PASS_REACH: Final = 12  # px, to where the low pass (two boxes of 13) reaches
_MIN_TEXTURE: Final = 1.5  # grey levels, standard deviation of a tile's high pass
_ZOOM_GAIN: Final = 0.15
_LATTICE: Final = 64  # tiles looked at in large pictures, about
_REFINEMENTS: Final = 3
_CONVERGED: Final = 0.005  # px
_STILL: Final = 0.02  # px; what refining could still tell from nothing


@dataclass(frozen=True, slots=True)
class Registration:
    """How E lies on S's grid.

    Attributes:
        dx, dy: E shows at (x + dx, y + dy) what S shows at (x, y), px.
        consensus: share of the textured tiles that agree on one shift within .35 px (on one zoom, where that explains
            clearly more of them).
        tiles: textured tiles that were compared.
        scale: zoom of E against S about the frame's centre; 1 = none.
    """

    dx: float
    dy: float
    consensus: float
    tiles: int
    scale: float

    @property
    def shift(self) -> float:
        """Length of the shift, px."""
        return float(np.hypot(self.dx, self.dy))


@dataclass(frozen=True, slots=True)
class ChannelGains:
    """Ratio of E's mean to S's mean over the kept pixels, per channel: 1 = unchanged, .8 = 20 % darker."""

    red: float
    green: float
    blue: float


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Corners and shifts of the compared tiles."""

    corners: Float64
    shifts: Float64


def register(source: RGB, edited: RGB, kept: Mask | None = None) -> Registration | Missing:
    """Find the translation (and report the zoom) between S and E.

    Phase correlation of high-passed 96-px tiles under a Hann window; the densest cluster of tile shifts wins and is
    refined by least squares on its own tiles.

    Args:
        source: S, H×W×3.
        edited: E on S's grid, not filled.
        kept: U; None = everywhere. Only tiles wholly inside it are read.

    Returns:
        ``undefined(no_registration)`` with fewer than 4 textured tiles or a consensus under .3.
    """
    first, second = _high_pass(source, kept), _high_pass(edited, kept)
    tiles = _compare_tiles(first, second, kept)
    count = len(tiles.shifts)
    if count < MIN_TILES:
        return undefined("no_registration")
    inliers = _densest_cluster(tiles.shifts)
    zoomed, zoom_inliers = _fit_zoom(tiles, source.shape[:2])
    if zoom_inliers.sum() >= inliers.sum() + max(_ZOOM_GAIN * count, 2):
        shift, scale, inliers = zoomed[:2], float(1 + zoomed[2]), zoom_inliers
    else:
        shift = tiles.shifts[inliers].mean(axis=0)
        if np.hypot(*shift) >= _STILL:
            shift = _refine(first, second, tiles.corners[inliers], shift)
        scale = 1.0
    consensus = float(inliers.mean())
    if consensus < MIN_CONSENSUS:
        return undefined("no_registration")
    return Registration(float(shift[0]), float(shift[1]), consensus, count, scale)


def translate(image: RGB, dx: float, dy: float) -> RGB:
    """The picture whose pixel (x, y) is the input's (x + dx, y + dy), cubic; what lies outside the input is black."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    size = (image.shape[1], image.shape[0])
    moved = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
    return np.asarray(moved, np.uint8)


def comparable_after_shift(kept: Mask, dx: float, dy: float, *, rim: int = 5) -> Mask:
    """Where S and the translated E are both made of kept pixels only.

    Args:
        kept: U.
        dx: as for :func:`translate`.
        dy: as for :func:`translate`.
        rim: px taken off U first; covers the reach of the interpolation.
    """
    inner = erode(np.pad(kept, 1), rim)[1:-1, 1:-1] if rim else kept
    matrix = np.array([[1, 0, round(dx)], [0, 1, round(dy)]], np.float64)
    size = (kept.shape[1], kept.shape[0])
    moved = cv2.warpAffine(as_bytes(inner), matrix, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    both: Mask = inner & (np.asarray(moved) > 0)
    return both


def channel_gains(source: RGB, edited: RGB, kept: Mask) -> ChannelGains | Missing:
    """Gains over the kept pixels.

    Returns:
        ``undefined(black_source)`` when a channel of S is (nearly) black throughout.
    """
    weights = as_bytes(kept)
    before, after = cv2.mean(source, weights)[:3], cv2.mean(edited, weights)[:3]
    if min(before) < 1:
        return undefined("black_source")
    return ChannelGains(*(e / s for s, e in zip(before, after, strict=True)))


_over_u = partial(metric, direction=Direction.NEITHER, bounds=(0.0, None), unit="ratio", blind_inside=True)
"""The whole frame registers without a mask too; but what is said here is said of U."""
_gain = partial(_over_u, identity=Identity(1.0, 1e-6), flip_invariant=1e-9)


@_over_u(
    "preservation.shift_px", direction=Direction.LOWER_IS_BETTER, unit="px", requires=("kept",),
    identity=Identity(0.0, 1e-3), grid=Grid.WORKING, features={"grid": "working_grid"},
)  # fmt: skip
def shift_px(registration: Registration, grid: PictureGrid | None = None) -> float:
    """How far the kept area moved, from tiles of it that agree; ``undefined(no_registration)`` where they do not.

    Args:
        registration: on the working grid.
        grid: that grid; the value is in px of S.
    """
    return registration.shift * (1.0 if grid is None else grid.scale)


@_over_u(
    "preservation.shift_consensus", bounds=(0.0, 1.0), unit="share", requires=("kept",), identity=1.0,
    grid=Grid.WORKING,
)  # fmt: skip
def shift_consensus(registration: Registration) -> float:
    """Share of the textured tiles that agree on the shift (or zoom)."""
    return registration.consensus


@_over_u("preservation.scale", requires=("kept",), identity=Identity(1.0, 1e-6), grid=Grid.WORKING)
def scale(registration: Registration) -> float:
    """Zoom of E against S; 1 = none. Never corrected: a zoom is damage."""
    return registration.scale


@_gain("preservation.gain_r")
def gain_r(gains: ChannelGains) -> float:
    """Mean red of E over that of S on the kept pixels; 1 = unchanged. Never corrected."""
    return gains.red


@_gain("preservation.gain_g")
def gain_g(gains: ChannelGains) -> float:
    """Mean green of E over that of S on the kept pixels; 1 = unchanged."""
    return gains.green


@_gain("preservation.gain_b")
def gain_b(gains: ChannelGains) -> float:
    """Mean blue of E over that of S on the kept pixels; 1 = unchanged."""
    return gains.blue


def _high_pass(image: RGB, kept: Mask | None) -> Float32:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if kept is not None:
        luma *= kept
    side = _HIGH_PASS_REACH + 1
    return luma - cv2.blur(cv2.blur(luma, (side, side)), (side, side))


def _compare_tiles(first: Float32, second: Float32, kept: Mask | None) -> _Tiles:
    height, width = first.shape
    size = min(TILE, height, width)
    area = np.ones(first.shape, np.bool_) if kept is None else erode(kept, _HIGH_PASS_REACH)
    holes = cv2.integral(as_bytes(~area))
    stride = max(STRIDE, round((height * width / _LATTICE) ** 0.5))
    corners = [
        (x, y)
        for y in tile_starts(height, size, stride)
        for x in tile_starts(width, size, stride)
        if holes[y + size, x + size] - holes[y, x + size] - holes[y + size, x] + holes[y, x] == 0
        and all(cv2.meanStdDev(plane[y : y + size, x : x + size])[1] >= _MIN_TEXTURE for plane in (first, second))
    ]
    if len(corners) > MAX_TILES:
        corners = [corners[i] for i in np.linspace(0, len(corners) - 1, MAX_TILES).round().astype(int)]
    if not corners:
        return _Tiles(np.empty((0, 2)), np.empty((0, 2)))
    window = np.outer(np.hanning(size), np.hanning(size)).astype(np.float32)
    before, after = (
        spectra(np.stack([plane[y : y + size, x : x + size] * window for x, y in corners])) for plane in (first, second)
    )
    return _Tiles(np.array(corners, np.float64), shifts_between(before, after, size))


def _densest_cluster(shifts: Float64) -> Mask:
    near = np.linalg.norm(shifts[:, None] - shifts[None], axis=2) <= CLUSTER_RADIUS
    best: Mask = near[near.sum(axis=1).argmax()]
    centre = shifts[best].mean(axis=0)
    cluster: Mask = np.linalg.norm(shifts - centre, axis=1) <= CLUSTER_RADIUS
    return cluster if cluster.sum() >= best.sum() else best


def _fit_zoom(tiles: _Tiles, frame: tuple[int, ...]) -> tuple[Float64, Mask]:
    """Shift = (dx, dy) + k·(place − centre): the pair of tiles that most others agree with, then least squares."""
    places = tiles.corners - (np.array([frame[1], frame[0]]) - TILE) / 2
    i, j = np.triu_indices(len(places), 1)
    apart = places[j] - places[i]
    square = (apart**2).sum(axis=1)
    k = ((tiles.shifts[j] - tiles.shifts[i]) * apart).sum(axis=1) / square
    offset = tiles.shifts[i] - k[:, None] * places[i]
    predicted = offset[:, None] + k[:, None, None] * places[None]
    agree = np.linalg.norm(predicted - tiles.shifts[None], axis=2) <= CLUSTER_RADIUS
    best: Mask = agree[np.where(square >= TILE**2, agree.sum(axis=1), 0).argmax()]
    x, y = places[best].T
    zero, one = np.zeros_like(x), np.ones_like(x)
    design = np.concatenate([np.stack([one, zero, x], axis=1), np.stack([zero, one, y], axis=1)])
    solution = np.linalg.lstsq(design, tiles.shifts[best].T.reshape(-1), rcond=None)[0]
    return np.asarray(solution, np.float64), best


def _refine(first: Float32, second: Float32, corners: Float64, start: Float64) -> Float64:
    """Gauss-Newton on the tiles of the cluster; falls back to the start where it wanders off."""
    size = min(TILE, *first.shape)
    area = np.zeros(first.shape, np.bool_)
    for x, y in corners.astype(int):
        area[y + 4 : y + size - 4, x + 4 : x + size - 4] = True
    area &= comparable_after_shift(np.ones_like(area), *start)
    shift = start
    for _ in range(_REFINEMENTS):
        matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
        moved = cv2.warpAffine(second, matrix, second.shape[::-1], flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        gx, gy = (cv2.Sobel(moved, cv2.CV_32F, *order, scale=1 / 8)[area] for order in ((1, 0), (0, 1)))
        error = (first - moved)[area]
        normal = np.array([[gx @ gx, gx @ gy], [gx @ gy, gy @ gy]], np.float64)
        if np.linalg.cond(normal) > 1e6:
            break
        step = np.linalg.solve(normal, np.array([gx @ error, gy @ error], np.float64))
        shift = shift + step
        if np.linalg.norm(step) < _CONVERGED:
            break
    return shift if np.linalg.norm(shift - start) <= 2 * CLUSTER_RADIUS else start
