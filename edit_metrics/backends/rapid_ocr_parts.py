"""How a part of a picture is shown to RapidOCR so that it is read as it would be in the whole picture.

The reader brings every picture to a size of its own: down to a longer side of 2000 px, the detector's copy up to a
shorter side of 736, each side to a multiple of 32. A part by itself would be blown up, cost as much as the whole, and
have letters of another size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.crops import Box, Crop
from edit_metrics.types import RGB

LEAST_SIDE: Final = 736
"""px of the shorter side up to which the detector enlarges a picture: the package's default."""
MOST_SIDE: Final = 2000
"""px of the longer side from which on a picture is reduced before anything is read: the package's default."""
MULTIPLE: Final = 32
"""px of which a side of what the detector sees is a multiple."""
_LEAST_PART: Final = 2 * MULTIPLE
_FLATTEST: Final = 7.5
"""Width over height; from 8 on the package puts black bars above and below."""


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of a picture, somewhat larger than asked for, and the scale at which it is to be seen.

    Attributes:
        crop: of the picture.
        size: width and height to which the crop is brought; its own, but for pictures over 2000 px.
        limit: the shorter side that the detector is to enlarge it to; no more than its own where it is not to.
    """

    crop: Crop
    size: tuple[int, int]
    limit: int

    @classmethod
    def of(cls, picture: tuple[int, int], part: Crop) -> PartView:
        """The view of a part of a picture of that width and height."""
        shown = _reduced(picture)
        enlarged = max(LEAST_SIDE / min(shown), 1.0)
        scales = [enlarged * small / own for small, own in zip(shown, picture, strict=True)]
        width = part[2] - part[0]
        tall = max(part[3] - part[1], _LEAST_PART / scales[1], width / _FLATTEST)
        left, right = _stretch(part[0], part[2], picture[0], scales[0], _LEAST_PART / scales[0])
        top, bottom = _stretch(part[1], part[3], picture[1], scales[1], tall)
        size = (
            round((right - left) * shown[0] / picture[0]),
            round((bottom - top) * shown[1] / picture[1]),
        )
        limit = round(min(size) * enlarged) if enlarged > 1 else MULTIPLE
        return cls((left, top, right, bottom), size, limit)

    def cut(self, picture: RGB) -> RGB:
        """What the reader is shown."""
        left, top, right, bottom = self.crop
        own = picture[top:bottom, left:right]
        if self.size == (right - left, bottom - top):
            return own
        return np.asarray(cv2.resize(np.ascontiguousarray(own), self.size), np.uint8)

    def back(self, box: Box) -> Box:
        """A box of what was shown, in px of the picture."""
        left, top, right, bottom = self.crop
        across, down = (right - left) / self.size[0], (bottom - top) / self.size[1]
        return box[0] * across + left, box[1] * down + top, box[2] * across + left, box[3] * down + top


def may_be_parted(size: tuple[int, int]) -> bool:
    """Whether the reader sees a picture of that width and height as it is: flat and small ones get black bars."""
    return size[0] <= _FLATTEST * size[1] and size[1] >= _LEAST_PART


def _reduced(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of a whole picture as its lines are read."""
    if max(size) <= MOST_SIDE:
        return size
    width, height = (round(int(side * MOST_SIDE / max(size)) / MULTIPLE) * MULTIPLE for side in size)
    return width, height


def _stretch(low: int, high: int, end: int, scale: float, least: float) -> tuple[int, int]:
    """A stretch grown on both sides until it is a multiple of the detector's px; inside the frame."""
    steps = np.ceil(max(high - low, least) * scale / MULTIPLE)
    length = min(round(steps * MULTIPLE / scale), end)
    first = int(np.clip(low - (length - (high - low)) // 2, 0, end - length))
    return first, first + length
