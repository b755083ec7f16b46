"""Mean ratings of a whole table from random ratings of a few items and predictions for all of them.

Predictions are cross-fitted by group: every item, rated or not, is predicted by a fit that has not seen its group.
Fitted on the same ratings, nominal 95 % intervals would cover as little as 44 %. The estimator is in
:mod:`edit_metrics.calibration.difference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from edit_metrics.calibration.calibrate import inclusion_probabilities, item_groups
from edit_metrics.calibration.calibration import text_column
from edit_metrics.calibration.difference import Mean, difference_estimate, tuned_power, width
from edit_metrics.calibration.features import FeatureSpec, feature_matrix
from edit_metrics.calibration.folds import Rows, cross_predict, group_folds
from edit_metrics.calibration.predictor import Labels, Recipe, Sample, fit_predictor
from edit_metrics.errors import NotEnoughDataError, TableError
from edit_metrics.ratings.table import Ratings
from edit_metrics.types import Float64

MIN_RATED: Final = 40
"""Fewest rated items for any interval."""
MIN_RATED_BY_MODEL: Final = 90
"""Fewest rated items of one model for predictions to be used there."""
MIN_OFF_END: Final = 1
"""Fewest rated items off the lowest (and off the highest) rating of the scale: without any, no spread is seen."""
MIN_OFF_END_POWERED: Final = 5
"""The same, for predictions to be used: λ is tuned on these."""


class Method(StrEnum):
    """How a mean was estimated."""

    PREDICTION_POWERED = "prediction-powered"
    RATINGS_ONLY = "ratings-only"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class RatedTable:
    """A table of which some items were rated after a random draw; arrays of one length N.

    Attributes:
        rating: mean rating; NaN where the item was not drawn and rated.
        inclusion_prob: probability of the draw; read for rated items only.
        features: N×F raw values.
        models: labels for estimates by model; empty strings where unknown.
        lowest: worst rating of the scale.
        highest: best rating of the scale.
    """

    rating: Float64
    inclusion_prob: Float64
    groups: Labels
    features: Float64
    models: Labels
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class MeanEstimate:
    """Mean rating of all items of the table (or of one model).

    Attributes:
        method: what ``estimate`` is.
        estimate: None when refused.
        ratings_only: the same from the ratings alone; None when refused.
        effective_gain: how many times as many ratings the ratings-only interval would need; None when not
            prediction-powered.
        power: λ: how much of the predictions is used; 0 is none.
        reason: why predictions were not used, or why nothing is estimated; empty otherwise.
    """

    name: str
    method: Method
    estimate: Mean | None
    ratings_only: Mean | None
    effective_gain: float | None
    power: float | None
    n_rated: int
    n_items: int
    n_groups: int
    reason: str = ""


def estimate_means(
    table: RatedTable,
    specs: Sequence[FeatureSpec],
    recipe: Recipe,
    *,
    by_model: bool = False,
    seed: int = 0,
    confidence: float = 0.95,
) -> list[MeanEstimate]:
    """Overall, then by model when asked.

    Args:
        table: all items, rated or not.
        specs: the features, in the order of the table's columns.
        recipe: how the rating is predicted; fitted anew in every fold.
        by_model: also one estimate a model.
        seed: of the folds.
        confidence: of the intervals.

    Raises:
        NotEnoughDataError: fewer rated items overall than ``MIN_RATED``, or hardly any that differ.
    """
    prediction = cross_fitted_ratings(table, specs, recipe, seed)
    everything = np.ones(len(table.rating), dtype=np.bool_)
    overall = _estimate("all", table, prediction, everything, MIN_RATED, confidence)
    if overall.method is Method.REFUSED:
        raise NotEnoughDataError("enough random ratings for an interval", overall.reason, "--ratings")
    if not by_model:
        return [overall]
    models = table.models.astype(str)
    return [overall] + [
        _estimate(name, table, prediction, models == name, MIN_RATED_BY_MODEL, confidence)
        for name in np.unique(models).tolist()
    ]


def rated_table(
    frame: pd.DataFrame, ratings: Ratings, target: str, features: Sequence[str], *, random: bool, group: str = "group"
) -> RatedTable:
    """All items of a score table with the ratings of those that were drawn at random.

    Args:
        frame: a score table with a unique column ``id``.
        ratings: of items of that table; those without an ``inclusion_prob`` are left out where others have one.
        target: the rated dimension.
        features: columns to predict from.
        random: the rated items were drawn uniformly, although nothing in the files says so.
        group: column of items that are not independent.

    Raises:
        TableError: unknown ids or columns, or ratings of which nothing says that they were drawn at random.
    """
    ratings.check_ids(frame["id"].tolist(), "--ratings")
    means = ratings.item_means(target)
    known = means["inclusion_prob"].to_numpy(dtype=np.float64)
    drawn = pd.Series(inclusion_probabilities(known, len(means), len(frame), random=random), index=means.index)
    if drawn.isna().all():
        raise TableError(
            "ratings of randomly drawn items (a column inclusion_prob)",
            f"{len(means)} of {len(frame)} items rated, and nothing says how they were chosen",
            "--ratings",
            "Means of a prioritised queue are wrong by any amount. Import with --queue queue.csv to take over the "
            "audit slice, or say --ratings-are-random if they were drawn uniformly.",
        )
    probability: Float64 = np.array(frame["id"].map(drawn), dtype=np.float64)
    rating: Float64 = np.array(frame["id"].map(means["mean"]), dtype=np.float64)
    rating[~np.isfinite(probability)] = np.nan
    return RatedTable(
        rating,
        probability,
        item_groups(frame, group),
        feature_matrix(frame, features),
        text_column(frame, "model"),
        ratings.scale.low,
        ratings.scale.high,
    )


def cross_fitted_ratings(table: RatedTable, specs: Sequence[FeatureSpec], recipe: Recipe, seed: int) -> Float64:
    """Predicted rating of every item, by a fit on rated items of other groups.

    A missing feature takes its training median: the estimate stays valid whatever the prediction is, only its
    interval is wider than it could be.
    """
    rated = np.isfinite(table.rating)
    nothing = np.full(len(rated), "", dtype=object)
    whole = Sample(table.features, table.rating, np.zeros(len(rated)), nothing)
    folds = group_folds(table.groups.tolist(), seed)

    def fit_predict(train: Rows, left_out: Rows) -> Float64:
        sample = whole.take(train[rated[train]])
        if len(sample.rating) < 2:
            raise NotEnoughDataError("rated items of several groups", f"{len(sample.rating)} in one fold")
        fitted = fit_predictor(sample, specs, recipe, recipe, (table.lowest, table.highest))
        return fitted.predict(table.features[left_out]).rating[:, None]

    return cross_predict(folds, fit_predict, 1)[:, 0]


def _estimate(
    name: str, table: RatedTable, prediction: Float64, members: Any, fewest: int, confidence: float
) -> MeanEstimate:
    rated = members & np.isfinite(table.rating)
    rating, groups = table.rating[rated], table.groups[rated].tolist()
    counts = (len(rating), int(members.sum()), len(set(groups)))
    refusal = _refusal(rating, counts[2], table)
    if refusal and counts[0] < counts[1]:
        return MeanEstimate(name, Method.REFUSED, None, None, None, None, *counts, refusal)
    weights = 1.0 / table.inclusion_prob[rated]
    own, of_all = prediction[rated], prediction[members]
    bounds = (table.lowest, table.highest)
    plain = difference_estimate(rating, own, of_all, weights, groups, 0.0, bounds, confidence)
    power = tuned_power(rating, own)
    powered = difference_estimate(rating, own, of_all, weights, groups, power, bounds, confidence)
    reason = _without_predictions(counts[0], counts[1], fewest, _off_end(rating, table), powered)
    if plain is None:
        return MeanEstimate(
            name, Method.REFUSED, None, None, None, None, *counts, "the mean lies at an end of the scale"
        )
    if powered is None or reason:
        return MeanEstimate(name, Method.RATINGS_ONLY, plain, plain, None, None, *counts, f"no predictions: {reason}")
    gain = (width(plain) / width(powered)) ** 2 if width(powered) > 0 else None
    return MeanEstimate(name, Method.PREDICTION_POWERED, powered, plain, gain, power, *counts)


def _without_predictions(n_rated: int, n_items: int, fewest: int, off_end: int, powered: Mean | None) -> str:
    if n_rated == n_items:
        return "every item is rated"
    if n_rated < fewest:
        return f"{n_rated} rated, {fewest} needed"
    if off_end < MIN_OFF_END_POWERED:
        return f"{off_end} ratings off the end of the scale, {MIN_OFF_END_POWERED} needed"
    return "" if powered is not None else "they lead outside the scale"


def _refusal(rating: Float64, n_groups: int, table: RatedTable) -> str:
    if len(rating) < MIN_RATED or n_groups < 2:
        return f"{len(rating)} random ratings, {MIN_RATED} needed"
    off_end = _off_end(rating, table)
    return f"{off_end} ratings off the end of the scale, {MIN_OFF_END} needed" if off_end < MIN_OFF_END else ""


def _off_end(rating: Float64, table: RatedTable) -> int:
    """Items above the lowest rating or below the highest, whichever are fewer."""
    return min(int((rating > table.lowest).sum()), int((rating < table.highest).sum()))
