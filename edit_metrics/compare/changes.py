"""Single items that changed sides between two runs: flips, lost values, items on one side only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.differences import PairedColumn
from edit_metrics.compare.matching import Matched


@dataclass(frozen=True, slots=True)
class Flip:
    """An item that passed and now fails, or the reverse; pictures as the score tables name them.

    Attributes:
        change: ``now_fails`` or ``now_passes``.
    """

    run: str
    measure: str
    id: str
    group: str
    change: Literal["now_fails", "now_passes"]
    reference_score: float
    score: float
    instruction: str
    source: str
    reference_edited: str
    edited: str


@dataclass(frozen=True, slots=True)
class NewlyMissing:
    """An item whose score the reference has and the run has not."""

    run: str
    measure: str
    id: str
    group: str
    status: str
    reason: str
    reference_score: float


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Keys on one side only."""

    run: str
    only_reference: tuple[str, ...]
    only_run: tuple[str, ...]


def find_flips(matched: Matched, pair: PairedColumn, pass_at: float, most: int | None = None) -> list[Flip]:
    """Items on different sides of ``pass_at``, the largest change first; at most ``most`` of either direction."""
    before, after = pair.reference, pair.other
    both = np.isfinite(before) & np.isfinite(after)
    flipped = np.flatnonzero(both & ((before >= pass_at) != (after >= pass_at)))
    flipped = flipped[np.argsort(-np.abs(after - before)[flipped], kind="stable")]
    if most is not None and len(flipped) > most:
        fails = after[flipped] < pass_at
        flipped = flipped[np.where(fails, np.cumsum(fails), np.cumsum(~fails)) <= most]
    return [
        Flip(
            matched.other.run.name,
            pair.measure.name,
            item.id,
            item.group,
            "now_fails" if after[index] < pass_at else "now_passes",
            float(before[index]),
            float(after[index]),
            item.instruction,
            item.source,
            item.reference_edited,
            item.edited,
        )
        for index, item in zip(flipped, items_at(matched, flipped), strict=True)
    ]


def find_newly_missing(matched: Matched, pair: PairedColumn, most: int | None = None) -> list[NewlyMissing]:
    """Items of which fewer samples have a value than in the reference, ``most`` at most; absent items say so."""
    lost = np.flatnonzero(pair.other_missing > pair.reference_missing)[:most]
    there, measure = matched.there[lost], pair.measure
    names = zip(matched.keys[lost], matched.reference.labels[pair.groups[lost]], strict=True)
    words = zip(
        there >= 0,
        matched.other.text(measure.status_column, there),
        matched.other.text(measure.reason_column, there),
        strict=True,
    )
    return [
        NewlyMissing(
            matched.other.run.name,
            measure.name,
            str(key),
            str(group),
            (status or "missing") if present else "absent",
            reason if present else "item_not_in_run",
            float(score),
        )
        for (key, group), (present, status, reason), score in zip(names, words, pair.reference[lost], strict=True)
    ]


def find_unmatched(matched: Matched) -> Unmatched:
    """What has no partner."""
    alone = np.ones(len(matched.other.keys), dtype=bool)
    alone[matched.partner[matched.partner >= 0]] = False
    return Unmatched(
        matched.other.run.name,
        tuple(str(key) for key in matched.reference.keys[matched.partner < 0]),
        tuple(str(key) for key in matched.other.keys[alone]),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """An item with what a person needs to find and see it."""

    id: str
    group: str
    instruction: str
    source: str
    reference_edited: str
    edited: str


def items_at(matched: Matched, positions: NDArray[np.intp]) -> list[Shown]:
    """The items at some of the K matched positions."""
    reference, at = matched.reference, matched.at[positions]
    texts = zip(
        reference.keys[at],
        reference.groups[at],
        reference.text("instruction", at),
        reference.text("source", at),
        reference.text("edited", at),
        matched.other.text("edited", matched.there[positions]),
        strict=True,
    )
    return [Shown(str(key), str(group), *rest) for key, group, *rest in texts]
