"""Pre-scores to an order for people: who is looked at first, and why. No calibration is needed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import pyarrow as pa

from edit_metrics.config import Config
from edit_metrics.scores import codes
from edit_metrics.scores.items import fear
from edit_metrics.scores.priority import Priority, PriorityRow, priority_rows, priority_table
from edit_metrics.types import PreScore

_GATES: Final = frozenset({"feasibility", "safety"})
_UNSAFE: Final = (codes.UNSAFE, codes.UNSAFE_SEEN)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item stands: its lane, its order there, and why; the rest of the reasons are ranked over the run."""

    lane: int
    order: tuple[float, ...]
    settled: tuple[str, ...]
    further: tuple[str, ...]


def table_priorities(table: pa.Table, config: Config) -> pa.Table:
    """The two priority columns of a table, from its other columns (:func:`priority_columns`) alone."""
    return priority_table(to_priorities(priority_rows(table, config), config))


def to_priorities(rows: Sequence[PriorityRow], config: Config) -> list[Priority]:
    """Order without a calibration: gates, lost edits, failures, then the weakest; ties spread over groups.

    Lanes: unsafe, infeasible, flags that mean a lost edit, measurements that failed (and dimensions without any voice,
    where that is rare in the run), everything else. Inside a lane the item with more of these comes first, then the one
    with the most to fear: the largest confidence × (1 − score) of its dimensions. So what claims nothing orders
    nothing, and nor does what every item of a kind carries. An item of which no dimension but the gates says anything
    is an average one as far as anybody knows: it stands where the run's mean stands, and not at the end.

    Reasons: of the lane first, then the rarest in the run; none that more than half of its items carry.
    """
    silent = Counter(code for row in rows for code in row.broken)
    most_rare = max(config.priority.rare * len(rows), 1)
    rare = frozenset(code for code, n in silent.items() if n <= most_rare or code.startswith(codes.failed("")))
    fears = [_fears(row) for row in rows]
    spoken = [max(own.values()) for row, own in zip(rows, fears, strict=True) if _speaks(row)]
    mean = sum(spoken) / len(spoken) if spoken else 0.0
    places = [_place(row, own, mean, config, rare) for row, own in zip(rows, fears, strict=True)]
    order = sorted(range(len(rows)), key=lambda i: (places[i].lane, places[i].order, i))
    spread: list[int] = []
    for _, tied in groupby(order, key=lambda i: (places[i].lane, places[i].order)):
        spread.extend(_spread_over_groups(list(tied), rows))
    ranks = {index: rank for rank, index in enumerate(spread, start=1)}
    counts = Counter(code for place in places for code in map(_family, place.further))
    most = config.priority.common * len(rows) if len(rows) > 1 else len(rows)
    return [Priority(ranks[i], _reasons(place, counts, most)) for i, place in enumerate(places)]


def _family(code: str) -> str:
    """A reason without its number."""
    return code.partition("=")[0]


def _reasons(place: _Place, counts: Mapping[str, int], most: float) -> tuple[str, ...]:
    """Of the lane, then the rarest of the others; the weakest dimension is named even where it is so for most."""
    ranked = sorted(place.further, key=lambda code: counts[_family(code)])
    kept = [code for code in ranked if counts[_family(code)] <= most or code.startswith(codes.WEAKEST)]
    return (*place.settled, *kept)


def _spread_over_groups(tied: list[int], rows: Sequence[PriorityRow]) -> list[int]:
    turns: defaultdict[str, int] = defaultdict(int)
    keyed = []
    for index in tied:
        keyed.append((turns[rows[index].group], index))
        turns[rows[index].group] += 1
    return [index for _, index in sorted(keyed)]


def _fears(row: PriorityRow) -> dict[str, float]:
    """Dimension → what it gives to fear, of those that are scored."""
    return {
        name: fear(one.score, one.confidence or 0.0) for name, one in row.prescores.items() if one.score is not None
    }


def _speaks(row: PriorityRow) -> bool:
    """Whether a dimension that people rate has a score that claims something; gates say what may be rated at all."""
    return any(one.confidence for name, one in row.prescores.items() if name not in _GATES and one.score is not None)


def _place(row: PriorityRow, fears: Mapping[str, float], mean: float, config: Config, rare: frozenset[str]) -> _Place:
    feared = max(fears, key=fears.__getitem__, default=None)
    lost = [flag for flag in config.priority.lost if flag in row.flags]
    failures = [code for code in row.broken if code in rare]
    unsafe = [flag for flag in _UNSAFE if flag in row.flags]
    gates = [*unsafe, *(flag for flag in (codes.INFEASIBLE,) if flag in row.flags)]
    lane = (
        0 if unsafe
        else 1 if codes.INFEASIBLE in row.flags
        else 2 if lost
        else 3 if failures
        else 4
    )  # fmt: skip
    further = [code for code in row.broken if code not in failures]
    further += [codes.low_confidence(name) for name in fears if _is_uncertain(row.prescores[name], name, config)]
    if feared is not None and fears[feared] > 0:
        further.append(codes.weakest(feared, row.prescores[feared].score or 0.0))
    # Three decimals: what no confidence can tell apart is a tie, to be spread over groups.
    most = fears[feared] if feared is not None else 0.0
    order = (-float(len(lost) + len(failures)), -round(most if _speaks(row) else max(most, mean), 3))
    return _Place(lane, order, (*gates, *lost, *failures[:5]), tuple(further))


def _is_uncertain(prescore: PreScore, dimension: str, config: Config) -> bool:
    """Whether a score is less certain than its profile can be; where that is 0, none is."""
    reach = config.dimension(dimension).reachable_confidence
    return (prescore.confidence or 0.0) < config.priority.low_confidence * reach
