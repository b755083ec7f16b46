"""A displacement as a picture: heat by length, arrows from where things were to where they are, and a legend in px."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edit_metrics.evidence.drawing import (
    fitted_size,
    heat_picture,
    heat_strip,
    resized,
    resized_map,
    resized_mask,
    side_by_side,
)
from edit_metrics.types import RGB, Float64, Mask

if TYPE_CHECKING:
    from edit_metrics.pixels.displacement import Displacement

LEAST_LENGTH: Final = 1.5
"""px of the pictures that the flow is found on: re-encodes read .1, and what stood in 160 real edits under 1."""
LEAST_SHARE: Final = 0.01
"""Of the frame that must have moved by so much; a few odd pixels have in most edits."""
_STEP: Final = 26  # px of the picture between arrows
_SEEN_CELL: Final = 0.4
_SHOWN_LENGTH: Final = 26.0  # px of the picture that a long displacement is drawn as, at most
_TIMES: Final = (20, 10, 8, 5, 4, 3, 2, 1)
_STEPS: Final = (2, 5, 10, 20, 50, 100, 200, 500, 1000)  # px, ends of the scale
_LINE: Final = 17  # px of the legend
_ARROW: Final = (255, 255, 255)
_EDGE: Final = (0, 0, 0)


def has_moved(displacement: Displacement) -> bool:
    """Whether more than a few odd pixels of what both pictures show lie elsewhere."""
    from edit_metrics.pixels.displacement import opened

    moved = opened(displacement.seen & (displacement.length >= LEAST_LENGTH * displacement.scale))
    return bool(moved.mean() >= LEAST_SHARE)


def displacement_picture(source: RGB, edited: RGB, displacement: Displacement) -> RGB:
    """How far each place of S has gone, dark where the pictures do not say, and E beside it; a legend below.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        displacement: of E against it, of whatever size.
    """
    size = fitted_size(source)
    length, seen = displacement.length, displacement.seen
    high = float(np.quantile(length[seen], 0.98)) if seen.any() else 0.0
    top = next((step for step in _STEPS if step >= high), _STEPS[-1])
    image = Image.fromarray(heat_picture(source, np.where(seen, length, 0), top, seen))
    per_pixel = size[0] / source.shape[1]
    times = next((k for k in _TIMES if k * high * per_pixel <= _SHOWN_LENGTH), 1)
    draw = ImageDraw.Draw(image)
    shown = [np.where(seen, displacement.field[..., axis], 0) for axis in (0, 1)]
    planes = [resized_map(plane.astype(np.float32), size).astype(np.float64) * per_pixel for plane in shown]
    for tail, move in _cells(planes, resized_mask(seen, size), LEAST_LENGTH * displacement.scale * per_pixel):
        _arrow(draw, tail, move * times)
    both = side_by_side(np.asarray(image, np.uint8), resized(edited, size))
    return np.concatenate([both, _legend(both.shape[1], top, times, displacement.shift)])


def _cells(planes: list[Float64], seen: Mask, least: float) -> list[tuple[Float64, Float64]]:
    """Middles and medians of the cells that were seen and have moved."""
    found = []
    height, width = seen.shape
    for top in range(0, height - _STEP // 2, _STEP):
        for left in range(0, width - _STEP // 2, _STEP):
            part = (slice(top, top + _STEP), slice(left, left + _STEP))
            if seen[part].mean() < _SEEN_CELL:
                continue
            move = np.array([np.median(plane[part][seen[part]]) for plane in planes])
            if np.hypot(*move) >= least:
                rows, columns = np.nonzero(seen[part])
                found.append((np.array([left + np.median(columns), top + np.median(rows)]), move))
    return found


def _arrow(draw: ImageDraw.ImageDraw, tail: Float64, move: Float64) -> None:
    tip = tail + move
    along = move / max(float(np.hypot(*move)), 1e-6)
    across = np.array([-along[1], along[0]])
    barb = min(6.0, 0.35 * float(np.hypot(*move)) + 1)
    head = [tuple(tip), tuple(tip - barb * (along + 0.6 * across)), tuple(tip - barb * (along - 0.6 * across))]
    for width, colour in ((3, _EDGE), (1, _ARROW)):
        draw.line([tuple(tail), tuple(tip)], fill=colour, width=width)
        draw.polygon(head, fill=colour, outline=_EDGE)


def _legend(width: int, top: int, times: int, shift: tuple[float, float]) -> RGB:
    """The scale, and what the arrows mean, under the picture."""
    font = ImageFont.load_default(12)
    strip, bar = Image.new("RGB", (width, 3 * _LINE + 4), _EDGE), max(width // 5, 20)
    draw = ImageDraw.Draw(strip)
    strip.paste(Image.fromarray(heat_strip(bar, 10)), (18, 6))
    draw.text((6, 3), "0", fill=_ARROW, font=font)
    draw.text((24 + bar, 3), f"{top} px of the source", fill=_ARROW, font=font)
    longer = f", drawn {times} times as long" if times > 1 else ""
    draw.text((6, _LINE + 3), f"arrows: from where it was to where it is{longer}", fill=_ARROW, font=font)
    moved = f"; all moved by {shift[0]:+.1f}, {shift[1]:+.1f} px, taken off" if np.hypot(*shift) >= 1 else ""
    draw.text((6, 2 * _LINE + 3), f"dark: not seen in both{moved}", fill=_ARROW, font=font)
    return np.asarray(strip, np.uint8)
