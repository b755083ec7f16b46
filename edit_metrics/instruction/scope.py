"""Whether an instruction is about the picture as a whole, so that the extent of the change is what was asked for."""

from __future__ import annotations

import re
from typing import Final

from edit_metrics.instruction.edits import (
    Atmosphere,
    Edit,
    Recolour,
    Restyle,
    Retone,
    SetBackground,
    TurnFrame,
    WriteText,
)
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.kinds import EditType

_WHOLE: Final = frozenset({EditType.STYLE, EditType.BACKGROUND})
_WORDS: Final = re.compile(
    r"\b(?:out-?paint\w*|un-?crop\w*|mosaics?|extend\w*|expand\w*|season|weather|time of (?:the )?day"
    r"|(?:day|night|clear|rainy|sunny|snowy|foggy|cloudy|summer|winter|spring|autumn|fall)(?:time)? (?:to|into) \w+)\b"
    r"|扩图|扩展画面|季节|天气",
    re.IGNORECASE,
)
"""What an instruction that was not read in full says when it means the whole picture. A miss costs a lower score."""


_MORE: Final = re.compile(
    r"\b(?:out-?paint\w*|un-?crop\w*|zoom(?:ed|ing)? out"
    r"|(?:extend|expand|widen|enlarge)\w* (?:the |this )?(?:\w+ )?"
    r"(?:image|picture|photo\w*|frame|canvas|scene|view|borders?|edges?))\b"
    r"|扩图|扩展画面",
    re.IGNORECASE,
)

_LETTERS: Final = re.compile(
    r"\b(?:texts?|words?|letters?|lettering|captions?|titles?|logos?|signs?|slogans?|writ(?:e|es|ing|ten)|says?|reads?"
    r"|fonts?|watermarks?|numbers?|digits?|labels?)\b|[\"“”].+[\"“”]|字|写|标题|标志|标语|水印|文本",
    re.IGNORECASE,
)


def asks_for_letters(instruction: Instruction) -> bool:
    """Whether it is about written text, whose strokes may be too small to be seen; by its words where unread."""
    if instruction.edit_type is EditType.TEXT:
        return True
    return not instruction.read and _LETTERS.search(instruction.text) is not None


def asked_strings(instruction: Instruction) -> tuple[str, ...]:
    """Strings that are to be written, replaced, taken away, kept or coloured."""
    texts = [edit for edit in instruction.edits if isinstance(edit, WriteText)]
    return (*(old for edit in texts for old, _ in edit.pairs if old), *strings_to_stand(instruction))


def strings_to_stand(instruction: Instruction) -> tuple[str, ...]:
    """Strings that are to stand in E: written, kept or coloured."""
    found: list[str | None] = []
    for edit in instruction.edits:
        if isinstance(edit, WriteText):
            found += [*(new for _, new in edit.pairs), *edit.kept]
        elif isinstance(edit, Recolour):
            found.append(edit.text)
    return tuple(text for text in found if text)


def asks_for_more(instruction: str, edit_type: str | None) -> bool:
    """Whether more is asked for around the picture, by a manifest's type or by its words."""
    return (edit_type or "").strip().lower() in {"outpaint", "outpainting"} or _MORE.search(instruction) is not None


def asks_for_everything(instruction: Instruction) -> bool:
    """Whether the whole picture, or all but its subject, is to change.

    Styles, scenes (season, weather, hour, background), tones of the whole picture, mosaics, outpainting, turns of the
    frame. With several edits one such is enough. Of an instruction that was not read in full the type that a manifest
    or its words give, and a few words, count.
    """
    if instruction.read:
        return any(_is_whole(edit) for edit in instruction.edits)
    return instruction.edit_type in _WHOLE or _WORDS.search(instruction.text) is not None


def _is_whole(edit: Edit) -> bool:
    match edit:
        case Atmosphere() | SetBackground() | TurnFrame():
            return True
        case Restyle(target=target):
            return target is None
        case Retone(target=target, excepted=excepted):
            return target is None and excepted is None
        case Recolour(whole=whole):
            return whole
        case _:
            return False
