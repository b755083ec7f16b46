"""Colour names: the 148 of CSS and the XKCD survey's, and how a phrase names one."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from PIL import ImageColor

from edit_metrics.instruction.parsed import Colour, Rgb

BASIC = frozenset({
    "red", "orange", "yellow", "green", "blue", "purple", "violet", "pink", "brown", "black", "white", "grey",
    "magenta", "cyan", "turquoise", "teal", "maroon", "navy", "beige", "crimson", "scarlet", "indigo", "azure",
    "mauve", "fuchsia", "burgundy", "khaki", "golden", "silver", "gold", "tan", "lavender", "lilac", "ivory",
})  # fmt: skip
"""Last words of names that are colours even where nothing says "colour"; ``plum`` or ``salmon`` are things first."""

_PASSED_OVER = frozenset({
    "darker", "lighter", "brighter", "deeper", "paler",
    "shiny", "glossy", "matte", "metallic", "solid", "plain", "pure", "bright", "dark", "light", "pale", "vivid",
    "deep", "rich", "soft", "vibrant", "very", "hot", "neon", "pastel", "slightly", "more", "all", "completely",
    "entirely", "fully", "totally",
})  # fmt: skip
_NOT_COLOUR_WORDS = re.compile(r"\b(?:colou?r(?:ed)?|in colou?r|(?:a )?(?:shade|tone|hue|tint) of|shade|hue)\b")
_WORDS = re.compile(r"[a-z/']+")


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


def find_colour(phrase: str, *, cued: bool) -> Colour | None:
    """The colour that a whole phrase names (``a dark red``, ``the colour green``), or None.

    Args:
        phrase: lower-case words.
        cued: something else says that a colour is meant (``paint``, ``the colour of``), so that ``plum`` is one.
    """
    bare = _NOT_COLOUR_WORDS.sub(" ", phrase)
    cued = cued or bare != phrase
    words = _WORDS.findall(bare.replace("gray", "grey").replace("-", " "))
    if not cued and len(words) == 2 and words[0] in {"a", "an"}:
        return None
    words = [word for word in words if word not in {"a", "an", "the", "in", "of"}]
    for skipped in range(len(words)):
        if all(word in _PASSED_OVER for word in words[:skipped]):
            name = " ".join(words[skipped:])
            if name in colour_names() and (cued or is_plain(name)):
                return Colour(name, colour_names()[name], exact=skipped == 0)
    return None


def is_plain(name: str) -> bool:
    """Whether a name is a colour wherever it stands, and not a thing (``salmon``) unless a colour is asked for."""
    return name.rsplit(maxsplit=1)[-1] in BASIC or name in _joined_basics()


def colours_in(phrase: str) -> tuple[Colour, ...]:
    """Plain colours named anywhere in a phrase, longest names first, none inside another."""
    rest = phrase.replace("gray", "grey")
    found: list[tuple[int, Colour]] = []
    for match in _plain_pattern().finditer(rest):
        found.append((match.start(), Colour(match[0], colour_names()[match[0]])))
    return tuple(colour for _, colour in sorted(found, key=lambda pair: pair[0]))


@cache
def _plain_pattern() -> re.Pattern[str]:
    names = sorted((name for name in colour_names() if is_plain(name)), key=len, reverse=True)
    return re.compile(r"\b(?:" + "|".join(map(re.escape, names)) + r")\b")


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
