"""The pair on E's own frame, where a model drew the picture again with another crop, zoom or aspect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edit_metrics.backends.base import PerceptualBackbone
from edit_metrics.features.perceptual import compare_reduced
from edit_metrics.metrics.frame_laying import lay_on_source
from edit_metrics.metrics.grid import GridFit
from edit_metrics.metrics.reframing import Frame, find_frame, is_reframed
from edit_metrics.metrics.registration import Registration
from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.areas import MIN_SHARE
from edit_metrics.pixels.change import ChangeMap, change_reference, find_changes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.pixels.reducing import PictureGrid
from edit_metrics.registry import NOWHERE, feature
from edit_metrics.types import RGB, Grid, Mask, Missing, not_applicable, undefined


@dataclass(frozen=True, slots=True)
class RegisteredPair:
    """S and E on S's grid, as sharp as each other.

    Attributes:
        source, edited: H×W×3; E has S's pixels outside ``kept``.
        kept: where both are, H×W.
    """

    source: RGB
    edited: RGB
    kept: Mask


@feature(version=2)
def found_frame(
    source: RGB,
    edited_native: RGB,
    asked_frame: Frame | None = None,
    grid: GridFit | None = None,
    registration: Registration | None = None,
    mask: Mask | None = None,
) -> Frame | Missing:
    """E's frame on S where it is another one than S's.

    Looked for where the aspect is off, or where nothing of S was found in its place: that is what it costs time for.

    Returns:
        ``not_applicable(same_frame)``; ``not_applicable(mask_given)``, see ``asked_frame``;
        ``undefined(no_registration)`` where the pictures do not say.
    """
    if mask is not None:
        return not_applicable("mask_given")
    in_place = grid is not None and registration is not None
    if asked_frame is None and in_place:
        return not_applicable("same_frame")
    found = asked_frame or find_frame(source, edited_native)
    if isinstance(found, Missing):
        return found
    return found if is_reframed(found) else not_applicable("same_frame")


@feature(version=2, grid=Grid.WORKING, off_grid=("grid",))
def registered_pair(
    source: RGB, edited_native: RGB, found_frame: Frame, grid: GridFit | None = None
) -> RegisteredPair | Missing:
    """Both pictures on the overlap of their frames; ``undefined(kept_area_too_small)`` under 2 % of the frame."""
    sizes = ((source.shape[1], source.shape[0]), (edited_native.shape[1], edited_native.shape[0]))
    # Laid there already, where the manifest allows another frame and no grid is reduced.
    there = grid is not None and grid.relation == "reframed" and grid.edited.shape == source.shape
    laid = grid.edited if grid is not None and there else None
    first, second, overlap = lay_on_source(source, edited_native, found_frame.between(*sizes), laid)
    if overlap.mean() < MIN_SHARE:
        return undefined("kept_area_too_small")
    return RegisteredPair(first, second, overlap)


@feature(
    backend="perceptual", batched=True, grid=Grid.PERCEPTUAL, lies_on=NOWHERE, features={"grid": "perceptual_grid"}
)  # fmt: skip
def lpips_maps_registered(
    registered_pair: Sequence[RegisteredPair], grid: Sequence[PictureGrid], backend: PerceptualBackbone
) -> list[PerceptualPair]:
    """LPIPS on the overlap; laid out on the working grid, and reduced from there."""
    pairs = registered_pair
    return compare_reduced(
        backend, [p.source for p in pairs], [p.edited for p in pairs], [p.kept for p in pairs], grid
    )  # fmt: skip


@feature(grid=Grid.WORKING)
def registered_change_map(registered_pair: RegisteredPair) -> ChangeMap:
    """Changed pixels of the overlap."""
    labs = [rgb_to_lab(image) for image in (registered_pair.source, registered_pair.edited)]
    return find_changes(change_reference(labs[0]), labs[1], registered_pair.kept)
