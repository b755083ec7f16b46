"""Masks: levels, size, polarity, and masks that mark everything or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from edit_metrics.io.glance import MaskGlance
from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.registry import Hit, Severity, check

_SAME_ASPECT: Final = 0.01  # as when scoring
_VISIBLE: Final = 8.0
"""Levels of 255 by which what may not change must have changed, on average …"""
_RATIO: Final = 5.0
"""… and how many times as much as what may. The eight masked edits of ``triples``, read the right way, change 9 to 63
times as much inside as outside."""
_CELLS: Final = 2.0
"""Cells of 24 × 24 that both parts must have at least: less is a border, not an area."""


@check(
    "mask_levels", Severity.ERROR, "It cannot be told what is white in a mask.",
    "Save the part that may change as white (255) and the rest as black (0).",
)  # fmt: skip
def mask_levels(edits: EditSet) -> Iterator[Hit]:
    """Maps of labels, photographs with few levels, one grey level."""
    for index, item in enumerate(edits.items):
        failure = edits.failures.get(item.mask) if item.mask is not None else None
        if failure is not None and failure.code == "mask_levels":
            yield Hit(index, failure.text)


@check(
    "mask_size", Severity.ERROR, "A mask has another aspect than its source: the row would be rejected.",
    "Make the mask on the source's own grid.",
)  # fmt: skip
def mask_size(edits: EditSet) -> Iterator[Hit]:
    """More than 1 % off."""
    for index, mask in _masks(edits):
        source = edits.seen.get(edits.items[index].source)
        if source is None:
            continue
        if abs((mask.width * source.height) / (mask.height * source.width) - 1) > _SAME_ASPECT:
            yield Hit(index, f"source {source.width}×{source.height}, mask {mask.width}×{mask.height}")


@check(
    "mask_polarity", Severity.ERROR, "A mask seems to be read the wrong way round.",
    "Say mask_white_means = preserved (or edited) for these rows.",
)  # fmt: skip
def mask_polarity(edits: EditSet) -> Iterator[Hit]:
    """What changed lies where nothing may, and what may change is untouched."""
    place = {index: position for position, index in enumerate(edits.pairs.tolist())}
    for index, mask in _masks(edits):
        if index not in place:
            continue
        apart, allowed = edits.differences[place[index]].astype(np.float32), _allowed(edits, index, mask)
        room, rest = float(allowed.sum()), float((1 - allowed).sum())
        if min(room, rest) < _CELLS:
            continue
        inside, outside = float((apart * allowed).sum()) / room, float((apart * (1 - allowed)).sum()) / rest
        if outside >= max(_VISIBLE, _RATIO * inside):
            meaning = edits.items[index].mask_white_means
            yield Hit(
                index,
                f"changed by {outside:.0f} of 255 where nothing may change, by {inside:.0f} where it may; "
                f"white = {meaning} is said",
            )


@check(
    "mask_empty_or_full", Severity.WARNING, "A mask says that nothing, or everything, may change.",
    "Leave the mask out where the whole picture may change; look at it where nothing may.",
)  # fmt: skip
def mask_empty_or_full(edits: EditSet) -> Iterator[Hit]:
    """Masks of one value."""
    for index, mask in _masks(edits):
        if mask.share in (0.0, 1.0):
            everything = (mask.share == 1.0) == (edits.items[index].mask_white_means == "edited")
            yield Hit(index, "everything may change" if everything else "nothing may change")


@check(
    "mask_doubtful", Severity.NOTE, "A mask is coloured, or its borders are blurred: what is white is partly a guess.",
    "Save masks as black and white.",
)  # fmt: skip
def mask_doubtful(edits: EditSet) -> Iterator[Hit]:
    """Masks with cautions."""
    for index, mask in _masks(edits):
        if mask.cautions:
            yield Hit(index, ", ".join(code.replace("_", " ") for code in mask.cautions))


def _masks(edits: EditSet) -> Iterator[tuple[int, MaskGlance]]:
    for index, item in enumerate(edits.items):
        mask = edits.masks.get(item.mask) if item.mask is not None else None
        if mask is not None:
            yield index, mask


def _allowed(edits: EditSet, index: int, mask: MaskGlance) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return mask.grid if edits.items[index].mask_white_means == "edited" else 1 - mask.grid
