"""Pixel differences over what had to stay: MAE, MSE, PSNR, and whether anything differs at all.

All of them are honest averages over the kept pixels alone; what lies inside the mask has no influence.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.ssim import masked_ssim
from edit_metrics.pixels.areas import as_bytes
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Grid, Mask, Missing, undefined

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


_OVER_U: Final = partial(metric, cautions="pixel_cautions", blind_inside=True)
"""What holds of every comparison of pixels over U."""
_error = partial(_OVER_U, direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="")
_psnr = partial(_OVER_U, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, PSNR_CAP), unit="dB")
_flag = partial(_OVER_U, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="flag")
_CORE: Final = {"kept": "kept_core"}
_ALIGNED: Final = {"edited": "aligned_edited", "kept": "aligned_kept"}


@_error("preservation.mae_aligned", features=_ALIGNED, grid=Grid.WORKING, identity=Identity(0.0, moved=True))
@_error("preservation.mae_core", features=_CORE, identity=0.0, symmetric=0.0, flip_invariant=1e-12)
@_error("preservation.mae", identity=0.0, symmetric=0.0, flip_invariant=1e-12)
def masked_mae(source: RGB, edited: RGB, kept: Mask) -> float | Missing:
    """Mean absolute difference over the kept pixels: ΣU·|S−E| / (3·ΣU), values in [0, 1].

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        kept: U, True = must stay.

    Returns:
        0 = identical; ``undefined(nothing_kept)`` when U is empty.
    """
    pixels = np.count_nonzero(kept)
    if pixels == 0:
        return undefined("nothing_kept")
    return cv2.norm(source, edited, cv2.NORM_L1, as_bytes(kept)) / (255 * 3 * pixels)


@_error("preservation.mse", identity=0.0, symmetric=0.0, flip_invariant=1e-12)
def masked_mse(source: RGB, edited: RGB, kept: Mask) -> float | Missing:
    """Mean squared difference over the kept pixels: ΣU·(S−E)² / (3·ΣU); else as :func:`masked_mae`."""
    pixels = np.count_nonzero(kept)
    if pixels == 0:
        return undefined("nothing_kept")
    return cv2.norm(source, edited, cv2.NORM_L2SQR, as_bytes(kept)) / (255**2 * 3 * pixels)


@_psnr("preservation.psnr_aligned", features=_ALIGNED, grid=Grid.WORKING, identity=Identity(PSNR_CAP, moved=True))
@_psnr("preservation.psnr_core", features=_CORE, identity=PSNR_CAP, symmetric=0.0, flip_invariant=1e-9)
@_psnr("preservation.psnr", identity=PSNR_CAP, symmetric=0.0, flip_invariant=1e-9)
def masked_psnr(source: RGB, edited: RGB, kept: Mask) -> float | Missing:
    """Peak signal-to-noise ratio over the kept pixels: −10·log10(MSE), capped at 100 dB.

    Arguments and missing cases as :func:`masked_mae`; higher is better.
    """
    mse = masked_mse(source, edited, kept)
    return mse if isinstance(mse, Missing) else mse_to_psnr(mse)


@_flag("preservation.identical_core", features=_CORE, identity=1.0)
@_flag("preservation.identical", identity=1.0)
def masked_identical(source: RGB, edited: RGB, kept: Mask) -> float | Missing:
    """1 when every kept pixel is the source's, 0 otherwise; a flag of its own, since PSNR is capped."""
    mse = masked_mse(source, edited, kept)
    return mse if isinstance(mse, Missing) else float(mse == 0)


@metric(
    "preservation.kept_share", direction=Direction.NEITHER, bounds=(0.0, 1.0), unit="share",
    identity="depends on the mask alone", flip_invariant=0.0, blind_inside=True,
)  # fmt: skip
def kept_share(kept: Mask) -> float:
    """Share of the frame that the preservation metrics look at, u = mean(U)."""
    return float(np.count_nonzero(kept)) / kept.size


def mse_to_psnr(mse: float) -> float:
    """−10·log10(mse) for values in [0, 1], capped at 100 dB (also for mse = 0)."""
    return min(-10 * math.log10(mse), PSNR_CAP) if mse > 0 else PSNR_CAP
