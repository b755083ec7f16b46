"""Bootstrap over groups, for statistics that have no closed-form variance (AUROC, a rank correlation, alpha)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import NotEnoughDataError
from edit_metrics.stats.clusters import Interval, group_codes
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class BootstrapEstimate:
    """A statistic with its percentile interval.

    Attributes:
        estimate: the statistic on the data as they are.
        standard_error: standard deviation over the resamples.
        n_resamples: resamples on which the statistic was finite.
        n_undefined: resamples on which it was not (one class only, no variance); they are left out of the interval.
    """

    estimate: float
    standard_error: float
    interval: Interval
    n_groups: int
    n_resamples: int
    n_undefined: int


def cluster_bootstrap(
    statistic: Callable[..., float],
    arrays: Sequence[NDArray[Any]],
    groups: Iterable[Hashable],
    n: int = 1000,
    seed: int = 0,
    *,
    confidence: float = 0.95,
) -> BootstrapEstimate:
    """Resample whole groups with replacement (Davison and Hinkley 1997, section 3.8), percentile interval.

    Below about 40 groups the percentile interval is too short; where a mean is asked for, use
    :func:`edit_metrics.stats.cluster_mean_interval`, which keeps its level there.

    Args:
        statistic: called with the resampled arrays in the order given; may return NaN where it is not defined.
        arrays: arrays of the same first length N; each is resampled with the same items.
        groups: N labels.
        n: number of resamples.
        seed: the same seed gives the same interval.
        confidence: coverage of the interval.

    Raises:
        NotEnoughDataError: fewer than two groups, or the statistic is undefined on more than half of the resamples.
        ValueError: the arrays' lengths differ.
    """
    codes = group_codes(groups)
    if any(len(array) != len(codes) for array in arrays):
        raise ValueError(f"expected arrays of length {len(codes)}, got {[len(array) for array in arrays]}")
    # Items sorted by group, so that a group is a slice.
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1]) if len(codes) else []
    if len(members) < 2:
        raise NotEnoughDataError("at least two groups of items", str(len(members)))
    rng = np.random.default_rng(seed)
    draws = np.empty(n)
    for index in range(n):
        chosen = np.concatenate([members[group] for group in rng.integers(len(members), size=len(members))])
        draws[index] = statistic(*(array[chosen] for array in arrays))
    return _summary(float(statistic(*arrays)), draws, len(members), confidence)


def bootstrap_sums(
    statistic: Callable[[Float64], float],
    totals: Float64,
    groups: Iterable[Hashable],
    n: int = 1000,
    seed: int = 0,
    *,
    confidence: float = 0.95,
) -> BootstrapEstimate:
    """:func:`cluster_bootstrap` of a statistic that needs sums over items alone: the same draws, much faster.

    Args:
        statistic: of K sums; may return NaN where it is not defined.
        totals: N×K, what each item adds to the sums.
        groups: N labels.
        n: number of resamples.
        seed: the same seed gives the same interval, and the same one as :func:`cluster_bootstrap`.
        confidence: coverage of the interval.

    Raises:
        NotEnoughDataError: see :func:`cluster_bootstrap`.
    """
    codes = group_codes(groups)
    n_groups = int(codes.max()) + 1 if len(codes) else 0
    if n_groups < 2:
        raise NotEnoughDataError("at least two groups of items", str(n_groups))
    by_group = np.zeros((n_groups, totals.shape[1]))
    np.add.at(by_group, codes, totals)
    rng = np.random.default_rng(seed)
    draws = np.empty(n)
    for index in range(n):
        times = np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups)
        draws[index] = statistic(times @ by_group)
    return _summary(float(statistic(by_group.sum(axis=0))), draws, n_groups, confidence)


def _summary(estimate: float, draws: NDArray[np.float64], n_groups: int, confidence: float) -> BootstrapEstimate:
    finite = draws[np.isfinite(draws)]
    n_undefined = len(draws) - len(finite)
    if len(finite) < 2 or n_undefined > len(finite) or not math.isfinite(estimate):
        raise NotEnoughDataError(
            "a statistic that is defined on most resamples of the groups",
            f"{n_undefined} of {len(draws)} resamples where it is not",
            todo="Add items of other sources.",
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1 - tail])
    error = float(finite.std(ddof=1))
    return BootstrapEstimate(
        estimate, error, Interval(float(low), float(high), confidence), n_groups, len(finite), n_undefined
    )
