"""Adding and removing: did an area of a plausible size change, in one place, at the right one?"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.instruction.checking import judge, ramp, typed_check, without_room
from edit_metrics.instruction.edits import Add, Edit, Place, Remove
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.region import DERIVED, EVERYWHERE, SCATTERED, share_in_largest_pieces
from edit_metrics.pixels.areas import as_bytes
from edit_metrics.types import Grid, Mask, Noted, Result, not_applicable, undefined

AREA_EDITS: Final = (Add, Remove)
MASK_MARGIN: Final = 0.02
"""Of the frame's longer side: how far a change may reach over the given mask, for shadows and masks drawn by hand."""
OF_SEVERAL: Final = 0.2
"""Of the frame's side: how far over the middle ``the man on the left`` may stand, who is the left one of two."""

_SIGNS: Final[dict[Place, tuple[int, int]]] = {
    "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1), "center": (0, 0),
    "top left": (-1, -1), "top right": (1, -1), "bottom left": (-1, 1), "bottom right": (1, 1),
}  # fmt: skip
"""Part of the frame → signs of the offset from its centre."""


@typed_check("adherence.check_change_area", grid=Grid.WORKING)
def check_change_area(
    parsed_instruction: Instruction,
    blank: bool | None = None,
    changed_pixels: Mask | None = None,
    mask: Mask | None = None,
) -> Result:
    """Whether an addition or removal changed one area of a plausible size at the right place; not *what* changed there.

    The lower of *place* (share of the change inside the mask and its margin; without a mask, the part of the frame
    that stands by the thing: ``a ball on the right``) and *size* (share of the mask that changed; without a mask, at
    least .05 % of the frame). 0 where nothing changed. A wrong object of the right size in the right place passes.

    Args:
        parsed_instruction: an addition or a removal.
        blank: E shows nothing.
        changed_pixels: pixels of the frame that changed visibly, H×W.
        mask: where the change was wanted.

    Returns:
        Score in [0, 1]. ``not_applicable``: as :func:`.checking.judge`, ``exclusion`` (what was spared cannot be told).
        ``undefined``: ``not_on_the_sources_grid``, ``empty_mask``; without a mask ``change_is_everywhere``,
        ``scattered_change``.
    """

    def one(edit: Edit) -> Result:
        if (missing := without_room(mask)) is not None:
            return missing
        if isinstance(edit, Remove) and (edit.thing is None or edit.excepted is not None):
            return not_applicable("exclusion")
        if changed_pixels is None:
            return undefined("not_on_the_sources_grid")
        if mask is not None:
            return _inside(changed_pixels, mask)
        thing = edit.thing if isinstance(edit, (Add, Remove)) else None
        place = thing.place if thing is not None else None
        return _anywhere(changed_pixels, place, slack=OF_SEVERAL if isinstance(edit, Remove) else 0.0)

    return judge(parsed_instruction, AREA_EDITS, one, blank)


def _inside(changed: Mask, mask: Mask) -> Result:
    if not changed.any():
        return Noted(0.0, (), "area: nothing changed")
    place = ramp(np.count_nonzero(changed & _widen(mask)) / np.count_nonzero(changed), 0.3, 0.8)
    size = ramp(np.count_nonzero(changed & mask) / np.count_nonzero(mask), 0.02, 0.15)
    return Noted(min(place, size), (), f"{_seen(changed)}, inside the mask {place:.2f}, size {size:.2f}")


def _anywhere(changed: Mask, place: Place | None, slack: float) -> Result:
    if not changed.any():
        return Noted(0.0, (DERIVED,), "area: nothing changed")
    if changed.mean() > EVERYWHERE:
        return undefined("change_is_everywhere")
    if share_in_largest_pieces(changed) < SCATTERED:
        return undefined("scattered_change")
    size = ramp(float(changed.mean()), 0.0001, 0.0005)
    there = 1.0 if place is None else _in_part(changed, place, slack)
    named = "" if place is None else f", {place}: {there:.2f}"
    return Noted(min(size, there), (DERIVED,), f"{_seen(changed)}, size {size:.2f}{named}")


def _seen(changed: Mask) -> str:
    rows, columns = np.nonzero(changed)
    x, y = columns.mean() / changed.shape[1], rows.mean() / changed.shape[0]
    return f"area: {changed.mean():.2%} of the frame changed, round {x:.0%} from the left and {y:.0%} from the top"


def _in_part(changed: Mask, place: Place, slack: float) -> float:
    """1 where the change's centre lies in the named part of the frame; 0 from a tenth of its side beyond it."""
    rows, columns = np.nonzero(changed)
    offsets = (columns.mean() / changed.shape[1] - 0.5, rows.mean() / changed.shape[0] - 0.5)
    signs = _SIGNS[place]
    if not any(signs):
        return ramp(max(abs(offset) for offset in offsets), 0.35, 0.25)
    return min(ramp(offset * sign + slack, -0.1, 0.0) for offset, sign in zip(offsets, signs, strict=True) if sign)


def _widen(mask: Mask) -> Mask:
    margin = max(round(MASK_MARGIN * max(mask.shape)), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * margin + 1, 2 * margin + 1))
    wide: Mask = np.asarray(cv2.dilate(as_bytes(mask), kernel)) > 0
    return wide
