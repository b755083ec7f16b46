"""The grids with a cap, and all that is laid on them: the one place where a picture changes its size for a measure.

What costs by the pixel (windows, gradients, colours, the change map) reads ``working_*``, LPIPS reads ``perceptual_*``.
Both are S's own grid, area-downsampled once to a cap on the longer side, and S's own pixels, the very same arrays,
where that is no larger. A computation says ``grid=Grid.WORKING``, and its ``source``, ``kept`` … are these.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from edit_metrics.features.pixels import Compared
from edit_metrics.pixels.areas import MIN_SHARE
from edit_metrics.pixels.reducing import PictureGrid, capped_size, reduced, reduced_area
from edit_metrics.registry import NOWHERE, feature, label
from edit_metrics.types import RGB, Grid, Mask, Missing, undefined

CAPPED: Final = (Grid.WORKING, Grid.PERCEPTUAL)
SMALLEST_CAP: Final = 64
"""px; LPIPS and the tiles of the change map have nothing to say of smaller pictures."""


_on = partial(feature, roles=CAPPED, lies_on="{role}")
"""What is laid on a grid lies there, whatever it is made of: here alone."""


@_on("{role}_grid", lies_on=NOWHERE, features={"source": "source"})
def picture_grid(source: RGB, *, max_side: int | None = None) -> PictureGrid:
    """The grid.

    Args:
        source: S, H×W×3.
        max_side: px of the longer side, at most; None = S's own pixels, whatever their number.
    """
    height, width = source.shape[:2]
    size = capped_size(width, height, max_side)
    return PictureGrid(*size, max(width, height) / max(size), max_side)


@_on("{role}_source", features={"picture": "source", "grid": "{role}_grid"})
@_on("{role}_edited", features={"picture": "edited", "grid": "{role}_grid"})
def laid_picture(picture: RGB, grid: PictureGrid) -> RGB:
    """S, or E on S's grid."""
    return reduced(picture, grid.size)


@_on(
    "{role}_edited_native", lies_on=NOWHERE, off_grid=("laid",),
    features={"own": "edited_native", "grid": "{role}_grid", "laid": "{role}_edited"},
)  # fmt: skip
def capped_picture(own: RGB, grid: PictureGrid, edited: RGB | None = None, laid: RGB | None = None) -> RGB:
    """E on its own grid, under the same cap; where that is S's grid (E is ``edited`` itself), what was laid on it."""
    if own is edited and laid is not None:
        return laid
    return reduced(own, capped_size(own.shape[1], own.shape[0], grid.max_side))


@_on("{role}_mask", features={"mask": "mask", "grid": "{role}_grid"})
def laid_mask(mask: Mask, grid: PictureGrid) -> Mask:
    """M: where some of what a pixel covers may change."""
    if (mask.shape[1], mask.shape[0]) == grid.size:
        return mask
    return np.asarray(~reduced_area(~mask, grid.size), np.bool_)


@_on("{role}_kept", features={"kept": "kept", "grid": "{role}_grid"})
def laid_kept(kept: Mask, grid: PictureGrid) -> Mask | Missing:
    """U: where all of what a pixel covers had to stay; ``undefined(kept_area_too_small)`` under 2 % of the frame."""
    area = reduced_area(kept, grid.size)
    return area if area is kept or area.mean() >= MIN_SHARE else undefined("kept_area_too_small")


@_on("{role}_covered", features={"area": "covered", "grid": "{role}_grid"})
@_on("{role}_geometry_region", features={"area": "geometry_region", "grid": "{role}_grid"})
def laid_area(area: Mask, grid: PictureGrid) -> Mask:
    """An area: where all of what a pixel covers is in it."""
    return reduced_area(area, grid.size)


@_on(
    "{role}_compared",
    off_grid=("laid",),
    features={"compared": "compared", "grid": "{role}_grid", "edited": "edited", "laid": "{role}_edited"},
)
def laid_comparison(compared: Compared, grid: PictureGrid, edited: RGB, laid: RGB) -> Compared:
    """E as it is compared, filled before it is reduced, and U."""
    kept = compared.kept
    picture = laid if compared.edited is edited else reduced(compared.edited, grid.size)
    if picture is compared.edited:
        return compared
    return Compared(picture, None if kept is None else reduced_area(kept, grid.size))


@feature(
    "perceptual_derived_rest", lies_on=Grid.PERCEPTUAL, features={"area": "derived_rest", "grid": "perceptual_grid"}
)
def laid_rest(area: Mask, grid: PictureGrid) -> Mask:
    """What is looked at where no mask was given, taken over from the working grid."""
    return reduced_area(area, grid.size)


@label("grids")
def grids(source: RGB, working_grid: PictureGrid, perceptual_grid: PictureGrid) -> str:
    """``native``, or the grids that are smaller than S: ``working 1024×768, perceptual 768×576 of 4096×3072``."""
    found = {Grid.WORKING: working_grid, Grid.PERCEPTUAL: perceptual_grid}
    smaller = [f"{name} {one.width}×{one.height}" for name, one in found.items() if one.scale > 1]
    return f"{', '.join(smaller)} of {source.shape[1]}×{source.shape[0]}" if smaller else "native"
