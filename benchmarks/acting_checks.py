"""Which typed check acts on an instruction: it has an answer, or lacks only what is in the pictures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np

from edit_metrics.instruction.check_area import check_change_area
from edit_metrics.instruction.check_colour import check_colour
from edit_metrics.instruction.check_geometry import check_geometry
from edit_metrics.instruction.check_text import check_text
from edit_metrics.instruction.check_tone import check_tone
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.types import RGB, Mask, Missing, Result, Status

CHECKS: Final[dict[str, Callable[..., Result]]] = {
    "colour": check_colour,
    "tone": check_tone,
    "text": check_text,
    "geometry": check_geometry,
    "change area": check_change_area,
}
_SIDE: Final = 64


def acting_check(instruction: Instruction) -> str | None:
    """The check that acts on an instruction; None where every one says that it is not meant.

    Every check is asked about two pairs of pictures, one in colour and one grey, with a changed patch: what it answers
    with ``not_applicable`` on both it would answer so on any picture; whatever else it says is about the picture.
    """
    for name, check in CHECKS.items():
        wanted = inspect.signature(check).parameters
        for pair in (_pair(grey=False), _pair(grey=True)):
            given = {key: value for key, value in pair.items() if key in wanted}
            answer = check(instruction, **given)
            if not (isinstance(answer, Missing) and answer.status is Status.NOT_APPLICABLE):
                return name
    return None


@cache
def _pair(*, grey: bool) -> dict[str, RGB | Mask | bool]:
    """A textured picture, and the same with a patch of another colour."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(30, 226, (8, 8, 1 if grey else 3), dtype=np.uint8)
    source = np.ascontiguousarray(np.broadcast_to(np.kron(coarse, np.ones((8, 8, 1), np.uint8)), (_SIDE, _SIDE, 3)))
    changed = np.zeros((_SIDE, _SIDE), np.bool_)
    changed[8:32, 8:32] = True
    edited = np.where(changed[..., None], np.uint8(120), source)
    return {"source": source, "edited": edited, "edited_native": edited, "changed_pixels": changed, "blank": False}
