"""Traces of encoding in one picture: the codec's grid and false contours."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.readings import reading_columns
from edit_metrics.pixels.bands import bands
from edit_metrics.pixels.luma import SMALLEST_SIDE, bt601, bt709
from edit_metrics.types import RGB, Direction, Float64, Missing, undefined

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
    if min(image.shape[:2]) < SMALLEST_SIDE:
        return undefined("too_small")
    excesses = []
    for steps in _mean_steps(image):
        if steps.mean() < _LEAST_STEP:
            return undefined("flat")
        # The added level keeps columns that hardly step at all from deciding the ratio.
        ratio = (steps[1:-1] + 0.1) / ((steps[:-2] + steps[2:]) / 2 + 0.1)
        by_phase = sorted(float(np.median(ratio[phase::_CODEC_BLOCK])) for phase in range(_CODEC_BLOCK))
        excesses.append(by_phase[-1] - by_phase[-2])
    return float(np.mean(excesses))


def _mean_steps(image: RGB) -> tuple[Float64, Float64]:
    """Mean absolute luma step between neighbouring rows, and between neighbouring columns."""
    height, width = image.shape[:2]
    down, across = [], np.zeros(width - 1)
    for rows, band in bands(height, reach=1):
        grey = bt709(image[rows])
        below = grey[band.start : band.stop + 1]
        if len(below) > 1:
            down.append(cv2.absdiff(below[1:], below[:-1]).mean(axis=1, dtype=np.float64))
        own = grey[band]
        across += cv2.absdiff(own[:, 1:], own[:, :-1]).sum(axis=0, dtype=np.float64)
    return np.concatenate(down), across / height


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
    if min(image.shape[:2]) < SMALLEST_SIDE:
        return undefined("too_small")
    luma, found = bt601(image), 0
    for rows, band in bands(luma.shape[0], reach=2 * _FLAT_RUN):
        across, down = (_false_contours(luma[rows], axis) for axis in (1, 0))
        found += cv2.countNonZero(cv2.bitwise_or(across, down)[band])
    return found / luma.size


def _false_contours(luma: RGB, axis: int) -> RGB:
    """H×W: 255 where a false contour stands between a pixel and its neighbour to the right (axis 1) or below (0)."""

    def along(start: int | None, stop: int | None) -> tuple[slice, ...]:
        return (slice(None),) * axis + (slice(start, stop),)

    length = _FLAT_RUN - 1
    step = cv2.absdiff(luma[along(None, -1)], luma[along(1, None)])
    even = cv2.inRange(step, np.zeros(1), np.zeros(1))
    run = np.ones((1, length) if axis else (length, 1), np.uint8)
    last = (length - 1, 0) if axis else (0, length - 1)
    # Runs of steps wholly before, and wholly after, each step; none beyond the frame.
    before = cv2.erode(even, run, anchor=last, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    after = cv2.erode(even, run, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT, borderValue=0)
    found = np.zeros(luma.shape, np.uint8)
    contour = cv2.inRange(step[along(1, -1)], np.full(1, 2.0), np.full(1, 16.0))
    found[along(1, -2)] = cv2.bitwise_and(cv2.bitwise_and(contour, before[along(None, -2)]), after[along(2, None)])
    return found
