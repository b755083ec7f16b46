"""Policies of two tiers, and which of them are worth testing: chosen on a part of the ratings that tests nothing.

A policy of one side is a cut on the metrics and a cut on the judge: what the metrics leave open is asked of the judge,
what he leaves open is asked of people. There are thousands of pairs of cuts; tested one after the other few would be
reached. So a part of the groups says which are worth it: for rising nominal risk the policy of largest value whose risk
is no higher, each deciding all that the one before decides. The chain is frozen before the other part is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.types import Float64

NONE: Final = -np.inf
"""A cut that decides nothing."""
_STEPS: Final = 100
"""Cuts a tier: steps of one percent, as in risk control with one tier."""
_RISKS: Final = 31
_MOST_RISK: Final = 1.5
"""Nominal risks: so many, from 0 to so many times the promised error. Chosen: finer steps and higher risks only add
policies that fail; coarser ones begin with a policy that decides more, and fails more often."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """A policy of one side.

    Attributes:
        metrics: decide keys up to it without a call; ``NONE``: nothing.
        judge: decide the keys of the judge up to it among the others; ``NONE``: he is not asked.
    """

    metrics: float
    judge: float


@dataclass(frozen=True, slots=True)
class Keys:
    """What cuts are made on, N items: rank on the fail side, −rank on the pass side; +inf is never decided."""

    metrics: Float64
    judge: Float64

    def take(self, rows: NDArray[np.bool_]) -> Keys:
        """The items of a mask."""
        return Keys(self.metrics[rows], self.judge[rows])

    def by_metrics(self, cuts: Cuts) -> NDArray[np.bool_]:
        """Which items the metrics decide."""
        return np.asarray(self.metrics <= cuts.metrics)

    def by_judge(self, cuts: Cuts) -> NDArray[np.bool_]:
        """Which of the others the judge decides."""
        return np.asarray((self.metrics > cuts.metrics) & (self.judge <= cuts.judge))


def growing_chain(
    keys: Keys, wrong: Float64, alpha: float, price: float, fewest: float, beyond: Cuts | None = None
) -> list[Cuts]:
    """Policies worth testing, fewest decided first.

    The nominal risk of a policy is the largest over what it decides, what its metrics decide and what its judge
    decides, with one wrong decision more than seen: small tiers look better than they are.

    Args:
        keys: of the items that choose.
        wrong: 1.0 where a decision would be wrong.
        alpha: promised error.
        price: of a call, in ratings saved.
        fewest: items that a tier must decide here, or none, to have a chance in the test.
        beyond: smallest keys that may be decided, exclusively: what the other side may decide is not decided here.
    """
    beyond = beyond or Cuts(NONE, NONE)
    metrics, judge = _candidates(keys.metrics, -beyond.metrics), _candidates(keys.judge, -beyond.judge)
    shape = len(metrics), len(judge)
    count, errors = (_below(keys, metrics, judge, weights) for weights in (np.ones(len(wrong)), wrong))
    # Row a, column b: the metrics decide up to a; of what they leave, the judge up to b.
    n_metrics, w_metrics = (np.broadcast_to(one[:-1, -1:], shape) for one in (count, errors))
    n_judge, w_judge = (one[-1:, :-1] - one[:-1, :-1] for one in (count, errors))
    tiers = ((w_metrics, n_metrics), (w_judge, n_judge), (w_metrics + w_judge, n_metrics + n_judge))
    risk = np.max([np.where(n > 0, (w + 1) / np.maximum(n, 1), 0.0) for w, n in tiers], axis=0)
    able = n_metrics + n_judge > 0
    for n in (n_metrics, n_judge):
        able &= (n == 0) | (n >= fewest)
    calls = np.where(np.isneginf(judge)[None, :], 0, len(wrong) - n_metrics)
    value = np.where(able, n_metrics + n_judge + price * (len(wrong) - calls), NONE)
    chain: list[Cuts] = []
    a = b = 0
    for most in np.linspace(0, _MOST_RISK * alpha, _RISKS):
        allowed = np.where(risk[a:, b:] <= most, value[a:, b:], NONE)
        if not np.isfinite(allowed).any():
            continue
        more_a, more_b = np.unravel_index(int(np.argmax(allowed)), allowed.shape)
        if chain and more_a == more_b == 0:
            continue
        a, b = a + int(more_a), b + int(more_b)
        chain.append(Cuts(float(metrics[a]), float(judge[b])))
    return chain


def _candidates(keys: Float64, beyond: float) -> Float64:
    """``NONE`` and about a hundred of the finite keys below ``beyond``, rising."""
    known = np.sort(keys[np.isfinite(keys) & (keys < beyond)])
    places = np.linspace(0, len(known) - 1, min(_STEPS, len(known))).astype(int)
    return np.concatenate([[NONE], np.unique(known[places])])


def _below(keys: Keys, metrics: Float64, judge: Float64, weights: Float64) -> Float64:
    """(A + 1) × (B + 1) sums of weights over items with both keys up to the cuts; the last row and column: all."""
    table = np.zeros((len(metrics) + 1, len(judge) + 1))
    np.add.at(table, (np.searchsorted(metrics, keys.metrics), np.searchsorted(judge, keys.judge)), weights)
    return np.asarray(table.cumsum(axis=0).cumsum(axis=1))
