"""What a typed check answers, and the tests that several of them share."""

from __future__ import annotations

from dataclasses import dataclass

from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.types import Mask, Missing, not_applicable, undefined


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the edited picture does what the instruction says, with what was seen.

    Attributes:
        score: in [0, 1]; 1 = done as asked, 0 = not done, or done the other way.
        evidence: one line for a person to read.
        cautions: codes that lower the confidence (``derived_region``).
    """

    score: float
    evidence: str
    cautions: tuple[str, ...] = ()


def out_of_scope(parsed: ParsedInstruction, *kinds: EditType, reads_slots: bool = True) -> Missing | None:
    """Why a check for these edit types has nothing to say of an instruction; None when it has.

    Args:
        parsed: the instruction.
        kinds: edit types that the check is for.
        reads_slots: whether it needs more of the instruction than its type, which a manifest alone does not give.

    Returns:
        ``not_applicable`` with ``edit_type_is_<type>``, or with ``compound_instruction``: when several edits are asked
        for, what one of them did cannot be told from what the others did; ``slots_not_read``.
    """
    if parsed.edit_type not in kinds:
        return not_applicable(f"edit_type_is_{parsed.edit_type}")
    if "compound" in parsed.doubts:
        return not_applicable("compound_instruction")
    return not_applicable("slots_not_read") if reads_slots and "type_from_manifest" in parsed.doubts else None


def without_room(mask: Mask | None) -> Missing | None:
    """``undefined(empty_mask)`` for a given mask in which nothing may change, so that nothing there could be judged."""
    return undefined("empty_mask") if mask is not None and not mask.any() else None


def ramp(value: float, zero: float, one: float) -> float:
    """0 at ``zero``, 1 at ``one``, a straight line between, flat beyond; ``zero`` may be the larger."""
    return float(min(max((value - zero) / (one - zero), 0.0), 1.0))
