"""Evidence pictures: arrays in, small WebP bytes out. What a rater looks at beside the two pictures.

Every function first brings its pictures to at most ``MAX_SIDE`` px, so that lines and letters have one size. Nothing
here reads files or scores; the same arrays give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from edit_metrics.types import RGB, Float32, Float64, Mask

MAX_SIDE: Final = 512
"""px of one picture; side-by-side evidence is twice as wide."""
CHANGE_TOP: Final = 25.0
"""ΔE2000 at which the heat is full."""
LPIPS_TOP: Final = 0.6
"""Sum of LPIPS layer maps at which the heat is full; unrelated pictures have a mean of about .7."""
_QUALITY: Final = 72
_INFERNO: Final = (
    "000004 0b0724 210c4a 3d0965 57106e 71196e 8a226a a32c61 bc3754 "
    "d04545 e35933 f1711f f98c0a fcaa0f f9c932 f2e865 fcffa4"
)
"""Matplotlib's colour map (van der Walt and Smith, CC0) at 17 even steps; between them at most 6 of 255 away."""
_HEAT_WEIGHT: Final = 0.8
_MASK_COLOUR: Final = (0, 200, 255)
_CHANGED_COLOUR: Final = (0, 175, 70)
_FOUND_COLOUR: Final = (120, 255, 120)
_LOST_COLOUR: Final = (255, 90, 90)
_GAP: Final = 8  # px between the pictures of a pair


def _heat_colours() -> NDArray[np.uint8]:
    stops = np.array([list(bytes.fromhex(stop)) for stop in _INFERNO.split()], np.float64)
    levels, places = np.arange(256), np.linspace(0, 255, len(stops))
    return np.stack([np.interp(levels, places, stops[:, n]) for n in range(3)], axis=1).round().astype(np.uint8)


_HEAT_COLOURS: Final = _heat_colours()


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a word beside it.

    Attributes:
        box: left, top, right, bottom in px of the picture as decoded.
        label: what stands beside it.
        matched: drawn in the colour of what was found again; else in that of what was lost.
    """

    box: tuple[float, float, float, float]
    label: str
    matched: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """Boxes in both pictures.

    Attributes:
        source: H×W×3, with its boxes.
        edited: H'×W'×3, with its boxes.
    """

    source: RGB
    edited: RGB
    source_boxes: tuple[Box, ...]
    edited_boxes: tuple[Box, ...]


def change_picture(source: RGB, difference: Float32, changed: Mask, mask: Mask | None = None) -> RGB:
    """Heat of ΔE2000 over the gray source; changed pixels outlined in green, the given mask in blue.

    Args:
        source: H×W×3.
        difference: H×W, ΔE2000 of the aligned pair.
        changed: H×W.
        mask: H×W, True = may change.
    """
    picture = heat_picture(source, difference, CHANGE_TOP)
    picture = _outlined(picture, changed, _CHANGED_COLOUR)
    return picture if mask is None else _outlined(picture, mask, _MASK_COLOUR)


def heat_picture(source: RGB, values: Float32 | Float64, top: float, seen: Mask | None = None) -> RGB:
    """Heat of a map over the gray source: 0 shows the source, ``top`` and above full heat.

    Args:
        source: H×W×3.
        values: H×W.
        top: value of full heat.
        seen: H×W, where the map means something; elsewhere the source is shown darker.
    """
    size = fitted_size(source)
    gray = np.asarray(Image.fromarray(resized(source, size)).convert("L"))
    backdrop = np.repeat(gray[..., None], 3, axis=2).astype(np.float32) * 0.75
    strength = np.clip(resized_map(values, size) / top, 0, 1)
    colours = np.asarray(_HEAT_COLOURS[np.asarray(strength * 255, np.uint8)], np.float32)
    # The square root lifts faint changes: they are what a person would overlook. The source shines through full heat.
    weight = _HEAT_WEIGHT * np.sqrt(strength)[..., None]
    mixed = backdrop * (1 - weight) + colours * weight
    if seen is not None:
        mixed[~resized_mask(seen, size)] *= 0.35
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def heat_strip(width: int, height: int) -> RGB:
    """The colours of :func:`heat_picture` over a gray that does not shine through, 0 on the left: for a legend."""
    levels = np.linspace(0, 255, width).round().astype(np.uint8)
    return np.repeat(_HEAT_COLOURS[levels][None], height, axis=0)


def lpips_heat(layer_maps: Sequence[Float32], shape: tuple[int, int]) -> Float32:
    """LPIPS per pixel: the layers' maps brought to H×W and added up."""
    size = (shape[1], shape[0])
    planes = [np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.BILINEAR)) for layer in layer_maps]
    return np.asarray(np.sum(planes, axis=0), np.float32)


def mask_picture(source: RGB, mask: Mask) -> RGB:
    """The source, dark where it had to stay, with the mask's outline."""
    size = fitted_size(source)
    picture = resized(source, size).astype(np.float32)
    picture[~resized_mask(mask, size)] *= 0.4
    return _outlined(np.asarray(picture, np.uint8), mask, _MASK_COLOUR)


def marks_record(marks: Mapping[str, Marks]) -> dict[str, list[dict[str, object]]]:
    """What the viewer draws over the two pictures: sides as shares of each picture, so that any size of it will do.

    Args:
        marks: what they mark (``faces``, ``text``) → where.
    """
    record: dict[str, list[dict[str, object]]] = {"source": [], "edited": []}
    for kind, one in marks.items():
        record["source"] += [_box_record(kind, box, one.source) for box in one.source_boxes]
        record["edited"] += [_box_record(kind, box, one.edited) for box in one.edited_boxes]
    return record


def _box_record(kind: str, one: Box, picture: RGB) -> dict[str, object]:
    height, width = picture.shape[:2]
    sizes = (width, height, width, height)
    shares = [round(float(value) / size, 4) for value, size in zip(one.box, sizes, strict=True)]
    return {"kind": kind, "label": one.label[:80], "box": shares, "matched": one.matched}


def boxes_picture(source: RGB, edited: RGB, source_boxes: Sequence[Box], edited_boxes: Sequence[Box]) -> RGB:
    """Source and edited picture side by side with boxes: faces, or lines of text."""
    return side_by_side(_boxed(source, source_boxes), _boxed(edited, edited_boxes))


def side_by_side(left: RGB, right: RGB) -> RGB:
    """Two pictures with a white gap between them."""
    height = max(left.shape[0], right.shape[0])
    gap = np.full((height, _GAP, 3), 255, np.uint8)
    return np.concatenate([_padded(left, height), gap, _padded(right, height)], axis=1)


def to_webp(picture: RGB) -> bytes:
    """Encode as WebP."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "WEBP", quality=_QUALITY, method=4)
    return stream.getvalue()


def _boxed(picture: RGB, boxes: Sequence[Box]) -> RGB:
    size = fitted_size(picture)
    scale = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0]] * 2)
    image = Image.fromarray(resized(picture, size))
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(14)
    for one in boxes:
        colour = _FOUND_COLOUR if one.matched else _LOST_COLOUR
        left, top, right, bottom = (float(value) for value in np.asarray(one.box) * scale)
        draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=colour, width=2)
        _label(draw, font, one.label, (left, top), colour, size)
    return np.asarray(image, np.uint8)


def _label(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    text: str,
    corner: tuple[float, float],
    colour: tuple[int, int, int],
    size: tuple[int, int],
) -> None:
    if not text:
        return
    shown = text if len(text) <= 40 else text[:39] + "…"
    left, top, right, bottom = draw.textbbox((0, 0), shown, font=font)
    width, height = right - left + 6, bottom - top + 6
    x = min(max(corner[0], 0), max(size[0] - width, 0))
    y = corner[1] - height if corner[1] >= height else corner[1]
    draw.rectangle((x, y, x + width, y + height), fill=(0, 0, 0))
    draw.text((x + 3 - left, y + 3 - top), shown, font=font, fill=colour)


def _outlined(picture: RGB, area: Mask, colour: tuple[int, int, int]) -> RGB:
    size = (picture.shape[1], picture.shape[0])
    inside = resized_mask(area, size)
    framed = np.pad(inside, 1)  # what touches the frame ends there
    around = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
    outlined = picture.copy()
    outlined[inside & ~around] = colour
    return outlined


def fitted_size(picture: RGB) -> tuple[int, int]:
    """Width and height of at most ``MAX_SIDE``; never enlarged."""
    height, width = picture.shape[:2]
    scale = min(1.0, MAX_SIDE / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized(picture: RGB, size: tuple[int, int]) -> RGB:
    """The picture at another size (width, height), each pixel the mean of what it covers."""
    if (picture.shape[1], picture.shape[0]) == size:
        return np.ascontiguousarray(picture)
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.BOX), np.uint8)


def resized_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """The mask at another size (width, height): True where half of what a pixel covers is."""
    covered: Mask = resized_map(mask.astype(np.float32), size) >= 0.5
    return covered


def resized_map(values: Float32 | Float64, size: tuple[int, int]) -> Float32:
    """A map at another size (width, height), each pixel the mean of what it covers."""
    return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, Image.Resampling.BOX), np.float32)


def _padded(picture: RGB, height: int) -> RGB:
    missing = height - picture.shape[0]
    return np.pad(picture, ((0, missing), (0, 0), (0, 0)), constant_values=255) if missing else picture
