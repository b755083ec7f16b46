"""Colours of regions and of names in CIELAB, and how far one is from the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from skimage import color  # loads what it is asked for, when it is

from edit_metrics.instruction.kinds import Colour
from edit_metrics.types import RGB, Float64, Mask

LIGHTNESS_WEIGHT: Final = 2.0
"""k_L of ΔE2000 as the textile trade sets it: a shaded red thing is red, though its lightness is far from #ff0000."""
KIND_WEIGHT: Final = 4.0
"""k_L with which a colour is still of a kind: dark brown and light brown are brown, and 50 L* apart."""
NEAR: Final = 12.0
"""ΔE2000 (k_L = 2) up to which a colour fits wholly."""
_BIN: Final = 4.0
_RADIUS: Final = 12.0
_RELIEF: Final = 25.0


def distance_to(colour: Colour, lab: Float64, weight: float = LIGHTNESS_WEIGHT) -> float:
    """ΔE2000 from a CIELAB colour to a named one, to the nearest of the values that bear its name.

    Args:
        colour: the named one.
        lab: 3.
        weight: k_L.
    """
    named = lab_values(colour)
    same = np.broadcast_to(lab, named.shape)
    return float(np.min(color.deltaE_ciede2000(named, same, kL=weight)))


def kind_distance(colour: Colour, lab: Float64) -> float:
    """:func:`distance_to` with lightness weighed half as much again: is it a colour of that kind?"""
    return distance_to(colour, lab, KIND_WEIGHT)


def lab_values(colour: Colour) -> Float64:
    """CIELAB of the values that bear a colour's name, N×3."""
    return np.asarray(color.rgb2lab(np.array([colour.rgbs], np.uint8))[0], np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Dominant:
    """The colour of the larger part of a region.

    Attributes:
        lab: CIELAB, 3.
        share: of the region's pixels within 12 of it in a*b* and 25 in L*: near 1 for a thing of one colour.
    """

    lab: Float64
    share: float


def dominant_colour(image: RGB, region: Mask) -> Dominant:
    """CIELAB colour of the region's fullest place in the a*b* plane: shadows and highlights differ in L*, not there.

    Args:
        image: H×W×3.
        region: H×W, not empty.

    Returns:
        Mean a* and b* and median L* of the pixels within 12 of the peak of the smoothed a*b* histogram.
    """
    lab = np.asarray(color.rgb2lab(image[region][:, None])[:, 0], np.float64)
    edges = np.arange(-130, 131, _BIN)
    histogram, _, _ = np.histogram2d(lab[:, 1], lab[:, 2], bins=(edges, edges))
    smooth = cv2.GaussianBlur(histogram, (0, 0), 1.5, borderType=cv2.BORDER_CONSTANT)
    a, b = np.unravel_index(np.asarray(smooth).argmax(), smooth.shape)
    peak = np.array([edges[a] + _BIN / 2, edges[b] + _BIN / 2])
    near = np.linalg.norm(lab[:, 1:] - peak, axis=1) <= _RADIUS
    members = lab[near] if near.any() else lab
    found = np.asarray([np.median(members[:, 0]), *members[:, 1:].mean(axis=0)], np.float64)
    return Dominant(found, float(np.mean(near & (np.abs(lab[:, 0] - found[0]) <= _RELIEF))))


def lightness_step(source: RGB, edited: RGB, region: Mask) -> float:
    """Median over the region's pixels of the change of L*: another shade moves each of them the same way."""
    before, after = (color.rgb2lab(image[region][:, None])[:, 0, 0] for image in (source, edited))
    return float(np.median(after - before))


def show(lab: Float64) -> str:
    """A CIELAB colour for a person."""
    return f"({lab[0]:.0f}, {lab[1]:.0f}, {lab[2]:.0f})"
