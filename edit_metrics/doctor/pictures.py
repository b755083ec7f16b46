"""Synthetic pictures and what can be done to them: drawn, not downloaded, and the same on every machine."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edit_metrics.types import RGB, Mask

SIDE: Final = 192
"""px: room for five scales of MS-SSIM and nine registration tiles, and little to compute."""
_LOW, _HIGH = 30, 225
"""Levels of the scene; ten more or less clip nowhere."""


def scene(side: int = SIDE) -> RGB:
    """A textured gradient with flat and striped shapes: edges, corners, colours and fine detail everywhere."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:side, 0:side].astype(np.float64)
    waves = [np.sin(x / a + phase) * np.cos(y / b) for a, b, phase in ((9, 13, 0), (17, 7, 1), (23, 11, 2))]
    texture = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), 1.2) * 40
    picture = np.stack([110 + 45 * w + texture + 20 * (x - y) / side for w in waves], axis=2)
    unit = side // 12
    cv2.circle(picture, (4 * unit, 4 * unit), 2 * unit, (205, 50, 45), -1)
    cv2.rectangle(picture, (7 * unit, 2 * unit), (10 * unit, 5 * unit), (40, 80, 200), -1)
    corners = np.array([[2 * unit, 10 * unit], [5 * unit, 10 * unit], [3 * unit, 7 * unit]], np.int32)
    cv2.fillPoly(picture, [corners], (60, 170, 70))
    for step in range(7 * unit, 11 * unit, 6):
        cv2.line(picture, (7 * unit, step), (11 * unit, step), (215, 210, 190), 2)
    return to_levels(picture, _LOW, _HIGH)


def portrait() -> RGB:
    """A real face, from the public-domain photo that scikit-image ships: no detector takes a drawing for a person."""
    import skimage.data

    photo = Path(skimage.data.__file__).parent / "astronaut.png"
    return np.asarray(Image.open(photo).convert("RGB"), np.uint8)[0:256, 96:352].copy()


def box(share: float, side: int = SIDE) -> Mask:
    """A mask whose left part, ``share`` of the frame, may change."""
    mask = np.zeros((side, side), np.bool_)
    mask[:, : round(share * side)] = True
    return mask


def middle(side: int = SIDE) -> Mask:
    """A mask whose middle may change: a ninth of the frame, with what must stay all around it."""
    mask = np.zeros((side, side), np.bool_)
    mask[side // 3 : 2 * side // 3, side // 3 : 2 * side // 3] = True
    return mask


def paste(below: RGB, above: RGB, where: Mask) -> RGB:
    """``above`` where the mask says so, else ``below``."""
    return np.where(where[..., None], above, below).astype(np.uint8)


def flat(colour: tuple[int, int, int], side: int = SIDE) -> RGB:
    """One colour everywhere."""
    return np.full((side, side, 3), colour, np.uint8)


def static(side: int = SIDE) -> RGB:
    """Uniform noise over all levels."""
    return np.random.default_rng(11).integers(0, 256, (side, side, 3), dtype=np.uint8)


def jpeg(picture: RGB, quality: int) -> RGB:
    """Through JPEG and back."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="JPEG", quality=quality)
    with Image.open(buffer) as reread:
        return np.array(reread, np.uint8)


def blurred(picture: RGB, sigma: float) -> RGB:
    """Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


def noisy(picture: RGB, sigma: float) -> RGB:
    """Gaussian noise of so many levels."""
    return to_levels(picture + np.random.default_rng(13).normal(0, sigma, picture.shape))


def darker(picture: RGB, factor: float) -> RGB:
    """Every level times a factor."""
    return to_levels(picture * factor)


def crushed(picture: RGB, levels: int) -> RGB:
    """So many levels taken away; what goes under black is clipped."""
    return to_levels(picture.astype(np.float64) - levels)


def brighter(picture: RGB, factor: float) -> RGB:
    """Contrast around the darkest level times a factor; what goes over white is clipped."""
    return to_levels((picture.astype(np.float64) - _LOW) * factor + _LOW)


def greyer(picture: RGB, saturation: float) -> RGB:
    """Between its own colours (1) and grey (0)."""
    grey = picture.mean(axis=2, keepdims=True)
    return to_levels(grey + saturation * (picture - grey))


def shifted(picture: RGB, pixels: int) -> RGB:
    """The content moved to the right; the left edge is repeated."""
    moved = np.roll(picture, pixels, axis=1)
    moved[:, :pixels] = picture[:, :1]
    return moved


def turned(picture: RGB, degrees: float) -> RGB:
    """Rotated about its middle, mirrored beyond its edge."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1.0)
    moved = cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def sign(word: str) -> RGB:
    """A word in large dark letters on a light board."""
    board = np.broadcast_to(np.array((235, 230, 215), np.uint8), (SIDE, 320, 3)).copy()
    cv2.putText(board, word, (40, 115), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (20, 20, 60), 5, cv2.LINE_AA)
    return board


def blue_ball(picture: RGB) -> RGB:
    """The scene with its red disc in blue."""
    repainted = picture.copy()
    cv2.circle(repainted, (SIDE // 3, SIDE // 3), SIDE // 6, (30, 60, 220), -1)
    return repainted


def patched(picture: RGB, side: int) -> RGB:
    """A foreign square of so many pixels, away from the frame."""
    damaged = picture.copy()
    damaged[100 : 100 + side, 20 : 20 + side] = (250, 0, 250)
    return damaged


def banded(picture: RGB, share: float, step: int = 8) -> RGB:
    """The upper part in steps of eight levels."""
    result = picture.copy()
    rows = round(share * len(picture))
    result[:rows] = picture[:rows] // step * step
    return result


def gradient() -> RGB:
    """Smooth, one level a step: what posterising turns into bands."""
    ramp = np.linspace(20, 230, SIDE)
    return to_levels(np.stack([np.tile(ramp, (SIDE, 1))] * 3, axis=2))


def checkered(picture: RGB, levels: int) -> RGB:
    """Squares of two pixels, up and down in turn: gone once the picture is averaged down by four."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]] // 2
    return to_levels(picture + np.where((x + y) % 2, levels, -levels)[..., None])


def to_levels(values: NDArray[Any], low: int = 0, high: int = 255) -> RGB:
    """Rounded and clipped to 8 bits."""
    levels: RGB = np.clip(np.rint(values), low, high).astype(np.uint8)
    return levels
