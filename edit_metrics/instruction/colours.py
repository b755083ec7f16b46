"""Colour names: the 148 of CSS and the XKCD survey's."""

from __future__ import annotations

from functools import cache
from importlib import resources

from PIL import ImageColor

from edit_metrics.instruction.kinds import Rgb

BASIC = frozenset({
    "red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown", "black", "white", "grey",
    "magenta", "cyan", "turquoise", "teal", "maroon", "navy", "beige", "crimson", "scarlet", "indigo", "azure",
    "mauve", "fuchsia", "burgundy", "khaki", "golden", "silver", "gold", "tan", "lavender", "lilac", "ivory",
})  # fmt: skip
"""Last words of names that are colours even where nothing says "colour"; ``plum`` or ``salmon`` are things first."""


@cache
def colour_names() -> dict[str, tuple[Rgb, ...]]:
    """Name → its RGB values, CSS before XKCD; lower case, ``grey`` for ``gray``."""
    found: dict[str, list[Rgb]] = {}
    for name, value in ImageColor.colormap.items():
        text = value if isinstance(value, str) else "#{:02x}{:02x}{:02x}".format(*value[:3])
        found.setdefault(name.replace("gray", "grey"), []).append(_hex_to_rgb(text))
    xkcd = resources.files("edit_metrics.instruction").joinpath("xkcd_colours.txt").read_text(encoding="utf-8")
    for line in xkcd.splitlines():
        if not line.startswith("#"):
            name, value = line.split("\t")
            found.setdefault(name, []).append(_hex_to_rgb(value))
    for name in [n for n in found if " " in n and n.replace(" ", "") in found]:
        joined = name.replace(" ", "")
        both = found[joined] + found[name]
        found[joined] = found[name] = both
    return {name: tuple(dict.fromkeys(values)) for name, values in found.items()}


def is_plain(name: str) -> bool:
    """Whether a name is a colour wherever it stands, and not a thing (``salmon``) unless a colour is asked for."""
    return name.rsplit(maxsplit=1)[-1] in BASIC or name in _joined_basics()


@cache
def _joined_basics() -> frozenset[str]:
    """CSS names whose words are written together: ``darkgreen``, ``lightsteelblue``."""
    prefixes = (
        "dark",
        "light",
        "medium",
        "pale",
        "deep",
        "hot",
        "dodger",
        "midnight",
        "royal",
        "steel",
        "sky",
        "forest",
    )
    return frozenset(
        name for name in colour_names() if name.startswith(prefixes) and any(name.endswith(basic) for basic in BASIC)
    )


def _hex_to_rgb(text: str) -> Rgb:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
