"""What a typed check answers, and the tests that several of them share."""

from __future__ import annotations

from dataclasses import dataclass

from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.types import Missing, not_applicable

_UNSURE = ("compound", "type_from_manifest")


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


def out_of_scope(parsed: ParsedInstruction, *kinds: EditType) -> Missing | None:
    """Why a check for these edit types has nothing to say of an instruction; None when it has.

    Returns:
        ``not_applicable`` with ``edit_type_is_<type>``, or with ``compound_instruction``: when several edits are asked
        for, what one of them did cannot be told from what the others did.
    """
    if parsed.edit_type not in kinds:
        return not_applicable(f"edit_type_is_{parsed.edit_type}")
    for doubt in _UNSURE:
        if doubt in parsed.doubts:
            return not_applicable("compound_instruction" if doubt == "compound" else "slots_not_read")
    return None


def ramp(value: float, zero: float, one: float) -> float:
    """0 at ``zero``, 1 at ``one``, a straight line between, flat beyond; ``zero`` may be the larger."""
    return float(min(max((value - zero) / (one - zero), 0.0), 1.0))
