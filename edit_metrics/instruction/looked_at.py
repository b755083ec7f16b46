"""Where in the picture a typed check looked, for a person to look there too."""

from __future__ import annotations

from edit_metrics.instruction.check_area import AREA_EDITS
from edit_metrics.instruction.check_colour import COLOUR_EDITS
from edit_metrics.instruction.checking import asked_edit
from edit_metrics.instruction.edits import Edit, Forbid, Recolour, Retone, SetBackground
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.region import edited_thing
from edit_metrics.types import Mask, Missing


def looked_at(instruction: Instruction, changed: Mask, mask: Mask | None = None) -> Mask | None:
    """The pixels whose colour, tone or change decided.

    Args:
        instruction: what was made of the text.
        changed: pixels of the frame that changed visibly, H×W.
        mask: where the change was wanted.

    Returns:
        H×W; None where no check looked (nothing was read, nothing changed), where the whole frame counts (tone,
        geometry), and for letters, whose boxes have a picture of their own.
    """
    edit = asked_edit(instruction, (*COLOUR_EDITS, *AREA_EDITS, Retone))
    if isinstance(edit, Missing):
        return None
    found = _region(edit.edit if isinstance(edit, Forbid) else edit, changed, mask)
    return found if found is not None and found.any() else None


def _region(edit: Edit, changed: Mask, mask: Mask | None) -> Mask | None:
    match edit:
        case Recolour(text=str()):
            return None
        case Retone(target=None, excepted=None):
            return mask
        case Retone():
            return changed if mask is None else mask
        case SetBackground() if mask is None:
            return changed
        case _ if isinstance(edit, AREA_EDITS):
            return changed
    region = edited_thing(changed, mask)
    return None if isinstance(region, Missing) else region.pixels
