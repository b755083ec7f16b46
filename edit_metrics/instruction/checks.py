"""The typed checks as columns: five metrics, the parsed edit type, and the evidence in words."""

from __future__ import annotations

from edit_metrics.instruction.parsed import ParsedInstruction
from edit_metrics.instruction.verdict import Verdict
from edit_metrics.registry import label, metric
from edit_metrics.types import Direction, Measurement, measured


@metric("adherence.check_colour", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_colour(colour_verdict: Verdict) -> Measurement:
    """Whether the edited region has the named colour and has come nearer to it.

    The region is what changed inside the mask, or all that changed (``derived_region``). Its dominant CIELAB colour is
    held against the colours that CSS and the XKCD survey give that name, by ΔE2000 with k_L = 2: 1 up to 12, 0 from 36,
    and 0 where S's colour was as near. See :mod:`edit_metrics.instruction.check_colour`.

    Returns:
        ``not_applicable``: another edit type, ``no_named_colour``, ``compound_instruction``. ``undefined``:
        ``not_on_the_sources_grid``, ``region_too_small``, ``empty_mask``.
    """
    return _as_measurement(colour_verdict)


@metric("adherence.check_tone", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_tone(tone_verdict: Verdict) -> Measurement:
    """Whether every change of tone that the instruction names was made, measured between S and E.

    Black and white, sepia, brightness, contrast, saturation, warmth, blur and sharpness, inside the mask, inside the
    changed area for a named part (``derived_region``), else of the whole picture; the weakest of several counts. The
    direction is judged, not the amount. See :mod:`edit_metrics.instruction.check_tone`.

    Returns:
        ``not_applicable``: another edit type, ``no_measurable_tone`` (weather, season, time of day), ``no_region``,
        ``source_is_grey`` and its like. ``undefined``: ``not_the_same_scene``, ``not_on_the_sources_grid``.
    """
    return _as_measurement(tone_verdict)


@metric("adherence.check_text", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_text(text_verdict: Verdict) -> Measurement:
    """Whether the quoted string is read in E, was not in S, and the string it replaces is gone.

    1 − 2 · character error rate, letters and digits only; 0 where chance could do as well. See
    :mod:`edit_metrics.instruction.check_text`.

    Returns:
        ``not_applicable``: another edit type, ``no_quoted_text``, ``script_not_read`` (not Latin), ``text_too_short``.
        ``undefined``: ``text_already_in_source``, ``old_text_not_read``. ``unavailable(no_ocr)``.
    """
    return _as_measurement(text_verdict)


@metric("adherence.check_geometry", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_geometry(geometry_verdict: Verdict) -> Measurement:
    """Whether the frame was flipped, rotated, cropped or zoomed as asked, by registering E on S.

    1 = the asked pose, 0 = another one; crops and zooms of less than 15 % of the frame count in part. See
    :mod:`edit_metrics.instruction.check_geometry`.

    Returns:
        ``not_applicable``: another edit type, ``object_geometry`` (a thing is moved, turned, resized), ``no_angle``.
        ``undefined``: ``no_registration``, ``symmetric_picture``.
    """
    return _as_measurement(geometry_verdict)


@metric("adherence.check_change_area", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="")
def check_change_area(area_verdict: Verdict) -> Measurement:
    """Whether an addition or removal changed one area of a plausible size at the right place; not *what* changed there.

    The lowest of place (inside the mask; or the named part of the frame), size and compactness; 0 where nothing
    changed. See :mod:`edit_metrics.instruction.check_area`.

    Returns:
        ``not_applicable``: another edit type, ``compound_instruction``. ``undefined``: ``not_on_the_sources_grid``,
        ``empty_mask``.
    """
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
