"""Lanes: where an item goes before anybody looks at it, and the gates that come first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import pandas as pd

from edit_metrics.scores.codes import INFEASIBLE, UNREADABLE, UNSAFE


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
    empty = pd.Series([""] * len(frame), index=frame.index)
    causes = frame.get("feasibility.reasons", empty).fillna("").astype(str)
    flags = frame.get("flags", empty).fillna("").astype(str)
    concerns = frame.get("safety.reasons", empty).fillna("").astype(str)
    feasible = (
        pd.to_numeric(frame["feasibility.score"]) if "feasibility.score" in frame else pd.Series(1.0, frame.index)
    )
    safe = pd.to_numeric(frame["safety.score"]) if "safety.score" in frame else pd.Series(1.0, frame.index)
    return [
        _gate(str(name), _codes(cause), _codes(flag), _codes(concern), score == 0, safety == 0)
        for name, cause, flag, concern, score, safety in zip(
            frame["id"], causes, flags, concerns, feasible, safe, strict=True
        )
    ]


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code for code in text.split(";") if code)


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
