"""The typed checks as columns: five metrics, the parsed edit type, and the evidence in words."""

from __future__ import annotations

from edit_metrics.instruction.parsed import ParsedInstruction
from edit_metrics.instruction.verdict import Verdict
from edit_metrics.registry import label, metric
from edit_metrics.types import Direction, Measurement, measured


@metric("adherence.check_colour", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_colour(colour_verdict: Verdict) -> Measurement:
    """The edited region has the named colour; see :func:`edit_metrics.instruction.check_colour.check_colour`."""
    return _as_measurement(colour_verdict)


@metric("adherence.check_tone", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_tone(tone_verdict: Verdict) -> Measurement:
    """The tone changed as asked; see :func:`edit_metrics.instruction.check_tone.check_tone`."""
    return _as_measurement(tone_verdict)


@metric("adherence.check_text", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_text(text_verdict: Verdict) -> Measurement:
    """The quoted text is there, the old one gone; see :func:`edit_metrics.instruction.check_text.check_text`."""
    return _as_measurement(text_verdict)


@metric("adherence.check_geometry", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_geometry(geometry_verdict: Verdict) -> Measurement:
    """The frame is flipped, rotated, cropped or zoomed as asked; see ``instruction.check_geometry``."""
    return _as_measurement(geometry_verdict)


@metric("adherence.check_change_area", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_change_area(area_verdict: Verdict) -> Measurement:
    """Something changed at the right place, of a plausible size, in one place; see ``instruction.check_area``."""
    return _as_measurement(area_verdict)


@label("edit_type_parsed")
def edit_type_parsed(parsed_instruction: ParsedInstruction) -> str:
    """The edit type: the manifest's where it is known, else the parser's; with ``?`` where the reading is doubtful."""
    return f"{parsed_instruction.edit_type}{'?' if parsed_instruction.ambiguous else ''}"


@label("adherence.check_evidence")
def check_evidence(
    colour_verdict: Verdict | None = None,
    tone_verdict: Verdict | None = None,
    text_verdict: Verdict | None = None,
    geometry_verdict: Verdict | None = None,
    area_verdict: Verdict | None = None,
) -> str | None:
    """What the checks saw, in words; None where none applied."""
    verdicts = (colour_verdict, tone_verdict, text_verdict, geometry_verdict, area_verdict)
    return " / ".join(verdict.evidence for verdict in verdicts if verdict is not None) or None


def _as_measurement(verdict: Verdict) -> Measurement:
    return measured(verdict.score, *verdict.cautions)
