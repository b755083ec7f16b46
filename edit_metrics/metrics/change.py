"""Which pixels changed: a colour difference above a floor that follows the picture's own texture and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from edit_metrics.metrics.areas import as_bytes
from edit_metrics.metrics.lab import delta_e_2000
from edit_metrics.types import Float32, Float64, Mask

BLUR_SIGMA: Final = 1.5  # px
ACTIVITY_SIGMA: Final = 3.0  # px
ACTIVITY_BINS: Final = 12
FLOOR_QUANTILE: Final = 0.25
FLOOR_FACTOR: Final = 9.0
FLOOR_RANGE: Final = (3.0, 10.0)  # ΔE2000
MIN_AREA: Final = 36  # px
MIN_PEAK: Final = 1.5  # of D/T
_LATTICE_PIXELS: Final = 16_384
_CLOSING: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
_SHIFTS: Final = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))
_BAND: Final = 32  # rows searched at a time, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class ChangeMap:
    """Where E differs from S by more than re-encoding would.

    Attributes:
        changed: H×W; True = changed. Never True outside the compared area.
        difference: H×W, ΔE2000 of the blurred pictures after the best shift of at most 1 px.
        floor: median threshold T over the compared area, ΔE2000 in [3, 10]: smaller changes are not seen.
        saturated: share of the compared area where T has reached 10: the whole picture differs there.
    """

    changed: Mask
    difference: Float32
    floor: float
    saturated: float


def find_changes(source_lab: Float32, edited_lab: Float32, kept: Mask | None = None) -> ChangeMap:
    """Changed pixels, told from re-encoding noise.

    D = ΔE2000 of the Lab pictures blurred with σ = 1.5, at the integer shift of at most 1 px that brings them nearest
    in Lab. The floor is read from the picture itself: in 12 quantiles of texture (local deviation of L, σ = 3), nine
    times the lower quartile of D, never rising towards smoother bins, within 3 and 10. Changed = D above the
    floor, opened 3×3, closed with a 9-px ellipse, without components under 36 px or with a peak under 1.5 floors.

    Args:
        source_lab: S, H×W×3 CIELAB.
        edited_lab: E on S's grid, H×W×3 CIELAB, filled from S outside ``kept``.
        kept: the compared area; None = everywhere.
    """
    area = np.ones(source_lab.shape[:2], np.bool_) if kept is None else kept
    difference = _shift_tolerant_difference(_blur(source_lab, BLUR_SIGMA), _blur(edited_lab, BLUR_SIGMA))
    threshold = _threshold_map(difference, _activity(source_lab[..., 0]), area)
    changed = _clean(difference, threshold, area)
    inside = threshold[area]
    floor = float(np.median(inside[:: max(inside.size // _LATTICE_PIXELS, 1)])) if inside.size else FLOOR_RANGE[1]
    saturated = float(np.mean(inside >= FLOOR_RANGE[1])) if inside.size else 0.0
    return ChangeMap(changed, difference, floor, saturated)


def mean_coarse_difference(source_lab: Float32, edited_lab: Float32) -> float:
    """Mean ΔE2000 of the pictures blurred with σ = 3 px: what is left of a difference that is not fine noise.

    Args:
        source_lab: H×W×3 CIELAB. The blur is taken at half size.
        edited_lab: the same, aligned.
    """
    size = (max(source_lab.shape[1] // 2, 1), max(source_lab.shape[0] // 2, 1))
    halves = [cv2.resize(lab, size, interpolation=cv2.INTER_AREA) for lab in (source_lab, edited_lab)]
    blurred = [_blur(np.asarray(half, np.float32), 1.5) for half in halves]
    return float(delta_e_2000(blurred[0], blurred[1]).mean(dtype=np.float64))


def _blur(lab: Float32, sigma: float) -> Float32:
    return np.asarray(cv2.GaussianBlur(lab, (0, 0), sigma), np.float32)


def _activity(lightness: Float32) -> Float32:
    plane = np.ascontiguousarray(lightness)
    mean = cv2.GaussianBlur(plane, (0, 0), ACTIVITY_SIGMA)
    square = cv2.GaussianBlur(plane * plane, (0, 0), ACTIVITY_SIGMA)
    activity: Float32 = np.sqrt(np.maximum(square - mean * mean, 0))
    return activity


def _shift_tolerant_difference(source: Float32, edited: Float32) -> Float32:
    height, width = source.shape[:2]
    framed = _planes(cv2.copyMakeBorder(edited, 1, 1, 1, 1, cv2.BORDER_REPLICATE))
    planes = _planes(source)
    nearest = np.empty_like(source)
    for top in range(0, height, _BAND):
        rows = slice(top, min(top + _BAND, height))
        band = [plane[rows] for plane in planes]
        best = [plane[rows.start + 1 : rows.stop + 1, 1:-1].copy() for plane in framed]
        distance = _squared_distance(band, best)
        for dy, dx in _SHIFTS:
            moved = [f[rows.start + 1 + dy : rows.stop + 1 + dy, 1 + dx : 1 + dx + width] for f in framed]
            other = _squared_distance(band, moved)
            closer = other < distance
            np.copyto(distance, other, where=closer)
            for target, plane in zip(best, moved, strict=True):
                np.copyto(target, plane, where=closer)
        nearest[rows] = cv2.merge(best)
    return delta_e_2000(source, nearest)


def _squared_distance(first: list[Float32], second: list[Float32]) -> Float32:
    total: Float32 = np.square(first[0] - second[0])
    for a, b in zip(first[1:], second[1:], strict=True):
        total += np.square(a - b)
    return total


def _planes(lab: Any) -> list[Float32]:
    return [np.asarray(plane, np.float32) for plane in cv2.split(lab)]


def _threshold_map(difference: Float32, activity: Float32, area: Mask) -> Float32:
    step = max(int((area.size / _LATTICE_PIXELS) ** 0.5), 1)
    lattice = area[::step, ::step]
    textures, values = activity[::step, ::step][lattice], difference[::step, ::step][lattice]
    if values.size < ACTIVITY_BINS * 4:
        textures, values = activity[area], difference[area]
    if values.size == 0:
        return np.full_like(difference, FLOOR_RANGE[1])
    edges = np.quantile(textures, np.linspace(0, 1, ACTIVITY_BINS + 1)[1:-1]).astype(np.float32)
    floors = np.clip(_floors(textures, values, edges), *FLOOR_RANGE).astype(np.float32)
    threshold = np.full_like(difference, floors[0])
    for edge, low, high in zip(edges, floors[:-1], floors[1:], strict=True):
        if high != low:
            threshold += (high - low) * (activity > edge)
    return threshold


def _floors(textures: Float32, values: Float32, edges: Float32) -> Float64:
    """Nine lower quartiles of D a bin, smoothest bin first; a smoother bin never has the higher floor."""
    bins = np.searchsorted(edges, textures)
    floors = np.full(ACTIVITY_BINS, np.inf)
    for index in range(ACTIVITY_BINS):
        own = values[bins == index]
        if own.size:
            floors[index] = FLOOR_FACTOR * np.quantile(own, FLOOR_QUANTILE)
    return np.minimum.accumulate(floors[::-1])[::-1]


def _clean(difference: Float32, threshold: Float32, area: Mask) -> Mask:
    above = (difference > threshold) & area
    if not above.any():
        return above
    opened = cv2.morphologyEx(as_bytes(above), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _CLOSING) * as_bytes(area)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    peaks = np.zeros(count, np.float32)
    place = np.asarray(closed > 0)
    np.maximum.at(peaks, np.asarray(labels, np.intp)[place], difference[place] / threshold[place])
    good = (stats[:, cv2.CC_STAT_AREA] >= MIN_AREA) & (peaks >= MIN_PEAK)
    good[0] = False
    changed: Mask = good[np.asarray(labels)]
    return changed
