"""How far raters agree: alpha, each rater against the rest, bias, drift, gold items, the widest disagreements."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from edit_metrics.errors import MissingExtraError, NotEnoughDataError, TableError
from edit_metrics.ratings.alpha import alpha_with_interval
from edit_metrics.ratings.table import Ratings
from edit_metrics.stats import BootstrapEstimate, Interval, cluster_mean_interval
from edit_metrics.types import Float64

MIN_ITEMS: Final = 10
"""Fewest shared items for a correlation, a bias or a drift; below it the cell stays empty."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval."""

    value: float
    interval: Interval


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


@dataclass(frozen=True, slots=True)
class PairReport:
    """Two raters in one dimension."""

    rater_a: str
    rater_b: str
    n_items: int
    spearman: float | None
    mean_abs_difference: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two ratings of one item, far apart."""

    id: str
    rater_low: str
    low: float
    rater_high: str
    high: float


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """Agreement of all raters in one dimension.

    Attributes:
        alpha: Krippendorff's alpha; None when hardly any item was rated twice, with the reason in ``alpha_missing``.
        pairs: rater pairs, the one that differs most first.
        widest: item-level disagreements, widest first.
    """

    dimension: str
    level: str
    n_items: int
    n_ratings: int
    alpha: BootstrapEstimate | None
    alpha_missing: str
    raters: tuple[RaterReport, ...]
    pairs: tuple[PairReport, ...]
    widest: tuple[Disagreement, ...]


def measure_agreement(
    ratings: Ratings,
    *,
    groups: Mapping[str, str] | None = None,
    gold: pd.DataFrame | None = None,
    n_widest: int = 10,
    n_resamples: int = 1000,
    seed: int = 0,
) -> list[DimensionAgreement]:
    """Agreement per rated dimension.

    Args:
        ratings: all ratings.
        groups: item id → group, for intervals that respect edits of one source; None: every item is its own group.
        gold: columns ``id, dimension, rating``: items whose right rating is known.
        n_widest: how many item-level disagreements to keep.
        n_resamples: bootstrap resamples of alpha.
        seed: of the bootstrap.

    Raises:
        TableError: an item without a group, or a gold table without its columns.
    """
    if gold is not None and not {"id", "dimension", "rating"} <= set(gold.columns):
        raise TableError("the columns id, dimension, rating", ", ".join(map(str, gold.columns)), "--gold")
    return [
        _dimension(ratings, dimension, groups, gold, n_widest, n_resamples, seed) for dimension in ratings.dimensions
    ]


def _dimension(
    ratings: Ratings,
    dimension: str,
    groups: Mapping[str, str] | None,
    gold: pd.DataFrame | None,
    n_widest: int,
    n_resamples: int,
    seed: int,
) -> DimensionAgreement:
    matrix = ratings.matrix(dimension)
    labels = _labels(matrix, groups)
    alpha, missing = None, ""
    try:
        alpha = alpha_with_interval(matrix, labels, ratings.scale, n_resamples=n_resamples, seed=seed)
    except NotEnoughDataError as error:
        missing = str(error)
    rows = ratings.of(dimension)
    known = None if gold is None else gold[gold["dimension"] == dimension].set_index("id")["rating"]
    raters = tuple(_rater(matrix, rows, str(rater), labels, known) for rater in matrix.columns)
    return DimensionAgreement(
        dimension,
        ratings.scale.level,
        len(matrix),
        len(rows),
        alpha,
        missing,
        raters,
        _pairs(matrix),
        _widest(matrix, n_widest),
    )


def _labels(matrix: pd.DataFrame, groups: Mapping[str, str] | None) -> list[str]:
    if groups is None:
        return [str(name) for name in matrix.index]
    absent = [str(name) for name in matrix.index if name not in groups]
    if absent:
        raise TableError("a group for every rated item", f"none for {len(absent)}, first {absent[0]!r}", "--scores")
    return [groups[str(name)] for name in matrix.index]


def _rater(
    matrix: pd.DataFrame, rows: pd.DataFrame, rater: str, labels: list[str], gold: pd.Series[float] | None
) -> RaterReport:
    own = matrix[rater].to_numpy(dtype=np.float64)
    rest = np.full(len(own), np.nan)
    others = matrix.drop(columns=rater).to_numpy(dtype=np.float64)
    counted = np.isfinite(others).sum(axis=1)
    np.divide(np.nansum(others, axis=1), counted, out=rest, where=counted > 0)
    shared = np.isfinite(own) & np.isfinite(rest)
    kept = [label for label, keep in zip(labels, shared, strict=True) if keep]
    difference = (own - rest)[shared]
    exact, error = _gold_scores(matrix[rater], gold)
    return RaterReport(
        rater,
        int(np.isfinite(own).sum()),
        _bias(difference, kept),
        spearman(own[shared], rest[shared]),
        _drift(difference, kept, _times(rows, rater, matrix.index[shared])),
        exact,
        error,
    )


def spearman(x: Float64, y: Float64) -> float | None:
    """Rank correlation; None below ``MIN_ITEMS`` items or when one side never varies."""
    if len(x) < MIN_ITEMS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(spearmanr(x, y).statistic)


def _bias(difference: Float64, groups: list[str]) -> Estimate | None:
    if len(difference) < MIN_ITEMS or len(set(groups)) < 2:
        return None
    result = cluster_mean_interval(difference, groups, weighting="items")
    return Estimate(result.mean, result.interval)


def _times(rows: pd.DataFrame, rater: str, ids: pd.Index[str]) -> Float64 | None:
    if "time" not in rows.columns:
        return None
    times = rows[rows["rater"] == rater].set_index("id")["time"].reindex(ids)
    if times.isna().any():
        return None
    return np.asarray(times.rank(), dtype=np.float64)


def _drift(difference: Float64, groups: list[str], order: Float64 | None) -> Estimate | None:
    if order is None or len(difference) < MIN_ITEMS or np.ptp(order) == 0 or len(set(groups)) < 3:
        return None
    try:
        from statsmodels.api import OLS, add_constant
    except ModuleNotFoundError:
        raise MissingExtraError("statsmodels", "human", "the drift of a rater") from None
    progress = (order - order.min()) / np.ptp(order)
    codes = pd.factorize(np.asarray(groups))[0]
    fit = OLS(difference, add_constant(progress)).fit(cov_type="cluster", cov_kwds={"groups": codes}, use_t=True)
    low, high = fit.conf_int()[1]
    return Estimate(float(fit.params[1]), Interval(float(low), float(high), 0.95))


def _gold_scores(own: pd.Series[float], gold: pd.Series[float] | None) -> tuple[float | None, float | None]:
    if gold is None:
        return None, None
    distance = (own.dropna() - gold).dropna().abs()
    if distance.empty:
        return None, None
    return float((distance < 1e-9).mean()), float(distance.mean())


def _pairs(matrix: pd.DataFrame) -> tuple[PairReport, ...]:
    reports = []
    for a, b in itertools.combinations(matrix.columns, 2):
        both = matrix[[a, b]].dropna().to_numpy(dtype=np.float64)
        if len(both):
            gap = float(np.abs(both[:, 0] - both[:, 1]).mean())
            reports.append(PairReport(str(a), str(b), len(both), spearman(both[:, 0], both[:, 1]), gap))
    return tuple(sorted(reports, key=lambda pair: -pair.mean_abs_difference))


def _widest(matrix: pd.DataFrame, n: int) -> tuple[Disagreement, ...]:
    values = matrix.to_numpy(dtype=np.float64)
    names, raters = [str(name) for name in matrix.index], [str(name) for name in matrix.columns]
    gap = np.nanmax(values, axis=1) - np.nanmin(values, axis=1)
    rows = [row for row in np.argsort(-gap, kind="stable")[:n] if gap[row] > 0]
    found = []
    for row in rows:
        low, high = int(np.nanargmin(values[row])), int(np.nanargmax(values[row]))
        found.append(
            Disagreement(names[row], raters[low], float(values[row, low]), raters[high], float(values[row, high]))
        )
    return tuple(found)
