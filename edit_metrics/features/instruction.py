"""The instruction as it was understood, and the text read off both pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edit_metrics.backends.base import PartReader, TextReader
from edit_metrics.features.alignment import SteadiedLabs
from edit_metrics.features.changed_text import read_changed
from edit_metrics.instruction import scope
from edit_metrics.instruction.check_text import TEXT_EDITS, why_unreadable
from edit_metrics.instruction.checking import asked_edit
from edit_metrics.instruction.edits import Recolour, WriteText
from edit_metrics.instruction.instruction import Instruction, understand
from edit_metrics.instruction.labels import label_to_type
from edit_metrics.instruction.letters import is_half_read, is_like
from edit_metrics.metrics.grid import GridFit
from edit_metrics.perceived import TextLine
from edit_metrics.pixels.change import ChangeMap
from edit_metrics.registry import feature, label
from edit_metrics.types import RGB, Grid, Mask, Missing, not_applicable, unavailable, undefined

_Text = tuple[TextLine, ...] | Missing
MOST_SATURATED: Final = 0.5
"""Share of the compared area without a floor of re-encoding from which on a change is everywhere."""


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
    return _read_the_rest([_no_string(instruction) for instruction in parsed_instruction], source, backend)


@feature(grid=Grid.WORKING, off_grid=("grid",))
def changed_in_place(grid: GridFit, steadied_labs: SteadiedLabs, whole_change_map: ChangeMap) -> Mask | Missing:
    """Where E differs visibly from S, on the working grid, if E is S pixel for pixel everywhere else.

    Returns:
        ``undefined(not_on_the_sources_grid)`` where E has another size or frame, or lies elsewhere;
        ``undefined(change_is_everywhere)`` where no floor of re-encoding is found: what the map does not show may have
        changed too.
    """
    if grid.relation != "same" or steadied_labs.dx or steadied_labs.dy:
        return undefined("not_on_the_sources_grid")
    if whole_change_map.saturated > MOST_SATURATED:
        return undefined("change_is_everywhere")
    return whole_change_map.changed


@feature(backend="ocr", batched=True, version=3, off_grid=("changed_in_place",))
def edited_text(
    source: Sequence[RGB],
    edited_native: Sequence[RGB],
    parsed_instruction: Sequence[Instruction],
    backend: TextReader,
    source_text: Sequence[tuple[TextLine, ...] | None] | None = None,
    changed_in_place: Sequence[Mask | None] | None = None,
) -> list[tuple[TextLine, ...] | Missing]:
    """Lines of text in E on its own grid, where a string is asked for.

    Where E is S but for some places, crops of those are read, and the lines of S that have to do with what is asked
    for; the other lines are S's own (:mod:`edit_metrics.features.changed_text`). E is read as a whole after all where
    crops show a part of a string that is to stand in it, or crops of S do not show what was asked for and stood in S.
    """
    found: list[_Text | None] = [_no_string(instruction) for instruction in parsed_instruction]
    if isinstance(backend, PartReader) and source_text is not None and changed_in_place is not None:
        columns = zip(source, edited_native, parsed_instruction, source_text, changed_in_place, strict=True)
        for number, (own, edited, instruction, before, changed) in enumerate(columns):
            if found[number] is None and before is not None and changed is not None:
                found[number] = read_in_crops(own, edited, instruction, before, changed, backend)
    return _read_the_rest(found, edited_native, backend)


@label("edit_type_parsed", version=2)
def edit_type_parsed(parsed_instruction: Instruction) -> str:
    """The edit type: as read in full, else the manifest's, else a guess from the words, marked with ``?``."""
    return f"{parsed_instruction.edit_type}{'?' if parsed_instruction.guessed else ''}"


def read_in_crops(
    source: RGB,
    edited: RGB,
    instruction: Instruction,
    before: tuple[TextLine, ...],
    changed: Mask,
    backend: PartReader,
) -> tuple[TextLine, ...] | None:
    """Lines of E read in crops of the change; None where E is to be read as a whole, see :func:`edited_text`."""
    strings = scope.asked_strings(instruction)
    asked = [is_like(line.text, strings) for line in before]
    after = read_changed(backend, source, edited, before, changed, asked)
    if after is None:
        return None
    texts = [[line.text for line in lines] for lines in (before, after)]
    return None if any(is_half_read(text, *texts) for text in scope.strings_to_stand(instruction)) else after


def _read_the_rest(found: Sequence[_Text | None], images: Sequence[RGB], backend: TextReader) -> list[_Text]:
    """What is known already, and the lines of the pictures of which nothing is, read in one call."""
    read = iter(backend.read_text([image for image, one in zip(images, found, strict=True) if one is None]))
    return [next(read) if one is None else one for one in found]


def _no_string(instruction: Instruction) -> Missing | None:
    """Why no text is to be read; None where a string that can be read, or the colour of one, is asked for."""
    edit = asked_edit(instruction, (*TEXT_EDITS, Recolour))
    if isinstance(edit, Missing):
        return edit
    if isinstance(edit, WriteText):
        return why_unreadable(edit)
    written = isinstance(edit, Recolour) and edit.text is not None
    return None if written else not_applicable("no_quoted_text")
