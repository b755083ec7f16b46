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
from edit_metrics.pixels.ssim_window import C1, C2, SIGMA, WINDOW
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float32, Float64, Grid, Mask, Missing, undefined

MARGIN: Final = WINDOW // 2
MIN_WEIGHT: Final = 0.5
"""Windows with less kept weight are biased: -.02 at .5 to .6, up to +.43 under .1."""


_BAND: Final = 32
"""Rows computed at a time, so that a dozen temporaries stay in the processor's cache."""


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
    return _map(source, edited, kept, np.float32)


def ssim_map_float64(source: RGB, edited: RGB, kept: Mask | None = None) -> SsimMap:
    """The same in float64, the reference: at U = 1 it is scikit-image's map with Gaussian weights."""
    return _map(source, edited, kept, np.float64)


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


def _map(source: RGB, edited: RGB, kept: Mask | None, dtype: Any) -> SsimMap:
    height, width = source.shape[:2]
    values, weights = np.empty((height, width), dtype), np.empty((height, width), dtype)
    for top in range(0, height, _BAND):
        rows = slice(max(top - MARGIN, 0), min(top + _BAND + MARGIN, height))
        inner = slice(top - rows.start, min(top + _BAND, height) - rows.start)
        band = _band(source[rows], edited[rows], None if kept is None else kept[rows], dtype)
        values[top : top + _BAND], weights[top : top + _BAND] = band.values[inner], band.weights[inner]
    return SsimMap(values, weights)


def _band(source: RGB, edited: RGB, kept: Mask | None, dtype: Any) -> SsimMap:
    share = np.ones(source.shape[:2], dtype) if kept is None else kept.astype(dtype)
    weights = _blur(share)
    # A weight of zero stands only where the result is zero anyway.
    scale = 1 / np.maximum(weights, dtype(1e-12))
    total = np.zeros_like(weights)
    for x, y in zip(cv2.split(source), cv2.split(edited), strict=True):
        total += _channel(_centred(np.asarray(x), share), _centred(np.asarray(y), share), scale)
    total *= (weights > 0) / dtype(3)
    return SsimMap(total, weights)


def _channel(x: NDArray[Any], y: NDArray[Any], scale: NDArray[Any]) -> NDArray[Any]:
    mean_x, mean_y = _blur(x) * scale, _blur(y) * scale
    variances = _blur(x * x + y * y) * scale - (mean_x * mean_x + mean_y * mean_y)
    covariance = _blur(x * y) * scale - mean_x * mean_y
    mean_x += 0.5
    mean_y += 0.5
    numerator = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    result: NDArray[Any] = numerator / ((mean_x * mean_x + mean_y * mean_y + C1) * (variances + C2))
    return result


def _centred(channel: NDArray[Any], share: NDArray[Any]) -> NDArray[Any]:
    """U·(x − ½): variances do not change, and float32 keeps one more bit of them."""
    centred: NDArray[Any] = (channel * share.dtype.type(1 / 255) - share.dtype.type(0.5)) * share
    return centred


def _blur(plane: NDArray[Any]) -> NDArray[Any]:
    blurred: NDArray[Any] = cv2.GaussianBlur(plane, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_CONSTANT)
    return blurred
