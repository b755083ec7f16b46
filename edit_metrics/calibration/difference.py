"""The difference estimator of a mean, with power tuning.

Prediction-powered inference with power tuning (Angelopoulos, Duchi and Zrnic, "PPI++", 2023), which for a finite table
is the survey statistician's difference estimator: with n rated items of N, predictions f and a tuned weight λ,

    mean = ȳ + λ · (f̄_N − f̄_n),    variance = (1 − n/N) · Var_clustered(mean of y − λ f over the rated)

The interval is a t interval on the logit scale of the rating's range (delta method): ratings of models that nearly
always fail are so skewed that a plain t interval covers 83-91 % there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, logit

from edit_metrics.stats import Interval, cluster_mean_interval
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean with its interval."""

    value: float
    interval: Interval


def difference_estimate(
    rating: Float64,
    prediction: Float64,
    prediction_of_all: Float64,
    weights: Float64,
    groups: Sequence[Any],
    power: float,
    bounds: tuple[float, float],
    confidence: float = 0.95,
) -> Mean | None:
    """The estimator of the module's docstring with a given λ.

    Args:
        rating: of n rated items.
        prediction: of the same items.
        prediction_of_all: of all N items.
        weights: inverse inclusion probabilities of the rated items.
        groups: of the rated items.
        power: λ; 0 leaves the predictions out.
        bounds: lowest and highest rating of the scale.
        confidence: of the interval.

    Returns:
        None where the estimate is not strictly inside the bounds, so that it has no logit.
    """
    relative = weights / weights.mean()
    mean = float(np.average(rating - power * prediction, weights=weights) + power * prediction_of_all.mean())
    centred = relative * (rating - power * prediction - np.average(rating - power * prediction, weights=weights))
    found = cluster_mean_interval(centred, groups, confidence, weighting="items")
    left = max(1 - len(rating) / len(prediction_of_all), 0.0) ** 0.5
    half = left * (found.interval.high - found.mean)
    low, high = bounds
    if half == 0:
        return Mean(mean, Interval(mean, mean, confidence))
    share = (mean - low) / (high - low)
    if not 0 < share < 1:
        return None
    shift = half / (high - low) / (share * (1 - share))
    ends = low + (high - low) * expit(logit(share) + np.array([-shift, shift]))
    return Mean(mean, Interval(float(ends[0]), float(ends[1]), confidence))


def tuned_power(rating: Float64, prediction: Float64) -> float:
    """λ that makes the interval shortest, in [0, 1]: the slope of the rating on its prediction."""
    spread = float(prediction.var())
    if spread < 1e-12:
        return 0.0
    return float(np.clip(np.cov(rating, prediction, bias=True)[0, 1] / spread, 0.0, 1.0))


def width(mean: Mean) -> float:
    """Length of the interval."""
    return mean.interval.high - mean.interval.low
