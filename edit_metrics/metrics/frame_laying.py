"""E on S's grid where its frame lies, and S as soft as resampling made E: what remains is what the edit did."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.grid import GridFit
from edit_metrics.metrics.reframing import Frame
from edit_metrics.types import RGB, Float64, Mask

_SOFT_TILE: Final = 16  # px
_WHOLE: Final = 0.99
_SOFTER: Final = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0)  # px; under .3 a gaussian is one pixel wide
_NEARLY: Final = 1.08
"""Of those whose error is within this of the least, the sharpest is taken: E's noise makes more blur look better."""


def lay_on_source(source: RGB, edited: RGB, frame: Frame, laid: RGB | None = None) -> tuple[RGB, RGB, Mask]:
    """Both pictures on S's grid, as sharp as each other, and where both are.

    E is taken to S's grid. S goes to E's grid and back: what resampling alone takes away is then missing in both.

    Args:
        source: S.
        edited: E.
        frame: of E on S.
        laid: E on S's grid as :func:`fit_by_frame` laid it there, if it did.

    Returns:
        S and E, H×W×3, and the overlap, H×W, without a rim of 2 px. Outside of it E has S's pixels.
    """
    overlap = frame.overlap()
    there = _warp(source, frame.matrix(), frame.edited_size)
    second = _to_source(edited, frame) if laid is None else laid
    first = _as_soft(_to_source(there, frame), second, overlap)
    return first, np.where(overlap[..., None], second, first), overlap


def _as_soft(source: RGB, edited: RGB, overlap: Mask) -> RGB:
    """S under the gaussian, of at most 1 px, that brings it nearest to E: how E was resampled is not known.

    Nearest in the median of tiles, so that what the edit changed has no say while it is under half.
    """
    inside = cv2.resize(
        overlap.astype(np.float32), None, fx=1 / _SOFT_TILE, fy=1 / _SOFT_TILE, interpolation=cv2.INTER_AREA
    )
    whole = inside > _WHOLE
    if not whole.any():
        return source
    # A gaussian of the luma is the luma of the gaussian: one plane is tried, three are blurred once.
    own, target = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) for image in (source, edited))
    errors = []
    for sigma in _SOFTER:
        soft = cv2.GaussianBlur(own, (0, 0), sigma) if sigma else own
        tiles = cv2.resize(cv2.absdiff(soft, target) ** 2, whole.shape[::-1], interpolation=cv2.INTER_AREA)
        errors.append(float(np.median(np.asarray(tiles)[whole])))
    best = next(sigma for sigma, error in zip(_SOFTER, errors, strict=True) if error <= _NEARLY * min(errors))
    return np.asarray(cv2.GaussianBlur(source, (0, 0), best), np.uint8) if best else source


def fit_by_frame(source: RGB, edited: RGB, frame: Frame) -> GridFit:
    """E on S's grid where its frame lies: only the overlap is compared. Caution ``reframed``."""
    overlap = frame.overlap()
    laid = np.where(overlap[..., None], _to_source(edited, frame), source)
    scales = (1 / frame.scale_x, 1 / frame.scale_y)
    return GridFit(laid, overlap, "reframed", "frame", *scales, None, ("reframed",))


def _to_source(image: RGB, frame: Frame) -> RGB:
    """A picture on E's grid, taken to S's."""
    return _warp(image, np.asarray(cv2.invertAffineTransform(frame.matrix()), np.float64), frame.source_size)


def _warp(image: RGB, matrix: Float64, size: tuple[int, int]) -> RGB:
    """Forward map; where it shrinks the picture is blurred first, so that nothing aliases."""
    scales = (matrix[0, 0], matrix[1, 1])
    sigmas = [max(0.0, 0.5 * float(np.sqrt(max(1 / scale**2 - 1, 0)))) for scale in scales]
    if max(sigmas) > 0.1:
        sides = [2 * int(np.ceil(3 * sigma)) + 1 for sigma in sigmas]
        image = np.asarray(
            cv2.GaussianBlur(image, (sides[0], sides[1]), max(sigmas[0], 1e-3), None, max(sigmas[1], 1e-3))
        )
    border = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=border), np.uint8)
