"""Single items that changed sides between two runs: flips, lost values, items on one side only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edit_metrics.compare.matching import Matched
from edit_metrics.compare.measures import Measure
from edit_metrics.compare.pairing import Units


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


def find_flips(matched: Matched, measure: Measure, pass_at: float) -> list[Flip]:
    """Items on different sides of ``pass_at``, the largest change first."""
    pair, reference, other = matched.column(measure), matched.reference, matched.other
    before, after = pair.reference, pair.other
    both = np.isfinite(before) & np.isfinite(after)
    flipped = np.flatnonzero(both & ((before >= pass_at) != (after >= pass_at)))
    flipped = flipped[np.argsort(-np.abs(after - before)[flipped], kind="stable")]
    at, groups = matched.keys[flipped], matched.groups[flipped]
    texts = zip(
        reference.text("instruction", at),
        reference.text("source", at),
        reference.text("edited", at),
        other.text("edited", at),
        strict=True,
    )
    return [
        Flip(
            other.run.name,
            measure.name,
            str(key),
            str(group),
            "now_fails" if after[index] < pass_at else "now_passes",
            float(before[index]),
            float(after[index]),
            *text,
        )
        for index, key, group, text in zip(flipped, at, groups, texts, strict=True)
    ]


def find_newly_missing(matched: Matched, measure: Measure) -> list[NewlyMissing]:
    """Items of which fewer samples have a value than in the reference; absent items say so."""
    pair, other = matched.column(measure), matched.other
    lost = np.flatnonzero(pair.other_missing > pair.reference_missing)
    at, groups, scores = matched.keys[lost], matched.groups[lost], pair.reference[lost]
    present = at.isin(other.keys)
    statuses, reasons = other.text(measure.status_column, at), other.text(measure.reason_column, at)
    return [
        NewlyMissing(
            other.run.name,
            measure.name,
            str(key),
            str(group),
            (status or "missing") if there else "absent",
            reason if there else "item_not_in_run",
            float(score),
        )
        for key, group, score, there, status, reason in zip(at, groups, scores, present, statuses, reasons, strict=True)
    ]


def find_unmatched(reference: Units, other: Units) -> Unmatched:
    """What has no partner."""
    return Unmatched(
        other.run.name,
        tuple(str(key) for key in reference.keys[~reference.keys.isin(other.keys)]),
        tuple(str(key) for key in other.keys[~other.keys.isin(reference.keys)]),
    )
