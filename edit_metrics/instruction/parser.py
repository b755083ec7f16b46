"""Instruction → edit type and slots, by rules that can be read.

English only. The parser reads the verb frame of each clause (``replace A with B``, ``make A b``), then asks which kind
of thing the result is: a colour, a tone, a style, a place, letters, a movement, another thing. What it does not
understand is ``other`` with the doubt ``not_understood``; it does not guess.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from edit_metrics.instruction import words
from edit_metrics.instruction.clause import Clause
from edit_metrics.instruction.normalise import normalise, quote_numbers
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.rules import RULES
from edit_metrics.instruction.slots import noun_phrase

_MANIFEST_TYPES: tuple[tuple[EditType, str], ...] = (
    (EditType.BACKGROUND, r"backgr|scene|environment|location"),
    (EditType.RECOLOUR, r"colou?r(?!ize|ise|ful)|hue|recolou?r"),
    (EditType.TEXT, r"text|typograph|\bocr\b|letter"),
    (EditType.TONE, r"tone|bright|light|contrast|satur|weather|season|blur|sharp|global_adjust|time_of_day"),
    (EditType.STYLE, r"style|stylis|stylize|artistic"),
    (EditType.GEOMETRY, r"flip|rotat|crop|zoom|move|resize|geometr|movement|spatial|size"),
    (EditType.REPLACE, r"replac|swap|substit|change_object|object_change|subject"),
    (EditType.REMOVE, r"remov|delet|eras|inpaint_out"),
    (EditType.ADD, r"\badd|_add|insert|addition"),
    (EditType.OTHER, r"other|action|motion|pose|material|emotion|expression|attribute|random|mix|complex"),
)

LONGEST: Final = 600
"""Characters that are read: the rules backtrack, and a pasted page must not hold up a batch."""


def parse_instruction(text: str, edit_type: EditType | None = None) -> ParsedInstruction:
    """Read one instruction.

    Args:
        text: as written by a person; any case, quotation marks and politeness.
        edit_type: the manifest's; it wins, and the slots are read as that type where the words allow it.

    Returns:
        The first clause's edit; further clauses of another edit raise the doubt ``compound``.
    """
    parts = normalise(text[:LONGEST])
    readings = [_read(clause, _quoted(clause, parts.quotes), edit_type) for clause in parts.clauses]
    understood = [reading for reading in readings if "not_understood" not in reading.doubts] or readings
    first = understood[0] if understood else ParsedInstruction("", EditType.OTHER, doubts=("not_understood",))
    doubts = list(first.doubts)
    if len(readings) > 1:
        doubts.append("compound")
    if len(text) > LONGEST:
        doubts.append("truncated")
    if edit_type is not None and edit_type is not first.edit_type:
        first, doubts = replace(first, edit_type=edit_type), [*doubts, "type_from_manifest"]
    first = replace(first, text=text, negations=parts.negations, doubts=tuple(dict.fromkeys(doubts)))
    return _restore_quotes(replace(first, identity_change=any(_changes_identity(r) for r in readings)), parts.quotes)


def parse_edit_type(name: str) -> EditType | None:
    """The edit type that a manifest's own word stands for (``change_color``, ``Object Removal``), or None."""
    text = re.sub(r"[^a-z]+", "_", name.lower())
    exact = next((kind for kind in EditType if kind.value == text), None)
    return exact or next((kind for kind, pattern in _MANIFEST_TYPES if re.search(pattern, text)), None)


def _read(clause: str, quoted: tuple[str, ...], wanted: EditType | None) -> ParsedInstruction:
    """The first rule that fits; with a wanted type, the first that gives that type, else the first that fits."""
    read = Clause.read(clause, quoted)
    found = [reading for rule in RULES if (reading := rule(read)) is not None]
    if wanted is not None:
        found.sort(key=lambda reading: reading.edit_type is not wanted)
    if found:
        return found[0]
    about = noun_phrase(read.skeleton.object) if read.skeleton else None
    result = noun_phrase(read.skeleton.result) if read.skeleton else None
    doubts = () if read.skeleton else ("not_understood",)
    return ParsedInstruction(clause, EditType.OTHER, object=about, new_object=result, doubts=doubts)


def _changes_identity(reading: ParsedInstruction) -> bool:
    """Whether a person is to become another person, or to go."""
    if not _is_person(reading.object):
        return False
    if reading.edit_type in {EditType.REPLACE, EditType.REMOVE}:
        return True
    return reading.edit_type is EditType.OTHER and words.OTHER_PERSON.search(reading.new_object or "") is not None


def _is_person(phrase: str | None) -> bool:
    """Whether a noun phrase's head is a person or a face: ``man in the red hat`` is, ``man's hat`` is not."""
    if phrase is None:
        return False
    head = re.split(r"\b(?:in|on|with|who|that|wearing|at|from|standing|sitting|holding|near|behind|of|to)\b", phrase)[
        0
    ].split()
    return bool(head) and words.PERSON.fullmatch(head[-1]) is not None


def _quoted(clause: str, quotes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(quotes[number] for number in quote_numbers(clause))


def _restore_quotes(reading: ParsedInstruction, quotes: tuple[str, ...]) -> ParsedInstruction:
    """Put the quoted strings back where a slot still holds their placeholders."""

    def restore(value: str | None) -> str | None:
        return value and re.sub(r"qzq(\d+)qzq", lambda match: quotes[int(match[1])], value)

    return replace(
        reading,
        object=restore(reading.object),
        new_object=restore(reading.new_object),
        negations=tuple(restore(negation) or "" for negation in reading.negations),
    )
