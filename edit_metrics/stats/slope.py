"""The slope of a straight line through items that come in groups, with a cluster-robust interval."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
from scipy.special import stdtrit

from edit_metrics.errors import NotEnoughDataError
from edit_metrics.stats.clusters import Estimate, Interval, group_codes
from edit_metrics.types import Float64


def cluster_slope(x: Float64, y: Float64, groups: Iterable[Hashable], confidence: float = 0.95) -> Estimate:
    """Least squares y = a + b·x; b with the CR1 variance and Student's t on G − 1 degrees of freedom.

    Args:
        x: N finite values that differ.
        y: N finite values.
        groups: N labels.
        confidence: of the two-sided interval.

    Raises:
        NotEnoughDataError: fewer than two groups, or an x that never varies.
    """
    codes = group_codes(groups)
    n, n_groups = len(x), int(codes.max()) + 1
    centred = x - x.mean()
    spread = float(centred @ centred)
    if n_groups < 2 or spread == 0:
        raise NotEnoughDataError("two groups and values that differ", f"{n_groups} groups")
    slope = float(centred @ y) / spread
    residual = y - y.mean() - slope * centred
    scores = np.bincount(codes, weights=centred * residual)
    correction = n_groups / (n_groups - 1) * (n - 1) / (n - 2)
    error = float(np.sqrt(correction * (scores @ scores))) / spread
    half = float(stdtrit(n_groups - 1, 0.5 + confidence / 2)) * error
    return Estimate(slope, Interval(slope - half, slope + half, confidence))
