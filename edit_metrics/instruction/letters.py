"""Strings and the lines that were read off a picture: how near, where, and in which ink."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import cv2
import numpy as np

from edit_metrics.instruction.colour_reading import dominant_colour
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import RGB, Float64, Mask, Missing, undefined

READABLE: Final = 0.25
"""Character error rate up to which a string counts as read."""
UNLIKE: Final = 0.5
"""Rate from which on a string is another one: unrelated words share a letter or two."""
IN_PART: Final = 0.6
"""Rate up to which some of a string's letters may be it: ``EN`` of ``OPEN``; chosen."""
SHORT: Final = 4
"""Letters under which a string is held against whole words only: ``go`` is not read in ``mango``."""
MIN_CONTRAST: Final = 10.0
"""ΔE (CIE76) between ink and ground under which there are no letters to be seen."""


class Line(Protocol):
    """A line of text that was read off a picture."""

    @property
    def text(self) -> str:
        """Its characters."""
        ...

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in px of the picture."""
        ...


def best_error(wanted: str, read: Sequence[str]) -> float:
    """Lowest character error rate of a string against any stretch of any line, or of the lines joined in their order.

    Returns:
        Edit distance / length of the wanted string, at most 1; 1 where nothing was read.
    """
    target = plain(wanted)
    if len(target) < SHORT:
        tokens = {plain(token) for text in read for token in re.split(r"\s+", text)} | {plain(text) for text in read}
        return min((min(edit_distance(target, token) / len(target), 1.0) for token in tokens if token), default=1.0)
    places = [*map(plain, read), plain(" ".join(read))]
    return min((_stretch_distance(target, place) / len(target) for place in places if place), default=1.0)


def is_like(line: str, strings: Sequence[str]) -> bool:
    """Whether a line may be one of the strings, or a part of one: half of its letters are enough."""
    pairs = [(line, text) for text in strings if plain(line) and plain(text)]
    return any(min(best_error(text, [line]), best_error(line, [text])) < UNLIKE for line, text in pairs)


def is_half_read(text: str, before: Sequence[str], after: Sequence[str]) -> bool:
    """Whether a part of a string is read in E, and another part than in S: a reader in doubt, or letters gone wrong.

    Args:
        text: the string that is to stand in E.
        before: what S's lines say.
        after: what E's lines say.
    """
    error = best_error(text, after) if plain(text) else 0.0
    return READABLE < error <= IN_PART and error != best_error(text, before)


def plain(text: str) -> str:
    """Letters and digits only, lower case, accents taken off."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if character.isalnum())


def is_latin(text: str) -> bool:
    """Whether every letter and digit is one of ASCII's once accents are taken off."""
    return all(character.isascii() for character in unicodedata.normalize("NFKD", text) if character.isalnum())


def edit_distance(first: str, second: str) -> int:
    """Letters to add, drop, replace, or swap with their neighbour (Damerau 1964; optimal string alignment)."""
    return _rows(first, second, start=range(len(second) + 1))[-1]


def _stretch_distance(target: str, text: str) -> int:
    """Edit distance of the target to the nearest stretch of the text (Sellers 1980); at most its length."""
    return min(_rows(target, text, start=[0] * (len(text) + 1)))


def _rows(target: str, text: str, start: Iterable[int]) -> list[int]:
    """The last row of the table of edit distances, from its first one."""
    before: list[int] = []
    row = list(start)
    for i, wanted in enumerate(target, start=1):
        previous, row = row, [i]
        for j, found in enumerate(text, start=1):
            best = min(previous[j - 1] + (wanted != found), previous[j] + 1, row[j - 1] + 1)
            if before and j > 1 and wanted == text[j - 2] and target[i - 2] == found:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = previous
    return row


def letter_colour(image: RGB, lines: Sequence[Line], text: str) -> Float64 | Missing:
    """The ink of a string, CIELAB: what stands out from the ground of the box where it is read.

    Args:
        image: the picture that was read, H×W×3.
        lines: what was read off it.
        text: the string.

    Returns:
        ``undefined(text_not_read)``; ``undefined(no_text_to_colour)`` where nothing stands out from the ground.
    """
    found = [line for line in lines if best_error(text, [line.text]) <= READABLE]
    if not found:
        return undefined("text_not_read")
    crop = _crop(image, min(found, key=lambda line: best_error(text, [line.text])).box)
    ink = _ink(crop) if crop.size else None
    return undefined("no_text_to_colour") if ink is None else dominant_colour(crop, ink).lab


def _crop(image: RGB, box: tuple[float, float, float, float]) -> RGB:
    left, top, right, bottom = box
    rows = slice(max(int(top), 0), max(int(np.ceil(bottom)), 0))
    return np.ascontiguousarray(image[rows, max(int(left), 0) : max(int(np.ceil(right)), 0)])


def _ink(crop: RGB) -> Mask | None:
    """Pixels far from the median colour, which is the ground's: letters fill less than half of a box (Otsu 1979)."""
    lab = rgb_to_lab(crop)
    apart = np.linalg.norm(lab - np.median(lab.reshape(-1, 3), axis=0), axis=2)
    if np.percentile(apart, 99) < MIN_CONTRAST:
        return None
    scaled = np.round(apart / apart.max() * 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    ink: Mask = scaled > level
    return ink
