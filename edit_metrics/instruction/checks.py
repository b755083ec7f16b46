"""The typed checks as columns: five metrics, the parsed edit type, and the evidence in words."""

from __future__ import annotations

from functools import partial

from edit_metrics.instruction.parsed import ParsedInstruction
from edit_metrics.instruction.verdict import Verdict
from edit_metrics.registry import Identity, label, metric
from edit_metrics.types import Direction, Noted

_check = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="", evidence="adherence.check_evidence",
    identity=Identity(0.0, 0.05),
)  # fmt: skip
"""With nothing done a check reads 0; a text reader, or a tone read off 8 bits, may be a little off."""


@_check("adherence.check_colour")
def check_colour(colour_verdict: Verdict) -> Noted:
    """Whether the edited region has the named colour and has come nearer to it.

    The region is what changed inside the mask, or all that changed (``derived_region``). Its dominant CIELAB colour is
    held against the colours that CSS and the XKCD survey give that name, by ΔE2000 with k_L = 2: 1 up to 12, 0 from 36,
    and 0 where S's colour was as near. See :mod:`edit_metrics.instruction.check_colour`.

    Returns:
        ``not_applicable``: another edit type, ``no_named_colour``, ``compound_instruction``. ``undefined``:
        ``not_on_the_sources_grid``, ``region_too_small``, ``empty_mask``.
    """
    return _noted(colour_verdict)


@_check("adherence.check_tone")
def check_tone(tone_verdict: Verdict) -> Noted:
    """Whether every change of tone that the instruction names was made, measured between S and E.

    Black and white, sepia, brightness, contrast, saturation, warmth, blur and sharpness, inside the mask, inside the
    changed area for a named part (``derived_region``), else of the whole picture; the weakest of several counts. The
    direction is judged, not the amount. See :mod:`edit_metrics.instruction.check_tone`.

    Returns:
        ``not_applicable``: another edit type, ``no_measurable_tone`` (weather, season, time of day), ``no_region``,
        ``source_is_grey`` and its like. ``undefined``: ``not_the_same_scene``, ``not_on_the_sources_grid``.
    """
    return _noted(tone_verdict)


@_check("adherence.check_text")
def check_text(text_verdict: Verdict) -> Noted:
    """Whether the quoted string is read in E, was not in S, and the string it replaces is gone.

    1 − 2 · character error rate, letters and digits only; 0 where chance could do as well. See
    :mod:`edit_metrics.instruction.check_text`.

    Returns:
        ``not_applicable``: another edit type, ``no_quoted_text``, ``script_not_read`` (not Latin), ``text_too_short``.
        ``undefined``: ``text_already_in_source``, ``old_text_not_read``. ``unavailable(no_ocr)``.
    """
    return _noted(text_verdict)


@_check("adherence.check_geometry")
def check_geometry(geometry_verdict: Verdict) -> Noted:
    """Whether the frame was flipped, rotated, cropped or zoomed as asked, by registering E on S.

    1 = the asked pose, 0 = another one; crops and zooms of less than 15 % of the frame count in part. See
    :mod:`edit_metrics.instruction.check_geometry`.

    Returns:
        ``not_applicable``: another edit type, ``object_geometry`` (a thing is moved, turned, resized), ``no_angle``.
        ``undefined``: ``no_registration``, ``symmetric_picture``.
    """
    return _noted(geometry_verdict)


@_check("adherence.check_change_area")
def check_change_area(area_verdict: Verdict) -> Noted:
    """Whether an addition or removal changed one area of a plausible size at the right place; not *what* changed there.

    The lowest of place (inside the mask; or the named part of the frame), size and compactness; 0 where nothing
    changed. See :mod:`edit_metrics.instruction.check_area`.

    Returns:
        ``not_applicable``: another edit type, ``compound_instruction``. ``undefined``: ``not_on_the_sources_grid``,
        ``empty_mask``.
    """
    return _noted(area_verdict)


@label("edit_type_parsed")
def edit_type_parsed(parsed_instruction: ParsedInstruction) -> str:
    """The edit type: the manifest's where it is known, else the parser's; with ``?`` where the reading is doubtful."""
    return f"{parsed_instruction.edit_type}{'?' if parsed_instruction.ambiguous else ''}"


def _noted(verdict: Verdict) -> Noted:
    return Noted(verdict.score, verdict.cautions, verdict.evidence)
