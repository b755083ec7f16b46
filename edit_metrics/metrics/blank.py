"""A picture that shows nothing: what a safety filter or a broken decoder leaves in the place of an edit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction

GRID: Final = 32
"""Cells a side, each the mean of its pixels: noise and the traces of a codec average out, any thing does not."""
FLAT_RANGE: Final = 12.0
"""8-bit levels, between the lowest and the highest cell of a channel. One colour with noise of σ 8 under JPEG 60 reads
up to 5; the flattest of 671 real pictures 77 (``benchmarks/measure_blank.py``)."""
BLACK_BELOW: Final = 16.0
"""8-bit levels of the brightest cell: black with such noise reads 4; the darkest of those pictures 158."""

_blank = partial(metric, direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="flag", identity=0.0)


@dataclass(frozen=True, slots=True)
class Extent:
    """What there is to see in a picture, in 8-bit levels.

    Attributes:
        span: between the lowest and the highest cell, of the channel where that is largest.
        brightest: the highest cell of any channel.
    """

    span: float
    brightest: float


def extent(image: RGB) -> Extent:
    """Read off a grid of at most 32×32 cells over an H×W×3 picture."""
    size = (min(GRID, image.shape[1]), min(GRID, image.shape[0]))
    cells = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.float64)
    return Extent(float(np.ptp(cells, axis=(0, 1)).max()), float(cells.max()))


def is_blank(image: RGB) -> bool:
    """Whether a picture (H×W×3) is of one colour, nearly so, or black all over."""
    found = extent(image)
    return found.span < FLAT_RANGE or found.brightest < BLACK_BELOW


@_blank("quality.blank_edited")
@_blank("adherence.blank_edited")
def blank_edited(blank: bool) -> float:
    """1 when E is of one colour, nearly so, or black, and S is not.

    Such a picture follows no instruction and has no quality; it stands in for an edit that a filter withheld.
    """
    return float(blank)
