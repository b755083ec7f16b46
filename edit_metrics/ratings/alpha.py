"""Krippendorff's alpha at the scale's level of measurement, with an interval from a bootstrap over groups.

Alpha needs no more than sums over items: how often two raters gave the values c and k to one item (coincidences), or,
on a continuous scale, three moments. A resample of groups is then a weighted sum, whatever the number of raters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from edit_metrics.choices import Level
from edit_metrics.errors import NotEnoughDataError
from edit_metrics.ratings.scale import Scale
from edit_metrics.stats import BootstrapEstimate, bootstrap_sums
from edit_metrics.types import Float64


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
        n_resamples: of the bootstrap.
        seed: the same seed gives the same interval.

    Raises:
        NotEnoughDataError: fewer than two items with two ratings, or ratings that never differ.
    """
    values = matrix.to_numpy(dtype=np.float64)
    paired = np.isfinite(values).sum(axis=1) >= 2
    kept = values[paired]
    if len(kept) < 2 or len(np.unique(kept[np.isfinite(kept)])) < 2:
        raise NotEnoughDataError("two items rated twice, with ratings that differ", f"{len(kept)} items rated twice")
    labels = [group for group, keep in zip(groups, paired, strict=True) if keep]
    if not scale.values:
        return bootstrap_sums(_alpha_of_moments, moments(kept), labels, n_resamples, seed)
    domain: Float64 = np.asarray(scale.values)
    counted = value_counts(kept, domain)
    return bootstrap_sums(
        lambda sums: alpha_of_coincidences(sums.reshape(len(domain), -1), domain, scale.level),
        coincidences(counted).reshape(len(kept), -1),
        labels,
        n_resamples,
        seed,
    )


def value_counts(values: Float64, domain: Float64) -> Float64:
    """Items × values: how many raters gave each value of the scale (to 1e-9)."""
    return np.column_stack([(np.abs(values - value) <= 1e-9).sum(axis=1) for value in domain]).astype(np.float64)


def coincidences(counts: Float64) -> Float64:
    """Items × values × values: pairs of ratings of one item, each item weighing as many as it has ratings.

    With counts n_c of an item and m ratings in all: n_c·(n_k − [c = k]) / (m − 1). Items need two ratings or more.
    """
    own = np.eye(counts.shape[1]) * counts[:, None, :]
    return np.asarray((counts[:, :, None] * counts[:, None, :] - own) / (counts.sum(axis=1) - 1)[:, None, None])


def alpha_of_coincidences(table: Float64, domain: Float64, level: Level) -> float:
    """Alpha from a table of coincidences, values × values; NaN where all ratings are equal."""
    margins = table.sum(axis=0)
    if np.count_nonzero(margins) < 2:
        return float("nan")
    distance = _distances(margins, domain, level)
    n = margins.sum()
    expected = (np.outer(margins, margins) * distance).sum() / (n - 1)
    return float(1 - (table * distance).sum() / expected)


def _distances(margins: Float64, domain: Float64, level: Level) -> Float64:
    """Squared differences of two ratings; ordinal ones are as far apart as there are ratings between them."""
    if level == "nominal":
        return 1 - np.eye(len(domain))
    place = np.cumsum(margins) - margins / 2 if level == "ordinal" else domain
    return np.asarray((place[:, None] - place[None, :]) ** 2)


def moments(values: Float64) -> Float64:
    """Items × 4: number of ratings, their sum, their sum of squares, and the spread within the item.

    The closed form for continuous scales, where a table of value pairs would not fit into memory.
    """
    known = np.isfinite(values)
    n, total, squares = known.sum(axis=1), np.nansum(values, axis=1), np.nansum(values**2, axis=1)
    return np.column_stack([n, total, squares, 2 * (n * squares - total**2) / (n - 1)]).astype(np.float64)


def _alpha_of_moments(sums: Float64) -> float:
    n, total, squares, within = sums
    expected = 2 * (n * squares - total**2) / (n - 1)
    return float(1 - within / expected) if expected > 0 else float("nan")
