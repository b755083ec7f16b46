"""Kinds of edits, of changes of tone and of geometry; a named colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Rgb = tuple[int, int, int]


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
    """Pose, action, expression, material, repair, and whatever was not understood."""


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
