"""Adding and removing: did an area of a plausible size change, in one place, at the right one?"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.verdict import Verdict, out_of_scope, ramp, without_room
from edit_metrics.types import Float64, Mask, Missing

MASK_MARGIN: Final = 0.02
"""Of the frame's longer side: how far a change may reach over the given mask, for shadows and masks drawn by hand."""
PIECES: Final = 5

_PARTS: Final[dict[str, tuple[float, float]]] = {
    "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1), "up": (0, -1), "down": (0, 1),
    "top left": (-1, -1), "top right": (1, -1), "bottom left": (-1, 1), "bottom right": (1, 1), "center": (0, 0),
}  # fmt: skip
"""Part of the frame → signs of the offset from its centre."""


def check_area(parsed: ParsedInstruction, changed: Mask, mask: Mask | None = None) -> Verdict | Missing:
    """Place, size and compactness of what changed.

    It does not see *what* came or went: a wrong object of the right size in the right place passes.

    Args:
        parsed: an addition or a removal.
        changed: the changed pixels of the whole frame.
        mask: where the change was wanted.

    Returns:
        The lowest of: *place* (share of the change inside the mask and its margin; without a mask, the part of the
        frame that the instruction names), *size* (share of the mask that changed; without a mask, .05 % to 60 % of the
        frame) and *compactness* (share of the change in its 5 largest pieces). 0 where nothing changed.
    """
    missing = out_of_scope(parsed, EditType.ADD, EditType.REMOVE, reads_slots=False) or without_room(mask)
    if missing is not None:
        return missing
    cautions = () if mask is not None else ("derived_region",)
    if not changed.any():
        return Verdict(0.0, "area: nothing changed", cautions)
    parts = {"compactness": ramp(_in_largest_pieces(changed), 0.3, 0.8)}
    if mask is None:
        share = float(changed.mean())
        parts["size"] = min(ramp(share, 0.0001, 0.0005), ramp(share, 0.9, 0.6))
        if parsed.direction in _PARTS:
            parts["place"] = _in_part(changed, _PARTS[parsed.direction])
    else:
        parts["place"] = ramp(np.count_nonzero(changed & _widen(mask)) / np.count_nonzero(changed), 0.3, 0.8)
        parts["size"] = ramp(np.count_nonzero(changed & mask) / np.count_nonzero(mask), 0.02, 0.15)
    listed = ", ".join(f"{name} {value:.2f}" for name, value in sorted(parts.items()))
    return Verdict(min(parts.values()), f"area: {changed.mean():.2%} of the frame changed; {listed}", cautions)


def _in_largest_pieces(changed: Mask) -> float:
    _, _, stats, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8), connectivity=8)
    areas: Float64 = np.sort(np.asarray(stats, np.float64)[1:, cv2.CC_STAT_AREA])[::-1]
    return float(areas[:PIECES].sum() / areas.sum())


def _in_part(changed: Mask, signs: tuple[float, float]) -> float:
    """1 where the change's centre lies in the named part of the frame; 0 from a tenth of its side beyond it."""
    rows, columns = np.nonzero(changed)
    offsets = (columns.mean() / changed.shape[1] - 0.5, rows.mean() / changed.shape[0] - 0.5)
    if not any(signs):
        return ramp(max(abs(offset) for offset in offsets), 0.35, 0.25)
    return min(ramp(offset * sign, -0.1, 0.0) for offset, sign in zip(offsets, signs, strict=True) if sign)


def _widen(mask: Mask) -> Mask:
    margin = max(round(MASK_MARGIN * max(mask.shape)), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    wide: Mask = np.asarray(cv2.dilate(mask.astype(np.uint8), kernel)) > 0
    return wide
