"""Pre-scores to an order for people: who is looked at first, and why. No calibration is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import pyarrow as pa

from edit_metrics.config import Config, DimensionConfig
from edit_metrics.scores import codes
from edit_metrics.scores.priority import Priority, PriorityRow, priority_rows, priority_table
from edit_metrics.types import PreScore

_UNSAFE: Final = (codes.UNSAFE, codes.UNSAFE_SEEN)


@dataclass(frozen=True, slots=True)
class _Place:
    lane: int
    order: tuple[float, ...]
    reasons: tuple[str, ...]


def table_priorities(table: pa.Table, config: Config) -> pa.Table:
    """The two priority columns of a table, from its other columns (:func:`priority_columns`) alone."""
    return priority_table(to_priorities(priority_rows(table, config), config))


def to_priorities(rows: Sequence[PriorityRow], config: Config) -> list[Priority]:
    """Order without a calibration: gates, then missing, then uncertain, then weak; ties spread over groups.

    Lanes: unsafe, infeasible, failed or missing measurements, low confidence, everything else. Inside a lane the more
    broken, then the less certain, then the weaker item comes first.
    """
    places = [_place(row, config) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: (places[i].lane, places[i].order, i))
    spread: list[int] = []
    for _, tied in groupby(order, key=lambda i: (places[i].lane, places[i].order)):
        spread.extend(_spread_over_groups(list(tied), rows))
    ranks = {index: rank for rank, index in enumerate(spread, start=1)}
    return [Priority(ranks[i], places[i].reasons) for i in range(len(rows))]


def _spread_over_groups(tied: list[int], rows: Sequence[PriorityRow]) -> list[int]:
    turns: defaultdict[str, int] = defaultdict(int)
    keyed = []
    for index in tied:
        keyed.append((turns[rows[index].group], index))
        turns[rows[index].group] += 1
    return [index for _, index in sorted(keyed)]


def _place(row: PriorityRow, config: Config) -> _Place:
    scores = {d: p.score for d, p in row.prescores.items() if p.score is not None}
    weakest = min(scores, key=scores.__getitem__) if scores else None
    certainty = {d: _relative_confidence(p, config.dimension(d)) for d, p in row.prescores.items() if d in scores}
    uncertain = sorted(
        (d for d, share in certainty.items() if share < config.priority.low_confidence), key=certainty.__getitem__
    )
    reasons = [
        *(f for f in (*_UNSAFE, codes.INFEASIBLE) if f in row.flags),
        *row.broken[:5],
    ]
    reasons += [codes.low_confidence(d) for d in uncertain]
    if weakest is not None:
        reasons.append(codes.weakest(weakest, scores[weakest]))
    lowest = min(certainty.values(), default=0.0) if uncertain else 1.0
    lane = (
        0 if any(flag in row.flags for flag in _UNSAFE)
        else 1 if codes.INFEASIBLE in row.flags
        else 2 if row.broken
        else 3 if uncertain
        else 4
    )  # fmt: skip
    # Two decimals: what people cannot tell apart is a tie, to be spread over groups.
    order = (-float(len(row.broken)), round(lowest, 2), round(scores[weakest], 2) if weakest else 0.0)
    return _Place(lane, order, tuple(reasons))


def _relative_confidence(prescore: PreScore, section: DimensionConfig) -> float:
    return (prescore.confidence or 0.0) / section.reachable_confidence
