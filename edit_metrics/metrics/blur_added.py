"""Blur that an edit added, in three bands of detail and only where both pictures show the same things.

Crete's blur reads noise as detail, so that blur and noise cancel in one number; and a picture of other things is as
sharp as these are, whatever the edit did. So the reading is taken where the coarse picture is the same, at full, half
and quarter size after low passes that leave a fifth and a tenth of the noise, and the largest difference counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.pixels.areas import as_bytes, erode
from edit_metrics.pixels.edges import SPAN, Edges, LumaEdges, edges_of
from edit_metrics.pixels.lab import LabPair, delta_e_2000
from edit_metrics.pixels.luma import SMALLEST_SIDE
from edit_metrics.registry import Identity, metric
from edit_metrics.types import Direction, Grid, Mask, Missing, not_applicable, undefined

SAME_BELOW: Final = 5.0
"""ΔE2000 of the pictures blurred with σ = 8 px under which both show the same: blurring and noise stay under 2, another
thing of the same colour passes; chosen."""
COARSE_SIGMA: Final = 8.0
QUARTER: Final = 4
MIN_SHARE: Final = 0.2
"""Of the frame; less says nothing of the picture. Chosen."""
COARSER_BANDS: Final = ((2, 1.5), (4, 3.0))
"""Besides the picture's own: step and σ of the low pass before it, px: of white noise σ₀ this leaves σ₀ / (2·√π·σ) =
.19 σ₀ and .09 σ₀."""
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
def blur_added(labs: LabPair, source_edges: LumaEdges, edited_edges: LumaEdges) -> float | Missing:
    """Crete's perceptual blur of E minus that of S where both show the same, the largest of three bands of detail.

    Args:
        labs: CIELAB of both.
        source_edges: of S.
        edited_edges: of E on S's grid.

    Returns:
        0 = as sharp as the source, .1 after a blur of σ 1 px, .4 of σ 4, with noise on top or without.
        ``not_applicable(content_changed)`` where under 20 % of the frame show the same; ``undefined(flat)`` without
        edges there; ``undefined(too_small)`` under 32 px.

    References:
        Crete, Dolmiere, Ladret, Nicolas: The blur effect, SPIE 6492, 2007.
    """
    pair = (source_edges, edited_edges)
    shortest = min(source_edges.luma.shape)
    if shortest < SMALLEST_SIDE:
        return undefined("too_small")
    area = same_content(labs)
    if area.mean() < MIN_SHARE:
        return not_applicable("content_changed")
    found = [_difference([(one.down, one.across) for one in pair], area)]
    for step, sigma in COARSER_BANDS:
        if shortest >= step * SMALLEST_SIDE:
            coarse = [cv2.GaussianBlur(one.luma, (0, 0), sigma)[::step, ::step] for one in pair]
            edges = [edges_of(np.ascontiguousarray(band, np.float32)) for band in coarse]
            found.append(_difference(edges, area[::step, ::step]))
    known = [one for one in found if one is not None]
    return max(known) if known else undefined("flat")


def _difference(pair: Sequence[tuple[Edges, Edges]], area: Mask) -> float | None:
    """E minus S; None where either has no edge there."""
    weights = as_bytes(erode(area, SPAN // 2))
    before, after = (_blur_over(edges, weights) for edges in pair)
    return None if before is None or after is None else after - before


def _blur_over(edges: tuple[Edges, Edges], weights: NDArray[np.uint8]) -> float | None:
    effects = []
    for axis in edges:
        variation = cv2.mean(axis.strength, weights)[0]
        if variation < _ROUNDING:
            return None
        effects.append(1.0 - cv2.mean(axis.lost, weights)[0] / variation)
    return max(effects)
