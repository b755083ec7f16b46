"""What the parser says of an instruction: its edit type, its slots, and what it is not sure of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Rgb = tuple[int, int, int]
Direction2D = Literal[
    "left", "right", "up", "down", "clockwise", "counterclockwise", "horizontal", "vertical", "top", "bottom",
        "center",
    "top left", "top right", "bottom left", "bottom right",
]  # fmt: skip


class EditType(StrEnum):
    """What kind of change the instruction asks for."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    RECOLOUR = "recolour"
    TONE = "tone"
    """Light and colour of the picture or of a part: brightness, contrast, blur; also weather, season, time of day."""
    STYLE = "style"
    BACKGROUND = "background"
    TEXT = "text"
    """Written letters are put in, changed or taken out."""
    GEOMETRY = "geometry"
    """Flip, rotation, crop, zoom of the picture; move, resize, turn of a part."""
    OTHER = "other"
    """Pose, action, expression, material, repair, and whatever the parser does not understand."""


class ToneKind(StrEnum):
    """A change of tone that can be measured between two pictures."""

    BLACK_AND_WHITE = "black_and_white"
    SEPIA = "sepia"
    BRIGHTER = "brighter"
    DARKER = "darker"
    CONTRAST_UP = "contrast_up"
    CONTRAST_DOWN = "contrast_down"
    SATURATION_UP = "saturation_up"
    SATURATION_DOWN = "saturation_down"
    WARMER = "warmer"
    COOLER = "cooler"
    BLUR = "blur"
    SHARPEN = "sharpen"
    COLOURISE = "colourise"
    """A grey picture gets colours."""


class GeometryKind(StrEnum):
    """A geometric operation. The last three concern an object, not the frame."""

    FLIP = "flip"
    ROTATE = "rotate"
    CROP = "crop"
    ZOOM_IN = "zoom_in"
    ZOOM_OUT = "zoom_out"
    MOVE = "move"
    RESIZE = "resize"
    TURN = "turn"


@dataclass(frozen=True, slots=True)
class Colour:
    """A named colour.

    Attributes:
        name: as in the table where it was found.
        rgbs: what the CSS and the XKCD table call by that name, CSS first: for some names, ``green`` above all, the two
            differ by 30 ΔE, and either is a fair reading.
        exact: False when a word of the phrase was passed over (``shiny red``).
    """

    name: str
    rgbs: tuple[Rgb, ...]
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Degree:
    """How much: ``90 degrees``, ``30 percent``, ``2 times``, or a word (``slightly``, ``very``) without a value."""

    unit: Literal["degrees", "percent", "times", "word"]
    value: float | None
    word: str = ""


@dataclass(frozen=True, slots=True)
class ParsedInstruction:
    """An instruction's edit type and slots. A slot that the text does not fill is None or empty.

    Attributes:
        text: the instruction as it was given.
        edit_type: the first edit's type when there are several.
        object: what is edited, as a lower-case noun phrase without its article; None for the whole picture.
        new_object: what it becomes: the second noun phrase of a replacement, the style, the new background.
        colour: the colour asked for.
        old_text: the written text to be changed or removed.
        new_text: the written text to appear.
        direction: where to, which way, or which part of the frame.
        tones: measurable changes of tone, each at most once.
        geometry: the geometric operation.
        identity_change: a person is to become another one (other face, age, sex), or to go.
        negations: what must not happen or must stay, as written.
        doubts: why the reading may be wrong: ``compound`` (several edits), ``no_verb``, ``not_understood``,
            ``several_colours``, ``unknown_colour``, ``unquoted_text``, ``truncated``,
            ``type_from_manifest``.
    """

    text: str
    edit_type: EditType
    object: str | None = None
    new_object: str | None = None
    colour: Colour | None = None
    old_text: str | None = None
    new_text: str | None = None
    direction: Direction2D | None = None
    degree: Degree | None = None
    tones: tuple[ToneKind, ...] = ()
    geometry: GeometryKind | None = None
    identity_change: bool = False
    negations: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def ambiguous(self) -> bool:
        """Whether anything in the reading is doubtful."""
        return bool(self.doubts)
