"""Where E lies against S, and which pixels changed; px are those of the working grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

import cv2
import numpy as np

from edit_metrics.features.pixels import Compared
from edit_metrics.metrics import registration as registrations
from edit_metrics.metrics.extent import is_polarity_suspect
from edit_metrics.metrics.preservation import masked_mse
from edit_metrics.metrics.registration import ChannelGains, Registration
from edit_metrics.metrics.ssim import SsimMap, ssim_map
from edit_metrics.pixels.areas import MIN_SHARE, as_bytes, erode
from edit_metrics.pixels.change import ChangeMap, ChangeReference, change_reference, find_changes
from edit_metrics.pixels.lab import LabPair, shift_lab
from edit_metrics.registry import NOWHERE, feature
from edit_metrics.types import RGB, Grid, Mask, Missing, not_applicable, undefined

STILL: Final = 0.05
"""px; a smaller shift is within the error of the registration."""
REGION_RIM: Final = 16
"""px around the changed pixels that nothing is said about: the change map is blurred, and an edit's soft shadow or edge
lies under its floor."""
STEADY_CONSENSUS: Final = 0.5
"""Share of the tiles that must have moved alike: one thing that moved does not move the picture."""
_feature = partial(feature, grid=Grid.WORKING)


@dataclass(frozen=True, slots=True)
class SteadiedLabs:
    """CIELAB of both pictures, E moved by whole pixels so that a shift of the whole picture is not a change.

    Attributes:
        labs: both pictures.
        dx: what was taken off, px.
        dy: the same.
    """

    labs: LabPair
    dx: int
    dy: int


@_feature(lies_on=NOWHERE)
def registration(source: RGB, edited: RGB, kept: Mask | None = None) -> Registration | Missing:
    """Shift and zoom of E against S from tiles inside U (everywhere without a mask)."""
    return registrations.register(source, edited, kept)


@feature("gains")
def channel_gains(source: RGB, edited: RGB, kept: Mask) -> ChannelGains | Missing:
    """Per-channel gain over U."""
    return registrations.channel_gains(source, edited, kept)


@_feature()
def aligned_kept(registration: Registration, kept: Mask) -> Mask | Missing:
    """Where S and the shifted E are both made of kept pixels, 5 px from the rim of U."""
    area = registrations.comparable_after_shift(kept, registration.dx, registration.dy)
    return area if area.any() else undefined("kept_area_too_small")


@_feature()
def aligned_edited(source: RGB, edited: RGB, registration: Registration, aligned_kept: Mask) -> RGB | Missing:
    """E shifted back onto S (translation only).

    Returns:
        ``not_applicable(already_aligned)`` under .05 px; ``undefined(alignment_does_not_help)`` where the error over
        ``aligned_kept`` does not fall.
    """
    if registration.shift < STILL:
        return not_applicable("already_aligned")
    moved = registrations.translate(edited, registration.dx, registration.dy)
    before, after = (masked_mse(source, picture, aligned_kept) for picture in (edited, moved))
    if isinstance(before, Missing) or isinstance(after, Missing) or after >= before:
        return undefined("alignment_does_not_help")
    return moved


@_feature(version=2)
def aligned_ssim_map(source: RGB, aligned_edited: RGB, aligned_kept: Mask) -> SsimMap:
    """The SSIM map of S and the shifted E over ``aligned_kept``."""
    return ssim_map(source, aligned_edited, aligned_kept)


@_feature()
def steadied_labs(labs: LabPair, registration: Registration | None = None) -> SteadiedLabs:
    """CIELAB of S, and of E moved back by whole pixels where at least half of the tiles agree on a shift."""
    if registration is None or registration.consensus < STEADY_CONSENSUS:
        return SteadiedLabs(labs, 0, 0)
    dx, dy = round(registration.dx), round(registration.dy)
    return SteadiedLabs(LabPair(labs.source, shift_lab(labs.edited, dx, dy)) if dx or dy else labs, dx, dy)


@_feature("change_reference")
def source_change_reference(labs: LabPair) -> ChangeReference:
    """S, blurred, and its texture."""
    return change_reference(labs.source)


@_feature()
def whole_change_map(steadied_labs: SteadiedLabs, change_reference: ChangeReference) -> ChangeMap:
    """Changed pixels of the whole frame, the inside of a given mask included (U = 1)."""
    return _changes(change_reference, steadied_labs, None)


@_feature()
def change_map(
    steadied_labs: SteadiedLabs,
    change_reference: ChangeReference,
    compared: Compared,
    whole_change_map: ChangeMap,
) -> ChangeMap:
    """Changed pixels of U where a mask was given, else of the whole frame."""
    if compared.kept is None or compared.kept.all():
        return whole_change_map
    return _changes(change_reference, steadied_labs, compared.kept)


@_feature(lies_on=NOWHERE)
def polarity_suspected(whole_change_map: ChangeMap, mask: Mask) -> bool:
    """Whether the given mask looks like its own complement."""
    return is_polarity_suspect(whole_change_map.changed, mask)


@_feature()
def derived_region(whole_change_map: ChangeMap, mask: Mask | None = None) -> Mask | Missing:
    """The *actual* region, where no mask was given: the changed pixels. What lies in it is never scored.

    Returns:
        ``not_applicable(mask_given)``.
    """
    return whole_change_map.changed if mask is None else not_applicable("mask_given")


@_feature()
def derived_rest(derived_region: Mask, covered: Mask, asks_for_everything: bool | None = None) -> Mask | Missing:
    """What lies 16 px and more from every changed pixel, and where E has pixels; U's place without a mask.

    By construction nothing there *moved* or changed colour visibly; that it was drawn anew, softened or re-noised is
    under the change map's floor, and is what ``preservation.lpips_outside`` looks for.

    Returns:
        ``undefined(kept_area_too_small)`` under 2 % of the frame; ``not_applicable(whole_picture_edit)`` where nothing
        was to stay: what is left of such an edit was missed rather than kept.
    """
    if asks_for_everything:
        return not_applicable("whole_picture_edit")
    rest: Mask = erode(~derived_region, REGION_RIM) & covered
    return rest if rest.mean() >= MIN_SHARE else undefined("kept_area_too_small")


def _changes(reference: ChangeReference, steadied: SteadiedLabs, kept: Mask | None) -> ChangeMap:
    labs = steadied.labs
    if steadied.dx or steadied.dy:
        everywhere = np.ones(labs.source.shape[:2], np.bool_)
        area = everywhere if kept is None else kept
        kept = registrations.comparable_after_shift(area, steadied.dx, steadied.dy, rim=0)
    if kept is None:
        return find_changes(reference, labs.edited)
    filled = labs.source.copy()
    cv2.copyTo(labs.edited, as_bytes(kept), filled)
    return find_changes(reference, filled, kept)


@_feature()
def changed_pixels(whole_change_map: ChangeMap) -> Mask:
    """True where E differs visibly from S, anywhere in the frame."""
    return whole_change_map.changed
