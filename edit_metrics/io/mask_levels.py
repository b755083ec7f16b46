"""From the levels that people save masks in (0/255, 0/1, 0/127, 16-bit, soft, one coloured channel) to black and white.

Two levels are a mask whatever they are; more are soft, and white from half of their range; what cannot be told is
refused with the levels that were found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edit_metrics.errors import ImageError
from edit_metrics.types import Mask

Levels = NDArray[np.unsignedinteger[Any]]
"""H×W, 8 or 16 bits."""

_FEW: Final = 16
"""Levels up to which a file may be a map of labels rather than a soft mask; anti-aliasing that gives so few has no area
in any of them."""
_NEAR_END: Final = 1 / 8
"""Of the range: a level so near to an end is meant as something else than that end, if it covers …"""
_AREA: Final = 0.01
"""… this share of the frame (the object of a map with labels 0, 1 and 255)."""
_NARROW: Final = 1 / 8
"""Of what the samples can hold: a file of more than two levels in so narrow a range holds one level and the traces of a
codec, if it lies at an end of the scale."""
_FEATHER_PX: Final = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class BlackAndWhite:
    """A mask's two values.

    Attributes:
        white: H×W.
        feathered: its borders are more than 3 px wide, so that their place is uncertain.
        levels: how many there were.
    """

    white: Mask
    feathered: bool
    levels: int


def to_black_and_white(levels: Levels, *, lossy: bool, where: str = "") -> BlackAndWhite:
    """Decide what is white.

    Args:
        levels: as in the file; the type says what they can hold.
        lossy: the format does not keep levels (JPEG), so that none of them means anything by itself.
        where: the file, for messages.

    Raises:
        ImageError: code ``mask_levels``: one level that is neither black nor white, or a map of labels.
    """
    top = int(np.iinfo(levels.dtype).max)
    counts = _counted(levels)
    found = np.flatnonzero(counts)
    low, high = int(found[0]), int(found[-1])
    if len(found) == 2 and not (lossy and high - low < _NARROW * top):
        return BlackAndWhite(levels == high, feathered=False, levels=2)
    if len(found) == 1 or high - low < _NARROW * top:
        return BlackAndWhite(_constant(levels, low, high, top, lossy, where), feathered=False, levels=1)
    if not lossy and len(found) <= _FEW and _is_a_map(found, counts, levels.size):
        raise _unclear(found, where)
    white = levels >= low + (high - low + 1) // 2
    return BlackAndWhite(white, _is_feathered(levels, white, low, high), len(found))


def _counted(levels: Levels) -> NDArray[np.intp]:
    """How many pixels have each level, from 0 on."""
    if levels.dtype == np.uint8:  # NumPy would first make eight bytes of each
        return np.array(Image.fromarray(levels).histogram(), np.intp)
    return np.bincount(levels.ravel(), minlength=1)


def _constant(levels: Levels, low: int, high: int, top: int, lossy: bool, where: str) -> Mask:
    """All black or all white, where the one level (or the narrow range) lies at an end of the scale."""
    black, white = low == 0 and (lossy or high == 0), low >= (1 - _NARROW) * top
    if not black and not white:
        raise _unclear(np.unique(levels), where)
    return np.full(levels.shape, white, np.bool_)


def _is_a_map(found: NDArray[np.intp], counts: NDArray[np.intp], pixels: int) -> bool:
    """Whether a level that is nearly black, or nearly white, has an area of its own."""
    low, high = int(found[0]), int(found[-1])
    near = _NEAR_END * (high - low)
    return any(counts[level] > _AREA * pixels and (level - low < near or high - level < near) for level in found[1:-1])


def _is_feathered(levels: Levels, white: Mask, low: int, high: int) -> bool:
    # Pixels of neither colour, per pixel of border: the mean width of the transition.
    eighth = (high - low) / 8
    between = int(np.count_nonzero((levels >= low + eighth) & (levels < high - eighth)))
    border = int(np.count_nonzero(white[1:] != white[:-1]) + np.count_nonzero(white[:, 1:] != white[:, :-1]))
    return between > _FEATHER_PX * max(border, 1)


def _unclear(found: NDArray[Any], where: str) -> ImageError:
    shown = ", ".join(map(str, found[:6].tolist())) + (", …" if len(found) > 6 else "")
    return ImageError(
        "a mask of two levels, or a soft one between black and white",
        f"the levels {shown}",
        where,
        "Save the part that may change as white (255) and the rest as black (0).",
        code="mask_levels",
    )
