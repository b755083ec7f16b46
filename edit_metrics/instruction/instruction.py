"""An instruction as the rest of the program sees it: its edits where it was read in full, and its type in any case."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edit_metrics.instruction.edits import (
    Add,
    Alter,
    Edit,
    Forbid,
    MoveThing,
    Recolour,
    Remove,
    Replace,
    Restyle,
    Retone,
    SetBackground,
    Shade,
    Thing,
    WriteText,
)
from edit_metrics.instruction.gist import guess_type
from edit_metrics.instruction.grammar.reader import Reading, read_instruction
from edit_metrics.instruction.kinds import EditType
from edit_metrics.instruction.labels import label_to_type
from edit_metrics.instruction.people import may_lose_person, takes_person

EVERYTHING: Final = "everything"
"""The object of ``remove everything but the dog``."""
_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Instruction:
    """An instruction and what was made of it.

    Attributes:
        text: as it was given.
        edit_type: of the first edit where it was read in full; else the manifest's; else a guess from its words.
        edits: what it asks for; empty where it was not read in full.
        stopped: why it was not: the word that stopped the reading.
        corrected: (as written, as read) of misspelt words.
        labelled: the manifest's edit type, where there is one that is known.
        loses_person: a person who is there may go, be covered, turn away or become another one.
        takes_person: a person who is there is to go or to become another one.
    """

    text: str
    edit_type: EditType
    edits: tuple[Edit, ...] = ()
    stopped: str | None = None
    corrected: tuple[tuple[str, str], ...] = ()
    labelled: EditType | None = None
    loses_person: bool = False
    takes_person: bool = False

    @property
    def read(self) -> bool:
        """Whether every word was accounted for, by one reading."""
        return bool(self.edits)

    @property
    def guessed(self) -> bool:
        """Whether the edit type is a guess from the words."""
        return not self.edits and self.labelled is None

    @property
    def edit(self) -> Edit | None:
        """The edit of an instruction that asks for exactly one."""
        return self.edits[0] if len(self.edits) == 1 else None

    @property
    def object(self) -> str | None:
        """What is edited, as a noun phrase; None for the whole picture and for what was not read."""
        match self.edits[0] if self.edits else None:
            case None:
                return None
            case Remove(thing=None):
                return EVERYTHING
            case edit:
                thing = _target(edit)
        return None if thing is None else thing.text

    @property
    def new_object(self) -> str | None:
        """What it becomes: another thing, a style, a background."""
        match self.edits[0] if self.edits else None:
            case Replace(new=Thing(text=text)) | Restyle(style=text) | SetBackground(new=text) | Alter(how=text):
                return text
        return None

    @property
    def old_text(self) -> str | None:
        """The written string that is to go or to be replaced, where there is one."""
        return self._pair()[0]

    @property
    def new_text(self) -> str | None:
        """The written string that is to appear, where there is one."""
        return self._pair()[1]

    def _pair(self) -> tuple[str | None, str | None]:
        edit = self.edits[0] if self.edits else None
        return edit.pairs[0] if isinstance(edit, WriteText) else (None, None)


@lru_cache(maxsize=_KEPT)
def understand(text: str, label: str | None = None) -> Instruction:
    """Read an instruction.

    Args:
        text: as written by a person; English, or plain Chinese.
        label: the manifest's edit type. It never overrides a full reading; it does override a guess.
    """
    read = read_instruction(text)
    labelled = label_to_type(label) if label else None
    if isinstance(read, Reading):
        edits = read.edits
        lost, taken = may_lose_person(text, edits), takes_person(text, edits)
        return Instruction(text, edits[0].edit_type, edits, None, read.corrected, labelled, lost, taken)
    kind = labelled if labelled is not None else guess_type(text)
    lost, taken = may_lose_person(text, ()), takes_person(text, ())
    return Instruction(text, kind, stopped=read.word, labelled=labelled, loses_person=lost, takes_person=taken)


def _target(edit: Edit) -> Thing | None:
    match edit:
        case Forbid(edit=inner):
            return _target(inner)
        case Replace(old=thing) | Remove(thing=thing) | Add(thing=thing):
            return thing
        case Recolour(target=thing) | Shade(target=thing) | Retone(target=thing) | Restyle(target=thing):
            return thing
        case MoveThing(target=thing) | Alter(target=thing):
            return thing
    return None
