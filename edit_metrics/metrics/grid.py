"""E on S's pixel grid: resized where only the size differs, fitted where a crop may have happened, else refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np
from PIL import Image

from edit_metrics.metrics.preservation import PSNR_CAP, masked_mse, mse_to_psnr
from edit_metrics.metrics.registration import register
from edit_metrics.pixels.areas import as_bytes
from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction, Mask, Missing, not_applicable, undefined

SAME_ASPECT: Final = 0.01
"""What rounding both sides to whole pixels does to the ratio of pictures from 100 px up."""
NEAR_ASPECT: Final = 0.08
"""What rounding a side to a multiple of 64 px does from 400 px up (32 / 400)."""
CLEAR_WIN: Final = 2.0
"""dB over U by which a candidate must lead for its place to be believed unregistered; chosen, not measured."""
_STAYS_PUT: Final = 2.0  # px: a candidate that registers farther off has found the content, not its place

Method = Literal["none", "resize", "centre_crop", "top_left_crop", "frame"]
Relation = Literal["same", "resized", "fitted", "reframed"]


@dataclass(frozen=True, slots=True)
class GridFit:
    """E on S's grid, and how it got there.

    Attributes:
        edited: E, H×W×3 as S; S's own pixels where E does not reach.
        covered: H×W; where E has pixels.
        relation: ``same`` size, ``resized`` (aspect within 1 %), ``fitted`` (1 to 8 % off; see ``method``) or
            ``reframed`` (on a frame of its own, which the manifest allows; see :mod:`edit_metrics.metrics.reframing`).
        method: what was done.
        scale_x, scale_y: S's size over E's as drawn on the grid; 1 = pixel for pixel.
        resample_ceiling_db: PSNR of S after the same trip there and back, the best that E could reach; None at scale 1.
        cautions: codes that go with every pixel-aligned value.
    """

    edited: RGB
    covered: Mask
    relation: Relation
    method: Method
    scale_x: float
    scale_y: float
    resample_ceiling_db: float | None
    cautions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One way to lay E on the grid: its size there and its upper left corner."""

    method: Method
    width: int
    height: int
    left: int
    top: int


def fit_to_grid(source: RGB, edited: RGB, kept: Mask | None = None) -> GridFit | Missing:
    """Lay E on S's grid.

    Aspect within 1 %: resized, antialiased (Lanczos). Within 8 % (sides rounded to multiples of 8 or 64): a resize per
    axis, a centre crop or a crop from the upper left corner; the one nearest to S over U wins if it is 2 dB ahead, or
    if it registers with S in place.

    Args:
        source: S, H×W×3.
        edited: E on its own grid.
        kept: U on S's grid, so that what the edit changed does not choose; None = everywhere.

    Returns:
        ``undefined(geometry_mismatch)`` for any other aspect, and where no candidate convinces.
    """
    height, width = source.shape[:2]
    if edited.shape == source.shape:
        everywhere = np.broadcast_to(np.True_, (height, width))  # one byte, whatever the size
        return GridFit(edited, everywhere, "same", "none", 1.0, 1.0, None, ())
    aspect = (edited.shape[1] * height) / (edited.shape[0] * width)
    off = max(aspect, 1 / aspect) - 1
    if off <= SAME_ASPECT:
        return _lay(source, edited, kept, _Candidate("resize", width, height, 0, 0), "resized")
    if off > NEAR_ASPECT:
        return undefined("geometry_mismatch")
    fits = [_lay(source, edited, kept, candidate, "fitted") for candidate in _candidates(source, edited)]
    return _choose(source, fits, np.ones((height, width), np.bool_) if kept is None else kept)


@metric(
    "preservation.resample_ceiling_db", direction=Direction.NEITHER, bounds=(0.0, PSNR_CAP), unit="dB",
    identity=not_applicable("same_size"),
)  # fmt: skip
def resample_ceiling_db(grid: GridFit) -> float | Missing:
    """PSNR of S taken to E's size and back over U: what resampling alone costs, so that no E of that size beats it.

    Returns:
        ``not_applicable(same_size)`` where nothing was resampled.
    """
    return not_applicable("same_size") if grid.resample_ceiling_db is None else grid.resample_ceiling_db


def _candidates(source: RGB, edited: RGB) -> list[_Candidate]:
    height, width = source.shape[:2]
    zoom = min(width / edited.shape[1], height / edited.shape[0])
    cropped = (min(round(edited.shape[1] * zoom), width), min(round(edited.shape[0] * zoom), height))
    left, top = (width - cropped[0]) // 2, (height - cropped[1]) // 2
    return [
        _Candidate("resize", width, height, 0, 0),
        _Candidate("centre_crop", *cropped, left, top),
        _Candidate("top_left_crop", *cropped, 0, 0),
    ]


def _lay(
    source: RGB, edited: RGB, kept: Mask | None, where: _Candidate, relation: Literal["resized", "fitted"]
) -> GridFit:
    size = (where.width, where.height)
    place = (slice(where.top, where.top + where.height), slice(where.left, where.left + where.width))
    on_grid, covered = source.copy(), np.zeros(source.shape[:2], np.bool_)
    on_grid[place], covered[place] = _resample(edited, size), True
    own_size = (edited.shape[1], edited.shape[0])
    ceiling = None
    if size != own_size:
        ceiling = _round_trip_psnr(source[place], own_size, None if kept is None else kept[place])
    scales = (where.width / edited.shape[1], where.height / edited.shape[0])
    return GridFit(on_grid, covered, relation, where.method, *scales, ceiling, (relation,))


def _choose(source: RGB, fits: list[GridFit], kept: Mask) -> GridFit | Missing:
    errors = [masked_mse(source, fit.edited, kept & fit.covered) for fit in fits]
    ranked = sorted(((mse_to_psnr(e), i) for i, e in enumerate(errors) if not isinstance(e, Missing)), reverse=True)
    if not ranked:
        return undefined("geometry_mismatch")
    best = fits[ranked[0][1]]
    if len(ranked) > 1 and ranked[0][0] - ranked[1][0] >= CLEAR_WIN:
        return best
    found = register(source, best.edited, kept & best.covered)
    if isinstance(found, Missing) or found.shift > _STAYS_PUT or found.scale != 1:
        return undefined("geometry_mismatch")
    return best


def _resample(image: RGB, size: tuple[int, int]) -> RGB:
    if size == (image.shape[1], image.shape[0]):
        return image
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS), np.uint8)


def _round_trip_psnr(source: RGB, size: tuple[int, int], kept: Mask | None) -> float:
    own_size = (source.shape[1], source.shape[0])
    shrinks = size[0] < own_size[0]
    there = cv2.resize(source, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    back = _resample(np.asarray(there, np.uint8), own_size)
    area = np.ones(source.shape[:2], np.bool_) if kept is None or not kept.any() else kept
    squares = cv2.norm(source, back, cv2.NORM_L2SQR, as_bytes(area))
    return mse_to_psnr(squares / (255**2 * 3 * np.count_nonzero(area)))
