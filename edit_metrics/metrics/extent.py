"""How much changed where nothing should have: share, worst tile, over-edit, locality, colour shift.

The first two need a given mask: outside a region that was itself derived from the difference nothing has changed
visibly, by construction. The others also describe an edit without one.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.areas import MIN_SHARE, as_bytes, tile_means
from edit_metrics.pixels.change import ChangeMap
from edit_metrics.pixels.lab import LabPair, delta_e_2000
from edit_metrics.registry import Identity, metric
from edit_metrics.types import Direction, Grid, Mask, Missing, Result, not_applicable, undefined, with_cautions

SATURATED: Final = 0.5
"""Share of the area at the highest floor from which on a change map is said to be saturated: most of it; chosen."""


POLARITY_OUTSIDE: Final = 0.95
POLARITY_INSIDE: Final = 0.1
POLARITY_KEPT: Final = 0.2
"""When a mask seems to be read the wrong way round: nearly all of the change lies in U, the editable part is untouched,
and much of U changed. Chosen: 8 masked real edits read up to .01, from .79 and up to .02 in this order, with their
masks turned round .99 and more, .02 and less, .79 and more (by test); the map is blurred, a rim of 3 px."""


_change = partial(
    metric, direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="share", features={"change": "change_map"},
    cautions="pixel_cautions", identity=0.0, blind_inside=True, grid=Grid.WORKING,
)  # fmt: skip


@_change("preservation.changed_share")
def changed_share(change: ChangeMap, kept: Mask) -> Result:
    """Share of the kept pixels that changed visibly (see :func:`edit_metrics.pixels.change.find_changes`)."""
    share = np.count_nonzero(change.changed & kept) / np.count_nonzero(kept)
    return with_cautions(share, _saturation(change))


@_change(
    "preservation.change_floor", direction=Direction.NEITHER, bounds=(0.0, None), unit="ΔE2000", cautions=None,
    identity="a threshold, 3 or more",
)  # fmt: skip
def change_floor(change: ChangeMap) -> Result:
    """Colour difference under which the change map sees nothing: 3 on clean pairs, 10 where everything is noisy."""
    return with_cautions(change.floor, _saturation(change))


@metric(
    "preservation.polarity_suspect", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="flag", identity=0.0,
    grid=Grid.WORKING,
)  # fmt: skip
def polarity_suspect(polarity_suspected: bool) -> float:
    """1 when the mask seems to be read the wrong way round; ``mask_white_means`` in the manifest turns it.

    The change lies mainly where nothing may change, and the part that may change is untouched. Missing without a mask.
    """
    return float(polarity_suspected)


def is_polarity_suspect(changed: Mask, mask: Mask) -> bool:
    """Whether a mask (True = may change) looks like its own complement.

    Args:
        changed: changed pixels of the whole frame.
        mask: H×W.
    """
    inside, outside = changed & mask, changed & ~mask
    if not mask.any() or mask.all() or not outside.any():
        return False
    return bool(
        outside.sum() >= POLARITY_OUTSIDE * changed.sum()
        and inside.sum() <= POLARITY_INSIDE * mask.sum()
        and outside.sum() >= POLARITY_KEPT * np.count_nonzero(~mask)
    )


@_change("preservation.worst_tile", version=2)
def worst_tile(change: ChangeMap, kept: Mask, polarity_suspected: bool | None = None) -> Result:
    """Highest changed share of any 64-px tile (stride 32) that is at least half kept: damage that a mean would hide.

    Args:
        change: changed pixels of U.
        kept: U.
        polarity_suspected: adds the caution ``mask_polarity_suspect``.

    Returns:
        ``undefined(u_too_thin)`` where no tile is half kept.
    """
    tiles = tile_means(change.changed, kept)
    if not tiles.means.size:
        return undefined("u_too_thin")
    doubt = "mask_polarity_suspect" if polarity_suspected else ""
    return with_cautions(float(tiles.means.max()), _saturation(change), doubt)


@_change("preservation.over_edit_share", version=2)
def over_edit_share(change: ChangeMap, mask: Mask | None = None, asks_for_everything: bool | None = None) -> Result:
    """Share of the whole frame that changed outside the region where a change was expected.

    Args:
        change: the change map.
        mask: the expected region: the given mask, or one grounded from the instruction. None = no region is expected,
            so that the intended change counts too and the value is an upper bound (``expected_region_unknown``).
        asks_for_everything: the instruction is about the whole picture.

    Returns:
        ``not_applicable(whole_picture_edit)`` without a mask where the whole picture was to change.
    """
    if mask is None and asks_for_everything:
        return not_applicable("whole_picture_edit")
    outside = change.changed if mask is None else change.changed & ~mask
    unknown = "" if mask is not None else "expected_region_unknown"
    return with_cautions(np.count_nonzero(outside) / outside.size, _saturation(change), unknown)


@metric(
    "adherence.under_edit_share", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="share",
    features={"changed": "changed_pixels", "expected": "working_mask"}, identity=1.0, grid=Grid.WORKING,
)  # fmt: skip
def under_edit_share(changed: Mask, expected: Mask) -> float | Missing:
    """Share of the expected region that did not change.

    Args:
        changed: the changed pixels of the whole frame.
        expected: where the instruction asks for a change.

    Returns:
        ``undefined(no_expected_region)`` when it is empty.
    """
    if not expected.any():
        return undefined("no_expected_region")
    return np.count_nonzero(expected & ~changed) / np.count_nonzero(expected)


@metric(
    "preservation.locality", direction=Direction.NEITHER, bounds=(0.0, 1.0), unit="",
    identity=not_applicable("nothing_changed"), grid=Grid.WORKING,
)  # fmt: skip
def locality(derived_region: Mask) -> float | Missing:
    """Whether an edit without a mask is compact or smeared over the frame: 1 − its radius of gyration / the frame's.

    Args:
        derived_region: the changed pixels.

    Returns:
        Near 1 = one small spot; 0 = spread as widely as the frame itself. ``not_applicable(nothing_changed)``.
    """
    rows, columns = np.nonzero(derived_region)
    if not len(rows):
        return not_applicable("nothing_changed")
    height, width = derived_region.shape
    uniform = (height**2 + width**2 - 2) / 12
    return max(1.0 - float(np.sqrt((rows.var() + columns.var()) / uniform)), 0.0)


@metric(
    "preservation.colour_shift", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, None), unit="ΔE2000",
    identity=Identity(0.0, 1e-4), symmetric=1e-4, flip_invariant=1e-4, blind_inside=True, version=2,
    grid=Grid.WORKING,
)  # fmt: skip
def colour_shift(labs: LabPair, kept: Mask | None = None, derived_rest: Mask | None = None) -> Result:
    """ΔE2000 between the mean colours of S and E over U: a drift of tone that no single pixel shows.

    Args:
        labs: CIELAB of both.
        kept: U.
        derived_rest: where no mask is given, what lies 16 px and more from the changed pixels (caution
            ``derived_region``).

    Returns:
        ``not_applicable(nothing_kept)`` without either; ``undefined(kept_area_too_small)`` under 2 % of the frame.
    """
    area = kept if kept is not None else derived_rest
    if area is None:
        return not_applicable("nothing_kept")
    if area.mean() < MIN_SHARE:
        return undefined("kept_area_too_small")
    weights = as_bytes(area)
    means = [np.array(cv2.mean(lab, weights)[:3], np.float32) for lab in (labs.source, labs.edited)]
    return with_cautions(float(delta_e_2000(*means)), "derived_region" if kept is None else "")


def _saturation(change: ChangeMap) -> str:
    return "change_floor_saturated" if change.saturated >= SATURATED else ""
