"""Sizes and aspects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.registry import Hit, Severity, check

_SAME_ASPECT: Final = 0.01
"""What rounding both sides to whole pixels does; as when scoring, where the edit is then resized."""
_NEAR_ASPECT: Final = 0.08
"""What rounding a side to a multiple of 64 px does; as when scoring, where the edit is then fitted or refused."""
_SMALL: Final = 64
"""px: below it, encoders see a picture that was blown up at least 3.5 times."""


@check(
    "other_aspect", Severity.WARNING, "The edit's aspect is another one than its source's (more than 8 %).",
    "Say frame = reframed where the model may return another frame; otherwise look whether it is the right picture.",
)  # fmt: skip
def other_aspect(edits: EditSet) -> Iterator[Hit]:
    """Such pairs are ``geometry_mismatch`` when scored; nothing to say of rows that say ``frame = reframed``."""
    for index in edits.pairs.tolist():
        if edits.items[index].frame != "reframed" and abs(_aspect(edits, index) - 1) > _NEAR_ASPECT:
            yield Hit(index, _sizes(edits, index))


@check(
    "near_aspect", Severity.NOTE, "The edit's aspect is off by 1 to 8 %.",
    "It is fitted to the source where that can be told; a model that rounds its sides does this.",
)  # fmt: skip
def near_aspect(edits: EditSet) -> Iterator[Hit]:
    """Sides rounded to multiples of 8, 16 or 64."""
    for index in edits.pairs.tolist():
        if _SAME_ASPECT < abs(_aspect(edits, index) - 1) <= _NEAR_ASPECT:
            yield Hit(index, _sizes(edits, index))


@check(
    "other_size", Severity.NOTE, "The edit has its source's aspect and another size.",
    "It is resized for what compares pixels; what was lost by that is reported as a ceiling.",
)  # fmt: skip
def other_size(edits: EditSet) -> Iterator[Hit]:
    """Resized edits."""
    for index in edits.pairs.tolist():
        before, after = edits.seen[edits.items[index].source], edits.seen[edits.items[index].edited]
        same = (before.width, before.height) == (after.width, after.height)
        if not same and abs(_aspect(edits, index) - 1) <= _SAME_ASPECT:
            yield Hit(index, _sizes(edits, index))


@check(
    "tiny_picture", Severity.WARNING, "A picture has a side of less than 64 px.",
    "Look whether thumbnails were saved instead of pictures.",
)  # fmt: skip
def tiny_picture(edits: EditSet) -> Iterator[Hit]:
    """Thumbnails by mistake."""
    for index in edits.pairs.tolist():
        item = edits.items[index]
        if any(min(edits.seen[path].width, edits.seen[path].height) < _SMALL for path in (item.source, item.edited)):
            yield Hit(index, _sizes(edits, index))


def _aspect(edits: EditSet, index: int) -> float:
    """The edit's aspect over its source's, 1 or more."""
    before, after = edits.seen[edits.items[index].source], edits.seen[edits.items[index].edited]
    ratio = (after.width * before.height) / (after.height * before.width)
    return max(ratio, 1 / ratio)


def _sizes(edits: EditSet, index: int) -> str:
    before, after = edits.seen[edits.items[index].source], edits.seen[edits.items[index].edited]
    return f"source {before.width}×{before.height}, edited {after.width}×{after.height}"
