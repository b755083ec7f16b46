"""Where geometry must hold, and a ViT's keys of both pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edit_metrics.backends.base import PatchEncoder
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.kinds import EditType
from edit_metrics.metrics.grid import GridFit
from edit_metrics.pixels.areas import fill
from edit_metrics.registry import feature
from edit_metrics.types import RGB, Float32, Grid, Mask, Missing, not_applicable, undefined

KEEPS_GEOMETRY: Final = frozenset({EditType.RECOLOUR, EditType.TONE, EditType.STYLE})
"""Edit types after which every edge should be where it was."""
CHANGES_GEOMETRY: Final = frozenset(
    {EditType.ADD, EditType.REMOVE, EditType.REPLACE, EditType.BACKGROUND, EditType.TEXT, EditType.GEOMETRY}
)


@feature(lies_on=Grid.NATIVE)
def geometry_region(
    grid: GridFit,
    mask: Mask | None = None,
    kept: Mask | None = None,
    parsed_instruction: Instruction | None = None,
) -> Mask | Missing:
    """R, where S's geometry must be found again in E: U, or the whole frame when the edit should leave geometry alone.

    Args:
        grid: E on S's grid.
        mask: the given mask on S's grid, True = may change, H×W.
        kept: U, H×W.
        parsed_instruction: its edit type decides when there is no mask.

    Returns:
        H×W; or ``not_applicable(full_mask)``, ``not_applicable(edit_changes_geometry)`` (no mask, and a kind of edit
        that must move something), ``not_applicable(edit_type_unknown)`` (no mask, and no telling);
        ``undefined(kept_area_too_small)`` as for U.
    """
    if kept is not None:
        return kept
    if mask is not None:
        return not_applicable("full_mask") if mask.all() else undefined("kept_area_too_small")
    kind = None if parsed_instruction is None else str(parsed_instruction.edit_type)
    if kind in KEEPS_GEOMETRY:
        return grid.covered
    return not_applicable("edit_changes_geometry" if kind in CHANGES_GEOMETRY else "edit_type_unknown")


@feature(backend="patches", batched=True, cache=True)
def source_patch_keys(source: Sequence[RGB], backend: PatchEncoder) -> list[Float32]:
    """Last-layer keys of S, n×D."""
    return backend.encode_patches(source)


@feature(backend="patches", batched=True)
def kept_patch_keys(
    source: Sequence[RGB], edited: Sequence[RGB], geometry_region: Sequence[Mask], backend: PatchEncoder
) -> list[Float32]:
    """Last-layer keys of E on S's grid with S's pixels outside R, n×D."""
    triples = zip(source, edited, geometry_region, strict=True)
    return backend.encode_patches([fill(e, s, region) for s, e, region in triples])
