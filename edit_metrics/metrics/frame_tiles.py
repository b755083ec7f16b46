"""Whether E lies on S where a map says, and a better map: S's tiles against E drawn on S's grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.metrics.phase_correlation import shifts_between, spectra
from edit_metrics.types import Float32, Float64

TILE: Final = 64
_STRIDE: Final = 32
_GOLDEN: Final = (5**0.5 - 1) / 2
_MOST_TILES: Final = 60
_FEW_TILES: Final = 24
"""For a first look, and for a first step."""
_LEAST_TILES: Final = 6
_NEAR: Final = 1.0  # px
_ALIKE: Final = 0.25  # NCC
_TEXTURE: Final = 6.0  # grey levels
_STEP: Final = 0.05
_SPAN: Final = (0.25, 0.15)
_STILL: Final = 0.05  # px anywhere in the frame: nothing is left to refine
_WINDOW: Final = np.outer(np.hanning(TILE), np.hanning(TILE)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Placed:
    """A map of S to E between outer corners, and how many tiles it is right for.

    Attributes:
        scale, offset: x and y; what lies at x in S lies at x · scale + offset in E.
        agreement: share of the textured tiles that lie within 1 px of it.
        tiles: textured tiles that were compared.
        error: standard error of the map where it is least sure in S's frame, px, from the tiles that lie by it.
    """

    scale: Float64
    offset: Float64
    agreement: float
    tiles: int
    error: float


@dataclass(frozen=True, slots=True)
class _Compared:
    """N tiles: their upper left corners (N×2, x and y), shifts in px of S (N×2), and normalised correlations (N)."""

    corners: Float64
    shifts: Float64
    alike: Float64

    def placed(self, shape: tuple[int, ...], scale: Float64, offset: Float64, moved: Float64 | float = 0.0) -> Placed:
        """The map, where the tiles were expected ``moved`` px off the map that they were drawn by."""
        if not len(self.shifts):
            return Placed(scale, offset, 0.0, 0, np.inf)
        left = self.shifts - moved
        good = (np.linalg.norm(left, axis=1) < _NEAR) & (self.alike > _ALIKE)
        error = _error(self.corners[good] + TILE / 2, left[good], np.array(shape[::-1]))
        return Placed(scale, offset, float(good.mean()), len(left), error)


_NOTHING: Final = _Compared(np.empty((0, 2)), np.empty((0, 2)), np.empty(0))


class SourceTiles:
    """S in tiles, and what comparisons with them share. Not for several threads at a time.

    Args:
        grey: S, H×W.
    """

    def __init__(self, grey: Float32) -> None:
        self._grey = grey
        if min(grey.shape) < TILE:
            places = np.empty((0, 2), np.intp)
        else:
            rows, columns = ((side - TILE) // _STRIDE + 1 for side in grey.shape)
            grid = np.argwhere(np.ones((rows, columns), np.bool_)) * _STRIDE
            places = grid[_deviations(grey, grid) >= _TEXTURE]
        # In an order whose beginning is spread over the picture: by fractions of the golden ratio.
        self._places = places[np.argsort(np.arange(len(places)) * _GOLDEN % 1)]
        self._normal: dict[int, Float32] = {}
        self._spectra: dict[int, NDArray[np.complex64]] = {}

    def agreement(self, edited: Float32, scale: Float64, offset: Float64, *, glance: bool = False) -> Placed:
        """How many tiles lie where the map says; at a glance, of 24 instead of 60."""
        found = self._compare(edited, scale, offset, _FEW_TILES if glance else _MOST_TILES)
        return found.placed(self._grey.shape, scale, offset)

    def refine(self, edited: Float32, scale: Float64, offset: Float64) -> Placed:
        """The map that the tiles agree on, near the given one."""
        for most in (_FEW_TILES, _MOST_TILES, _MOST_TILES):
            found = self._compare(edited, scale, offset, most)
            step = self._step(found)
            if step is None:
                if most == _MOST_TILES:
                    return found.placed(self._grey.shape, scale, offset)
                continue
            shift, slope = step
            # What lies at x in S was looked for at x·scale + offset and found (a + b·x)·scale beside it.
            offset, scale = offset + shift * scale, scale * (1 + slope)
            farthest = float((np.abs(shift) + np.abs(slope) * max(self._grey.shape)).max())
            if most == _MOST_TILES and farthest < _STILL:
                return found.placed(self._grey.shape, scale, offset, shift + slope * (found.corners + TILE / 2))
        return self.agreement(edited, scale, offset)

    def _step(self, found: _Compared) -> tuple[Float64, Float64] | None:
        """Shift and slope, x and y, of the lines through the shifts; None where they do not carry one."""
        good = found.alike > _ALIKE
        if good.sum() < _LEAST_TILES:
            return None
        places = found.corners[good] + TILE / 2
        span = np.ptp(places, axis=0) / self._grey.shape[::-1]
        # A corner of the frame says nothing of the scale.
        wide = bool(span[0] >= _SPAN[0] and span[1] >= _SPAN[1])
        shift, slope = np.array([_line(places[:, axis], found.shifts[good][:, axis], wide) for axis in (0, 1)]).T
        return None if np.abs(slope).max() > _STEP else (shift, slope)

    def _compare(self, edited: Float32, scale: Float64, offset: Float64, most: int) -> _Compared:
        if not len(self._places):
            return _NOTHING
        moved, inside = _drawn(edited, scale, offset, self._grey.shape)
        chosen, shown = self._chosen(moved, inside, most)
        if not len(chosen):
            return _NOTHING
        self._prepare(chosen)
        places = self._places[chosen]
        own = np.stack([self._spectra[n] for n in chosen])
        shifts = shifts_between(own, spectra((shown - shown.mean(axis=(1, 2), keepdims=True)) * _WINDOW), TILE)
        alike = self._correlation(chosen, moved, inside, shifts)
        return _Compared(places[:, ::-1].astype(np.float64), shifts, alike)

    def _chosen(self, moved: Float32, inside: Sequence[float], most: int) -> tuple[NDArray[np.intp], Float32]:
        """Which tiles E shows whole and with texture, so many at most; and what it shows there."""
        whole = np.flatnonzero(_within(self._places, inside))
        textured = whole[_deviations(moved, self._places[whole]) >= _TEXTURE][:most]
        return textured, _cut(moved, self._places[textured])

    def _prepare(self, chosen: NDArray[np.intp]) -> None:
        missing = [n for n in chosen if n not in self._spectra]
        if not missing:
            return
        tiles = _cut(self._grey, self._places[missing])
        tiles = tiles - tiles.mean(axis=(1, 2), keepdims=True)
        self._spectra.update(zip(missing, spectra(tiles * _WINDOW), strict=True))
        tiles /= np.maximum(np.sqrt(np.einsum("nij,nij->n", tiles, tiles) / TILE**2), 1e-3)[:, None, None]
        self._normal.update(zip(missing, tiles, strict=True))

    def _correlation(
        self, chosen: NDArray[np.intp], moved: Float32, inside: Sequence[float], shifts: Float64
    ) -> Float64:
        """NCC of each tile with E's where its shift says, to whole pixels; 0 where that reaches over the frame."""
        there = self._places[chosen] + np.rint(shifts[:, ::-1]).astype(int)
        seen = _within(there, inside)
        tiles = _cut(moved, np.where(seen[:, None], there, 0))
        own = np.stack([self._normal[n] for n in chosen])
        mean = tiles.mean(axis=(1, 2))
        deviation = np.sqrt(np.maximum(np.einsum("nij,nij->n", tiles, tiles) / TILE**2 - mean**2, 1e-6))
        # S's tile has mean 0: E's mean takes nothing away.
        return np.where(seen, np.einsum("nij,nij->n", own, tiles) / TILE**2 / deviation, 0.0).astype(np.float64)


def centre_matrix(scale: Sequence[float] | Float64, offset: Sequence[float] | Float64) -> Float64:
    """2×3 between pixel centres, of a map between outer corners."""
    across, down = scale
    return np.array([[across, 0, offset[0] + (across - 1) / 2], [0, down, offset[1] + (down - 1) / 2]])


def _drawn(
    edited: Float32, scale: Float64, offset: Float64, shape: tuple[int, ...]
) -> tuple[Float32, tuple[float, float, float, float]]:
    """E on S's grid, and the rows and columns of S (first row, first column, last row, last column) that it covers."""
    matrix = centre_matrix(scale, offset)
    if max(scale) > 1.2:
        edited = np.asarray(cv2.GaussianBlur(edited, (0, 0), 0.5 * float(np.sqrt(max(scale) ** 2 - 1))), np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    border = cv2.BORDER_REPLICATE
    moved = cv2.warpAffine(edited, matrix, (shape[1], shape[0]), flags=flags, borderMode=border)
    first = [max(0.0, -matrix[axis, 2] / matrix[axis, axis]) for axis in (1, 0)]
    last = [min(shape[i] - 1, (edited.shape[i] - 1 - matrix[1 - i, 2]) / matrix[1 - i, 1 - i]) for i in (0, 1)]
    return np.asarray(moved, np.float32), (first[0], first[1], last[0], last[1])


def _within(places: NDArray[np.intp], inside: Sequence[float]) -> NDArray[np.bool_]:
    """Whether tiles at those rows and columns lie inside."""
    rows, columns = places.T
    found: NDArray[np.bool_] = (rows >= inside[0]) & (columns >= inside[1])
    found &= (rows + TILE - 1 <= inside[2]) & (columns + TILE - 1 <= inside[3])
    return found


def _cut(grey: Float32, places: NDArray[np.intp]) -> Float32:
    return np.asarray(np.lib.stride_tricks.sliding_window_view(grey, (TILE, TILE))[tuple(places.T)], np.float32)


def _deviations(grey: Float32, places: NDArray[np.intp]) -> Float64:
    """Standard deviation of the tiles at those rows and columns, multiples of the stride."""
    rows, columns = (side // _STRIDE for side in grey.shape)
    whole = grey[: rows * _STRIDE, : columns * _STRIDE]
    blocks = [cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA) for plane in (whole, whole**2)]
    (sums, squares) = (np.asarray(cv2.blur(block, (2, 2), anchor=(0, 0)), np.float64) for block in blocks)
    found: Float64 = np.sqrt(np.maximum(squares - sums**2, 0))[tuple(places.T // _STRIDE)]
    return found


def _error(places: Float64, left: Float64, size: NDArray[np.intp]) -> float:
    """The larger of the standard errors, at the farther border, of lines through what is left of the shifts, px."""
    if len(places) <= 2:
        return np.inf
    middle = places.mean(axis=0)
    spread = ((places - middle) ** 2).sum(axis=0)
    if not spread.all():
        return np.inf
    slopes = ((places - middle) * left).sum(axis=0) / spread
    noise = ((left - left.mean(axis=0) - slopes * (places - middle)) ** 2).sum(axis=0) / (len(places) - 2)
    farthest = np.maximum(middle, size - middle)
    return float(np.sqrt(noise * (1 / len(places) + farthest**2 / spread)).max())


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
