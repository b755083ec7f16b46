"""The seam: a step in colour along the mask's border that the source does not have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.areas import as_bytes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction, Float32, Float64, Grid, Mask, Missing, not_applicable, undefined

OUTSIDE_PX: Final = (4, 5, 6, 7, 8, 9)
"""px from the border at which the picture's own gradient is read: beyond the rim by which hand-drawn masks miss."""
SMOOTH_BELOW: Final = 6.0
"""ΔE a pixel; over it the picture's own edges hide a seam. Chosen, not measured, as the next."""
LEAST_POINTS: Final = 32
_NORMAL_SIGMA: Final = 2.0  # px, evens out the staircase of the mask's border


@dataclass(frozen=True, slots=True)
class _Border:
    """Points half way between M and U, in :func:`_surroundings`, with unit normals out of M; N×2 (x, y) each."""

    points: Float64
    normals: Float64


@metric(
    "structure.seam", direction=Direction.LOWER_IS_BETTER, bounds=(None, None), unit="ΔE/px",
    cautions="pixel_cautions", grid=Grid.WORKING, version=2,
    identity="compares the border with its surroundings: near 0 by chance",
)  # fmt: skip
def seam(source: RGB, edited: RGB, mask: Mask) -> float | Missing:
    """Colour gradient of E across ∂M, minus the same 4–9 px outside, where S is smooth.

    Gradients are half the CIELAB distance (ΔE76) of two points 2 px apart along the border's normal. S is smooth where
    its own gradient stays under 6 ΔE/px from the border to 9 px outside. An object that the edit puts across the border
    of its mask reads as a seam too: this is a reason to look, not a verdict.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        mask: M, H×W, True where the picture may change.

    Returns:
        0 = the border shows no more than its surroundings; slightly below 0 by chance. ``not_applicable(no_border)``
        when M has none inside the frame, ``not_applicable(source_not_smooth)`` when S is smooth on under 50 % of it,
        ``undefined(border_too_short)`` with under 32 points.
    """
    if mask.all() or not mask.any():
        return not_applicable("no_border")
    box = _surroundings(mask)
    border = _border(mask, box)
    if len(border.points) < LEAST_POINTS:
        return undefined("border_too_short")
    before, after = (_gradients(rgb_to_lab(image[box]), border) for image in (source, edited))
    smooth = before.max(axis=0) < SMOOTH_BELOW
    if smooth.mean() < 0.5:
        return not_applicable("source_not_smooth")
    excess = after[0] - after[1:].mean(axis=0)
    return float(excess[smooth].mean())


def _surroundings(mask: Mask) -> tuple[slice, slice]:
    """Rows and columns of M's bounding box and as far around it as is looked: what is beyond has no say."""
    reach = OUTSIDE_PX[-1] + 3
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return (
        slice(max(int(rows[0]) - reach, 0), int(rows[-1]) + 1 + reach),
        slice(max(int(columns[0]) - reach, 0), int(columns[-1]) + 1 + reach),
    )


def _border(mask: Mask, box: tuple[slice, slice]) -> _Border:
    """Points of ∂M whose samples out to 10 px lie in the frame and outside M."""
    height, width = mask.shape
    start, end = (-box[1].start, -box[0].start), (width - 1 - box[1].start, height - 1 - box[0].start)
    mask = mask[box]
    outside = np.asarray(cv2.distanceTransform(as_bytes(~mask), cv2.DIST_L2, 5), np.float32)
    inside = np.asarray(cv2.distanceTransform(as_bytes(mask), cv2.DIST_L2, 5), np.float32)
    distance = outside - inside
    smooth = cv2.GaussianBlur(distance, (0, 0), _NORMAL_SIGMA)
    y, x = np.nonzero(mask & (cv2.dilate(as_bytes(~mask), np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)) > 0))
    normals = np.stack([cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx)[y, x] for dx in (1, 0)], axis=1).astype(np.float64)
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.maximum(length, 1e-6)
    points = np.stack([x, y], axis=1) + 0.5 * normals
    reach = OUTSIDE_PX[-1] + 1
    far = points + reach * normals
    near = points - normals
    in_frame = ((far >= start) & (far <= end) & (near >= start) & (near <= end)).all(axis=1)
    clear = _sample(distance[..., None], far)[:, 0] > reach / 2
    good = in_frame & clear & (length[:, 0] > 0.5)
    return _Border(points[good], normals[good])


def _gradients(lab: Float32, border: _Border) -> Float64:
    """Gradient along the normal at the border and at each of OUTSIDE_PX: 7×N, ΔE a pixel."""
    rows = []
    for place in (0, *OUTSIDE_PX):
        ahead = _sample(lab, border.points + (place + 1) * border.normals)
        behind = _sample(lab, border.points + (place - 1) * border.normals)
        rows.append(np.linalg.norm(ahead - behind, axis=1) / 2)
    return np.stack(rows).astype(np.float64)


def _sample(values: Float32, points: Float64) -> Float32:
    """Bilinear values at N points (x, y): H×W×C → N×C."""
    x, y = points.T.astype(np.float32)
    sampled = cv2.remap(values, x[:, None], y[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32).reshape(len(points), -1)
