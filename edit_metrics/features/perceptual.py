"""One pass of the perceptual backbone a pair, shared by LPIPS, its tiles and the style's Gram distances."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from edit_metrics.backends.base import PerceptualBackbone
from edit_metrics.features.pixels import Compared
from edit_metrics.metrics.pie import blackened, pie_kept
from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.areas import fill
from edit_metrics.pixels.reducing import PictureGrid, reduced, reduced_area
from edit_metrics.registry import NOWHERE, feature
from edit_metrics.types import RGB, Grid, Mask

_lpips_maps = partial(feature, backend="perceptual", batched=True, grid=Grid.PERCEPTUAL, lies_on=NOWHERE)
"""Layers' maps have sizes of their own; what weighs them is brought to those."""


@_lpips_maps()
def lpips_maps(
    source: Sequence[RGB], compared: Sequence[Compared], backend: PerceptualBackbone
) -> list[PerceptualPair]:
    """S against E filled from S inside the mask; against E itself where no mask was given."""
    return backend.compare(source, [c.edited for c in compared], [c.kept for c in compared])


@_lpips_maps()
def lpips_maps_unfilled(
    source: Sequence[RGB], edited: Sequence[RGB], kept: Sequence[Mask], backend: PerceptualBackbone
) -> list[PerceptualPair]:
    """S against E as it is, the inside of the mask included: a diagnostic."""
    return backend.compare(source, edited, kept, gram=False)


@_lpips_maps()
def lpips_maps_outside(
    source: Sequence[RGB], edited: Sequence[RGB], derived_rest: Sequence[Mask], backend: PerceptualBackbone
) -> list[PerceptualPair]:
    """S against E with S's pixels in and around the derived region, so that the edit itself is not seen from outside.

    The deep layers look 195 px far: without the fill a large edit reads as damage all round it.
    """
    filled = [fill(e, s, rest) for s, e, rest in zip(source, edited, derived_rest, strict=True)]
    return backend.compare(source, filled, derived_rest, gram=False)


@_lpips_maps(features={"source": "working_source", "grid": "perceptual_grid"})
def lpips_maps_aligned(
    source: Sequence[RGB],
    aligned_edited: Sequence[RGB],
    aligned_kept: Sequence[Mask],
    grid: Sequence[PictureGrid],
    backend: PerceptualBackbone,
) -> list[PerceptualPair]:
    """S against E shifted back onto it, filled from S wherever either is not made of kept pixels.

    Aligned on the working grid, and reduced from there.
    """
    triples = zip(source, aligned_edited, aligned_kept, strict=True)
    filled = [fill(moved, s, area) for s, moved, area in triples]
    return compare_reduced(backend, source, filled, aligned_kept, grid)


def compare_reduced(
    backend: PerceptualBackbone,
    sources: Sequence[RGB],
    edited: Sequence[RGB],
    kept: Sequence[Mask],
    grids: Sequence[PictureGrid],
) -> list[PerceptualPair]:
    """Pairs that were laid out on the working grid, reduced to the perceptual one; without Gram distances."""
    first, second = ([reduced(p, g.size) for p, g in zip(several, grids, strict=True)] for several in (sources, edited))
    areas = [reduced_area(a, g.size) for a, g in zip(kept, grids, strict=True)]
    return backend.compare(first, second, areas, gram=False)


@feature(backend="perceptual", batched=True)
def pie_lpips_maps(
    source: Sequence[RGB], edited: Sequence[RGB], mask: Sequence[Mask], backend: PerceptualBackbone
) -> list[PerceptualPair]:
    """S against E, both blackened inside the mask, as PIE-Bench does."""
    areas = [pie_kept(m) for m in mask]
    pictures = [[blackened(p, u) for p, u in zip(group, areas, strict=True)] for group in (source, edited)]
    return backend.compare(pictures[0], pictures[1], [None] * len(areas), gram=False)
