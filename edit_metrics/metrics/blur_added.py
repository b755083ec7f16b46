"""Blur that an edit added, in three bands of detail and only where both pictures show the same things.

Crete's blur reads noise as detail, so that blur and noise cancel in one number; and a picture of other things is as
sharp as these are, whatever the edit did. So the reading is taken where the coarse picture is the same, at full, half
and quarter size after low passes that leave a fifth and a tenth of the noise, and the largest difference counts.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.areas import as_bytes, erode
from edit_metrics.pixels.lab import LabPair, delta_e_2000
from edit_metrics.pixels.luma import SMALLEST_SIDE, bt709
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float32, Grid, Mask, Missing, not_applicable, undefined

SAME_BELOW: Final = 5.0
"""ΔE2000 of the pictures blurred with σ = 8 px under which both show the same: blurring and noise stay under 2, another
thing of the same colour passes; chosen."""
COARSE_SIGMA: Final = 8.0
QUARTER: Final = 4
MIN_SHARE: Final = 0.2
"""Of the frame; less says nothing of the picture. Chosen."""
BANDS: Final = ((1, 0.0), (2, 1.5), (4, 3.0))
"""Step and σ of the low pass before it, px: of white noise σ₀ this leaves σ₀ / (2·√π·σ) = .19 σ₀ and .09 σ₀."""
SPAN: Final = 11
"""px of the low pass, Crete 2007."""
_ROUNDING: Final = 1e-3


def same_content(labs: LabPair) -> Mask:
    """H×W: where S and E have the same coarse colours, from their CIELAB."""
    height, width = labs.source.shape[:2]
    size = (max(width // QUARTER, 1), max(height // QUARTER, 1))
    coarse = [
        cv2.GaussianBlur(cv2.resize(lab, size, interpolation=cv2.INTER_AREA), (0, 0), COARSE_SIGMA / QUARTER)
        for lab in (labs.source, labs.edited)
    ]
    difference = delta_e_2000(*(np.asarray(lab, np.float32) for lab in coarse))
    same = (difference < SAME_BELOW).astype(np.uint8)
    return np.asarray(cv2.resize(same, (width, height), interpolation=cv2.INTER_NEAREST)) > 0


@metric(
    "quality.blur_added", direction=Direction.LOWER_IS_BETTER, bounds=(-1.0, 1.0), unit="",
    identity=Identity(0.0, 1e-5), cautions="pixel_cautions", grid=Grid.WORKING,
)  # fmt: skip
def blur_added(source: RGB, edited: RGB, labs: LabPair) -> float | Missing:
    """Crete's perceptual blur of E minus that of S where both show the same, the largest of three bands of detail.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        labs: CIELAB of both.

    Returns:
        0 = as sharp as the source, .1 after a blur of σ 1 px, .4 of σ 4, with noise on top or without.
        ``not_applicable(content_changed)`` where under 20 % of the frame show the same; ``undefined(flat)`` without
        edges there; ``undefined(too_small)`` under 32 px.

    References:
        Crete, Dolmiere, Ladret, Nicolas: The blur effect, SPIE 6492, 2007.
    """
    if min(source.shape[:2]) < SMALLEST_SIDE:
        return undefined("too_small")
    area = same_content(labs)
    if area.mean() < MIN_SHARE:
        return not_applicable("content_changed")
    greys = [bt709(source), bt709(edited)]
    found = []
    for step, sigma in BANDS:
        if min(source.shape[:2]) < step * SMALLEST_SIDE:
            continue
        band = [cv2.GaussianBlur(grey, (0, 0), sigma)[::step, ::step] if sigma else grey for grey in greys]
        found.append(_difference([np.ascontiguousarray(one, np.float32) for one in band], area[::step, ::step]))
    known = [one for one in found if one is not None]
    return max(known) if known else undefined("flat")


def _difference(greys: list[Float32], area: Mask) -> float | None:
    """E minus S; None where either has no edge there."""
    inner = erode(area, SPAN // 2)
    before, after = (_blur_over(grey, inner) for grey in greys)
    return None if before is None or after is None else after - before


def _blur_over(grey: Float32, area: Mask) -> float | None:
    weights = as_bytes(area)
    effects = []
    for dx, dy in ((0, 1), (1, 0)):
        span = (SPAN if dx else 1, SPAN if dy else 1)
        low_pass = cv2.blur(grey, span, borderType=cv2.BORDER_REFLECT)
        sharp = np.abs(cv2.Sobel(grey, cv2.CV_32F, dx, dy, borderType=cv2.BORDER_REFLECT))
        soft = np.abs(cv2.Sobel(low_pass, cv2.CV_32F, dx, dy, borderType=cv2.BORDER_REFLECT))
        variation = cv2.mean(sharp, weights)[0]
        if variation < _ROUNDING:
            return None
        effects.append(1.0 - cv2.mean(cv2.subtract(sharp, soft).clip(0), weights)[0] / variation)
    return max(effects)
