"""SSIM over the pixels that had to stay, by a normalised window that never looks at the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.pixels import torch_kernels
from edit_metrics.pixels.areas import as_bytes
from edit_metrics.pixels.placement import kernel_device
from edit_metrics.pixels.ssim_window import BAND, C1, C2, LEVELS, MARGIN, SIGMA, WINDOW, SsimBand, window_sums
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float32, Float64, Grid, Mask, Missing, undefined

MIN_WEIGHT: Final = 0.5
"""Windows with less kept weight are biased: -.02 at .5 to .6, up to +.43 under .1."""


_NO_WEIGHT: Final = 1e-12
"""Of a window without any kept pixel: stands only where the result is zero anyway."""


@dataclass(frozen=True, slots=True)
class SsimMap:
    """SSIM of each pixel's window, and how much of the window was kept.

    Attributes:
        values: H×W in [-1, 1], mean over the three channels; 0 where the window holds no kept pixel.
        weights: H×W in [0, 1], the window's kept share W = G∗U; the frame's outside counts as not kept.
    """

    values: Float32 | Float64
    weights: Float32 | Float64


def ssim_map(source: RGB, edited: RGB, kept: Mask | None = None) -> SsimMap:
    """The SSIM map in float32: within 4e-4 of :func:`ssim_map_float64` in a pixel, 2e-5 in the mean.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        kept: U; None = everywhere. Pixels outside it have no influence.

    References:
        Wang, Bovik, Sheikh, Simoncelli: Image quality assessment, IEEE TIP 13 (2004).
    """
    device = kernel_device(*source.shape[:2])
    if device is not None:
        return SsimMap(*torch_kernels.ssim_map(source, edited, kept, device))
    return _map(source, edited, kept)


def ssim_map_float64(source: RGB, edited: RGB, kept: Mask | None = None) -> SsimMap:
    """The same in float64, the reference: at U = 1 it is scikit-image's map with Gaussian weights."""
    height, width = source.shape[:2]
    values, weights = np.empty((height, width)), np.empty((height, width))
    for top in range(0, height, BAND):
        rows = slice(max(top - MARGIN, 0), min(top + BAND + MARGIN, height))
        inner = slice(top - rows.start, min(top + BAND, height) - rows.start)
        band = _band_float64(source[rows], edited[rows], None if kept is None else kept[rows])
        values[top : top + BAND], weights[top : top + BAND] = band.values[inner], band.weights[inner]
    return SsimMap(values, weights)


_ssim = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(-1.0, 1.0), unit="", cautions="pixel_cautions",
    blind_inside=True, grid=Grid.WORKING,
)  # fmt: skip
_FLOAT32_MEAN: Final = 2e-5
"""What float32 may cost a mean, see :func:`ssim_map`."""


@_ssim(
    "preservation.ssim_aligned",
    features={"ssim": "aligned_ssim_map", "kept": "aligned_kept"},
    identity=Identity(1.0, _FLOAT32_MEAN, moved=True),
)
@_ssim(
    "preservation.ssim",
    features={"ssim": "ssim_map"},
    identity=Identity(1.0, _FLOAT32_MEAN),
    symmetric=1e-6,
    flip_invariant=1e-6,
)
def mean_ssim(ssim: SsimMap, kept: Mask) -> float | Missing:
    """Mean SSIM over kept pixels whose window is at least half kept and lies within the frame.

    Returns:
        1 = same structure; ``undefined(too_small)`` when no window qualifies.
    """
    return _mean_over(ssim.values, kept & (ssim.weights >= MIN_WEIGHT))


@_ssim(
    "preservation.ssim_core",
    features={"ssim": "ssim_map"},
    identity=Identity(1.0, _FLOAT32_MEAN),
    symmetric=1e-6,
    flip_invariant=1e-6,
)
def mean_ssim_core(ssim: SsimMap, kept: Mask) -> float | Missing:
    """Mean SSIM over pixels whose whole window is kept, where it equals the ordinary map."""
    whole = cv2.erode(as_bytes(kept), np.ones((WINDOW, WINDOW), np.uint8)).view(np.bool_)
    return _mean_over(ssim.values, whole)


def masked_ssim(source: RGB, edited: RGB, kept: Mask | None = None) -> float | Missing:
    """SSIM over the kept pixels, in float64; at U = 1 the value of ``skimage.metrics.structural_similarity``.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        kept: U; None = everywhere.
    """
    everywhere = np.ones(source.shape[:2], np.bool_)
    return mean_ssim(ssim_map_float64(source, edited, kept), everywhere if kept is None else kept)


def _mean_over(values: NDArray[Any], area: Mask) -> float | Missing:
    inner = (slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
    chosen = values[inner][area[inner]]
    return undefined("too_small") if chosen.size == 0 else float(chosen.mean(dtype=np.float64))


def _map(source: RGB, edited: RGB, kept: Mask | None) -> SsimMap:
    height, width = source.shape[:2]
    values, weights = np.empty((height, width), np.float32), np.outer(_in_frame(height), _in_frame(width))
    band = SsimBand(min(BAND, height), width)
    for top in range(0, height, BAND):
        bottom = min(top + BAND, height)
        rows = slice(max(top - MARGIN, 0), min(bottom + MARGIN, height))
        inside = slice(rows.start - top + MARGIN, rows.stop - top + MARGIN)
        share, total, weight = None, values[top:bottom], weights[top:bottom]
        if kept is not None and not kept[rows].all():
            share = np.zeros((bottom - top + 2 * MARGIN, width), np.float32)
            share[inside] = kept[rows]
            weight[:] = window_sums(share)[MARGIN:-MARGIN]
        scale = np.reciprocal(np.maximum(weight, np.float32(_NO_WEIGHT)))
        # Only windows at the sides are not whole, where the band has all of its rows and no hole.
        sides = share is None and rows.stop - rows.start == bottom - top + 2 * MARGIN and width >= WINDOW
        scaled = (slice(MARGIN), slice(-MARGIN, None)) if sides else (slice(None),)
        for channel, (x, y) in enumerate(zip(cv2.split(source[rows]), cv2.split(edited[rows]), strict=True)):
            _fill(band.planes(bottom - top), x, y, inside)
            band.blur(share)
            for columns in scaled:
                band.scale(scale[:, columns], columns)
            if channel == 0:
                total[:] = band.similarity()
            else:
                total += band.similarity()
        total *= (weight > 0) / np.float32(3)
    return SsimMap(values, weights)


def _in_frame(length: int) -> Float32:
    """Along an axis, the share of each pixel's window that lies in the frame."""
    ones = np.ones((1, length), np.float32)
    return np.asarray(cv2.GaussianBlur(ones, (WINDOW, 1), SIGMA, borderType=cv2.BORDER_CONSTANT)[0], np.float32)


def _fill(planes: Float32, x: NDArray[Any], y: NDArray[Any], inside: slice) -> None:
    """The sum and the difference of a channel in the rows that lie in the frame, 0 in the others."""
    planes[:, : inside.start] = planes[:, inside.stop :] = 0
    cv2.addWeighted(x, 1, y, 1, -LEVELS, dst=planes[0, inside], dtype=cv2.CV_32F)
    cv2.subtract(x, y, dst=planes[1, inside], dtype=cv2.CV_32F)


def _band_float64(source: RGB, edited: RGB, kept: Mask | None) -> SsimMap:
    share = np.ones(source.shape[:2]) if kept is None else kept.astype(np.float64)
    weights = _blur(share)
    scale = 1 / np.maximum(weights, _NO_WEIGHT)
    total = np.zeros_like(weights)
    for channel in range(3):
        x, y = (np.asarray(image[..., channel] / LEVELS * share, np.float64) for image in (source, edited))
        total += _channel_float64(x, y, scale)
    return SsimMap(total * (weights > 0) / 3, weights)


def _channel_float64(x: Float64, y: Float64, scale: Float64) -> Float64:
    """As published, term by term."""
    mean_x, mean_y = _blur(x) * scale, _blur(y) * scale
    variances = _blur(x * x + y * y) * scale - (mean_x * mean_x + mean_y * mean_y)
    covariance = _blur(x * y) * scale - mean_x * mean_y
    numerator = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    result: Float64 = numerator / ((mean_x * mean_x + mean_y * mean_y + C1) * (variances + C2))
    return result


def _blur(plane: Float64) -> Float64:
    blurred = cv2.GaussianBlur(plane, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float64)
