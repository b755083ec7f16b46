"""Which items are asked under a budget: where an answer can change the decision, and a random slice beside them.

The slice is drawn from all items by a hash of their ids, before any score is looked at: it is what comparisons and
estimates may rest on, and two runs of one benchmark draw the same items. What is already settled is not asked.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edit_metrics.errors import TableError
from edit_metrics.scores.judging import JUDGED_DIMENSIONS, SelectedBy
from edit_metrics.types import DIMENSIONS, PreScore, Status

RANDOM_SHARE: Final = 0.2
"""Of a budget: with 300 calls, 60 random items, whose mean has a 95 % interval of about ±.07 (a score's standard
deviation on the rated edits is .27)."""
_LIKENESS: Final = 0.14
"""Intraclass correlation of a judge's answers about edits of one source: .08 to .19 for the four questions, 250 rated
edits of 124 sources (``benchmarks/judge_replay.py``). The k-th further edit of a source tells so much less."""


@dataclass(frozen=True, slots=True)
class SelectionRule:
    """What was asked for. Two runs may be compared only when their rules fit.

    Attributes:
        budget: most items; None: all that are open.
        random_share: of the budget, drawn at random.
        seed: of that draw.
        same_as: name of the run whose items were asked; empty: none.
        listed: name of the file that lists them; empty: none.
    """

    budget: int | None = None
    random_share: float = RANDOM_SHARE
    seed: int = 0
    same_as: str = ""
    listed: str = ""

    def __post_init__(self) -> None:
        if self.budget is not None and self.budget < 1:
            raise TableError("a budget of 1 or more items", str(self.budget), "--budget")
        if not 0 <= self.random_share <= 1:
            raise TableError("a share from 0 to 1", str(self.random_share), "--random-share")


@dataclass(frozen=True, slots=True)
class Candidate:
    """What selection knows of an item.

    Attributes:
        group: edits of one source.
        model: that made the edit; empty when unknown.
        settled: code of what settles it without a judge (``no_op``, ``infeasible``); empty: open.
        prescores: dimension → pre-score, from metrics.
        cost: of asking, in any unit.
        p_pass: calibrated probability that people pass it; None without a calibration.
    """

    id: str
    group: str
    model: str
    settled: str
    prescores: Mapping[str, PreScore]
    cost: float = 1.0
    p_pass: float | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is asked.

    Attributes:
        by: item → why it is in the selection; items of the random slice that are settled are in it and not asked.
        asked: positions of the items to ask, in the order given.
        inclusion_prob: of the random slice; None without one.
        settled: code → items that need no judge.
        left_out: open items over the budget.
    """

    by: Mapping[int, SelectedBy]
    asked: tuple[int, ...]
    inclusion_prob: float | None
    settled: Mapping[str, int]
    left_out: int


def select(candidates: Sequence[Candidate], rule: SelectionRule, same_ids: Collection[str] | None = None) -> Selection:
    """Choose the items to ask.

    Args:
        candidates: every item of the run.
        rule: budget and draw.
        same_ids: with ``rule.same_as``: the items that the other run asked.

    Raises:
        TableError: none of ``same_ids`` is an item of this run.
    """
    open_items = [index for index, candidate in enumerate(candidates) if not candidate.settled]
    settled = Counter(candidate.settled for candidate in candidates if candidate.settled)
    by, probability = _choose(candidates, open_items, rule, same_ids)
    asked = tuple(index for index in open_items if index in by)
    return Selection(by, asked, probability, dict(settled.most_common()), len(open_items) - len(asked))


def select_listed(
    candidates: Sequence[Candidate],
    listed: Collection[str],
    before: Mapping[str, SelectedBy],
    inclusion_prob: float | None,
) -> Selection:
    """The listed items, beside those that the run's judge was asked about before.

    Args:
        candidates: every item of the run.
        listed: ids.
        before: item → why it was asked then.
        inclusion_prob: of the random slice among those.

    Raises:
        TableError: none of the listed ids is an item of this run.
    """
    wanted = set(listed)
    if not any(one.id in wanted for one in candidates):
        raise TableError("ids of items of this run", "none of them", "--ids")
    by = {
        index: before.get(one.id, SelectedBy.LISTED)
        for index, one in enumerate(candidates)
        if one.id in wanted or one.id in before
    }
    asked = tuple(index for index in by if not candidates[index].settled)
    settled = Counter(one.settled for one in candidates if one.settled)
    left_out = sum(not one.settled for one in candidates) - len(asked)
    return Selection(by, asked, inclusion_prob, dict(settled.most_common()), left_out)


def _choose(
    candidates: Sequence[Candidate], open_items: list[int], rule: SelectionRule, same_ids: Collection[str] | None
) -> tuple[dict[int, SelectedBy], float | None]:
    if same_ids is not None:
        wanted = set(same_ids)
        found = {index: SelectedBy.SAME_AS for index, one in enumerate(candidates) if one.id in wanted}
        if not found:
            raise TableError("items that the other run has asked about", "none of them in this run", "--same-as")
        return found, None
    if rule.budget is None or rule.budget >= len(open_items):
        return dict.fromkeys(range(len(candidates)), SelectedBy.ALL), None
    drawn = _draw(candidates, round(rule.random_share * rule.budget), rule.seed)
    by = dict.fromkeys(drawn, SelectedBy.RANDOM)
    rest = [index for index in open_items if index not in by]
    room = rule.budget - sum(index in by for index in open_items)
    by |= dict.fromkeys(_most_useful(candidates, rest, room), SelectedBy.EXPECTED_CHANGE)
    return by, len(drawn) / len(candidates)


def _draw(candidates: Sequence[Candidate], size: int, seed: int) -> list[int]:
    """The first items in the order of a hash of their ids: uniform, and nested when the size grows."""

    def place(index: int) -> bytes:
        return hashlib.sha256(f"{seed}:{candidates[index].id}".encode()).digest()

    return sorted(range(len(candidates)), key=place)[:size]


def _most_useful(candidates: Sequence[Candidate], items: Sequence[int], room: int) -> list[int]:
    """Lazy greedy (Minoux, 1978): weights only fall as more is chosen, so a stale one is an upper bound."""
    groups: Counter[str] = Counter()
    models: Counter[str] = Counter()
    fair = max(1.0, room / max(1, len({candidates[index].model for index in items})))

    def weight(index: int) -> float:
        one = candidates[index]
        likeness = 1 + _LIKENESS * groups[one.group]
        return expected_change(one) / one.cost / likeness / (1 + models[one.model] / fair)

    heap = [(-weight(index), index) for index in items]
    heapq.heapify(heap)
    chosen: list[int] = []
    while heap and len(chosen) < room:
        _, index = heapq.heappop(heap)
        now = weight(index)
        if heap and now < -heap[0][0]:
            heapq.heappush(heap, (-now, index))
            continue
        chosen.append(index)
        groups[candidates[index].group] += 1
        models[candidates[index].model] += 1
    return chosen


def expected_change(candidate: Candidate) -> float:
    """Probability that a perfect answer turns the decision about an item, in [0, ½].

    With a calibrated probability p it is min(p, 1 − p). Without one an item passes when every dimension does, each with
    probability ½ + c·(s − ½) for score s and confidence c (½ where nothing is known); an answer settles the judged
    dimensions, with joint probability q, and turns the decision with min(q, 1 − q) times the chance that all others
    pass.
    """
    if candidate.p_pass is not None:
        return min(candidate.p_pass, 1 - candidate.p_pass)
    judged, others = 1.0, 1.0
    for dimension in DIMENSIONS:
        prescore = candidate.prescores.get(dimension)
        if dimension in JUDGED_DIMENSIONS:
            judged *= _passes(prescore, unknown=0.5)
        else:
            others *= _passes(prescore, unknown=1.0)
    return others * min(judged, 1 - judged)


def _passes(prescore: PreScore | None, unknown: float) -> float:
    if prescore is None or prescore.status is Status.NOT_APPLICABLE:
        return 1.0
    if prescore.score is None:
        return unknown
    return 0.5 + (prescore.confidence or 0.0) * (prescore.score - 0.5)
