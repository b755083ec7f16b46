"""Rows that are there twice, that contradict each other, and sources that are nearly the same picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final

import numpy as np

from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.nearest import close_pairs
from edit_metrics.lint.registry import Hit, Severity, check
from edit_metrics.lint.wording import normal

_NEAR_BITS: Final = 4
"""Of 64: as triage takes pictures for near-duplicates …"""
_NEAR_LEVELS: Final = 4.0
"""… whose cells' means also differ by at most so many levels of 255, on average: hashes of flat pictures meet."""
_LABELS: Final = ("edit_type", "mask_white_means", "target_caption", "source_caption")


@check("duplicate_row", Severity.WARNING, "The same source, instruction and edit are there twice.", "Keep one of them.")
def duplicate_row(edits: EditSet) -> Iterator[Hit]:
    """By the files' content and the words; rows of two models count too."""
    yield from _repeated(edits, lambda i: (edits.source_sha(i), _task(edits, i), edits.edited_sha(i)), "the same as {}")


@check(
    "reused_edit", Severity.ERROR, "One edited file stands for several tasks.",
    "Look which task it belongs to: another source or another instruction makes another picture.",
)  # fmt: skip
def reused_edit(edits: EditSet) -> Iterator[Hit]:
    """The same content under another source or instruction; an edit that is its source is no edit."""
    for rows in _groups(edits, edits.edited_sha):
        changed = [i for i in rows if edits.edited_sha(i) != edits.source_sha(i)]
        tasks = {(edits.source_sha(i), _task(edits, i)) for i in changed}
        if len(tasks) > 1:
            first, *rest = changed
            for index in rest:
                if (edits.source_sha(index), _task(edits, index)) != (edits.source_sha(first), _task(edits, first)):
                    yield Hit(index, f"the same picture as the edit of {edits.name(first)}", (first,))


@check(
    "repeated_task", Severity.WARNING, "A model has several edits of one task, and nothing tells them apart.",
    "Say what differs in a column, seed for example, or keep one.",
)  # fmt: skip
def repeated_task(edits: EditSet) -> Iterator[Hit]:
    """The same source, instruction, model and metadata, another edit."""

    def task(index: int) -> Hashable:
        item = edits.items[index]
        return edits.source_sha(index), _task(edits, index), item.model, _hashable(item.metadata)

    for rows in _groups(edits, task):
        for index in rows[1:]:
            if edits.edited_sha(index) != edits.edited_sha(rows[0]):
                yield Hit(index, f"the task of {edits.name(rows[0])}", (rows[0],))


@check(
    "contradiction", Severity.ERROR, "Rows of one source and instruction disagree about the task.",
    "Look which of them is right.",
)  # fmt: skip
def contradiction(edits: EditSet) -> Iterator[Hit]:
    """Another edit type, caption, mask or polarity."""
    for rows in _groups(edits, lambda i: (edits.source_sha(i), normal(edits.items[i].instruction))):
        if not normal(edits.items[rows[0]].instruction):
            continue
        first = edits.items[rows[0]]
        for index in rows[1:]:
            item = edits.items[index]
            apart = [
                f"{name}: {getattr(item, name)!r}, not {getattr(first, name)!r}"
                for name in _LABELS
                if getattr(item, name) is not None and getattr(first, name) is not None
                if normal(getattr(item, name)) != normal(getattr(first, name))
                # Without a mask its polarity says nothing.
                if name != "mask_white_means" or (item.mask is not None and first.mask is not None)
            ]
            apart += ["another mask"] if _other_mask(edits, item.mask, first.mask) else []
            if apart:
                yield Hit(index, f"{'; '.join(apart)} in {first.id}", (rows[0],))


@check(
    "source_in_several_groups", Severity.ERROR, "One source is in several groups.",
    "Give its rows one group: intervals and splits take groups for independent.",
)  # fmt: skip
def source_in_several_groups(edits: EditSet) -> Iterator[Hit]:
    """By content, among rows that have a group."""
    for rows in edits.by_source.values():
        named = [index for index in rows if edits.items[index].group is not None]
        if len({edits.items[index].group for index in named}) > 1:
            first = named[0]
            for index in named[1:]:
                if edits.items[index].group != edits.items[first].group:
                    detail = f"group {edits.items[index].group!r}, {edits.items[first].group!r} in {edits.name(first)}"
                    yield Hit(index, detail, (first,))


@check(
    "near_duplicate_sources", Severity.WARNING, "Two sources are nearly the same picture, in two groups.",
    "Give them one group, or keep one: their edits are not independent.",
)  # fmt: skip
def near_duplicate_sources(edits: EditSet) -> Iterator[Hit]:
    """Perceptual hashes within 4 of 64 bits and nearly equal cells; the same file counts under other codes."""
    group_of = {sha: edits.items[rows[0]].group or sha for sha, rows in edits.by_source.items()}
    for a, b in _near(edits, [rows[0] for rows in edits.by_source.values()], "source"):
        if group_of[edits.source_sha(a)] != group_of[edits.source_sha(b)]:
            yield Hit(b, f"nearly the source of {edits.name(a)}", (a,))


@check(
    "near_duplicate_row", Severity.WARNING, "Two edits of one task of one model are nearly the same picture.",
    "Keep one, unless they are samples on purpose.",
)  # fmt: skip
def near_duplicate_row(edits: EditSet) -> Iterator[Hit]:
    """Encoded twice, or sampled twice with no difference."""

    def task(index: int) -> Hashable:
        return edits.source_sha(index), _task(edits, index), edits.items[index].model

    for rows in _groups(edits, task):
        distinct = {edits.edited_sha(index): index for index in reversed(rows)}
        for a, b in _near(edits, sorted(distinct.values()), "edited"):
            yield Hit(b, f"nearly the edit of {edits.name(a)}", (a,))


def _near(edits: EditSet, rows: list[int], which: str) -> Iterator[tuple[int, int]]:
    """Each item with an earlier one whose picture is nearly the same: the earlier one first."""
    positions = edits.source_positions if which == "source" else edits.edited_positions
    seen = [index for index in rows if positions[index] >= 0]
    places = positions[seen] if seen else np.empty(0, np.intp)
    told = set()
    for left, right in close_pairs(edits.hashes[places], _NEAR_BITS).tolist():
        apart = edits.grids[places[left]].astype(np.int16) - edits.grids[places[right]]
        if right not in told and np.abs(apart).mean() <= _NEAR_LEVELS:
            told.add(right)
            yield seen[left], seen[right]


def _groups(edits: EditSet, key: Any) -> Iterator[list[int]]:
    """Items that share a key, where several do."""
    found: Mapping[Hashable, list[int]] = defaultdict(list)
    for index in range(len(edits.items)):
        found[key(index)].append(index)
    return (rows for rows in found.values() if len(rows) > 1)


def _repeated(edits: EditSet, key: Any, words: str) -> Iterator[Hit]:
    for rows in _groups(edits, key):
        for index in rows[1:]:
            yield Hit(index, words.format(edits.name(rows[0])), (rows[0],))


def _task(edits: EditSet, index: int) -> str:
    item = edits.items[index]
    return normal(item.instruction) or f"caption: {normal(item.target_caption)}"


def _other_mask(edits: EditSet, one: str | None, other: str | None) -> bool:
    if one is None or other is None or one == other:
        return False
    a, b = edits.masks.get(one), edits.masks.get(other)
    return a is not None and b is not None and float(np.abs(a.grid - b.grid).max()) > 0.5


def _hashable(metadata: Mapping[str, Any]) -> Hashable:
    return tuple(sorted((name, repr(value)) for name, value in metadata.items()))
