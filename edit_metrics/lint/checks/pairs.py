"""Pairs that are none: the edit is its source, belongs to another row, or holds the source beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import ImageError
from edit_metrics.io.glance import GRID
from edit_metrics.io.images import decode_image
from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.nearest import Nearest, bits_apart, nearest_bits
from edit_metrics.lint.registry import Hit, Severity, check

Grey = NDArray[np.float32]
_CHUNK: Final = 4096  # pairs
_STILL: Final = 2.0
"""Levels of 255 by which the mean of a cell may differ in pictures that look the same."""
_LIKE_BITS, _LIKE = 16, 0.7
"""Most bits of 64, and least correlation of 24 × 24 cells, at which an edit looks like a source …"""
_CLOSER_BITS, _CLOSER = 8, 0.1
"""… and by how much its own source must be farther off (``benchmarks/lint_recall.py``)."""
_PANEL: Final = 0.95
"""Correlation with the source from which a panel is the source …"""
_GAIN: Final = 0.2
"""… where the whole edit correlates with it by so much less."""
_PANEL_APART: Final = 12.0
"""… and mean difference of the panel to the source, levels of 255, up to which."""
_FLAT: Final = 12.0
"""Standard deviation, levels of 255, from which a source shows something."""


@check(
    "same_file", Severity.WARNING, "The edit is its source: the same bytes or the same pixels.",
    "Look whether the model failed, or the source was saved in the edit's place.",
)  # fmt: skip
def same_file(edits: EditSet) -> Iterator[Hit]:
    """Byte for byte, or pixel for pixel in another file."""
    for index, apart in zip(edits.pairs.tolist(), edits.differences, strict=True):
        if edits.source_sha(index) == edits.edited_sha(index):
            yield Hit(index, "the same bytes")
        elif apart.max() == 0 and _same_pixels(edits, index):
            yield Hit(index, "the same pixels")


@check(
    "same_look", Severity.NOTE, "The edit looks like its source, although pixels differ.",
    "A no-op that was encoded again, or a change of a few pixels: nothing is wrong with the set if the model did that.",
)  # fmt: skip
def same_look(edits: EditSet) -> Iterator[Hit]:
    """At 24 × 24 cells no cell's mean differs by more than 2 of 255."""
    for index, apart in zip(edits.pairs.tolist(), edits.differences, strict=True):
        alike = apart.max() <= _STILL and edits.source_sha(index) != edits.edited_sha(index)
        if alike and not (apart.max() == 0 and _same_pixels(edits, index)):
            yield Hit(index, f"no cell of {GRID} × {GRID} differs by more than {apart.max():.0f} of 255")


@check(
    "other_rows_source", Severity.ERROR, "An edit looks like another row's source and not like its own.",
    "Rows were shifted or swapped, or source and edited were: look at both rows.",
)  # fmt: skip
def other_rows_source(edits: EditSet) -> Iterator[Hit]:
    """By perceptual hash and by its cells; another row of its own group, or the very file, is told by other codes."""
    sources = np.unique(edits.source_positions[edits.source_positions >= 0])
    before, after = edits.source_positions[edits.pairs], edits.edited_positions[edits.pairs]
    own = bits_apart(edits.hashes[before], edits.hashes[after]).astype(int)
    suspects = np.flatnonzero((own >= _CLOSER_BITS) & (edits.hashes[after] != 0))
    known, shas = edits.hashes[sources], np.array([edits.seen[edits.paths[p]].sha256 for p in sources.tolist()])
    first_row = _first_rows(edits)
    found_first = nearest_bits(edits.hashes[after[suspects]], known)
    for place, first in zip(suspects.tolist(), found_first, strict=True):
        index = int(edits.pairs[place])
        found = first
        if first.bits == 0 and shas[first.position] == edits.edited_sha(index):  # the very file: a turn of a chain
            distinct = np.flatnonzero(shas != edits.edited_sha(index))
            for again in nearest_bits(edits.hashes[after[[place]]], known[distinct]):
                found = Nearest(int(distinct[again.position]), again.bits)
        source = int(sources[found.position])
        other = first_row[source]
        if found.bits > min(_LIKE_BITS, own[place] - _CLOSER_BITS) or _belong_together(edits, index, other):
            continue
        shown = _grey(edits.grids[after[place]])
        like, like_own = _correlations(_grey(edits.grids[[source, before[place]]]), np.stack([shown, shown])).tolist()
        if like >= max(_LIKE, like_own + _CLOSER):
            detail = f"{found.bits} of 64 bits from the source of {edits.name(other)}, {own[place]} from its own"
            yield Hit(index, detail, (other,))


@check(
    "edit_is_a_source", Severity.WARNING, "An edit is the very file that is another row's source.",
    "In a chain of edits say which turn each row is, in a column `turn`; otherwise source and edited were swapped.",
)  # fmt: skip
def edit_is_a_source(edits: EditSet) -> Iterator[Hit]:
    """By content; rows with a ``turn`` say that they are a chain."""
    for index in edits.pairs.tolist():
        sha = edits.edited_sha(index)
        others = [o for o in edits.by_source.get(sha, ()) if o != index and edits.source_sha(index) != sha]
        if others and edits.items[index].metadata.get("turn") is None:
            yield Hit(index, f"the source of {edits.name(others[0])}", (others[0],))


@check(
    "picture_in_picture", Severity.ERROR, "The edit holds the source beside it: a strip of panels.",
    "Cut the edit out of the strip.",
)  # fmt: skip
def picture_in_picture(edits: EditSet) -> Iterator[Hit]:
    """A half, third or quarter of the edit is the source; stretched strips too."""
    before, after = edits.source_positions[edits.pairs], edits.edited_positions[edits.pairs]
    for start in range(0, len(before), _CHUNK):
        part = slice(start, start + _CHUNK)
        found = find_panels(_grey(edits.grids[before[part]]), _grey(edits.grids[after[part]]))
        for place, words in sorted(found.items()):
            yield Hit(int(edits.pairs[start + place]), words)


def find_panels(sources: Grey, edited: Grey) -> dict[int, str]:
    """Where in its strip a source is, in words, for those of the edits that are strips of panels.

    Args:
        sources: N×GRID×GRID, luma.
        edited: likewise.
    """
    found: dict[int, str] = {}
    most = np.maximum(_PANEL, _correlations(sources, edited) + _GAIN)
    shows = sources.std(axis=(1, 2)) >= _FLAT
    for across in (True, False):
        pictures, strips = (sources, edited) if across else (sources.swapaxes(1, 2), edited.swapaxes(1, 2))
        for panels in (2, 3, 4):
            width = GRID // panels
            small = pictures.reshape(-1, GRID, width, panels).mean(axis=3)
            for number in range(panels):
                panel = strips[:, :, number * width : (number + 1) * width]
                near = np.abs(small - panel).mean(axis=(1, 2)) <= _PANEL_APART
                for place in np.flatnonzero(shows & near & (_correlations(small, panel) >= most)).tolist():
                    words = f"panel {number + 1} of {panels}, {'side by side' if across else 'one above the other'}"
                    found.setdefault(place, words)
    return found


def _correlations(a: Grey, b: Grey) -> Grey:
    """Of each picture with its partner; 0 where one of them is flat."""
    x, y = (one - one.mean(axis=(1, 2), keepdims=True) for one in (a, b))
    size = np.sqrt((x * x).sum(axis=(1, 2)) * (y * y).sum(axis=(1, 2)))
    found: Grey = (x * y).sum(axis=(1, 2)) / np.maximum(size, 1e-6)
    return found


def _grey(grids: NDArray[np.uint8]) -> Grey:
    return grids.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _same_pixels(edits: EditSet, index: int) -> bool:
    item = edits.items[index]
    try:
        return bool(np.array_equal(decode_image(item.source).pixels, decode_image(item.edited).pixels))
    except ImageError:
        return False


def _belong_together(edits: EditSet, index: int, other: int) -> bool:
    """Rows of one group, or a picture that is the source itself: a chain of turns."""
    group = edits.items[index].group
    return edits.edited_sha(index) == edits.source_sha(other) or (
        group is not None and group == edits.items[other].group
    )


def _first_rows(edits: EditSet) -> dict[int, int]:
    first: dict[int, int] = {}
    for index, position in enumerate(edits.source_positions.tolist()):
        first.setdefault(position, index)
    return first
