"""What a run could not say, and what would add it: the sentence after the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edit_metrics.scores.summary import Cause, Coverage, Summary
from edit_metrics.scores.words import in_words, status_in_words
from edit_metrics.types import Status

_MASK: Final = "give masks (columns mask, mask_white_means)"
_ADDS: Final[Mapping[str, Mapping[str, str]]] = {
    "adherence": {
        "": "add target_caption with --profile clip, or ask a judge: edit-metrics judge {run}",
    },
    "preservation": {"no_mask": _MASK, "expected_region_unknown": _MASK},
    "structure": {"edit_type_unknown": "give masks or edit_type"},
}
"""Dimension → reason (empty: any other) → what to do."""


@dataclass(frozen=True, slots=True)
class Gap:
    """One dimension that some items have no score in.

    Attributes:
        n: those items, without the ones that nothing could be added for.
        why: the most frequent cause, a sentence.
        adds: what would add a score; empty where we know of nothing.
    """

    dimension: str
    n: int
    why: str
    adds: str

    def __str__(self) -> str:
        items = "1 item has" if self.n == 1 else f"{self.n} items have"
        return f"{items} no {self.dimension}: {self.adds or self.why}"


def gaps_in(summary: Summary, run: str) -> list[Gap]:
    """What to add first, then the largest; dimensions that lack scores for what the items are alone are left out."""
    found = [gap for one in summary.dimensions if (gap := _gap(one, run)) is not None]
    # Adherence before all: an edit that was not asked for is no edit, whatever else is right.
    return sorted(found, key=lambda gap: (gap.dimension != "adherence", not gap.adds, -gap.n))


def _gap(one: Coverage, run: str) -> Gap | None:
    causes = [cause for cause in one.missing if not _lies_in_the_items(cause)]
    if not causes:
        return None
    top = causes[0]
    known = _ADDS.get(one.name, {})
    adds = known.get(top.reason, known.get("", ""))
    if top.reason == "not_in_profile" and not adds:
        adds = "this profile does not score it; try another --profile (docs/profiles.md)"
    why = in_words(top.reason) if top.reason else f"{status_in_words(top.status)}."
    return Gap(one.name, sum(cause.n for cause in causes), why, adds.format(run=run))


def _lies_in_the_items(cause: Cause) -> bool:
    """Does not apply, or the picture is broken: nothing that a user adds would change it."""
    not_asked = cause.status == Status.NOT_APPLICABLE and cause.reason != "no_curve"
    return not_asked or cause.reason.endswith(_BROKEN)


_BROKEN: Final = ("_unreadable", "_missing_file", "_not_an_image")
