"""Structural integrity (docs/metrics.md, structure): whether what must keep its geometry kept it.

All of it measures **kept geometry**, not anatomy: an edit may keep every edge of the source and still grow a sixth
finger inside the mask. The pictures are compared where geometry must hold, the region R: U where there is a mask, the
whole frame where the kind of edit leaves geometry alone. E and S are on the same grid. Pixels outside R do not matter
at all to ``gmsd``, ``ms_ssim`` and ``edge_f1``.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.pixels import torch_kernels
from edit_metrics.pixels.areas import as_bytes, erode
from edit_metrics.pixels.luma import bt601
from edit_metrics.pixels.placement import kernel_device
from edit_metrics.pixels.quantile import quantile
from edit_metrics.pixels.ssim_pyramid import ScalePyramid, halve
from edit_metrics.pixels.ssim_window import LEVELS, WINDOW
from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Float32, Float64, Grid, Mask, Missing, undefined

GMSD_C: Final = 170.0
"""Xue 2014, for luma 0..255."""
MS_SSIM_WEIGHTS: Final = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Wang 2003, finest scale first."""
_DERIVATIVE: Final = np.array([1, 0, -1], np.float32)
_SUM: Final = np.ones(3, np.float32)
_LEAST_PIXELS: Final = 64  # of a deviation or an edge map: an 8×8 patch; chosen, not measured
TOO_THIN: Final = undefined("u_too_thin")


_geometry = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="", cautions="pixel_cautions",
    symmetric=1e-6, blind_inside=True, grid=Grid.WORKING,
)  # fmt: skip


@_geometry(
    "structure.gmsd", direction=Direction.LOWER_IS_BETTER, identity=Identity(0.0, 1e-6), flip_invariant=1e-6, version=2
)
def gmsd(source: RGB, edited: RGB, geometry_region: Mask) -> float | Missing:
    """Gradient magnitude similarity deviation (Xue et al. 2014) over R: how unevenly gradients were damaged.

    Luma 0..255, 2×2 average and every second pixel, Prewitt/3, c = 170; the standard deviation of the similarity map
    over the pixels of that grid whose 6×6-px support lies in R (beyond the frame there are zeros, as published).

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        geometry_region: R, H×W, True where geometry must hold.

    Returns:
        0 = gradients kept, or all changed alike. ``undefined(u_too_thin)`` when fewer than 64 supports lie in R.
    """
    inside = erode(halve(geometry_region.astype(np.float32)) == 1.0, 1)
    if np.count_nonzero(inside) < _LEAST_PIXELS:
        return TOO_THIN
    lost = _similarity_lost(*(halve(bt601(image).astype(np.float32)) for image in (source, edited)))
    return float(cv2.meanStdDev(lost, mask=as_bytes(inside))[1][0, 0])


def _similarity_lost(first: Float32, second: Float32) -> Float32:
    """1 − similarity, whose deviation is that of the similarity: near 0 float32 has bits to spare."""
    device = kernel_device(*first.shape)
    if device is not None:
        return np.asarray(1 - torch_kernels.gradient_similarity(first, second, GMSD_C, device), np.float32)
    before, after = _squared_gradient(first), _squared_gradient(second)
    total = before + after
    total += np.float32(9 * GMSD_C)
    # Not cv2.magnitude: its last bit depends on where its output happens to lie in memory.
    lost = np.sqrt(before, out=before)
    lost -= np.sqrt(after, out=after)
    lost *= lost
    lost /= total
    return lost


def _squared_gradient(grey: Float32) -> Float32:
    """9 times the square of Prewitt/3's magnitude: of the quarter levels that 2×2 means come in, sums are exact."""
    across, down = (
        np.asarray(cv2.sepFilter2D(grey, cv2.CV_32F, along_x, along_y, borderType=cv2.BORDER_CONSTANT), np.float32)
        for along_x, along_y in ((_DERIVATIVE, _SUM), (_SUM, _DERIVATIVE))
    )
    across *= across
    down *= down
    across += down
    return across


@_geometry("structure.ms_ssim", version=2, identity=Identity(1.0, 1e-5), flip_invariant=1e-6)
def ms_ssim(source: RGB, edited: RGB, geometry_region: Mask) -> float | Missing:
    """Multi-scale SSIM of luma over R (Wang et al. 2003), negative terms clamped to 0.

    Five scales, gaussian 11×11 windows of σ = 1.5 that lie in the frame. Every mean is weighted with R: 2×2 averages
    when halving, moments in a window; scale maps are averaged over pixels with at least half of their own area and half
    of their window in R. With R everywhere it is the published measure, in float32 (within 1e-5).

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        geometry_region: R, H×W, True where geometry must hold.

    Returns:
        1 = identical. ``undefined(too_small)`` with a side under 176 px, ``undefined(u_too_thin)`` when no window of
        some scale is half in R.
    """
    if min(geometry_region.shape) < WINDOW * 2 ** (len(MS_SSIM_WEIGHTS) - 1):
        return undefined("too_small")
    lumas = bt601(source), bt601(edited)
    device = kernel_device(*geometry_region.shape)
    if device is None:
        pyramid: ScalePyramid | torch_kernels.ScalePyramid = ScalePyramid(*lumas, geometry_region)
    else:
        x, y = (np.asarray(luma / LEVELS, np.float32) for luma in lumas)
        pyramid = torch_kernels.ScalePyramid(x, y, geometry_region.astype(np.float32), device)
    value = 1.0
    for scale, exponent in enumerate(MS_SSIM_WEIGHTS):
        if scale:
            pyramid.halve()
        mean = pyramid.mean(with_luminance=scale == len(MS_SSIM_WEIGHTS) - 1)
        if mean is None:
            return TOO_THIN
        value *= max(mean, 0.0) ** exponent
    return value


@_geometry("structure.edge_f1", identity=1.0)
def edge_f1(source: RGB, edited: RGB, geometry_region: Mask, *, tolerance_px: int = 2) -> float | Missing:
    """F1 of the edges of E against those of S over R (Canny 1986), each found within 2 px of the other.

    σ = 1.4; the upper threshold is the 70 % quantile of each picture's own gradient, so that a change of exposure does
    not count as one of geometry, at least 4 levels/px; the lower is .4 of it. Symmetric in S and E.

    Args:
        source: S, H×W×3.
        edited: E on S's grid.
        geometry_region: R, H×W, True where geometry must hold.
        tolerance_px: radius of the disc in which an edge counts as found.

    Returns:
        1 = every edge kept and none invented, 0 = none in common. ``undefined(no_edges)`` when neither has an edge in
        R, ``undefined(u_too_thin)`` when nothing of R is left after the filters' support.
    """
    valid = erode(geometry_region, _EDGE_SUPPORT)
    counted = erode(valid, tolerance_px)
    if np.count_nonzero(counted) < _LEAST_PIXELS:
        return TOO_THIN
    before, after = (find_edges(bt601(image), valid) for image in (source, edited))
    side = 2 * tolerance_px + 1
    disc = np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
    kept, total_before = _found(before & counted, after, disc)
    true, total_after = _found(after & counted, before, disc)
    if total_before + total_after == 0:
        return undefined("no_edges")
    recall, precision = kept / max(total_before, 1), true / max(total_after, 1)
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def _found(edges: Mask, among: Mask, disc: NDArray[np.uint8]) -> tuple[int, int]:
    near = np.asarray(cv2.dilate(as_bytes(among), disc)) > 0
    return int(np.count_nonzero(edges & near)), int(np.count_nonzero(edges))


# σ = √2, 70 % of the pixels no edge, low threshold .4 of the high one: the defaults of MATLAB's edge(…, "canny").
_EDGE_SIGMA: Final = 1.4
_NOT_EDGES: Final = 0.7
_LOW_OF_HIGH: Final = 0.4
_LEAST_SLOPE: Final = 4.0  # levels/px: what coding leaves of a flat area stays under it; chosen, not measured
_EDGE_RADIUS: Final = 4  # px of the gaussian, cut off at 3σ
_EDGE_SUPPORT: Final = _EDGE_RADIUS + 1  # and Sobel's
_SCALE: Final = 16.0  # Canny takes 16-bit integers: keep 1/128 level/px


def find_edges(luma: RGB, valid: Mask) -> Mask:
    """Canny's edges where ``valid`` (at least 5 px inside R): gradients elsewhere are 0, so that nothing leaks in.

    Args:
        luma: H×W, 8 bits.
        valid: H×W.
    """
    size = (2 * _EDGE_RADIUS + 1, 2 * _EDGE_RADIUS + 1)
    smooth = luma.astype(np.float32)
    cv2.GaussianBlur(smooth, size, _EDGE_SIGMA, dst=smooth, borderType=cv2.BORDER_REFLECT)
    across, down = (np.asarray(cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx, scale=_SCALE), np.float32) for dx in (1, 0))
    everywhere = bool(valid.all())
    if not everywhere:
        across *= valid
        down *= valid
    # Sobel's taps add up to 8 for a slope of one level a pixel.
    strength = np.multiply(across, across, out=smooth)
    strength += down * down
    np.sqrt(strength, out=strength)  # see _similarity_lost
    high = max(quantile(strength.ravel() if everywhere else strength[valid], _NOT_EDGES), _LEAST_SLOPE * 8 * _SCALE)
    dx, dy = (np.rint(slope, out=slope).astype(np.int16) for slope in (across, down))
    edges = np.asarray(cv2.Canny(dx, dy, _LOW_OF_HIGH * high, high, L2gradient=True))
    return np.asarray((edges > 0) & valid, np.bool_)


@metric(
    "structure.structure_distance", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 4.0), unit="",
    identity=Identity(0.0, 1e-6), symmetric=1e-5, blind_inside=True,
)  # fmt: skip
def structure_distance(source_patch_keys: Float32, kept_patch_keys: Float32) -> float | Missing:
    """‖SS(S) − SS(E)‖²_F / n², SS the cosine self-similarity of a ViT's last-layer keys (Tumanyan et al. 2022, Splice).

    Where there is a mask, E's pixels inside it are S's, so that they do not matter; the part of the frame that the mask
    takes up then lowers the value.

    Args:
        source_patch_keys: keys of S, n×D.
        kept_patch_keys: keys of E on S's grid, n×D.

    Returns:
        0 = the same self-similarity; of the order of .01–.1 between pictures of one layout.
        ``undefined(patch_grids_differ)``; missing without a patch encoder.
    """
    if source_patch_keys.shape != kept_patch_keys.shape:
        return undefined("patch_grids_differ")
    difference = _self_similarity(source_patch_keys) - _self_similarity(kept_patch_keys)
    return float(np.mean(difference**2))


def _self_similarity(keys: Float32) -> Float64:
    rows = keys.astype(np.float64)
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-8)
    return np.asarray(unit @ unit.T, np.float64)
