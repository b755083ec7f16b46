"""Krippendorff's alpha at the scale's level of measurement, with an interval from a bootstrap over groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.choices import Level
from edit_metrics.errors import MissingExtraError, NotEnoughDataError
from edit_metrics.ratings.scale import Scale
from edit_metrics.stats import BootstrapEstimate, cluster_bootstrap
from edit_metrics.types import Float64

# The package builds items × values × values numbers for each resample; this many cells keep a bootstrap at seconds.
_MOST_CELLS: Final = 200_000_000
_FEWEST_RESAMPLES: Final = 200


def alpha_with_interval(
    matrix: pd.DataFrame, groups: Sequence[str], scale: Scale, *, n_resamples: int = 1000, seed: int = 0
) -> BootstrapEstimate:
    """Agreement beyond chance: 1 is perfect, 0 is what shuffled ratings give, below 0 is systematic disagreement.

    Krippendorff, "Content Analysis" (2018), chapter 12. Items with a single rating carry no information and are left
    out. The interval resamples whole groups.

    Args:
        matrix: items × raters, NaN where not rated.
        groups: one label an item, in the matrix's order.
        scale: its level decides how far apart two ratings are.
        n_resamples: fewer are drawn where the table is very large, never below 200.
        seed: the same seed gives the same interval.

    Raises:
        NotEnoughDataError: fewer than two items with two ratings, or ratings that never differ.
        MissingExtraError: the package krippendorff is absent.
    """
    values = matrix.to_numpy(dtype=np.float64)
    paired = np.isfinite(values).sum(axis=1) >= 2
    kept = values[paired]
    if len(kept) < 2 or len(np.unique(kept[np.isfinite(kept)])) < 2:
        raise NotEnoughDataError("two items rated twice, with ratings that differ", f"{len(kept)} items rated twice")
    labels = [group for group, keep in zip(groups, paired, strict=True) if keep]
    if not scale.values:
        moments = _moments(kept)
        return cluster_bootstrap(interval_alpha, moments, labels, n_resamples, seed)
    counts = value_counts(kept, scale.values)
    affordable = _MOST_CELLS // max(counts.shape[0] * counts.shape[1] ** 2, 1)
    n = min(n_resamples, max(affordable, _FEWEST_RESAMPLES))
    return cluster_bootstrap(lambda rows: _alpha(rows, scale.values, scale.level), [counts], labels, n, seed)


def value_counts(values: Float64, domain: Sequence[float]) -> NDArray[np.int64]:
    """Items × values: how many raters gave each value of the scale."""
    near = np.abs(values[:, :, None] - np.asarray(domain)[None, None, :]) <= 1e-9
    return np.asarray(near.sum(axis=1), dtype=np.int64)


def interval_alpha(n_raters: Float64, totals: Float64, squares: Float64) -> float:
    """Alpha with squared differences, from each item's number of ratings, their sum and their sum of squares.

    The closed form for continuous scales, where a matrix of value pairs would not fit into memory.
    """
    n = n_raters.sum()
    observed = (2 * (n_raters * squares - totals**2) / (n_raters - 1)).sum() / n
    expected = 2 * (n * squares.sum() - totals.sum() ** 2) / (n * (n - 1))
    return float(1 - observed / expected) if expected > 0 else float("nan")


def _moments(values: Float64) -> list[Float64]:
    return [
        np.isfinite(values).sum(axis=1).astype(np.float64),
        np.nansum(values, axis=1),
        np.nansum(values**2, axis=1),
    ]


def _alpha(counts: NDArray[np.int64], domain: Sequence[float], level: Level) -> float:
    try:
        import krippendorff
    except ModuleNotFoundError:
        raise MissingExtraError("krippendorff", "human", "Krippendorff's alpha") from None
    if np.count_nonzero(counts.sum(axis=0)) < 2:
        return float("nan")
    return float(krippendorff.alpha(value_counts=counts, value_domain=np.asarray(domain), level_of_measurement=level))
