"""What an instruction can ask for, as values: one small class a kind of edit.

A reading holds nothing that the instruction did not say. What is edited is a :class:`Thing`, or None for the picture.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from edit_metrics.instruction.kinds import Colour, EditType, GeometryKind, ToneKind

Place = Literal["left", "right", "top", "bottom", "center", "top left", "top right", "bottom left", "bottom right"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing in the picture, or one to come.

    Attributes:
        text: the phrase in lower case, without its first article.
        heads: the nouns it is about: several where things are joined by ``and``. Two readings of one phrase that differ
            in nothing else are one: no check acts on the head of ``green orange magnifying glass``.
        definite: whether the phrase points at something that is there (``the``, ``his``, ``all``).
        person: whether a head is a human being.
        place: the part of the frame that stands by the noun, where one does.
        background: whether it is what is behind the subject.
    """

    text: str
    heads: tuple[str, ...] = field(default=(), compare=False)
    definite: bool = True
    person: bool = False
    place: Place | None = None
    background: bool = False


@dataclass(frozen=True, slots=True)
class Recolour:
    """A thing gets a colour; ``colours`` is empty where the word has no value (``blonde``).

    Attributes:
        target: None where only "it" or the picture is named.
        colours: the colour asked for, or several.
        instead_of: the colour that it must not be (``red, not blue``).
        text: the written string whose letters get the colour.
        whole: the picture itself is to get the colour.
    """

    target: Thing | None
    colours: tuple[Colour, ...]
    instead_of: Colour | None = None
    text: str | None = None
    whole: bool = False

    edit_type = EditType.RECOLOUR


@dataclass(frozen=True, slots=True)
class Shade:
    """A thing's colour becomes a lighter or darker one of its kind (``a darker shade of brown``)."""

    target: Thing | None
    way: ToneKind
    colour: Colour | None

    edit_type = EditType.RECOLOUR


@dataclass(frozen=True, slots=True)
class Retone:
    """Light and colour of the picture, or of a part.

    Attributes:
        target: None for the whole picture.
        tones: each at most once.
        excepted: what must not change.
        complaint: read from a complaint (``it is too dark``).
    """

    target: Thing | None
    tones: tuple[ToneKind, ...]
    excepted: Thing | None = None
    complaint: bool = False

    edit_type = EditType.TONE


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """Weather, season or time of day: nothing here can measure it."""

    name: str

    edit_type = EditType.TONE


@dataclass(frozen=True, slots=True)
class WriteText:
    """Strings appear, replace others, or go: pairs of (old or None, new or None).

    Attributes:
        pairs: at least one; none of both is None.
        place: the part of the frame where they are to stand.
        kept: strings that must stay.
        styled: the letters are to look in some way too (``the red text "SALE"``), which no string shows.
    """

    pairs: tuple[tuple[str | None, str | None], ...]
    place: Place | None = None
    kept: tuple[str, ...] = ()
    styled: bool = False

    edit_type = EditType.TEXT


@dataclass(frozen=True, slots=True)
class LookOfText:
    """Letters get another look, place or size, or text goes that is not quoted: no string can be checked."""

    text: str | None = None

    edit_type = EditType.TEXT


@dataclass(frozen=True, slots=True)
class TurnFrame:
    """The frame is flipped, rotated, cropped or zoomed.

    Attributes:
        kind: one of the first five.
        degrees: of a rotation; None where none is said.
        way: of a rotation, ``clockwise`` or ``counterclockwise``; of a flip, ``horizontal`` or ``vertical``.
        either: a half turn and a vertical flip are both meant by "upside down".
    """

    kind: GeometryKind
    degrees: float | None = None
    way: Literal["clockwise", "counterclockwise", "horizontal", "vertical"] | None = None
    either: bool = False

    edit_type = EditType.GEOMETRY


@dataclass(frozen=True, slots=True)
class MoveThing:
    """A thing is moved, resized or turned inside the frame."""

    kind: GeometryKind
    target: Thing | None

    edit_type = EditType.GEOMETRY


@dataclass(frozen=True, slots=True)
class Add:
    """Something comes; ``to`` is what wears, holds or has it."""

    thing: Thing
    to: Thing | None = None

    edit_type = EditType.ADD


@dataclass(frozen=True, slots=True)
class Remove:
    """Something goes; ``excepted`` stays."""

    thing: Thing | None
    excepted: Thing | None = None

    edit_type = EditType.REMOVE


@dataclass(frozen=True, slots=True)
class Replace:
    """A thing becomes another one; None where it is only "it"."""

    old: Thing | None
    new: Thing

    edit_type = EditType.REPLACE


@dataclass(frozen=True, slots=True)
class SetBackground:
    """What is behind the subject changes; ``colours`` where it is to be of plain colour."""

    new: str
    colours: tuple[Colour, ...] = ()

    edit_type = EditType.BACKGROUND


@dataclass(frozen=True, slots=True)
class Restyle:
    """The picture, or a part, in another medium or manner."""

    style: str
    target: Thing | None = None

    edit_type = EditType.STYLE


@dataclass(frozen=True, slots=True)
class Alter:
    """State, material, pose, action or expression of a thing changes."""

    target: Thing | None
    how: str

    edit_type = EditType.OTHER


@dataclass(frozen=True, slots=True)
class Forbid:
    """What must not happen, where nothing is asked for beside it."""

    edit: Edit

    @property
    def edit_type(self) -> EditType:
        """The type of what is forbidden."""
        return self.edit.edit_type


Edit = (
    Recolour | Shade | Retone | Atmosphere | WriteText | LookOfText | TurnFrame | MoveThing | Add | Remove | Replace
    | SetBackground | Restyle | Alter | Forbid
)  # fmt: skip
