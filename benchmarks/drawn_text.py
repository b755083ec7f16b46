"""Drawn text: signs on photographs of scikit-image and pages of print, edited by a word, and coded anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from edit_metrics.types import RGB

FONTS: Final = ("DejaVuSans", "DejaVuSerif", "DejaVuSans-Bold")
WORDS: Final = ("Temporary notice", "Bakery", "Room 101", "Since 2023", "Main Street", "Free WiFi", "Exit")
NEW: Final = ("Happy Birthday", "Bakers", "Room 102", "Since 2024", "Main Square", "No Parking", "OPEN")
PRINT: Final = (
    "the", "river", "keeps", "its", "old", "bed", "and", "nobody", "asks", "where", "water", "comes", "from", "morning",
    "stones", "under", "bridge", "children", "count", "boats", "until", "evening", "light", "falls", "slowly",
)  # fmt: skip


@cache
def face(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def photograph(name: str, side: int) -> RGB:
    image = getattr(data, name)()[..., :3]
    least = min(image.shape[:2])
    square = np.ascontiguousarray(image[:least, :least])
    return np.asarray(cv2.resize(square, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


@dataclass(frozen=True)
class Sign:
    """A string in a place (share of the side), as on a board or on the picture itself."""

    text: str
    left: float
    top: float
    height: float
    font: str
    board: bool


def signs_of(seed: int, side: int) -> list[Sign]:
    """Seven signs in seven rows, of 13 px and more; the last ones at the frame's left and right border."""
    random = np.random.default_rng(seed)
    found = []
    for row, word in enumerate(WORDS):
        height = max(float(random.uniform(0.018, 0.05)), 13 / side)
        left = float(random.uniform(0.02, 0.45)) if row < 5 else (0.0, 0.72)[row - 5]
        font, board = FONTS[int(random.integers(len(FONTS)))], bool(random.integers(3))
        found.append(Sign(word, left, row / 7 + float(random.uniform(0.0, 0.06)), height, font, board))
    return found


def drawn(scene: RGB, signs: list[Sign]) -> RGB:
    canvas, side = Image.fromarray(scene), scene.shape[0]
    pen = ImageDraw.Draw(canvas)
    for sign in signs:
        font = face(sign.font, round(sign.height * side))
        left, top = sign.left * side, sign.top * side
        box = pen.textbbox((left, top), sign.text, font=font)
        rim = round(0.3 * sign.height * side)
        if sign.board:
            pen.rectangle((box[0] - rim, box[1] - rim, box[2] + rim, box[3] + rim), fill=(235, 230, 215))
        pen.text((left, top), sign.text, font=font, fill=(40, 30, 90) if sign.board else (255, 255, 255))
    return np.asarray(canvas, np.uint8)


def jpeg(image: RGB, quality: int) -> RGB:
    _, coded = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def softened(image: RGB) -> RGB:
    """Blurred a little, darker a little, with noise: a light drawing anew of the whole picture."""
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(np.round(cv2.GaussianBlur(image, (0, 0), 0.6) * 0.99 + noise), 0, 255).astype(np.uint8)


ENCODINGS: Final[dict[str, Callable[[RGB], RGB]]] = {
    "as it is": lambda image: image,
    "JPEG 85": lambda image: jpeg(image, 85),
    "JPEG 60": lambda image: jpeg(image, 60),
    "drawn anew": softened,
}


def edits_of(signs: list[Sign]) -> Iterator[tuple[str, list[Sign], tuple[str, ...]]]:
    """What was done, the signs after it, and what is asked: the first as done."""
    for row, sign in enumerate(signs):
        old, new, other = WORDS[row], NEW[row], NEW[(row + 2) % len(NEW)]
        asked = f'change the text "{old}" to "{new}"', f'change the text "{old}" to "{other}"'
        after = [*signs[:row], replace(sign, text=new), *signs[row + 1 :]]
        yield "replaced", after, (*asked, f'remove the text "{old}"')
        yield "removed", [*signs[:row], *signs[row + 1 :]], (f'remove the text "{old}"', asked[0])
        small = Sign(new, 0.5, min(row / 7 + 0.08, 0.93), (0.025, 0.04)[row % 2], FONTS[row % 3], row % 3 > 0)
        questions = f'write "{new}"', f'write "{other}"'
        yield f"added{' on a board' if small.board else ', white'}", [*signs, small], questions
    done = f'write "{NEW[0]}"', f'remove the text "{WORDS[1]}"', f'change the text "{WORDS[2]}" to "{NEW[2]}"'
    yield "nothing done", signs, done


def page(side: int, words: list[str]) -> RGB:
    """A page of print, eight words a line."""
    canvas = Image.new("RGB", (side, side), "white")
    pen, font = ImageDraw.Draw(canvas), face("DejaVuSerif", round(0.028 * side))
    for row in range(0, len(words), 8):
        pen.text(
            (0.05 * side, (0.05 + row / 8 * 0.045) * side), " ".join(words[row : row + 8]), font=font, fill=(30, 30, 30)
        )
    return np.asarray(canvas, np.uint8)


def pages(side: int) -> Iterator[tuple[str, RGB, RGB, tuple[str, ...]]]:
    """What was done on a page, S, E, and what is asked."""
    random = np.random.default_rng(1)
    words = [str(word) for word in random.choice(PRINT, 160)]
    for place in random.choice(160, 6, replace=False).tolist():
        old, new = words[place], "harbour"
        words_before = [*words[:place], "lantern", *words[place + 1 :]]
        for done, after in (("replaced", [new]), ("removed", []), ("added", ["lantern", new])):
            edited = page(side, [*words_before[:place], *after, *words_before[place + 1 :]][:160])
            asked = 'change the text "lantern" to "harbour"', 'remove the text "lantern"', 'write "harbour"'
            yield f"page, {done}", page(side, words_before), edited, asked
        words[place] = old
