"""PIE-Bench's and BrushNet's published arithmetic, biases and all, so that their tables can be compared with.

PIE-Bench multiplies both pictures by 1 − M and averages over *all* pixels: the blackened inside counts as perfect,
which lifts PSNR by 10·log10(1/u) and pulls SSIM towards 1. BrushNet divides a sum over three channels by a sum over a
mask of one (−4.77 dB). For an honest value use :mod:`edit_metrics.metrics.preservation`.
"""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np

from edit_metrics.metrics.preservation import PSNR_CAP, masked_mse, mse_to_psnr
from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.ssim_window import C1, C2, SIGMA, WINDOW
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float64, Mask, Missing, Result, with_cautions


def pie_kept(mask: Mask) -> Mask:
    """What PIE-Bench keeps: outside the mask, with the frame's outermost pixels counted as edited."""
    kept = np.zeros_like(mask)
    kept[1:-1, 1:-1] = ~mask[1:-1, 1:-1]
    return kept


def blackened(image: RGB, kept: Mask) -> RGB:
    """The picture multiplied by the kept mask."""
    return image * kept[..., None]


_published = partial(metric, on_request=True, blind_inside=True)


@_published("preservation.pie_mse", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="", identity=0.0)
def pie_mse(source: RGB, edited: RGB, mask: Mask) -> float:
    """Mean squared difference of the blackened pictures over all pixels, values in [0, 1].

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        mask: M, True = may change.
    """
    kept = pie_kept(mask)
    squares = cv2.norm(blackened(source, kept), blackened(edited, kept), cv2.NORM_L2SQR)
    return squares / (255**2 * source.size)


@_published(
    "preservation.pie_psnr",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, PSNR_CAP),
    unit="dB",
    identity=PSNR_CAP,
)
def pie_psnr(source: RGB, edited: RGB, mask: Mask) -> Result:
    """−10·log10 of :func:`pie_mse`; PIE-Bench has infinity where this has 100 dB and the caution ``capped``."""
    mse = pie_mse(source, edited, mask)
    return with_cautions(mse_to_psnr(mse), "" if mse else "capped")


@_published(
    "preservation.pie_ssim",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(-1.0, 1.0),
    unit="",
    identity=Identity(1.0, 1e-9),
)
def pie_ssim(source: RGB, edited: RGB, mask: Mask, *, crop_border: bool = True) -> float:
    """SSIM of the blackened pictures over all pixels (11×11 Gaussian, reflected borders), as torchmetrics computes it.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        mask: M, True = may change.
        crop_border: leave out 5 px along the frame, as torchmetrics did before 1.4.2 and in PIE-Bench's tables.
    """
    kept = pie_kept(mask)
    x, y = (blackened(picture, kept) / 255.0 for picture in (source, edited))
    mean_x, mean_y = _blur(x), _blur(y)
    variances = np.maximum(_blur(x * x) - mean_x**2, 0) + np.maximum(_blur(y * y) - mean_y**2, 0)
    covariance = _blur(x * y) - mean_x * mean_y
    values = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    values /= (mean_x**2 + mean_y**2 + C1) * (variances + C2)
    return float(values[5:-5, 5:-5].mean() if crop_border else values.mean())


@_published(
    "preservation.pie_lpips",
    direction=Direction.LOWER_IS_BETTER,
    bounds=(0.0, None),
    unit="",
    features={"pair": "pie_lpips_maps"},
    identity=Identity(0.0, 1e-5),
)
def pie_lpips(pair: PerceptualPair) -> float:
    """LPIPS of the blackened pictures over all pixels; PIE-Bench uses SqueezeNet (``backends.perceptual.net``)."""
    return float(sum(layer.mean(dtype=np.float64) for layer in pair.layer_maps))


@_published(
    "preservation.brushnet_psnr",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(None, PSNR_CAP),
    unit="dB",
    identity=PSNR_CAP,
)
def brushnet_psnr(source: RGB, edited: RGB, kept: Mask) -> Result:
    """PSNR with a squared sum over three channels divided by a mask sum over one: 4.77 dB below the honest value."""
    mse = masked_mse(source, edited, kept)
    if isinstance(mse, Missing):
        return mse
    return with_cautions(mse_to_psnr(3 * mse), "" if mse else "capped")


def _blur(planes: Float64) -> Float64:
    blurred = cv2.GaussianBlur(planes, (WINDOW, WINDOW), SIGMA, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(blurred, np.float64)
