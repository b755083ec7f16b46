"""LPIPS over the pixels that had to stay, from the per-layer maps of one pass of the backbone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import cv2
import numpy as np

from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.areas import MIN_SHARE, erode, tile_means
from edit_metrics.registry import Identity, metric
from edit_metrics.types import (
    Direction,
    Float32,
    Float64,
    Grid,
    Mask,
    Missing,
    Result,
    not_applicable,
    undefined,
    with_cautions,
)

MIN_SIDE: Final = 64
"""px, docs/metrics.md; the deepest of AlexNet's maps has 3×3 places there."""
THIN_RIM: Final = 16
"""px; a kept area that is thinner than this is seen through the fill (an 8-px ring: .054 filled, .81 unfilled)."""


_lpips = partial(
    metric, direction=Direction.LOWER_IS_BETTER, bounds=(0.0, None), unit="", cautions="pixel_cautions",
    grid=Grid.PERCEPTUAL,
)  # fmt: skip
_OUTSIDE: Final = {"pair": "lpips_maps_outside", "rest": "perceptual_derived_rest"}
_ZERO: Final = Identity(0.0, 1e-5)
"""A network in float32 gives equal pictures equal features up to rounding."""


@_lpips(
    "preservation.lpips_aligned",
    on_request=True,
    features={"pair": "lpips_maps_aligned", "kept": "aligned_kept"},
    identity=Identity(0.0, 1e-5, moved=True),
    blind_inside=True,
)
@_lpips("preservation.lpips_unfilled", on_request=True, features={"pair": "lpips_maps_unfilled"}, identity=_ZERO)
@_lpips("preservation.lpips", features={"pair": "lpips_maps"}, identity=_ZERO, symmetric=1e-5, blind_inside=True)
def lpips_over_kept(pair: PerceptualPair, kept: Mask) -> float | Missing:
    """LPIPS v0.1 with each layer's map averaged over U; 0 = alike, about .7 = unrelated.

    Args:
        pair: one pass of the backbone over S and E (filled from S inside the mask, for ``preservation.lpips``).
        kept: U, H×W; downsampled by area to each layer's grid as weights. At U = 1 the value is the standard LPIPS.

    Returns:
        ``undefined(too_small)`` for a side under 64 px; ``undefined(u_too_thin)`` where U eroded by 16 px covers less
        than 2 % of the frame.

    References:
        Zhang, Isola, Efros, Shechtman, Wang: The unreasonable effectiveness of deep features, CVPR 2018.
    """
    return masked_lpips_from_maps(pair.layer_maps, kept)


def masked_lpips_from_maps(layer_maps: Sequence[Float32], kept: Mask) -> float | Missing:
    """The same from bare maps: per layer H_l×W_l, the channel-weighted squared feature difference."""
    if min(kept.shape) < MIN_SIDE:
        return undefined("too_small")
    if erode(kept, THIN_RIM).mean() < MIN_SHARE:
        return undefined("u_too_thin")
    return sum(_weighted_mean(layer, kept) for layer in layer_maps)


@_lpips("preservation.lpips_outside", features=_OUTSIDE, identity=_ZERO)
def lpips_outside(pair: PerceptualPair, rest: Mask) -> Result:
    """LPIPS of what lies 16 px and more outside the changed pixels, where no mask is given: was it drawn anew?

    The region is derived from the difference, so that nothing outside it moved or changed colour by construction; but
    the change map is blurred, and a rest that was regenerated, softened or re-noised passes it. Caution
    ``derived_region``.

    Args:
        pair: one pass of the backbone over S and E, E filled from S elsewhere.
        rest: H×W, what is looked at.

    Returns:
        0 = untouched, about .03 after a JPEG of quality 75. Missing as ``preservation.lpips``, and
        ``undefined(kept_area_too_small)`` where under 2 % of the frame is left.
    """
    return with_cautions(masked_lpips_from_maps(pair.layer_maps, rest), "derived_region")


@_lpips("preservation.worst_tile_lpips", features={"pair": "lpips_maps"}, identity=_ZERO, blind_inside=True)
def worst_tile_lpips(pair: PerceptualPair, kept: Mask) -> float | Missing:
    """Worst minus median mean of the LPIPS map over 64-px tiles (stride 32) that are at least half kept.

    High = damage in one place; the median takes out what a re-encode does everywhere. Missing as LPIPS itself.
    """
    if min(kept.shape) < MIN_SIDE:
        return undefined("too_small")
    means = tile_means(spatial_map(pair.layer_maps, (kept.shape[0], kept.shape[1])), kept).means
    return float(means.max() - np.median(means)) if means.size else undefined("u_too_thin")


@metric(
    "adherence.lpips_change", direction=Direction.NEITHER, bounds=(0.0, None), unit="",
    features={"pair": "lpips_maps", "mask": "mask"}, identity=_ZERO, grid=Grid.PERCEPTUAL,
)  # fmt: skip
def lpips_change(pair: PerceptualPair, mask: Mask | None = None) -> float | Missing:
    """LPIPS of the whole pair where no mask is given: how much changed at all, the intended change included.

    Never a measure of preservation. ``not_applicable(mask_given)`` otherwise, since the pair is then filled from S.
    """
    if mask is not None:
        return not_applicable("mask_given")
    return float(sum(layer.mean(dtype=np.float64) for layer in pair.layer_maps))


def spatial_map(layer_maps: Sequence[Float32], size: tuple[int, int]) -> Float32:
    """The layers' maps, upsampled bilinearly and added: for evidence and tiles, not for the number.

    Args:
        layer_maps: per layer H_l×W_l.
        size: height and width of the result, px.
    """
    total = np.zeros(size, np.float32)
    for layer in layer_maps:
        total += cv2.resize(layer, size[::-1], interpolation=cv2.INTER_LINEAR)
    return total


def _weighted_mean(layer: Float32, kept: Mask) -> float:
    size = (layer.shape[1], layer.shape[0])
    weights: Float64 = np.asarray(cv2.resize(kept.astype(np.float64), size, interpolation=cv2.INTER_AREA))
    return float((weights * layer).sum() / weights.sum())
