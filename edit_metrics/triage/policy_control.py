"""One promise for metrics, judge and people: policies of two tiers, tested as wholes.

The promise of one side is that of :mod:`edit_metrics.triage.risk`, about everything that is decided without people,
whichever tier decides it. The groups of the random ratings are split: 35 % choose a chain of policies
(:mod:`edit_metrics.triage.chain`), 65 % test it in a fixed sequence, from the first that decides enough, until one
fails. A policy is one hypothesis and costs one δ, however many tiers it has; and each of its tiers must hold α by the
same test, since a tier that is wrong too often can hide behind one that is right.

When both sides are promised, an item that the other side decides by metrics is not asked, so that it leaves this side's
decisions. Which of the other side's policies will hold is not known in advance: each policy is tested without the items
of each policy of the other chain, and the largest p counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.stats import group_codes
from edit_metrics.triage.chain import NONE, Cuts, growing_chain
from edit_metrics.triage.policy import (
    JUDGE,
    METRICS,
    TOGETHER,
    LowestError,
    PolicyControl,
    PolicyPoint,
    TierRisk,
    keys_of,
)
from edit_metrics.triage.risk import RiskSample, Side, error_p_value, fewest_decided, risk_curve
from edit_metrics.types import Float64

CHOOSING: Final = 0.35
"""Share of the groups that choose the chain."""


def control_policies(
    sample: RiskSample, sides: Sequence[Side], alpha: float, delta: float, price: float, seed: int
) -> Mapping[Side, PolicyControl]:
    """The most that metrics and judge may decide together, per side.

    Args:
        sample: randomly selected ratings with held-out ranks of both tiers.
        sides: that are promised.
        alpha: largest share of wrong decisions on each side.
        delta: largest probability that the promise of one side is broken.
        price: of a call, as a share of what a rating costs.
        seed: of the split of the groups.
    """
    judge = np.full(len(sample.rank), np.nan) if sample.judge is None else sample.judge
    codes = group_codes(sample.groups.tolist())
    choosing = _choosing_groups(codes, seed)[codes]
    n_start = fewest_decided(alpha, delta)
    fewest = n_start * CHOOSING / (1 - CHOOSING)
    chains: dict[Side, list[Cuts]] = {}
    for side in sides:
        others = [one for other, chain in chains.items() if other is not side for one in chain[-1:]]
        chosen = keys_of(sample.rank, judge, side).take(choosing)
        wrong = _wrong(sample.passed, side)[choosing]
        chains[side] = growing_chain(chosen, wrong, alpha, price, fewest, others[0] if others else None)
    found = {}
    for side in sides:
        other = [(name, chain) for name, chain in chains.items() if name is not side]
        test = _Test(sample.rank, judge, sample.passed, codes, ~choosing, side, other, alpha, n_start)
        found[side] = _control(test, chains[side], sample, delta)
    return found


@dataclass(frozen=True, slots=True)
class _Test:
    """The testing part of one side."""

    rank: Float64
    judge: Float64
    passed: Float64
    codes: NDArray[np.intp]
    rows: NDArray[np.bool_]
    side: Side
    others: Sequence[tuple[Side, Sequence[Cuts]]]
    alpha: float
    n_start: int

    def point(self, cuts: Cuts) -> PolicyPoint | None:
        """The policy's evidence; None where one of its tiers decides too little to be tested."""
        rank, judge = self.rank[self.rows], self.judge[self.rows]
        codes = group_codes(self.codes[self.rows])
        wrong, keys = _wrong(self.passed[self.rows], self.side), keys_of(rank, judge, self.side)
        tiers = {METRICS: keys.by_metrics(cuts), JUDGE: keys.by_judge(cuts)}
        sets = {name: rows for name, rows in tiers.items() if rows.any()}
        if not sets or any(rows.sum() < self.n_start for rows in sets.values()):
            return None
        sets[TOGETHER] = tiers[METRICS] | tiers[JUDGE]
        taken = [np.zeros(len(rank), dtype=np.bool_)]
        for side, chain in self.others:
            own = keys_of(rank, judge, side)
            taken += [own.by_metrics(one) for one in chain]
        n_groups = int(codes.max()) + 1
        risks = tuple(
            TierRisk(
                name,
                int(rows.sum()),
                round(float(wrong[rows].sum())),
                max(error_p_value(left, wrong, codes, n_groups, self.alpha) for left in _without(rows, taken)),
            )
            for name, rows in sets.items()
        )
        sign = 1.0 if self.side is Side.FAIL else -1.0
        metrics, judge_at = (None if cut == NONE else sign * cut for cut in (cuts.metrics, cuts.judge))
        return PolicyPoint(metrics, judge_at, risks)


def _without(rows: NDArray[np.bool_], taken: Sequence[NDArray[np.bool_]]) -> list[NDArray[np.bool_]]:
    """The distinct sets that remain."""
    left = {(rows & ~one).tobytes(): rows & ~one for one in taken}
    return list(left.values())


def _control(test: _Test, chain: Sequence[Cuts], sample: RiskSample, delta: float) -> PolicyControl:
    tested: list[PolicyPoint] = []
    chosen = None
    for cuts in chain:
        point = test.point(cuts)
        if point is None:
            continue
        tested.append(point)
        if point.p_value > delta:
            break
        chosen = point
    lowest = lowest_errors(sample, test.side, test.n_start)
    n_groups = len(set(test.codes[test.rows].tolist()))
    exact = n_groups == int(test.rows.sum())
    reason = "" if chosen else _why_nothing(tested, lowest, test)
    return PolicyControl(
        test.side, reason, chosen, tuple(tested), lowest, exact, test.alpha, delta, int(test.rows.sum()), n_groups,
        test.n_start,
    )  # fmt: skip


def lowest_errors(sample: RiskSample, side: Side, n_start: int) -> tuple[LowestError, ...]:
    """Of each tier, at any cut that decides at least ``n_start`` items."""
    found = []
    for tier, rank in ((METRICS, sample.rank), (JUDGE, sample.judge)):
        points = () if rank is None else risk_curve(RiskSample(rank, sample.passed, sample.groups), side, 0.5)
        enough = [point for point in points if point.n_decided >= n_start]
        if enough:
            best = min(enough, key=lambda point: point.n_wrong / point.n_decided)
            found.append(LowestError(tier, best.n_decided, best.n_wrong))
    return tuple(found)


def _why_nothing(tested: Sequence[PolicyPoint], lowest: Sequence[LowestError], test: _Test) -> str:
    if not lowest:
        return f"too_few_random_ratings: {len(test.rank)} rated, {test.n_start} must be decided"
    best = ", ".join(
        f"{one.n_wrong} of {one.n_decided} by the {one.tier} ({one.n_wrong / one.n_decided:.1%})" for one in lowest
    )
    said = f"at best wrong are {best}"
    if not tested:
        return f"no policy is worth a test: {said}"
    worst = max(tested[0].risks, key=lambda one: one.p_value)
    return f"the first policy fails ({worst.n_wrong} of {worst.n_decided} wrong, {worst.tier}): {said}"


def _choosing_groups(codes: NDArray[np.intp], seed: int) -> NDArray[np.bool_]:
    """Mask over groups; at least one group on either side."""
    n_groups = int(codes.max()) + 1 if len(codes) else 0
    chosen = np.zeros(n_groups, dtype=np.bool_)
    chosen[np.random.default_rng(seed).permutation(n_groups)[: max(round(CHOOSING * n_groups), 1)]] = True
    return chosen


def _wrong(passed: Float64, side: Side) -> Float64:
    return passed if side is Side.FAIL else 1.0 - passed
