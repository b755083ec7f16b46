"""Pixel differences over what had to stay: MAE, MSE, PSNR, and whether anything differs at all.

All of them are honest averages over the kept pixels alone; what lies inside the mask has no influence.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.ssim import masked_ssim
from edit_metrics.pixels.areas import as_bytes
from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction, Mask, Measurement, measured, undefined

__all__ = [
    "kept_share",
    "masked_identical",
    "masked_mae",
    "masked_mse",
    "masked_psnr",
    "masked_ssim",
    "mse_to_psnr",
]

PSNR_CAP: Final = 100.0
"""dB; one level in one sample of a 512×512 picture is already 107 dB, and identical pictures would be infinite."""


@metric(
    "preservation.mae_aligned",
    direction=Direction.LOWER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="",
    features={"edited": "aligned_edited", "kept": "aligned_kept", "cautions": "pixel_cautions"},
)
@metric(
    "preservation.mae_core",
    direction=Direction.LOWER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="",
    features={"kept": "kept_core", "cautions": "pixel_cautions"},
)
@metric(
    "preservation.mae",
    direction=Direction.LOWER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="",
    features={"cautions": "pixel_cautions"},
)
def masked_mae(source: RGB, edited: RGB, kept: Mask, cautions: tuple[str, ...] | None = None) -> Measurement:
    """Mean absolute difference over the kept pixels: ΣU·|S−E| / (3·ΣU), values in [0, 1].

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        kept: U, True = must stay.
        cautions: codes that go with the value.

    Returns:
        0 = identical; ``undefined(nothing_kept)`` when U is empty.
    """
    pixels = np.count_nonzero(kept)
    if pixels == 0:
        return Measurement.of(undefined("nothing_kept"))
    total = cv2.norm(source, edited, cv2.NORM_L1, as_bytes(kept))
    return measured(total / (255 * 3 * pixels), *(cautions or ()))


@metric(
    "preservation.mse",
    direction=Direction.LOWER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="",
    features={"cautions": "pixel_cautions"},
)
def masked_mse(source: RGB, edited: RGB, kept: Mask, cautions: tuple[str, ...] | None = None) -> Measurement:
    """Mean squared difference over the kept pixels: ΣU·(S−E)² / (3·ΣU); else as :func:`masked_mae`."""
    pixels = np.count_nonzero(kept)
    if pixels == 0:
        return Measurement.of(undefined("nothing_kept"))
    total = cv2.norm(source, edited, cv2.NORM_L2SQR, as_bytes(kept))
    return measured(total / (255**2 * 3 * pixels), *(cautions or ()))


@metric(
    "preservation.psnr_aligned",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, PSNR_CAP),
    unit="dB",
    features={"edited": "aligned_edited", "kept": "aligned_kept", "cautions": "pixel_cautions"},
)
@metric(
    "preservation.psnr_core",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, PSNR_CAP),
    unit="dB",
    features={"kept": "kept_core", "cautions": "pixel_cautions"},
)
@metric(
    "preservation.psnr",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, PSNR_CAP),
    unit="dB",
    features={"cautions": "pixel_cautions"},
)
def masked_psnr(source: RGB, edited: RGB, kept: Mask, cautions: tuple[str, ...] | None = None) -> Measurement:
    """Peak signal-to-noise ratio over the kept pixels: −10·log10(MSE), capped at 100 dB.

    Arguments and missing cases as :func:`masked_mae`; higher is better.
    """
    mse = masked_mse(source, edited, kept)
    if mse.value is None:
        return mse
    return measured(mse_to_psnr(mse.value), *(cautions or ()))


@metric(
    "preservation.identical_core",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="flag",
    features={"kept": "kept_core", "cautions": "pixel_cautions"},
)
@metric(
    "preservation.identical",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="flag",
    features={"cautions": "pixel_cautions"},
)
def masked_identical(source: RGB, edited: RGB, kept: Mask, cautions: tuple[str, ...] | None = None) -> Measurement:
    """1 when every kept pixel is the source's, 0 otherwise; a flag of its own, since PSNR is capped."""
    mse = masked_mse(source, edited, kept)
    return mse if mse.value is None else measured(float(mse.value == 0), *(cautions or ()))


@metric("preservation.kept_share", direction=Direction.NEITHER, bounds=(0.0, 1.0), unit="share")
def kept_share(kept: Mask) -> float:
    """Share of the frame that the preservation metrics look at, u = mean(U)."""
    return float(np.count_nonzero(kept)) / kept.size


def mse_to_psnr(mse: float) -> float:
    """−10·log10(mse) for values in [0, 1], capped at 100 dB (also for mse = 0)."""
    return min(-10 * math.log10(mse), PSNR_CAP) if mse > 0 else PSNR_CAP
