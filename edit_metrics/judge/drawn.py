"""Pairs whose truth is known: drawn from pictures that scikit-image ships, with whole-number arithmetic alone.

The same pixels on every machine, so that a judge can be asked the same thing anywhere and at any time. Every edit is
one that a person sees at a glance: a judge that misses these sees nothing.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from edit_metrics.types import RGB

Change = Callable[[RGB], RGB]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnPair:
    """An instruction that was followed exactly.

    Attributes:
        name: of the change.
        source: H×W×3.
        edited: likewise.
    """

    name: str
    instruction: str
    source: RGB
    edited: RGB


def to_png(picture: RGB) -> bytes:
    """As a file's bytes."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=6)
    return buffer.getvalue()


def to_jpeg(picture: RGB, quality: int) -> RGB:
    """Through JPEG and back."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=quality, subsampling=0)
    with Image.open(buffer) as reread:
        return np.array(reread, np.uint8)


@cache
def photograph(name: str) -> RGB:
    """A photograph at half its size (2×2 means): ``coffee`` 200×300, ``chelsea`` 150×225, ``astronaut`` 256×256."""
    import skimage.data

    with Image.open(Path(skimage.data.__file__).parent / f"{name}.png") as opened:
        picture = np.asarray(opened.convert("RGB"), np.uint16)
    even = picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
    halved = (even[0::2, 0::2] + even[1::2, 0::2] + even[0::2, 1::2] + even[1::2, 1::2] + 2) // 4
    return halved.astype(np.uint8)


def gray(picture: RGB) -> RGB:
    """Black and white: (2R + 5G + B) / 8."""
    wide = picture.astype(np.uint16)
    luma = (2 * wide[..., 0] + 5 * wide[..., 1] + wide[..., 2]) // 8
    return np.repeat(luma.astype(np.uint8)[..., None], 3, axis=2)


def mirrored(picture: RGB) -> RGB:
    """Left and right swapped."""
    return picture[:, ::-1].copy()


def upside_down(picture: RGB) -> RGB:
    """Turned by 180 degrees."""
    return picture[::-1, ::-1].copy()


def inverted(picture: RGB) -> RGB:
    """A negative."""
    return 255 - picture


def darkened(picture: RGB) -> RGB:
    """A quarter of the light."""
    return picture // 4


def tinted(picture: RGB) -> RGB:
    """Red and green halved, blue raised by half of what is missing."""
    blue = picture.copy()
    blue[..., :2] //= 2
    blue[..., 2] += (255 - blue[..., 2]) // 2
    return blue


def pixelated(picture: RGB) -> RGB:
    """Squares of 16 px in the colour of their first pixel."""
    coarse = picture[::16, ::16].repeat(16, axis=0).repeat(16, axis=1)
    return coarse[: picture.shape[0], : picture.shape[1]]


def with_disc(colour: tuple[int, int, int]) -> Change:
    """A disc in the middle, a quarter of the height in radius."""

    def draw(picture: RGB) -> RGB:
        height, width = picture.shape[:2]
        y, x = np.ogrid[:height, :width]
        inside = (2 * y - height) ** 2 + (2 * x - width) ** 2 <= (height // 2) ** 2
        return _painted(picture, inside, colour)

    return draw


def with_frame(colour: tuple[int, int, int]) -> Change:
    """A frame along the edge, a tenth of the height wide."""

    def draw(picture: RGB) -> RGB:
        width = picture.shape[0] // 10
        outside = np.ones(picture.shape[:2], np.bool_)
        outside[width:-width, width:-width] = False
        return _painted(picture, outside, colour)

    return draw


def with_bar(colour: tuple[int, int, int]) -> Change:
    """The lower third covered."""

    def draw(picture: RGB) -> RGB:
        below = np.zeros(picture.shape[:2], np.bool_)
        below[picture.shape[0] * 2 // 3 :] = True
        return _painted(picture, below, colour)

    return draw


def damaged(picture: RGB) -> RGB:
    """A third of its 20-px squares torn out of place: what a broken decoder leaves."""
    broken = picture.copy()
    height, width = (side // 20 for side in picture.shape[:2])
    for number in range(0, height * width, 3):
        row, column = divmod(number, width)
        other_row, other_column = divmod((7 * number + 5) % (height * width), width)
        block = picture[20 * other_row : 20 * other_row + 20, 20 * other_column : 20 * other_column + 20]
        broken[20 * row : 20 * row + 20, 20 * column : 20 * column + 20] = 255 - block[::-1]
    return broken


def watermarked(picture: RGB) -> RGB:
    """White stripes of 4 px across the upper left quarter, at half strength."""
    marked = picture.copy()
    height, width = picture.shape[0] // 2, picture.shape[1] // 2
    y, x = np.ogrid[:height, :width]
    stripes = (x + y) // 4 % 4 == 0
    corner = marked[:height, :width]
    corner[stripes] = (corner[stripes].astype(np.uint16) + 255) // 2
    return marked


def _painted(picture: RGB, where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], colour: tuple[int, int, int]) -> RGB:
    painted = picture.copy()
    painted[where] = colour
    return painted


_CHANGES: Final[tuple[tuple[str, str, str, Change], ...]] = (
    ("gray", "coffee", "Make the photo black and white", gray),
    ("red_disc", "chelsea", "Put a large red disc over the middle of the picture", with_disc((220, 20, 20))),
    ("mirrored", "astronaut", "Mirror the picture left to right", mirrored),
    ("blue_frame", "coffee", "Put a thick blue frame around the picture", with_frame((20, 40, 220))),
    ("upside_down", "chelsea", "Turn the picture upside down", upside_down),
    ("inverted", "astronaut", "Invert all colours, like a negative", inverted),
    ("darkened", "coffee", "Make the picture much darker, like night", darkened),
    ("tinted", "chelsea", "Give the whole picture a strong blue tint", tinted),
    ("pixelated", "astronaut", "Pixelate the picture with large square blocks", pixelated),
    ("yellow_bar", "coffee", "Cover the lower third with a plain yellow area", with_bar((240, 220, 30))),
    ("white_frame", "chelsea", "Put a thick white frame around the picture", with_frame((250, 250, 250))),
    ("green_disc", "astronaut", "Put a large green disc over the middle of the picture", with_disc((20, 160, 40))),
)


@cache
def drawn_pairs() -> tuple[DrawnPair, ...]:
    """Twelve instructions, each followed exactly."""
    return tuple(
        DrawnPair(name, instruction, photograph(photo), change(photograph(photo)))
        for name, photo, instruction, change in _CHANGES
    )


def drawn_pair(name: str) -> DrawnPair:
    """The pair of that name."""
    return next(pair for pair in drawn_pairs() if pair.name == name)
