"""Crops of a picture round what is to be looked at: few, whole, and cheaper together than the picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.areas import as_bytes
from edit_metrics.types import Mask

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in px of the picture; the last two lie outside."""
Crop = tuple[int, int, int, int]
"""The same in whole px, inside the frame."""
CONTEXT: Final = (0.016, 0.05)
"""Of the longer side: what stands round a box in its crop is the box's height, within these."""
MOST_BOXES: Final = 64
"""From here on the change is everywhere, and boxes are no longer merged pair by pair."""
WORTH: Final = 0.6
"""Share of the frame from which on crops are not worth it: they cost by the pixel, and the whole is what they stand
in for."""
_OVERHEAD: Final = 0.06
"""Of the longer side: a crop costs as much as a square of this side on top of its own pixels (chosen: 2 ms)."""


def boxes_of(area: Mask, size: tuple[int, int]) -> list[Box]:
    """The boxes of an area's connected pieces, in px of a picture of that width and height, on whose grid it lies."""
    across, down = size[0] / area.shape[1], size[1] / area.shape[0]
    _, _, stats, _ = cv2.connectedComponentsWithStats(as_bytes(area), connectivity=8)
    return [
        (float(x * across), float(y * down), float((x + w) * across), float((y + h) * down))
        for x, y, w, h, _ in np.asarray(stats)[1:].tolist()
    ]


def crops_round(boxes: Sequence[Box], size: tuple[int, int]) -> list[Crop] | None:
    """Crops that hold all boxes with context; none overlap.

    Args:
        boxes: what is to be looked at.
        size: width and height of the picture.

    Returns:
        None where the whole picture would cost about as much.
    """
    if len(boxes) > MOST_BOXES:
        return None
    crops = _merged([_with_context(box, size) for box in boxes], (_OVERHEAD * max(size)) ** 2)
    return crops if sum(map(pixels_of, crops)) <= WORTH * size[0] * size[1] else None


def pixels_of(box: Box) -> float:
    """Its area; 0 where it is empty."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def overlap(first: Box, second: Box) -> float:
    """Pixels that two boxes share."""
    return pixels_of((*map(max, first[:2], second[:2]), *map(min, first[2:], second[2:])))  # type: ignore[arg-type]


def _with_context(box: Box, size: tuple[int, int]) -> Crop:
    least, most = (share * max(size) for share in CONTEXT)
    more = float(np.clip(box[3] - box[1], least, most))
    right, bottom = (min(int(np.ceil(edge + more)), end) for edge, end in zip(box[2:], size, strict=True))
    return max(int(box[0] - more), 0), max(int(box[1] - more), 0), right, bottom


def _merged(crops: Iterable[Crop], overhead: float) -> list[Crop]:
    """Two become one where they overlap, or where one costs no more."""
    found = list(crops)
    while pair := next((pair for pair in combinations(found, 2) if _cheaper_as_one(*pair, overhead)), None):
        found = [crop for crop in found if crop not in pair] + [_round_both(*pair)]
    return sorted(found, key=lambda crop: (crop[1], crop[0]))


def _cheaper_as_one(first: Crop, second: Crop, overhead: float) -> bool:
    apart = pixels_of(first) + pixels_of(second) + overhead
    return overlap(first, second) > 0 or pixels_of(_round_both(first, second)) <= apart


def _round_both(first: Crop, second: Crop) -> Crop:
    return (*map(min, first[:2], second[:2]), *map(max, first[2:], second[2:]))  # type: ignore[return-value]
