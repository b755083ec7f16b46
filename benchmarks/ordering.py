"""How well a score puts rated items in order: rank correlation, AUROC, concordance, each with a bootstrap over groups.

Every statistic takes multiplicities, so that a resample of groups is a row of counts and all resamples are one matrix
product; with counts of 1 the values are those of scipy and scikit-learn (``tests/test_validity.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edit_metrics.stats import group_codes
from edit_metrics.types import Float64

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A statistic on the data, with percentiles over resampled groups.

    Attributes:
        value: None where it is not defined: fewer than three items, or one class only.
        low, high: 2.5 and 97.5 %.
        lower_tenth: 10 %: the one-sided lower 90 % bound.
        n: items.
        groups: groups of them.
    """

    value: float | None
    low: float | None
    high: float | None
    lower_tenth: float | None
    n: int
    groups: int


Statistic = Callable[[Float64], Float64]
"""K×N multiplicities → K values, NaN where undefined."""


def spearman(score: Float64, rating: Float64) -> Statistic:
    """Pearson's correlation of midranks."""
    below = [_below(values) for values in (score, rating)]

    def of(counts: Float64) -> Float64:
        ranks = [counts @ matrix.T for matrix in below]
        return _correlation(*ranks, counts)

    return of


def spearman_within(score: Float64, rating: Float64, origin: NDArray[np.intp]) -> Statistic:
    """The same after each origin's mean rank is taken off both: which set an edit comes from then orders nothing."""
    below = [_below(values) for values in (score, rating)]
    member = np.eye(int(origin.max()) + 1)[origin]

    def of(counts: Float64) -> Float64:
        sizes = counts @ member
        centred = []
        for matrix in below:
            ranks = counts @ matrix.T
            means = np.divide((counts * ranks) @ member, sizes, out=np.zeros_like(sizes), where=sizes > 0)
            centred.append(ranks - means[:, origin])
        return _correlation(*centred, counts)

    return of


def auroc(score: Float64, bad: NDArray[np.bool_]) -> Statistic:
    """Chance that a bad item has the lower score, ties counted half."""
    higher = (score[:, None] < score[None]) + 0.5 * (score[:, None] == score[None])
    return _pairs(np.asarray(higher), np.outer(bad, ~bad))


def concordance(score: Float64, rating: Float64, allowed: NDArray[np.bool_] | None = None) -> Statistic:
    """Share of pairs that the score puts in the ratings' order.

    Pairs tied in the ratings are left out, a tie in the scores counts half.

    Args:
        score: N.
        rating: N.
        allowed: N×N, pairs that count; None = all.
    """
    counted = rating[:, None] < rating[None]
    right = (score[:, None] < score[None]) + 0.5 * (score[:, None] == score[None])
    return _pairs(np.asarray(right), counted if allowed is None else counted & allowed)


def right_of_pairs(score: Float64, rating: Float64, allowed: NDArray[np.bool_]) -> Statistic:
    """:func:`concordance` over pairs that lie within one group each: a group drawn twice counts twice, not four times.

    Args:
        score: N.
        rating: N.
        allowed: N×N, pairs that count; both of a pair belong to one group.
    """
    of_squares = concordance(score, rating, allowed)
    return lambda counts: of_squares(np.sqrt(counts))


def found_in_queue(order: Float64, bad: NDArray[np.bool_], share: float) -> Statistic:
    """Share of the bad items among the first ``share`` of the queue (lowest ``order`` first), ties in proportion."""
    position = np.argsort(order, kind="stable")
    values = order[position]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]])

    def of(counts: Float64) -> Float64:
        taken, found = counts[:, position], (counts * bad)[:, position]
        sizes, hits = (np.add.reduceat(one, starts, axis=1) for one in (taken, found))
        before = np.cumsum(sizes, axis=1) - sizes
        budget = share * sizes.sum(axis=1, keepdims=True)
        part = np.clip(np.divide(budget - before, sizes, out=np.zeros_like(sizes), where=sizes > 0), 0, 1)
        total = hits.sum(axis=1)
        return np.divide((part * hits).sum(axis=1), total, out=np.full_like(total, np.nan), where=total > 0)

    return of


def found_more(order: Float64, other: Float64, bad: NDArray[np.bool_], share: float) -> Statistic:
    """:func:`found_in_queue` by one order less that by another, on the same resamples."""
    one, two = found_in_queue(order, bad, share), found_in_queue(other, bad, share)
    return lambda counts: one(counts) - two(counts)


def estimate(statistic: Statistic, groups: Sequence[str] | NDArray[np.object_], *, seed: int = 0) -> Estimate:
    """The statistic on the data, and its percentiles over resamples of whole groups."""
    codes = group_codes(groups)
    n, n_groups = len(codes), int(codes.max()) + 1 if len(codes) else 0
    if n < 3 or n_groups < 2:
        return Estimate(None, None, None, None, n, n_groups)
    value = float(statistic(np.ones((1, n)))[0])
    if not np.isfinite(value):
        return Estimate(None, None, None, None, n, n_groups)
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=RESAMPLES)
    values = statistic(draws[:, codes].astype(np.float64))
    finite = values[np.isfinite(values)]
    if len(finite) < RESAMPLES / 2:
        return Estimate(value, None, None, None, n, n_groups)
    low, tenth, high = (float(q) for q in np.quantile(finite, [0.025, 0.10, 0.975]))
    return Estimate(value, low, high, tenth, n, n_groups)


def _below(values: Float64) -> Float64:
    matrix: Float64 = (values[None] < values[:, None]) + 0.5 * (values[None] == values[:, None])
    return matrix


def _correlation(first: Float64, second: Float64, counts: Float64) -> Float64:
    total = counts.sum(axis=1, keepdims=True)
    a, b = (ranks - (counts * ranks).sum(axis=1, keepdims=True) / total for ranks in (first, second))
    shared = (counts * a * b).sum(axis=1)
    spread = np.sqrt((counts * a * a).sum(axis=1) * (counts * b * b).sum(axis=1))
    # A spread that is rounding means that one of the two does not vary.
    return np.divide(shared, spread, out=np.full_like(shared, np.nan), where=spread > 1e-9 * total[:, 0])


def _pairs(right: Float64, counted: NDArray[np.bool_]) -> Statistic:
    """Σ wᵢwⱼ·right / Σ wᵢwⱼ over the pairs that count."""
    weights = counted.astype(np.float64)
    hits = weights * right

    def of(counts: Float64) -> Float64:
        total = ((counts @ weights) * counts).sum(axis=1)
        found = ((counts @ hits) * counts).sum(axis=1)
        return np.divide(found, total, out=np.full_like(total, np.nan), where=total > 0)

    return of
