"""Where each place of S has gone in E: dense optical flow, kept only where it can be believed.

For looking at, not for scoring: where nothing was seen nothing is said. 79 ms of CPU a pair
(``benchmarks/measure_displacement.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.reducing import reduced, size_within
from edit_metrics.types import RGB, Float32, Mask, Missing, undefined

LONG_SIDE: Final = 512
"""px, of the pictures that the flow is found on."""
_THERE_AND_BACK: Final = 0.5
_OF_LENGTH: Final = 0.05
"""px, and share of the way, by which the flow back may miss where the flow started (Sundaram et al., ECCV 2010)."""
_WINDOW: Final = 15  # px
_ALIKE: Final = 0.6
"""Normalised correlation of the windows that the flow joins: what was replaced did not move."""
_TEXTURE: Final = 3.0  # grey levels, deviation in a window: a flat wall has moved nowhere and anywhere
_SPECK: Final = 11  # px
_LEAST_SEEN: Final = 0.15
"""Share of what is looked at that must be seen; under it the pictures show different things."""


@dataclass(frozen=True, slots=True)
class Displacement:
    """Where S's places went, beside the whole picture's own shift.

    Attributes:
        field: h×w×2, dx and dy, in px of S as given; the median of what was seen is taken off.
        seen: h×w, where the flow there and back agree, the content does too, and has texture.
        shift: what was taken off, dx and dy, px of S.
        scale: S's size over the field's.
    """

    field: Float32
    seen: Mask
    shift: tuple[float, float]
    scale: float

    @property
    def length(self) -> Float32:
        """h×w, px of S."""
        return np.asarray(np.hypot(self.field[..., 0], self.field[..., 1]), np.float32)


def find_displacement(source: RGB, edited: RGB, kept: Mask | None = None) -> Displacement | Missing:
    """The displacement of what both pictures show.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        kept: where it matters; None = everywhere.

    Returns:
        ``undefined(nothing_correlates)`` where under 15 % of it is seen in both.

    References:
        Kroeger et al.: Fast optical flow using dense inverse search (ECCV 2016), OpenCV's preset ``medium``.
    """
    height, width = source.shape[:2]
    size = size_within(width, height, LONG_SIDE)
    greys = (np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8) for image in (source, edited))
    first, second = (reduced(grey, size) for grey in greys)
    if min(size) < 2 * _WINDOW:
        return undefined("too_small")
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there = np.asarray(flow.calc(first, second, None), np.float32)  # type: ignore[call-overload]
    back = np.asarray(flow.calc(second, first, None), np.float32)  # type: ignore[call-overload]
    seen = opened(_returns(there, back) & _alike(first, second, there))
    area = np.ones(first.shape, np.bool_)
    if kept is not None:
        area = cv2.resize(kept.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    seen &= area
    if seen.sum() < max(_LEAST_SEEN * area.sum(), 1):
        return undefined("nothing_correlates")
    shift = np.median(there[seen], axis=0)
    scale = width / size[0]
    own = np.asarray((there - shift) * scale, np.float32)
    return Displacement(own, seen, (float(shift[0] * scale), float(shift[1] * scale)), scale)


def opened(area: Mask) -> Mask:
    """The area without what is narrower than 11 px: what was replaced looks alike in specks."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_SPECK, _SPECK))
    found: Mask = cv2.morphologyEx(area.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0
    return found


def _followed(image: Float32, flow: Float32) -> Float32:
    """The picture at the places that the flow leads to."""
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    border = cv2.BORDER_REPLICATE
    moved = cv2.remap(image, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(moved, np.float32)


def _returns(there: Float32, back: Float32) -> Mask:
    """Where the flow there, and back from where it leads, comes home; and does not lead over the frame."""
    height, width = there.shape[:2]
    missed = np.linalg.norm(there + _followed(back, there), axis=2)
    x, y = np.arange(width) + there[..., 0], np.arange(height)[:, None] + there[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    found: Mask = inside & (missed <= _THERE_AND_BACK + _OF_LENGTH * np.linalg.norm(there, axis=2))
    return found


def _alike(first: np.ndarray, second: np.ndarray, there: Float32) -> Mask:
    """Where S's window, with texture, is what the flow leads to in E."""
    own, other = first.astype(np.float32), _followed(second.astype(np.float32), there)
    side = (_WINDOW, _WINDOW)
    means = [cv2.blur(plane, side) for plane in (own, other)]
    squares = [np.maximum(cv2.blur(p * p, side) - m * m, 0) for p, m in zip((own, other), means, strict=True)]
    joint = cv2.blur(own * other, side) - means[0] * means[1]
    textured = np.minimum(*squares) >= _TEXTURE**2
    found: Mask = textured & (joint >= _ALIKE * np.sqrt(np.maximum(squares[0] * squares[1], 1e-6)))
    return found
