"""A mask to lay over either picture: its outline as SVG, sharp at every zoom and small enough for each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import numpy as np

from edit_metrics.evidence.drawing import resized_mask
from edit_metrics.types import Float64, Mask

ROW_SIDE: Final = 192
"""px of the grid on which a page's outlines are drawn: half a pixel of it is 1.5 px of a picture of 600."""
FINE_SIDE: Final = 1024
"""The same where an outline is served by itself, for a rater to judge by."""
_OFF: Final = 0.5
"""px of the grid that an outline may be off."""
_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" preserveAspectRatio="none">'
    '<path fill-opacity=".59" fill-rule="evenodd" d="M0 0H{w}V{h}H0Z{path}"/>'
    '<path fill="none" stroke="#00c8ff" stroke-width="2" vector-effect="non-scaling-stroke" d="{path}"/></svg>'
)
_RIGHT, _DOWN, _LEFT, _UP = (0, 1), (1, 0), (0, -1), (-1, 0)
_TURNS: Final = {_RIGHT: (_DOWN, _RIGHT, _UP), _DOWN: (_LEFT, _DOWN, _RIGHT), _LEFT: (_UP, _LEFT, _DOWN),
                 _UP: (_RIGHT, _UP, _LEFT)}  # fmt: skip
"""Way → ways to go on, the mask on the right hand: where two of its corners touch they stay two outlines."""
_Corner = tuple[int, int]


def overlay_svg(mask: Mask, side: int = ROW_SIDE) -> str:
    """What may change is clear, the rest dark, the border outlined.

    Args:
        mask: H×W, True = may change.
        side: px of the longer side of the grid on which the outline is drawn.
    """
    height, width = mask.shape
    scale = min(1.0, side / max(height, width))
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    path = "".join(_closed(outline) for outline in outlines(resized_mask(mask, (w, h))))
    return _SVG.format(w=w, h=h, path=path)


def overlay_uri(mask: Mask) -> str:
    """The same as a data URI, for a page."""
    return "data:image/svg+xml," + quote(overlay_svg(mask), safe=" =:/,'")


def outlines(mask: Mask) -> Iterator[Float64]:
    """The closed outlines of a mask and of its holes, n×2 (row, column).

    Through the middles of the border pixels' edges: those of a slanted border lie on a line, their corners on a stair.
    """
    ways = _border(mask)
    while ways:
        start, way = next(iter(ways))
        middles, place = [], start
        following: _Corner | None = way
        while following is not None:  # None: back where it began
            way = following
            del ways[place, way]
            middles.append((place[0] + way[0] / 2, place[1] + way[1] / 2))
            place = (place[0] + way[0], place[1] + way[1])
            following = next((turn for turn in _TURNS[way] if (place, turn) in ways), None)
        yield _simple(np.array(middles, np.float64))


def _border(mask: Mask) -> dict[tuple[_Corner, _Corner], None]:
    """(corner, way) of every pixel's edge on the border, with the mask on the right hand; a dict for its order."""
    padded = np.pad(mask, 1)
    inside = padded[1:-1, 1:-1]
    found: dict[tuple[_Corner, _Corner], None] = {}
    for way, beside, offset in (
        (_RIGHT, padded[:-2, 1:-1], (0, 0)), (_DOWN, padded[1:-1, 2:], (0, 1)),
        (_LEFT, padded[2:, 1:-1], (1, 1)), (_UP, padded[1:-1, :-2], (1, 0)),
    ):  # fmt: skip
        corners = np.argwhere(inside & ~beside) + offset
        found |= {((row, column), way): None for row, column in corners.tolist()}
    return found


def _simple(corners: Float64) -> Float64:
    """Fewer corners, none of those left out further than ``_OFF`` from the outline (Douglas & Peucker 1973)."""
    far = int(np.argmax(np.abs(corners - corners[0]).sum(axis=1)))
    ring = np.concatenate([corners, corners[:1]])
    kept = np.zeros(len(ring), np.bool_)
    kept[[0, far, len(ring) - 1]] = True
    parts = [(0, far), (far, len(ring) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        along = ring[last] - ring[first]
        away = ring[first + 1 : last] - ring[first]
        length = float(np.hypot(*along))
        off = np.abs(away[:, 0] * along[1] - away[:, 1] * along[0]) / length if length else np.hypot(*away.T)
        most = int(np.argmax(off))
        if off[most] > _OFF:
            middle = first + 1 + most
            kept[middle] = True
            parts += [(first, middle), (middle, last)]
    return ring[:-1][kept[:-1]]


def _closed(corners: Float64) -> str:
    return "M" + "L".join(f"{column:g} {row:g}" for row, column in corners.tolist()) + "Z"
