"""The parsed instruction, the text read off both pictures, and the typed checks' verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from edit_metrics.backends.base import TextLine, TextReader
from edit_metrics.instruction import scope
from edit_metrics.instruction.check_area import check_area
from edit_metrics.instruction.check_colour import check_colour
from edit_metrics.instruction.check_geometry import check_geometry
from edit_metrics.instruction.check_text import check_text
from edit_metrics.instruction.check_tone import check_tone
from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.parser import parse_edit_type, parse_instruction
from edit_metrics.instruction.verdict import Verdict, out_of_scope
from edit_metrics.registry import feature
from edit_metrics.types import RGB, Mask, Missing, not_applicable, unavailable, undefined


@feature()
def parsed_instruction(instruction: str | None = None, edit_type: str | None = None) -> ParsedInstruction | Missing:
    """Edit type and slots; a manifest's ``edit_type`` that names one of ours wins over the parser's reading.

    Returns:
        ``unavailable(no_instruction)`` where there is neither an instruction nor a known edit type.
    """
    known = parse_edit_type(edit_type) if edit_type else None
    if instruction is None and known is None:
        return unavailable("no_instruction")
    return parse_instruction(instruction or "", known)


@feature()
def asks_for_everything(instruction: str | None = None, edit_type: str | None = None) -> bool:
    """See :func:`edit_metrics.instruction.scope.asks_for_everything`; False without an instruction."""
    return scope.asks_for_everything(understand(instruction or "", edit_type))


@feature(backend="ocr", batched=True)
def source_text(
    source: Sequence[RGB], parsed_instruction: Sequence[ParsedInstruction], backend: TextReader
) -> list[tuple[TextLine, ...] | Missing]:
    """Lines of text in S, for text edits only: reading costs more than all other checks together."""
    return _read_where_asked(source, parsed_instruction, backend)


@feature(backend="ocr", batched=True)
def edited_text(
    edited_native: Sequence[RGB], parsed_instruction: Sequence[ParsedInstruction], backend: TextReader
) -> list[tuple[TextLine, ...] | Missing]:
    """Lines of text in E on its own grid, for text edits only."""
    return _read_where_asked(edited_native, parsed_instruction, backend)


@feature()
def colour_verdict(
    parsed_instruction: ParsedInstruction,
    source: RGB,
    edited: RGB | None = None,
    changed_pixels: Mask | None = None,
    mask: Mask | None = None,
) -> Verdict | Missing:
    """See :func:`edit_metrics.instruction.check_colour.check_colour`; ``undefined(not_on_the_sources_grid)``."""
    missing = out_of_scope(parsed_instruction, EditType.RECOLOUR, EditType.BACKGROUND)
    if missing is not None or edited is None or changed_pixels is None:
        return missing or undefined("not_on_the_sources_grid")
    return check_colour(parsed_instruction, source, edited, changed_pixels, mask)


@feature()
def tone_verdict(
    parsed_instruction: ParsedInstruction,
    source: RGB,
    edited: RGB | None = None,
    mask: Mask | None = None,
    changed_pixels: Mask | None = None,
) -> Verdict | Missing:
    """See :func:`edit_metrics.instruction.check_tone.check_tone`; ``undefined(not_on_the_sources_grid)``."""
    missing = out_of_scope(parsed_instruction, EditType.TONE)
    if missing is not None or edited is None:
        return missing or undefined("not_on_the_sources_grid")
    return check_tone(parsed_instruction, source, edited, mask, changed_pixels)


@feature()
def text_verdict(
    parsed_instruction: ParsedInstruction,
    source_text: tuple[TextLine, ...] | None = None,
    edited_text: tuple[TextLine, ...] | None = None,
) -> Verdict | Missing:
    """See :func:`edit_metrics.instruction.check_text.check_text`; ``unavailable(no_ocr)`` where nothing could read."""
    if parsed_instruction.edit_type is not EditType.TEXT:
        return not_applicable(f"edit_type_is_{parsed_instruction.edit_type}")
    if source_text is None or edited_text is None:
        return unavailable("no_ocr")
    return check_text(parsed_instruction, source_text, edited_text)


@feature()
def geometry_verdict(parsed_instruction: ParsedInstruction, source: RGB, edited_native: RGB) -> Verdict | Missing:
    """See :func:`edit_metrics.instruction.check_geometry.check_geometry`."""
    return check_geometry(parsed_instruction, source, edited_native)


@feature()
def area_verdict(
    parsed_instruction: ParsedInstruction, changed_pixels: Mask | None = None, mask: Mask | None = None
) -> Verdict | Missing:
    """See :func:`edit_metrics.instruction.check_area.check_area`; ``undefined(not_on_the_sources_grid)``."""
    missing = out_of_scope(parsed_instruction, EditType.ADD, EditType.REMOVE, reads_slots=False)
    if missing is not None or changed_pixels is None:
        return missing or undefined("not_on_the_sources_grid")
    return check_area(parsed_instruction, changed_pixels, mask)


def _read_where_asked(
    images: Sequence[RGB], parsed: Sequence[ParsedInstruction], backend: TextReader
) -> list[tuple[TextLine, ...] | Missing]:
    asked = [image for image, reading in zip(images, parsed, strict=True) if reading.edit_type is EditType.TEXT]
    read = iter(backend.read_text(asked))
    return [
        next(read) if p.edit_type is EditType.TEXT else not_applicable(f"edit_type_is_{p.edit_type}") for p in parsed
    ]
