"""Recolouring: is the edited region the named colour, and has it come nearer to it?"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000, rgb2lab

from edit_metrics.instruction.parsed import Colour, EditType, ParsedInstruction
from edit_metrics.instruction.verdict import Verdict, out_of_scope, ramp, without_room
from edit_metrics.types import RGB, Float64, Mask, Missing, not_applicable, undefined

LIGHTNESS_WEIGHT: Final = 2.0
"""k_L of ΔE2000 as the textile trade sets it: a shaded red thing is red, though its lightness is far from #ff0000."""
NEAR: Final = 12.0
FAR: Final = 36.0
"""ΔE2000 (k_L = 2) at which the colour fits wholly, and from which on it does not fit."""
MIN_PIXELS: Final = 36
_BIN: Final = 4.0
_RADIUS: Final = 12.0


def check_colour(
    parsed: ParsedInstruction, source: RGB, edited: RGB, changed: Mask, mask: Mask | None = None
) -> Verdict | Missing:
    """Dominant CIELAB colour of the edited region against the named one.

    Args:
        parsed: a recolouring, or a new background of a plain colour.
        source: S, H×W×3.
        edited: E on S's grid.
        changed: pixels of the frame that changed visibly.
        mask: where the change was wanted; None = the changed pixels themselves are the region (``derived_region``).

    Returns:
        Fit (1 up to 12 ΔE2000, 0 from 36; k_L = 2; the nearer of the CSS and the XKCD colour of that name counts) times
        progress (1 once a quarter of the way from S's colour is done; not asked of a region that had the colour).
        0 where nothing changed. ``not_applicable(no_named_colour)``, ``undefined(region_too_small)``.
    """
    missing = out_of_scope(parsed, EditType.RECOLOUR, EditType.BACKGROUND) or without_room(mask)
    if missing is not None:
        return missing
    colour = parsed.colour
    if colour is None or {"several_colours", "unknown_colour"} & set(parsed.doubts):
        return not_applicable("no_named_colour")
    cautions = () if mask is not None else ("derived_region",)
    region = changed if mask is None else _touched(changed, mask)
    if not region.any():
        return Verdict(0.0, f"colour: nothing changed, {colour.name} was asked for", cautions)
    if np.count_nonzero(region) < MIN_PIXELS:
        return undefined("region_too_small")
    return _judge(colour, dominant_colour(source, region), dominant_colour(edited, region), cautions)


def _judge(colour: Colour, before: Float64, after: Float64, cautions: tuple[str, ...]) -> Verdict:
    distance, was = (distance_to(colour, lab) for lab in (after, before))
    progress = 1.0 if was <= NEAR else ramp(1 - distance / was, 0.0, 0.25)
    notes = cautions if was > NEAR else (*cautions, "already_that_colour")
    approximate = () if colour.exact else ("approximate_colour",)
    evidence = f"colour: Lab {_show(before)} -> {_show(after)}, ΔE to {colour.name} {was:.0f} -> {distance:.0f}"
    return Verdict(ramp(distance, FAR, NEAR) * progress, evidence, (*notes, *approximate))


def distance_to(colour: Colour, lab: Float64) -> float:
    """ΔE2000 with k_L = 2 from a CIELAB colour to a named one, to the nearest of the values that bear its name."""
    named = rgb2lab(np.array([colour.rgbs], np.uint8))[0]
    same = np.broadcast_to(lab, named.shape)
    return float(np.min(deltaE_ciede2000(named, same, kL=LIGHTNESS_WEIGHT)))  # type: ignore[no-untyped-call]


def dominant_colour(image: RGB, region: Mask) -> Float64:
    """CIELAB colour of the region's fullest place in the a*b* plane: shadows and highlights differ in L*, not there.

    Args:
        image: H×W×3.
        region: H×W, not empty.

    Returns:
        Mean of the pixels within 12 of the peak of the smoothed a*b* histogram.
    """
    lab = np.asarray(rgb2lab(image[region][:, None])[:, 0], np.float64)
    edges = np.arange(-130, 131, _BIN)
    histogram, _, _ = np.histogram2d(lab[:, 1], lab[:, 2], bins=(edges, edges))
    smooth = cv2.GaussianBlur(histogram, (0, 0), 1.5, borderType=cv2.BORDER_CONSTANT)
    a, b = np.unravel_index(np.asarray(smooth).argmax(), smooth.shape)
    peak = np.array([edges[a] + _BIN / 2, edges[b] + _BIN / 2])
    near = np.linalg.norm(lab[:, 1:] - peak, axis=1) <= _RADIUS
    members = lab[near] if near.any() else lab
    return np.asarray([np.median(members[:, 0]), *members[:, 1:].mean(axis=0)], np.float64)


def _touched(changed: Mask, mask: Mask) -> Mask:
    """The changed pixels of a mask: masks are often boxes; all of it when hardly any changed."""
    touched: Mask = changed & mask
    return touched if np.count_nonzero(touched) >= 0.05 * np.count_nonzero(mask) else mask


def _show(lab: Float64) -> str:
    return f"({lab[0]:.0f}, {lab[1]:.0f}, {lab[2]:.0f})"
