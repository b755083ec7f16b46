"""Which pixels changed: a colour difference above a floor that follows the picture's own texture and noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.pixels import torch_kernels
from edit_metrics.pixels.areas import as_bytes
from edit_metrics.pixels.lab import delta_e_2000, delta_e_planes
from edit_metrics.pixels.placement import kernel_device
from edit_metrics.pixels.quantile import quantile
from edit_metrics.types import Float32, Mask

BLUR_SIGMA: Final = 1.5  # px
ACTIVITY_SIGMA: Final = 3.0  # px
ACTIVITY_BINS: Final = 12
FLOOR_FACTOR: Final = 9.0
FLOOR_RANGE: Final = (3.0, 10.0)  # ΔE2000
MIN_AREA: Final = 36  # px
MIN_PEAK: Final = 1.5  # of D/T
_LATTICE_PIXELS: Final = 8_192
_CLOSING: Final = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
_SHIFTS: Final = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))
# ΔE2000² ≤ ΔL² + 1.867·(2.25·Δa² + Δb²): all its weights are 1 or more, a is stretched by 1.5 at most, and the rotation
# term adds at most sin(60°) of the chroma and hue parts.
_BOUND: Final = (np.float32(1.0), np.float32(4.2), np.float32(1.867))
_BLOCK: Final = 8192  # pixels searched at a time, so that they stay in the processor's cache


@dataclass(frozen=True, slots=True)
class ChangeMap:
    """Where E differs from S by more than re-encoding would.

    Attributes:
        changed: H×W; True = changed. Never True outside the compared area.
        difference: H×W, ΔE2000 of the blurred pictures after the best shift of at most 1 px; 0 outside the compared
            area, and wherever it is certainly below the floor.
        floor: median threshold T over the compared area, ΔE2000 in [3, 10]: smaller changes are not seen.
        saturated: share of the compared area where T has reached 10: the whole picture differs there.
    """

    changed: Mask
    difference: Float32
    floor: float
    saturated: float


@dataclass(frozen=True, slots=True)
class _Neighbours:
    """Blurred S and blurred E as flat planes, E with a frame of one pixel."""

    source: tuple[Float32, ...]
    framed: tuple[Float32, ...]
    width: int

    @classmethod
    def of(cls, reference: ChangeReference, edited_lab: Float32) -> _Neighbours:
        framed = cv2.copyMakeBorder(_blur(edited_lab, BLUR_SIGMA), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        return cls(reference.blurred, _planes(framed), edited_lab.shape[1])

    def difference_above(self, threshold: Float32, area: Mask) -> Float32:
        """H×W: D where it may be over the threshold and lies in the area, else 0."""
        difference = np.zeros_like(threshold)
        above = np.flatnonzero((self._squared_bound() > np.square(threshold).reshape(-1)) & area.reshape(-1))
        difference.reshape(-1)[above] = self.difference_at(above)
        return difference

    def _squared_bound(self) -> Float32:
        """What D² is at most, at every place."""
        total = np.zeros_like(self.source[0])
        height = self.source[0].size // self.width
        for weight, own, framed in zip(_BOUND, self.source, self.framed, strict=True):
            inner = framed.reshape(height + 2, self.width + 2)[1:-1, 1:-1]
            difference = own.reshape(height, self.width) - inner
            difference *= difference
            difference *= weight
            total += difference.reshape(-1)
        return total

    def difference_at(self, places: NDArray[np.intp]) -> Float32:
        """D at flat places: ΔE2000 to the nearest, in Lab, of the nine neighbours in E."""
        blocks = [self._difference_at(places[i : i + _BLOCK]) for i in range(0, places.size, _BLOCK)]
        return np.concatenate(blocks) if blocks else np.empty(0, np.float32)

    def _difference_at(self, places: NDArray[np.intp]) -> Float32:
        here = [plane.take(places) for plane in self.source]
        centre = places + 2 * (places // self.width) + (self.width + 3)
        distance, offsets = self._squared_distance(here, centre), np.zeros_like(centre)
        for dy, dx in _SHIFTS:
            offset = dy * (self.width + 2) + dx
            far = self._squared_distance(here, centre + offset)
            np.copyto(offsets, offset, where=far < distance)
            np.minimum(distance, far, out=distance)
        return delta_e_planes(*here, *(plane.take(centre + offsets) for plane in self.framed))

    def _squared_distance(self, here: list[Float32], places: NDArray[np.intp]) -> Float32:
        total = np.zeros(places.size, np.float32)
        for own, plane in zip(here, self.framed, strict=True):
            difference = plane.take(places)
            difference -= own
            difference *= difference
            total += difference
        return total


@dataclass(frozen=True, slots=True)
class ChangeReference:
    """What the change map needs of S alone.

    Attributes:
        blurred: L, a and b, each H·W flat, σ = 1.5 px.
        activity: H×W local standard deviation of L, σ = 3 px.
    """

    blurred: tuple[Float32, ...]
    activity: Float32


def change_reference(source_lab: Float32) -> ChangeReference:
    """Prepare S (H×W×3 CIELAB) for :func:`find_changes`."""
    device = kernel_device(*source_lab.shape[:2])
    if device is not None:
        return ChangeReference(*torch_kernels.smoothed_and_activity(source_lab, BLUR_SIGMA, ACTIVITY_SIGMA, device))
    plane = np.ascontiguousarray(source_lab[..., 0])
    mean = cv2.GaussianBlur(plane, (0, 0), ACTIVITY_SIGMA)
    square = cv2.GaussianBlur(plane * plane, (0, 0), ACTIVITY_SIGMA)
    return ChangeReference(_planes(_blur(source_lab, BLUR_SIGMA)), np.sqrt(np.maximum(square - mean * mean, 0)))


def find_changes(reference: ChangeReference, edited_lab: Float32, kept: Mask | None = None) -> ChangeMap:
    """Changed pixels, told from re-encoding noise.

    D = ΔE2000 of the Lab pictures blurred with σ = 1.5, at the integer shift of at most 1 px that brings them nearest
    in Lab. The floor is read from the picture itself: in 12 quantiles of texture (local deviation of L, σ = 3), nine
    times the lower quartile of D, never rising towards smoother bins, within 3 and 10. Changed = D above the
    floor, opened 3×3, closed with a 9-px ellipse, without components under 36 px or with a peak under 1.5 floors.

    Args:
        reference: of S.
        edited_lab: E on S's grid, H×W×3 CIELAB, filled from S outside ``kept``.
        kept: the compared area; None = everywhere.
    """
    activity = reference.activity
    area = np.ones(activity.shape, np.bool_) if kept is None else kept
    device = kernel_device(*activity.shape)
    pair = (
        _Neighbours.of(reference, edited_lab)
        if device is None
        else torch_kernels.NearestDifference(reference.blurred, edited_lab, BLUR_SIGMA, _BOUND, device)
    )
    edges, floors, sampled = _floors(pair, activity, area)
    threshold = _threshold_map(activity, edges, floors)
    difference = pair.difference_above(threshold, area)
    return ChangeMap(
        changed=_clean(difference, threshold, area),
        difference=difference,
        floor=float(np.median(sampled)),
        saturated=float(np.mean(sampled >= FLOOR_RANGE[1])),
    )


def mean_coarse_difference(source_lab: Float32, edited_lab: Float32) -> float:
    """Mean ΔE2000 of the pictures blurred with σ = 8 px: what is left of a difference that is not encoding noise.

    At σ = 3 px a JPEG of quality 30 still reads 1.7, more than many tone edits; at 8 px it stays under 1.1, and the
    reading of a tone edit does not change.

    Args:
        source_lab: H×W×3 CIELAB. The blur is taken at a quarter of the size.
        edited_lab: the same, aligned.
    """
    size = (max(source_lab.shape[1] // 4, 1), max(source_lab.shape[0] // 4, 1))
    quarters = [cv2.resize(lab, size, interpolation=cv2.INTER_AREA) for lab in (source_lab, edited_lab)]
    blurred = [_blur(np.asarray(quarter, np.float32), 2.0) for quarter in quarters]
    return float(delta_e_2000(blurred[0], blurred[1]).mean(dtype=np.float64))


def _planes(lab: Any) -> tuple[Float32, ...]:
    return tuple(np.asarray(plane, np.float32).reshape(-1) for plane in cv2.split(lab))


def _blur(lab: Float32, sigma: float) -> Float32:
    return np.asarray(cv2.GaussianBlur(lab, (0, 0), sigma), np.float32)


def _floors(
    pair: _Neighbours | torch_kernels.NearestDifference, activity: Float32, area: Mask
) -> tuple[Float32, Float32, Float32]:
    """Upper edges of the texture bins, each bin's T (a smoother one has none higher), and T of each sampled pixel."""
    step = max(int((area.size / _LATTICE_PIXELS) ** 0.5), 1)
    if np.count_nonzero(area[::step, ::step]) < ACTIVITY_BINS * 4:
        step = 1
    lattice = np.zeros_like(area)
    lattice[::step, ::step] = area[::step, ::step]
    places = np.flatnonzero(lattice)
    if not places.size:
        top = np.full(1, FLOOR_RANGE[1], np.float32)
        return np.empty(0, np.float32), top, top
    values, textures = pair.difference_at(places), activity.reshape(-1).take(places)
    edges = np.quantile(textures, np.linspace(0, 1, ACTIVITY_BINS + 1)[1:-1]).astype(np.float32)
    bins = np.searchsorted(edges, textures)
    floors = np.full(ACTIVITY_BINS, np.inf)
    for index in range(ACTIVITY_BINS):
        own = values[bins == index]
        if own.size:
            floors[index] = FLOOR_FACTOR * quantile(own, 0.25)
    falling = np.minimum.accumulate(floors[::-1])[::-1]
    clipped = np.clip(falling, *FLOOR_RANGE).astype(np.float32)
    return edges, clipped, clipped[bins]


def _threshold_map(activity: Float32, edges: Float32, floors: Float32) -> Float32:
    threshold = np.full_like(activity, floors[0])
    for edge, low, high in zip(edges, floors[:-1], floors[1:], strict=True):
        if high != low:
            threshold += (high - low) * (activity > edge)
    return threshold


def _clean(difference: Float32, threshold: Float32, area: Mask) -> Mask:
    above = (difference > threshold) & area
    if not above.any():
        return above
    opened = cv2.morphologyEx(as_bytes(above), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, _CLOSING) * as_bytes(area)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    peaked = np.zeros(count, np.bool_)
    peaked[np.asarray(labels)[(closed > 0) & (difference >= MIN_PEAK * threshold)]] = True
    good = peaked & (stats[:, cv2.CC_STAT_AREA] >= MIN_AREA)
    good[0] = False
    changed: Mask = good[np.asarray(labels)]
    return changed
