"""One rater against the others: rank correlation, bias, drift, gold items."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from edit_metrics.stats import Estimate, cluster_mean_interval, cluster_slope, group_codes
from edit_metrics.types import Float64

MIN_ITEMS: Final = 10
"""Fewest shared items for a correlation, a bias or a drift; below it the cell stays empty."""


@dataclass(frozen=True, slots=True)
class RaterReport:
    """One rater in one dimension.

    Attributes:
        bias: mean of own rating minus the mean of the other raters on the same items; in rating units.
        rest_spearman: rank correlation with the mean of the other raters; None below ``MIN_ITEMS`` shared items.
        drift: change of the bias from the first to the last rating in time; None without times.
        gold_exact: share of gold items rated as expected; None without gold items.
        gold_error: mean absolute distance from the gold rating; None without gold items.
    """

    rater: str
    n_items: int
    bias: Estimate | None
    rest_spearman: float | None
    drift: Estimate | None
    gold_exact: float | None
    gold_error: float | None


def rater_reports(
    matrix: pd.DataFrame, rows: pd.DataFrame, groups: list[str], gold: pd.Series[float] | None
) -> tuple[RaterReport, ...]:
    """Every rater of one dimension.

    Args:
        matrix: items × raters, NaN where not rated.
        rows: the same ratings, long; a column ``time`` makes drift measurable.
        groups: one label an item, in the matrix's order.
        gold: expected rating of the items whose rating is known.
    """
    values = matrix.to_numpy(dtype=np.float64)
    rated = np.isfinite(values)
    n, total = rated.sum(axis=1), np.nansum(values, axis=1)
    codes = group_codes(groups)
    ordered = {} if "time" not in rows else {str(rater): part for rater, part in rows.groupby("rater", sort=False)}
    reports = []
    for place, rater in enumerate(matrix.columns):
        shared = np.flatnonzero(rated[:, place] & (n > 1))
        own = values[shared, place]
        rest = (total[shared] - own) / (n[shared] - 1)
        order = _order(ordered.get(str(rater)), matrix.index[shared])
        exact, error = _gold_scores(matrix[rater], gold)
        reports.append(
            RaterReport(
                str(rater),
                int(rated[:, place].sum()),
                _bias(own - rest, codes[shared]),
                spearman(own, rest),
                _drift(own - rest, codes[shared], order),
                exact,
                error,
            )
        )
    return tuple(reports)


def spearman(x: Float64, y: Float64) -> float | None:
    """Rank correlation; None below ``MIN_ITEMS`` items or when one side never varies."""
    if len(x) < MIN_ITEMS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def _bias(difference: Float64, groups: NDArray[np.intp]) -> Estimate | None:
    if len(difference) < MIN_ITEMS or len(np.unique(groups)) < 2:
        return None
    result = cluster_mean_interval(difference, groups, weighting="items")
    return Estimate(result.mean, result.interval)


def _order(own: pd.DataFrame | None, ids: pd.Index[str]) -> Float64 | None:
    """Ranks in time of one rater's ratings; None where a time is missing."""
    if own is None:
        return None
    times = own.set_index("id")["time"].reindex(ids)
    return None if times.isna().any() else np.asarray(times.rank(), dtype=np.float64)


def _drift(difference: Float64, groups: NDArray[np.intp], order: Float64 | None) -> Estimate | None:
    if order is None or len(difference) < MIN_ITEMS or np.ptp(order) == 0 or len(np.unique(groups)) < 3:
        return None
    return cluster_slope((order - order.min()) / np.ptp(order), difference, groups)


def _gold_scores(own: pd.Series[float], gold: pd.Series[float] | None) -> tuple[float | None, float | None]:
    if gold is None:
        return None, None
    distance = (own.dropna() - gold).dropna().abs()
    if distance.empty:
        return None, None
    return float((distance < 1e-9).mean()), float(distance.mean())
