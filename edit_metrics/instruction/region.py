"""Where a check looks: the given mask, or what changed, if that is one place that could be a thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.areas import as_bytes
from edit_metrics.types import Float64, Mask, Missing, undefined

DERIVED: Final = "derived_region"
EVERYWHERE: Final = 0.6
"""Share of the frame from which on a change is no longer that of a thing: chosen; where it was
.68 of the frame, in one of 14 real recolourings, raters gave 1.8 of 10 (``benchmarks/typed_checks_real.py colour``)."""
PIECES: Final = 5
SCATTERED: Final = 0.5
"""Share of the change in its five largest pieces under which no thing can be told from noise: chosen."""
MIN_TOUCHED: Final = 0.05


@dataclass(frozen=True, slots=True)
class Region:
    """What a check looks at.

    Attributes:
        pixels: H×W.
        cautions: ``derived_region`` where it is the change itself, which a wrong place is too.
        changed: whether something of it changed visibly.
    """

    pixels: Mask
    cautions: tuple[str, ...]
    changed: bool = True


def edited_thing(changed: Mask, mask: Mask | None) -> Region | Missing:
    """The region of a thing that was edited.

    Args:
        changed: pixels of the frame that changed visibly.
        mask: where the change was wanted.

    Returns:
        What changed of the mask (masks are often boxes), or all of the mask where hardly any did; without a mask, what
        changed. ``undefined(change_is_everywhere)``, ``undefined(scattered_change)``: without a mask no thing is found.
    """
    if mask is not None:
        touched: Mask = changed & mask
        enough = np.count_nonzero(touched) >= MIN_TOUCHED * np.count_nonzero(mask)
        return Region(touched, ()) if enough else Region(mask, (), changed=False)
    if changed.any():
        if changed.mean() > EVERYWHERE:
            return undefined("change_is_everywhere")
        if share_in_largest_pieces(changed) < SCATTERED:
            return undefined("scattered_change")
    return Region(changed, (DERIVED,))


def share_in_largest_pieces(changed: Mask) -> float:
    """Share of the changed pixels (at least one) that is in their five largest connected pieces."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(as_bytes(changed), connectivity=8)
    areas: Float64 = np.sort(np.asarray(stats, np.float64)[1:, cv2.CC_STAT_AREA])[::-1]
    return float(areas[:PIECES].sum() / areas.sum())
