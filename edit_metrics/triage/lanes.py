"""Lanes: where an item goes before anybody looks at it, and the gates that come first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import pandas as pd

from edit_metrics.scores.cells import column_of_codes
from edit_metrics.scores.codes import INFEASIBLE, UNREADABLE, UNSAFE
from edit_metrics.scores.columns import FLAGS, DimensionColumns


class Lane(StrEnum):
    """Every item is in exactly one lane."""

    UNREADABLE = "unreadable"
    INFEASIBLE = "infeasible"
    UNSAFE = "unsafe"
    AUTO_PASS = "auto-pass"  # noqa: S105 - a lane, not a password
    AUTO_FAIL = "auto-fail"
    AUDIT = "audit"
    HUMAN = "human"


class Selection(StrEnum):
    """Why an item is in the queue. Only ``audit`` was drawn at random; estimates may rest on nothing else."""

    GATE = "gate"
    AUDIT = "audit"
    GOLD = "gold"
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
    """

    id: str
    lane: Lane
    reasons: tuple[str, ...]
    selection: Selection | None = None
    inclusion_prob: float | None = None
    p_pass: float | None = None
    expected_rating: float | None = None
    position: int | None = None

    def because(self, *reasons: str) -> Placement:
        """The same placement with further reason codes, each once."""
        return replace(self, reasons=tuple(dict.fromkeys((*self.reasons, *reasons))))


GATES: Final = frozenset({Lane.UNREADABLE, Lane.INFEASIBLE, Lane.UNSAFE})


def gate_lanes(frame: pd.DataFrame) -> list[Placement | None]:
    """Unreadable, infeasible and unsafe items, in this order of precedence; None for the others.

    Reads ``feasibility.reasons``, ``feasibility.score``, ``flags``, ``safety.score``, ``safety.reasons``; a table
    without these columns has no gates.

    Args:
        frame: a score table with the column ``id``.
    """
    feasibility, safety = DimensionColumns("feasibility"), DimensionColumns("safety")
    rows = zip(
        frame["id"],
        column_of_codes(frame, feasibility.reasons),
        column_of_codes(frame, FLAGS),
        column_of_codes(frame, safety.reasons),
        _is_zero(frame, feasibility.score),
        _is_zero(frame, safety.score),
        strict=True,
    )
    return [_gate(str(name), *rest) for name, *rest in rows]


def _is_zero(frame: pd.DataFrame, column: str) -> list[bool]:
    return (pd.to_numeric(frame[column]) == 0).tolist() if column in frame else [False] * len(frame)


def _gate(
    name: str,
    causes: tuple[str, ...],
    flags: tuple[str, ...],
    concerns: tuple[str, ...],
    infeasible: bool,
    unsafe: bool,
) -> Placement | None:
    broken = tuple(code for code in causes if code.endswith(UNREADABLE))
    if broken:
        return Placement(name, Lane.UNREADABLE, broken, Selection.GATE)
    if infeasible or INFEASIBLE in flags:
        return Placement(name, Lane.INFEASIBLE, causes or (INFEASIBLE,), Selection.GATE)
    if unsafe or UNSAFE in flags:
        return Placement(name, Lane.UNSAFE, (UNSAFE, *concerns), Selection.GATE)
    return None
