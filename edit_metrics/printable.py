"""Text from strangers, made safe to print: manifests, file names and other people's exceptions reach terminals."""

from __future__ import annotations

import unicodedata
from typing import Final

_ESCAPED: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls (the escape that starts a terminal's commands, the line feed that forges a line), halves of surrogate pairs
(which no encoding takes), line and paragraph separators."""
_TURNS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text after it: a forged line without a line feed."""


def printable(text: str) -> str:
    """The text on one line, with everything that moves a cursor, ends a line or turns the text as its escape.

    Spaces of other widths and the joiners of emoji and Persian stay: they only look like what they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char.isprintable() or (unicodedata.category(char) not in _ESCAPED and char not in _TURNS):
        return char
    return char.encode("unicode_escape").decode("ascii")
