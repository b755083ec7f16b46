"""Lanes: where an item goes before anybody looks at it, and the gates that come first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import pandas as pd

from edit_metrics.ratings.gates import stopped_items


class Lane(StrEnum):
    """Every item is in exactly one lane."""

    UNREADABLE = "unreadable"
    INFEASIBLE = "infeasible"
    UNSAFE = "unsafe"
    AUTO_PASS = "auto-pass"  # noqa: S105 - a lane, not a password
    AUTO_FAIL = "auto-fail"
    AUDIT = "audit"
    JUDGE = "judge"
    HUMAN = "human"


class Selection(StrEnum):
    """Why an item is in the queue. Only ``audit`` was drawn at random; estimates may rest on nothing else."""

    GATE = "gate"
    AUDIT = "audit"
    GOLD = "gold"
    SECOND_OPINION = "second_opinion"
    PRIORITY = "priority"
    EXPECTED_SAVING = "expected_saving"


@dataclass(frozen=True, slots=True)
class Placement:
    """What triage decided about one item.

    Attributes:
        reasons: codes, the deciding one first.
        selection: why it is in the queue; None when it is not.
        inclusion_prob: probability of the random draw; None when it was not drawn.
        p_pass: calibrated probability that people pass it; None without a calibration or a usable prediction.
        expected_rating: calibrated mean rating, in rating units; None likewise.
        position: 1-based place in the queue; None when nobody is asked.
        raters: how many people to ask; None likewise.
    """

    id: str
    lane: Lane
    reasons: tuple[str, ...]
    selection: Selection | None = None
    inclusion_prob: float | None = None
    p_pass: float | None = None
    expected_rating: float | None = None
    position: int | None = None
    raters: int | None = None

    def because(self, *reasons: str) -> Placement:
        """The same placement with further reason codes, each once."""
        return replace(self, reasons=tuple(dict.fromkeys((*self.reasons, *reasons))))


GATES: Final = frozenset({Lane.UNREADABLE, Lane.INFEASIBLE, Lane.UNSAFE})


def gate_lanes(frame: pd.DataFrame) -> list[Placement | None]:
    """Unreadable, infeasible and unsafe items in lanes of their own; None for the others.

    Args:
        frame: a score table with the column ``id``.
    """
    return [
        None if one is None else Placement(str(name), Lane(one.gate.value), one.codes, Selection.GATE)
        for name, one in zip(frame["id"], stopped_items(frame), strict=True)
    ]
