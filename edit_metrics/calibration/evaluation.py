"""How good predictions are on items that they have not seen, with intervals over groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.stats import kendalltau

from edit_metrics.errors import NotEnoughDataError
from edit_metrics.stats import cluster_bootstrap
from edit_metrics.types import Float64

N_BINS: Final = 10
_NAN: Final = float("nan")
_FEW: Final = 200
"""Items up to which all pairs of them are compared sooner than scipy has checked its arguments."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A statistic on held-out items with its 95 % interval; all None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, float | None]:
        """A JSON record."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """A tenth of the items, by predicted probability."""

    n: int
    predicted: float
    observed: float


def auroc(score: Float64, passed: Float64) -> float:
    """Probability that a passing item scores above a failing one, ties half; NaN with one class only."""
    positive = passed > 0.5
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not n_positive or not n_negative:
        return _NAN
    rank_sum = mean_ranks(score)[positive].sum()
    return float((rank_sum - n_positive * (n_positive + 1) / 2) / (n_positive * n_negative))


def brier(probability: Float64, passed: Float64) -> float:
    """Mean squared distance of the probability from what happened: 0 is perfect."""
    return float(((probability - passed) ** 2).mean())


def reliability(probability: Float64, passed: Float64) -> list[ReliabilityBin]:
    """Ten bins of equal size in order of predicted probability."""
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, N_BINS) if len(part)]
    return [ReliabilityBin(len(part), float(probability[part].mean()), float(passed[part].mean())) for part in parts]


def expected_calibration_error(probability: Float64, passed: Float64) -> float:
    """Mean over ten equal-size bins of |predicted − observed| (Naeini et al., 2015, with equal-mass bins)."""
    bins = reliability(probability, passed)
    return sum(one.n * abs(one.predicted - one.observed) for one in bins) / len(probability)


def spearman(prediction: Float64, rating: Float64) -> float:
    """Rank correlation; NaN when one side never varies."""
    return plcc(mean_ranks(prediction), mean_ranks(rating))


def mean_ranks(values: Float64) -> Float64:
    """Ranks from 1, ties share their mean: scipy's ``rankdata``, without its checks, which take longer than the ranks.

    Args:
        values: N numbers, N > 0; with a NaN among them every rank is NaN.
    """
    if np.isnan(values).any():
        return np.full(len(values), _NAN)
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    sizes = np.diff(first, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(first + (sizes + 1) / 2, sizes)
    return ranks


def kendall(prediction: Float64, rating: Float64) -> float:
    """Kendall's tau-b; NaN when one side never varies."""
    if len(prediction) < 3 or np.ptp(prediction) == 0 or np.ptp(rating) == 0:
        return _NAN
    if len(prediction) > _FEW:
        return float(kendalltau(prediction, rating).statistic)
    # Its definition: the correlation of the signs of all pairs' differences; in scipy's order of operations.
    x, y = (np.sign(np.subtract.outer(one, one)) for one in (prediction, rating))
    return float(np.vdot(x, y) / 2 / np.sqrt(np.vdot(x, x) / 2) / np.sqrt(np.vdot(y, y) / 2))


def plcc(prediction: Float64, rating: Float64) -> float:
    """Pearson's linear correlation; NaN when one side never varies."""
    x, y = prediction - prediction.mean(), rating - rating.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / size if size > 0 else _NAN


PASS_STATISTICS: Final[Mapping[str, Callable[[Float64, Float64], float]]] = {
    "auroc": auroc,
    "brier": brier,
    "ece": expected_calibration_error,
}
RATING_STATISTICS: Final[Mapping[str, Callable[[Float64, Float64], float]]] = {
    "spearman": spearman,
    "kendall": kendall,
    "plcc": plcc,
}


def evaluate(
    statistics: Mapping[str, Callable[[Float64, Float64], float]],
    prediction: Float64,
    truth: Float64,
    groups: Sequence[str],
    *,
    n_resamples: int = 200,
    seed: int = 0,
) -> dict[str, Scored]:
    """Every statistic with a cluster-bootstrap interval.

    Args:
        statistics: name → function of prediction and truth.
        prediction: N held-out predictions.
        truth: N ratings, or N passes.
        groups: N labels.
        n_resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    return {
        name: with_interval(statistic, [prediction, truth], groups, n_resamples=n_resamples, seed=seed)
        for name, statistic in statistics.items()
    }


def with_interval(
    statistic: Callable[..., float], arrays: Sequence[Any], groups: Sequence[str], *, n_resamples: int, seed: int
) -> Scored:
    """One statistic with its percentile interval; left out where too few resamples define it.

    ECE is biased upwards on resamples (they repeat items), so that its interval is ±1.96 bootstrap standard errors.
    """
    value = statistic(*arrays)
    if not np.isfinite(value):
        return Scored(None, None, None)
    try:
        found = cluster_bootstrap(statistic, arrays, groups, n_resamples, seed)
    except NotEnoughDataError:
        return Scored(float(value), None, None)
    if statistic is expected_calibration_error:
        half = 1.96 * found.standard_error
        return Scored(found.estimate, max(found.estimate - half, 0.0), min(found.estimate + half, 1.0))
    return Scored(found.estimate, found.interval.low, found.interval.high)


def rater_ceiling(matrix: Float64, pass_at: float) -> dict[str, Callable[[Float64], float]]:
    """What one more rater would reach against the mean of the others, averaged over raters.

    Args:
        matrix: items × raters, NaN where not rated; only its shape is read here.
        pass_at: mean rating from which an item passes.

    Returns:
        Name → statistic of such a matrix (so that its rows can be resampled).
    """

    def averaged(statistic: Callable[[Float64, Float64], float], *, as_pass: bool) -> Callable[[Float64], float]:
        def of(rows: Float64) -> float:
            values = []
            for rater in range(rows.shape[1]):
                others = np.delete(rows, rater, axis=1)
                kept = np.isfinite(rows[:, rater]) & np.isfinite(others).any(axis=1)
                if kept.sum() < 3:
                    continue
                rest = np.nanmean(others[kept], axis=1)
                truth = passes(rest, pass_at) if as_pass else rest
                values.append(statistic(rows[kept, rater], truth))
            return float(np.nanmean(values)) if np.isfinite(values).any() else _NAN

        return of

    if matrix.shape[1] < 2:
        return {}
    ceiling = {name: averaged(statistic, as_pass=False) for name, statistic in RATING_STATISTICS.items()}
    return {**ceiling, "auroc": averaged(auroc, as_pass=True)}


def passes(rating: Float64, pass_at: float) -> Float64:
    """1.0 where the mean rating reaches the mark (to 1e-9), else 0.0."""
    return np.asarray(rating >= pass_at - 1e-9, dtype=np.float64)
