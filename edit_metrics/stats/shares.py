"""Intervals of a share (of wrong decisions, say): exact, and widened where items come in groups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, stdtrit

from edit_metrics.stats.clusters import Interval, cluster_mean_interval, group_codes
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class Share:
    """A share of items with its interval.

    Attributes:
        hits: items counted.
        n: items looked at.
        n_effective: independent items that would say as much; ``n`` without groups.
    """

    hits: int
    n: int
    interval: Interval
    n_effective: float

    @property
    def value(self) -> float:
        """``hits / n``."""
        return self.hits / self.n


def exact_interval(hits: float, n: float, confidence: float = 0.95) -> Interval:
    """Clopper and Pearson's interval (1934) of a binomial share; covers at least as often as it says.

    Args:
        hits: 0 to ``n``; need not be whole (Korn and Graubard use it with an effective n).
        n: above 0.
        confidence: between 0 and 1, half of the rest on either side.
    """
    tail = (1 - confidence) / 2
    low = 0.0 if hits <= 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits >= n else float(betaincinv(hits + 1, n - hits, 1 - tail))
    return Interval(low, high, confidence)


def grouped_share(hit: ArrayLike, groups: Iterable[Hashable], confidence: float = 0.95) -> Share:
    """A share of items that come in groups (Korn and Graubard 1998, "Confidence intervals for proportions").

    The exact interval at the effective sample size n / deff · (t_n / t_G)², never more than n. Where nothing or
    everything is a hit there is no variance to compare, and n stands.

    Args:
        hit: N values, 1 or 0; at least one.
        groups: N labels.
        confidence: between 0 and 1.
    """
    x: Float64 = np.asarray(hit, dtype=np.float64)
    codes = group_codes(groups)
    n, share = len(x), float(x.mean())
    n_groups = int(codes.max()) + 1
    effective = float(n)
    if 0 < share < 1 and n_groups > 1:
        clustered = cluster_mean_interval(x, codes, confidence, weighting="items").standard_error
        alone = share * (1 - share) / (n - 1)
        upper = 0.5 + confidence / 2
        shrink = (float(stdtrit(n - 1, upper)) / float(stdtrit(n_groups - 1, upper))) ** 2
        effective = min(n, n * alone / clustered**2 * shrink) if clustered > 0 else float(n)
    return Share(round(float(x.sum())), n, exact_interval(share * effective, effective, confidence), effective)


@cache  # every audit of a promise asks for the same
def fewest_to_reject(null: float, truth: float, level: float, power: float) -> int:
    """Smallest n at which the exact one-sided binomial test of "the share is ``null`` at most" finds ``truth``.

    Args:
        null: the share that is tested.
        truth: the larger share that is to be found.
        level: of the test.
        power: probability of finding it, at that n and every larger one up to twice it.
    """
    from scipy.stats import binom  # slow to import, and a start of the gate seldom needs it

    sizes = np.arange(1, 20_000)
    # The smallest count that rejects at each n: P(X ≥ k) ≤ level.
    critical = binom.isf(level, sizes, null) + 1
    found = binom.sf(critical - 1, sizes, truth) >= power
    # The power is saw-toothed in n: the last n that fails decides.
    return int(sizes[np.flatnonzero(~found)[-1]]) + 1
