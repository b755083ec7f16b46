"""What the typed checks share: how they are registered, and when one has something to say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from edit_metrics.instruction.edits import Edit, Forbid
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.registry import Identity, metric
from edit_metrics.types import Direction, Mask, Missing, Noted, Result, not_applicable, undefined, with_cautions

YES: Final = 0.5
"""From here on a verdict says that the edit was done."""

typed_check = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="", evidence="adherence.check_evidence",
    identity=Identity(0.0, 0.05), version=3,
)  # fmt: skip
"""With nothing done a check reads 0; a text reader, or a tone read off 8 bits, may be a little off."""


def judge(
    instruction: Instruction,
    kinds: tuple[type, ...],
    one: Callable[[Edit], Result],
    blank: bool | None,
) -> Result:
    """Judge the one edit that an instruction asks for, if it is of one of a check's kinds.

    Args:
        instruction: what was made of the text.
        kinds: classes of :mod:`edit_metrics.instruction.edits` that the check is for.
        one: judges an edit of these kinds.
        blank: E shows nothing; that is a 0 and is not looked at.

    Returns:
        What ``one`` returns, with the caution ``spelling_corrected`` where a word was; of what must not happen 0 where
        it did. ``not_applicable``: ``not_read:<word>`` where the text was not read in full, ``edit_type_is_<type>``,
        ``compound_instruction`` (what one of several edits did cannot be told from what the others did),
        ``only_a_prohibition`` (what must not happen did not; nothing was asked for).
    """
    edit = asked_edit(instruction, kinds)
    if isinstance(edit, Missing):
        return edit
    if isinstance(edit, Forbid):
        return _forbidden(one(edit.edit))
    if blank:
        return Noted(0.0, ("blank_edited",), "the edited picture is blank")
    return with_cautions(one(edit), "spelling_corrected" if instruction.corrected else "")


def asked_edit(instruction: Instruction, kinds: tuple[type, ...]) -> Edit | Missing:
    """The one edit of an instruction, where a check for these kinds has something to say of it."""
    if not instruction.read:
        return not_applicable(f"not_read:{instruction.stopped}")
    matching = [edit for edit in instruction.edits if isinstance(_inner(edit), kinds)]
    if not matching:
        return not_applicable(f"edit_type_is_{instruction.edit_type}")
    return matching[0] if len(instruction.edits) == 1 else not_applicable("compound_instruction")


def without_room(mask: Mask | None) -> Missing | None:
    """``undefined(empty_mask)`` for a given mask in which nothing may change, so that nothing there could be judged."""
    return undefined("empty_mask") if mask is not None and not mask.any() else None


def ramp(value: float, zero: float, one: float) -> float:
    """0 at ``zero``, 1 at ``one``, a straight line between, flat beyond; ``zero`` may be the larger."""
    return float(min(max((value - zero) / (one - zero), 0.0), 1.0))


def _inner(edit: Edit) -> Edit:
    return edit.edit if isinstance(edit, Forbid) else edit


def _forbidden(done: Result) -> Result:
    if isinstance(done, Missing):
        return done
    noted = done if isinstance(done, Noted) else Noted(float(done))
    if noted.value < YES:
        return not_applicable("only_a_prohibition")
    return Noted(0.0, noted.cautions, f"{noted.evidence}: this was not to happen")
