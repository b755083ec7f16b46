"""Gates: what a table says of an item before anybody rates or decides it. Unreadable, infeasible, unsafe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.scores.cells import column_of_codes
from edit_metrics.scores.codes import INFEASIBLE, UNREADABLE, UNSAFE, UNSAFE_SEEN
from edit_metrics.scores.columns import FLAGS, DimensionColumns


class Gate(StrEnum):
    """In order of precedence."""

    UNREADABLE = "unreadable"
    INFEASIBLE = "infeasible"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class Stopped:
    """Which gate an item does not pass, and the codes that say why."""

    gate: Gate
    codes: tuple[str, ...]


def stopped_items(frame: pd.DataFrame) -> list[Stopped | None]:
    """One entry an item, None where it passes every gate.

    Reads ``feasibility.reasons``, ``feasibility.score``, ``flags``, ``safety.score``, ``safety.reasons``; a table
    without these columns has no gates.

    Args:
        frame: a score table.
    """
    feasibility, safety = DimensionColumns("feasibility"), DimensionColumns("safety")
    rows = zip(
        column_of_codes(frame, feasibility.reasons),
        column_of_codes(frame, FLAGS),
        column_of_codes(frame, safety.reasons),
        _is_zero(frame, feasibility.score),
        _is_zero(frame, safety.score),
        strict=True,
    )
    return [_stopped(*row) for row in rows]


def unreadable_items(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Boolean array, one an item: is there no picture to rate?"""
    return np.array([one is not None and one.gate is Gate.UNREADABLE for one in stopped_items(frame)], dtype=np.bool_)


def _is_zero(frame: pd.DataFrame, column: str) -> list[bool]:
    return (pd.to_numeric(frame[column]) == 0).tolist() if column in frame else [False] * len(frame)


def _stopped(
    causes: tuple[str, ...], flags: tuple[str, ...], concerns: tuple[str, ...], infeasible: bool, unsafe: bool
) -> Stopped | None:
    broken = tuple(code for code in causes if code.endswith(UNREADABLE))
    if broken:
        return Stopped(Gate.UNREADABLE, broken)
    if infeasible or INFEASIBLE in flags:
        return Stopped(Gate.INFEASIBLE, causes or (INFEASIBLE,))
    if unsafe or UNSAFE in flags or UNSAFE_SEEN in flags:
        seen = (UNSAFE_SEEN,) if UNSAFE_SEEN in flags else ()
        return Stopped(Gate.UNSAFE, (UNSAFE, *seen, *concerns))
    return None
