"""The pair on one grid, the area that had to stay, and the conversions that several metrics share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from edit_metrics.io.images import DecodeInfo
from edit_metrics.metrics import ssim
from edit_metrics.metrics.blank import is_blank
from edit_metrics.metrics.frame_laying import fit_by_frame
from edit_metrics.metrics.grid import GridFit, fit_to_grid
from edit_metrics.metrics.reframing import Frame, find_frame, is_reframed
from edit_metrics.pixels import areas
from edit_metrics.pixels.lab import LabPair, rgb_to_lab
from edit_metrics.registry import feature, label
from edit_metrics.types import RGB, Grid, Mask, Missing, not_applicable, undefined

RIM: Final = 4
FEATHERED_RIM: Final = 8
"""px. Masks drawn by people miss by pixels: real inpainting results are bit-identical to S 2 to 5 px outside them."""


_on_the_source = partial(feature, lies_on=Grid.NATIVE)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a windowed or perceptual comparison looks at.

    Attributes:
        edited: E on S's grid, with S's pixels wherever it must not matter.
        kept: U; None = everywhere (no mask was given, or it leaves nothing to keep).
    """

    edited: RGB
    kept: Mask | None


@_on_the_source()
def grid(
    source: RGB, edited_native: RGB, mask: Mask | None = None, asked_frame: Frame | None = None
) -> GridFit | Missing:
    """E on S's grid, or ``undefined(geometry_mismatch)``; U, where there is one, keeps the edit out of the choice.

    On the frame that was found, where the manifest lets E have another one than S.
    """
    if asked_frame is not None and is_reframed(asked_frame):
        return fit_by_frame(source, edited_native, asked_frame)
    return fit_to_grid(source, edited_native, None if mask is None else ~mask)


@feature(version=2)
def asked_frame(source: RGB, edited_native: RGB, frame: str, mask: Mask | None = None) -> Frame | Missing:
    """E's frame on S, where the manifest says that a model may return another one.

    Returns:
        ``undefined(no_registration)``; ``not_applicable(mask_given)``: what the edit put inside the mask would have its
        say in where the frame is found, and so in every value outside.
    """
    if frame != "reframed":
        return not_applicable("same_frame")
    return find_frame(source, edited_native) if mask is None else not_applicable("mask_given")


@feature()
def blank(source: RGB, edited_native: RGB) -> bool:
    """Whether E is a picture of nothing, and S is not."""
    return is_blank(edited_native) and not is_blank(source)


@_on_the_source()
def edited(grid: GridFit) -> RGB:
    """E on S's grid."""
    return grid.edited


@_on_the_source()
def covered(grid: GridFit) -> Mask:
    """Where E has pixels, H×W of S."""
    return grid.covered


@_on_the_source()
def kept(mask: Mask, grid: GridFit) -> Mask | Missing:
    """U, what had to stay and can be compared: outside the given mask, and where E has pixels.

    Returns:
        ``not_applicable(full_mask)``; ``undefined(kept_area_too_small)`` under 2 % of the frame.
    """
    if mask.all():
        return not_applicable("full_mask")
    area: Mask = ~mask & grid.covered
    return area if area.mean() >= areas.MIN_SHARE else undefined("kept_area_too_small")


@_on_the_source()
def kept_core(kept: Mask, decode_info: DecodeInfo | None = None) -> Mask | Missing:
    """U without its rim along the mask: 4 px, or 8 px where the mask file was feathered (``feathered_mask``).

    Masks drawn by people miss by pixels; the rim is judged by ``structure.seam``.

    Returns:
        ``undefined(kept_core_too_small)`` under 2 % of the frame.
    """
    facts = None if decode_info is None else decode_info.mask
    feathered = facts is not None and not isinstance(facts, Missing) and "feathered_mask" in facts.cautions
    core = areas.erode(kept, FEATHERED_RIM if feathered else RIM)
    return core if core.mean() >= areas.MIN_SHARE else undefined("kept_core_too_small")


@_on_the_source()
def filled(source: RGB, edited: RGB, kept: Mask) -> RGB:
    """E with S's pixels inside the mask."""
    return areas.fill(edited, source, kept)


@_on_the_source()
def compared(edited: RGB, filled: RGB | None = None, kept: Mask | None = None) -> Compared:
    """The filled E and U where a mask was given, else E and everywhere."""
    return Compared(edited, None) if filled is None or kept is None else Compared(filled, kept)


@feature()
def pixel_cautions(grid: GridFit, mask: Mask | None = None) -> tuple[str, ...]:
    """Codes that go with every pixel-aligned value: ``resized``, ``fitted``, ``empty_mask`` (nothing may change)."""
    return (*grid.cautions, "empty_mask") if mask is not None and not mask.any() else grid.cautions


@feature(grid=Grid.WORKING)
def labs(source: RGB, edited: RGB) -> LabPair:
    """CIELAB of both pictures."""
    return LabPair(rgb_to_lab(source), rgb_to_lab(edited))


@feature(version=2, grid=Grid.WORKING)
def ssim_map(source: RGB, compared: Compared) -> ssim.SsimMap:
    """The SSIM map over U, or over everything where no mask was given; float32."""
    return ssim.ssim_map(source, compared.edited, compared.kept)


@label("mask_source", off_grid=("derived_region",))
def mask_source(mask: Mask | None = None, derived_region: Mask | None = None) -> str:
    """``given``, ``derived`` (from the difference; nothing is scored on it) or ``none`` (the grids do not match)."""
    if mask is not None:
        return "given"
    return "none" if derived_region is None else "derived"


@label("geometry")
def geometry(grid: GridFit | None = None, found_frame: Frame | None = None) -> str:
    """``same``, ``resized``, ``fitted:<method>``, ``reframed:<zoom>,<left>,<top>,<kept>`` or ``mismatch``.

    Left and top of E's frame are px of S; kept is the share of S that E shows.
    """
    if found_frame is not None and (grid is None or grid.relation != "fitted"):
        left, top, _, _ = found_frame.box
        return f"reframed:{found_frame.zoom:.3f},{left:.0f},{top:.0f},{found_frame.kept:.2f}"
    if grid is None:
        return "mismatch"
    return f"{grid.relation}:{grid.method}" if grid.relation == "fitted" else grid.relation
