"""The instruction as it was understood, and the text read off both pictures."""

from __future__ import annotations

from collections.abc import Sequence

from edit_metrics.backends.base import TextReader
from edit_metrics.instruction import scope
from edit_metrics.instruction.check_text import TEXT_EDITS
from edit_metrics.instruction.checking import asked_edit
from edit_metrics.instruction.edits import Recolour, WriteText
from edit_metrics.instruction.instruction import Instruction, understand
from edit_metrics.instruction.labels import label_to_type
from edit_metrics.perceived import TextLine
from edit_metrics.registry import feature, label
from edit_metrics.types import RGB, Missing, not_applicable, unavailable


@feature(version=2)
def parsed_instruction(instruction: str | None = None, edit_type: str | None = None) -> Instruction | Missing:
    """The instruction as it was understood: its edits where it was read in full, and its type in any case.

    Returns:
        ``unavailable(no_instruction)`` where there is neither an instruction nor a known edit type.
    """
    if instruction is None and (not edit_type or label_to_type(edit_type) is None):
        return unavailable("no_instruction")
    return understand(instruction or "", edit_type)


@feature()
def asks_for_letters(instruction: str | None = None, edit_type: str | None = None) -> bool:
    """See :func:`edit_metrics.instruction.scope.asks_for_letters`; False without an instruction."""
    return scope.asks_for_letters(understand(instruction or "", edit_type))


@feature()
def asks_for_more(instruction: str | None = None, edit_type: str | None = None) -> bool:
    """See :func:`edit_metrics.instruction.scope.asks_for_more`; False without an instruction."""
    return scope.asks_for_more(instruction or "", edit_type)


@feature()
def asks_for_everything(instruction: str | None = None, edit_type: str | None = None) -> bool:
    """See :func:`edit_metrics.instruction.scope.asks_for_everything`; False without an instruction."""
    return scope.asks_for_everything(understand(instruction or "", edit_type))


@feature(backend="ocr", batched=True, version=2)
def source_text(
    source: Sequence[RGB], parsed_instruction: Sequence[Instruction], backend: TextReader
) -> list[tuple[TextLine, ...] | Missing]:
    """Lines of text in S, where a string is asked for: reading costs more than all other checks together."""
    return _read_where_asked(source, parsed_instruction, backend)


@feature(backend="ocr", batched=True, version=2)
def edited_text(
    edited_native: Sequence[RGB], parsed_instruction: Sequence[Instruction], backend: TextReader
) -> list[tuple[TextLine, ...] | Missing]:
    """Lines of text in E on its own grid, where a string is asked for."""
    return _read_where_asked(edited_native, parsed_instruction, backend)


@label("edit_type_parsed", version=2)
def edit_type_parsed(parsed_instruction: Instruction) -> str:
    """The edit type: as read in full, else the manifest's, else a guess from the words, marked with ``?``."""
    return f"{parsed_instruction.edit_type}{'?' if parsed_instruction.guessed else ''}"


def _read_where_asked(
    images: Sequence[RGB], instructions: Sequence[Instruction], backend: TextReader
) -> list[tuple[TextLine, ...] | Missing]:
    gaps = [_no_string(instruction) for instruction in instructions]
    asked = [image for image, gap in zip(images, gaps, strict=True) if gap is None]
    read = iter(backend.read_text(asked))
    return [next(read) if gap is None else gap for gap in gaps]


def _no_string(instruction: Instruction) -> Missing | None:
    """Why no text is to be read; None where a string, or the colour of one, is asked for."""
    edit = asked_edit(instruction, (*TEXT_EDITS, Recolour))
    if isinstance(edit, Missing):
        return edit
    written = isinstance(edit, WriteText) or (isinstance(edit, Recolour) and edit.text is not None)
    return None if written else not_applicable("no_quoted_text")
