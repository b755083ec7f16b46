"""Traces of encoding in one picture: the codec's grid and false contours."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.readings import reading_columns
from edit_metrics.pixels.luma import SMALLEST_SIDE, bt601, bt709
from edit_metrics.types import RGB, Direction, Float32, Mask, Missing, undefined

_CODEC_BLOCK: Final = 8  # px, JPEG
_FLAT_RUN: Final = 4  # px on each side of a false contour
_LEAST_STEP: Final = 1e-3  # grey levels a pixel: under it there is nothing to take a ratio of


@reading_columns(
    "quality.blockiness_edited", "quality.blockiness_delta",
    direction=Direction.LOWER_IS_BETTER, upper=None, unit="ratio",
)  # fmt: skip
def blockiness(image: RGB) -> float | Missing:
    """Steps across an 8-px codec grid in excess of the steps beside it (after Wang, Sheikh & Bovik 2002).

    With m_c the mean absolute luma step between columns c and c+1, the excess of a grid of phase p is
    B_p = median over c ≡ p (mod 8) of m_c / ((m_{c−1} + m_{c+1}) / 2). The value is the mean over both axes of
    the largest minus the second largest B_p: any phase, since crops move the grid; less the runner-up, so that no grid,
    and the period of 2 that enlarging leaves, read near 0.

    Args:
        image: H×W×3, 8-bit sRGB; read as BT.709 luma.

    Returns:
        A ratio ≥ 0; 0 = no grid. ``undefined(flat)`` without steps, ``undefined(too_small)`` under 32 px.
    """
    return luma_blockiness(bt709(image))


def luma_blockiness(grey: Float32) -> float | Missing:
    """:func:`blockiness` of a picture whose BT.709 luma (H×W) is at hand."""
    if min(grey.shape) < SMALLEST_SIDE:
        return undefined("too_small")
    excesses = []
    for axis in (0, 1):
        steps = np.abs(np.diff(grey, axis=axis)).mean(axis=1 - axis, dtype=np.float64)
        if steps.mean() < _LEAST_STEP:
            return undefined("flat")
        # The added level keeps columns that hardly step at all from deciding the ratio.
        ratio = (steps[1:-1] + 0.1) / ((steps[:-2] + steps[2:]) / 2 + 0.1)
        by_phase = sorted(float(np.median(ratio[phase::_CODEC_BLOCK])) for phase in range(_CODEC_BLOCK))
        excesses.append(by_phase[-1] - by_phase[-2])
    return float(np.mean(excesses))


@reading_columns(
    "quality.banding_edited", "quality.banding_delta",
    direction=Direction.LOWER_IS_BETTER, upper=1.0, unit="share", flip_invariant=1e-9,
)  # fmt: skip
def banding(image: RGB) -> float | Missing:
    """Share of pixels on false contours (idea of BBAND, Tu et al. 2020).

    A false contour is a luma step of 2 to 16 levels between two pixels, along a row or a column, with 4 exactly equal
    pixels on either side: what posterising to 128 … 16 levels leaves of a gradient. A gradient in full 8-bit depth
    steps by 1 and reads 0; edges of things step by more; noise, and a JPEG round trip after the posterising, break the
    runs and hide it.

    Args:
        image: H×W×3, 8-bit sRGB; read as 8-bit BT.601 luma.

    Returns:
        A share in [0, 1], high = banded. ``undefined(too_small)`` under 32 px.
    """
    return luma_banding(bt601(image))


def luma_banding(luma: RGB) -> float | Missing:
    """:func:`banding` of a picture whose 8-bit BT.601 luma (H×W) is at hand."""
    if min(luma.shape) < SMALLEST_SIDE:
        return undefined("too_small")
    contours = np.zeros(luma.shape, bool)
    for axis in (0, 1):
        lines = luma if axis else np.ascontiguousarray(luma.T)
        found = _false_contours(lines)
        contours |= found if axis else found.T
    return float(contours.mean())


def _false_contours(lines: RGB) -> Mask:
    """H×W: whether a false contour stands between a pixel and its right neighbour."""
    step = cv2.absdiff(lines[:, :-1], lines[:, 1:])
    even = (step == 0).astype(np.uint8)
    run = np.ones((1, _FLAT_RUN - 1), np.uint8)
    # Runs of steps wholly to the left, and wholly to the right, of each step; none beyond the frame.
    before = cv2.erode(even, run, anchor=(_FLAT_RUN - 2, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    after = cv2.erode(even, run, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    found = np.zeros(lines.shape, bool)
    inner = step[:, 1:-1]
    found[:, 1:-2] = (inner >= 2) & (inner <= 16) & (before[:, :-2] > 0) & (after[:, 2:] > 0)
    return found
