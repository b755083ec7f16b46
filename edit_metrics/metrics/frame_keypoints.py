"""Where a search for a frame starts: scale and offset of E on S, from keypoints that both pictures have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.pixels.reducing import reduced, size_within
from edit_metrics.pixels.remembered import Remembered, key_of
from edit_metrics.types import Float64

LONG_SIDE: Final = 384
"""px, of the pictures that keypoints are looked for in: tiles refine what they say."""
_ORB: Final = 1000
_SIFT: Final = 800
_RATIO: Final = 0.8
_RANSAC: Final = 2.5  # px of the picture searched
_LEAST_INLIERS: Final = 12
_LEAST_CELLS: Final = 5  # of 8×8
_ROTATION: Final = 2.0  # degrees
_SCALES: Final = (0.3, 3.5)

_REMEMBERED: Final = 64
"""Sources whose keypoints are kept for their next edit: at most 64 × .45 MB (SIFT)."""

Grey = NDArray[np.uint8]
Described = tuple[Float64, NDArray[Any]]
"""Places, N×2, x and y; and what is seen there, N×D."""
_SOURCES: Final = Remembered[Described](_REMEMBERED)


def find_start(first: Grey, second: Grey) -> tuple[Float64, Float64] | None:
    """Scale and offset, per axis, that take S's outer-corner coordinates to E's; None where the pictures do not say.

    ORB, and SIFT where ORB does not convince.

    References:
        Rublee et al.: ORB (ICCV 2011). Arandjelović, Zisserman: RootSIFT (CVPR 2012). Fischler, Bolles: RANSAC (1981).
    """
    (own, by), (theirs, its) = (_searched(grey) for grey in (first, second))
    for describe, norm in _FINDERS:
        # The edits of one source ask for the same ones.
        seen = _SOURCES.of(f"{describe.__name__}:{key_of(own)}", partial(describe, own))
        found = _similarity(*_matched(seen, describe(theirs), norm), own.shape)
        if found is not None:
            scale, offset = found
            return scale * by / its, offset / its
    return None


def _searched(grey: Grey) -> tuple[Grey, Float64]:
    """The picture at the size that is searched, and that size over its own, per axis."""
    height, width = grey.shape
    size = size_within(width, height, LONG_SIDE)
    return reduced(grey, size), np.array([size[0] / width, size[1] / height])


def _orb(grey: Grey) -> Described:
    return _described(*cv2.ORB.create(_ORB).detectAndCompute(grey, None))


def _sift(grey: Grey) -> Described:
    finder = cv2.SIFT.create(_SIFT, contrastThreshold=0.02, edgeThreshold=15)
    places, seen = _described(*finder.detectAndCompute(grey, None))
    return places, np.sqrt(seen / np.maximum(seen.sum(1, keepdims=True), 1e-9)) if len(seen) else seen


def _described(points: Any, descriptors: Any) -> Described:
    if descriptors is None:
        return np.empty((0, 2)), np.empty((0, 0))
    return np.array([point.pt for point in points], np.float64), descriptors


_FINDERS: Final[tuple[tuple[Callable[[Grey], Described], int], ...]] = (
    (_orb, cv2.NORM_HAMMING), (_sift, cv2.NORM_L2),
)  # fmt: skip


def _matched(first: Described, second: Described, norm: int) -> tuple[Float64, Float64]:
    """Places of keypoints that are each other's nearest, and clearly so: N×2 and N×2."""
    (places, own), (others, theirs) = first, second
    if len(own) < 2 or len(theirs) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    there, clear = _nearest(own, theirs, norm)
    # The way back is asked only of those that were found: a fifth of the time.
    asked = np.unique(there[clear])
    if not len(asked):
        return np.empty((0, 2)), np.empty((0, 2))
    back, sure = _nearest(theirs[asked], own, norm)
    mutual = sure & clear[back] & (there[back] == asked)
    return places[back[mutual]], others[asked[mutual]]


def _nearest(own: Any, theirs: Any, norm: int) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Of each of ours the nearest of theirs, and whether it is clearly nearer than the second (Lowe's ratio)."""
    depth = cv2.CV_32S if norm == cv2.NORM_HAMMING else cv2.CV_32F
    distances, indices = cv2.batchDistance(own, theirs, depth, normType=norm, K=2)
    clear: NDArray[np.bool_] = distances[:, 0] < _RATIO * distances[:, 1]
    return np.asarray(indices[:, 0], np.intp), clear


def _similarity(first: Float64, second: Float64, shape: tuple[int, ...]) -> tuple[Float64, Float64] | None:
    if len(first) < _LEAST_INLIERS:
        return None
    cv2.setRNGSeed(0)
    found: Any = cv2.estimateAffinePartial2D(first, second, method=cv2.RANSAC, ransacReprojThreshold=_RANSAC)
    matrix, inliers = found
    if matrix is None:
        return None
    good = first[inliers[:, 0] > 0]
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    rotation = abs(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
    cells = {(int(8 * x / shape[1]), int(8 * y / shape[0])) for x, y in good}
    if len(good) < _LEAST_INLIERS or len(cells) < _LEAST_CELLS or rotation >= _ROTATION:
        return None
    if not _SCALES[0] <= scale <= _SCALES[1]:
        return None
    # Without the rotation, about the middle of what was found.
    middle, image = good.mean(axis=0) + 0.5, second[inliers[:, 0] > 0].mean(axis=0) + 0.5
    return np.full(2, scale), image - scale * middle
