"""The difference estimator of a mean, with power tuning, by design or by groups.

Prediction-powered inference with power tuning (Angelopoulos, Duchi and Zrnic, "PPI++", 2023), which for a finite table
is the survey statistician's difference estimator. With y the ratings, f the predictions, d = 1 where a drawn item could
be rated and 0 where it does not apply, means weighted by 1 / inclusion probability and a tuned power λ,

    mean = ȳ + λ · (f̄_all − f̄_drawn),    residual e = d·(y − ȳ) / d̄ − λ·(f − f̄_drawn)

Its variance comes from the draw where the draw is known (Särndal, Swensson and Wretman 1992, section 3.7): items of one
stratum were drawn without replacement, whatever groups they belong to, so it is Σ_h (N_h/N)²·(1 − n_h/N_h)·s²_h/n_h.
Where only probabilities are known, items may have been drawn by group, and it is cluster-robust.

The interval is a t interval on the logit scale of the rating's range (delta method): ratings of models that nearly
always fail are so skewed that a plain t interval covers 83-91 % there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from edit_metrics.stats import Estimate, Interval, cluster_mean_interval
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class DrawnItems:
    """The items of a random sample, n of them, as one estimate needs them.

    Attributes:
        rating: NaN where the item was drawn and does not apply.
        prediction: of the same items.
        weights: inverse inclusion probabilities.
        groups: labels of items that are not independent; read where ``strata`` is None.
        strata: labels of items drawn alike without replacement; None where the draw is not known so well.
    """

    rating: Float64
    prediction: Float64
    weights: Float64
    groups: Sequence[Any]
    strata: NDArray[np.intp] | None = None


def difference_estimate(
    drawn: DrawnItems,
    prediction_of_all: Float64,
    power: float,
    bounds: tuple[float, float],
    confidence: float = 0.95,
) -> Estimate | None:
    """The estimator of the module's docstring with a given λ.

    Args:
        drawn: the sample.
        prediction_of_all: of all N items.
        power: λ; 0 leaves the predictions out.
        bounds: lowest and highest rating of the scale.
        confidence: of the interval.

    Returns:
        None where the estimate is not strictly inside the bounds, so that it has no logit.
    """
    applies = np.isfinite(drawn.rating)
    own = float(np.average(drawn.rating[applies], weights=drawn.weights[applies]))
    of_drawn = float(np.average(drawn.prediction, weights=drawn.weights))
    mean = own + power * (float(prediction_of_all.mean()) - of_drawn)
    share = float(np.average(applies, weights=drawn.weights))
    residual = np.where(applies, drawn.rating - own, 0.0) / share - power * (drawn.prediction - of_drawn)
    if drawn.strata is None:
        half = _half_by_groups(residual, drawn, len(prediction_of_all), confidence)
    else:
        half = _half_by_design(residual, drawn, drawn.strata, confidence)
    return _on_logit_scale(mean, half, bounds, confidence)


def tuned_power(rating: Float64, prediction: Float64) -> float:
    """λ that makes the interval shortest, in [0, 1]: the slope of the rating on its prediction."""
    known = np.isfinite(rating)
    rating, prediction = rating[known], prediction[known]
    spread = float(prediction.var())
    if spread < 1e-12:
        return 0.0
    return float(np.clip(np.cov(rating, prediction, bias=True)[0, 1] / spread, 0.0, 1.0))


def width(mean: Estimate) -> float:
    """Length of the interval."""
    return mean.interval.high - mean.interval.low


def _half_by_groups(residual: Float64, drawn: DrawnItems, n_items: int, confidence: float) -> float:
    relative = drawn.weights / drawn.weights.mean()
    found = cluster_mean_interval(relative * residual, drawn.groups, confidence, weighting="items")
    left = max(1 - len(residual) / n_items, 0.0) ** 0.5
    return float(left * (found.interval.high - found.mean))


def _half_by_design(residual: Float64, drawn: DrawnItems, strata: NDArray[np.intp], confidence: float) -> float:
    codes = np.unique(strata, return_inverse=True)[1]
    n = np.bincount(codes).astype(np.float64)
    # Inverse probabilities of a stratum's drawn items add up to its number of items.
    size = np.bincount(codes, weights=drawn.weights)
    centred = residual - (np.bincount(codes, weights=residual) / n)[codes]
    squares = np.bincount(codes, weights=centred**2)
    # One drawn item shows no spread: it takes that of all strata.
    together = squares.sum() / max(len(residual) - len(n), 1)
    spread = np.where(n > 1, squares / np.maximum(n - 1, 1), together)
    variance = ((size / size.sum()) ** 2 * np.maximum(1 - n / size, 0.0) * spread / n).sum()
    return float(stdtrit(max(len(residual) - len(n), 1), 0.5 + confidence / 2) * np.sqrt(variance))


def _on_logit_scale(mean: float, half: float, bounds: tuple[float, float], confidence: float) -> Estimate | None:
    low, high = bounds
    if half == 0:
        return Estimate(mean, Interval(mean, mean, confidence))
    share = (mean - low) / (high - low)
    if not 0 < share < 1:
        return None
    shift = half / (high - low) / (share * (1 - share))
    ends = low + (high - low) * expit(logit(share) + np.array([-shift, shift]))
    return Estimate(mean, Interval(float(ends[0]), float(ends[1]), confidence))
