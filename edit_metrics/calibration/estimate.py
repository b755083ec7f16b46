"""Mean ratings of a whole table from random ratings of a few items and predictions for all of them.

Predictions are cross-fitted by group: every item, rated or not, is predicted by a fit that has not seen its group.
Fitted on the same ratings, nominal 95 % intervals would cover as little as 44 %. The estimator is in
:mod:`edit_metrics.calibration.difference`, the table with its random sample in
:mod:`edit_metrics.calibration.rated_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.calibration.difference import DrawnItems, difference_estimate, tuned_power, width
from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.folds import Rows, cross_predict, group_folds
from edit_metrics.calibration.predictor import Recipe, Sample, fit_predictor
from edit_metrics.calibration.rated_table import RatedTable
from edit_metrics.errors import NotEnoughDataError
from edit_metrics.ratings.design import OUT_OF_REACH
from edit_metrics.stats import Estimate
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanEstimate:
    """Mean rating of all items of the table (or of one model).

    Attributes:
        method: what ``estimate`` is.
        n_rated: items of the random sample that have a rating.
        n_items: items that there is something to rate of.
        n_groups: groups of the rated ones.
        n_not_applicable: drawn items that nobody could rate: the mean is about the others.
        estimate: None when refused.
        ratings_only: the same from the ratings alone; None when refused.
        effective_gain: how many times as many ratings the ratings-only interval would need; None when not
            prediction-powered.
        power: λ: how much of the predictions is used; None likewise.
        reason: why predictions were not used, or why nothing is estimated; empty otherwise.
    """

    name: str
    method: Method
    n_rated: int
    n_items: int
    n_groups: int
    n_not_applicable: int
    estimate: Estimate | None = None
    ratings_only: Estimate | None = None
    effective_gain: float | None = None
    power: float | None = None
    reason: str = ""


def estimate_means(
    table: RatedTable,
    specs: Sequence[ScoreColumn],
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


def cross_fitted_ratings(table: RatedTable, specs: Sequence[ScoreColumn], recipe: Recipe, seed: int) -> Float64:
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
    name: str, table: RatedTable, prediction: Float64, members: NDArray[np.bool_], fewest: int, confidence: float
) -> MeanEstimate:
    drawn = members & table.drawn
    rating = table.rating[drawn]
    known = np.isfinite(rating)
    found = MeanEstimate(
        name=name,
        method=Method.REFUSED,
        n_rated=int(known.sum()),
        n_items=int(members.sum()),
        n_groups=len(set(table.groups[drawn][known].tolist())),
        n_not_applicable=int((~known).sum()),
    )
    all_drawn = len(rating) == found.n_items and found.n_rated > 0
    refusal = _out_of_reach(table, members) or _refusal(rating[known], found.n_groups, table)
    if refusal and not all_drawn:
        return replace(found, reason=refusal)
    sample = _sample(table, prediction, members, drawn)
    bounds = (table.lowest, table.highest)
    plain = difference_estimate(sample, prediction[members], 0.0, bounds, confidence)
    if plain is None:
        return replace(found, reason="the mean lies at an end of the scale")
    power = tuned_power(rating, sample.prediction)
    powered = difference_estimate(sample, prediction[members], power, bounds, confidence)
    reason = "every item is rated" if all_drawn else _without_predictions(rating[known], fewest, table, powered)
    if powered is None or reason:
        ratings_only = replace(found, method=Method.RATINGS_ONLY, reason=f"no predictions: {reason}")
        return replace(ratings_only, estimate=plain, ratings_only=plain)
    gain = (width(plain) / width(powered)) ** 2 if width(powered) > 0 else None
    found = replace(found, method=Method.PREDICTION_POWERED, estimate=powered, ratings_only=plain)
    return replace(found, effective_gain=gain, power=power)


def _sample(table: RatedTable, prediction: Float64, members: NDArray[np.bool_], drawn: NDArray[np.bool_]) -> DrawnItems:
    """The drawn members; within a stratum each stands for as many members as there are to one drawn."""
    groups = table.groups[drawn].tolist()
    if table.stratum is None:
        return DrawnItems(table.rating[drawn], prediction[drawn], 1.0 / table.inclusion_prob[drawn], groups)
    strata = table.stratum[drawn]
    of_members = np.bincount(table.stratum[members])
    weights = of_members[strata] / np.bincount(strata, minlength=len(of_members))[strata]
    return DrawnItems(table.rating[drawn], prediction[drawn], weights, groups, strata)


def _out_of_reach(table: RatedTable, members: NDArray[np.bool_]) -> str:
    """Why no mean of all members can be had from this sample; empty where it can."""
    if table.stratum is None:
        return ""
    never = int((table.stratum[members] == OUT_OF_REACH).sum())
    if never:
        return f"{never} items came into the table after the last complete draw: draw again with triage --audit"
    unseen = np.setdiff1d(table.stratum[members], table.stratum[members & table.drawn])
    return f"no rating of {len(unseen)} of the parts that were drawn apart" if len(unseen) else ""


def _without_predictions(rating: Float64, fewest: int, table: RatedTable, powered: Estimate | None) -> str:
    if len(rating) < fewest:
        return f"{len(rating)} rated, {fewest} needed"
    off_end = _off_end(rating, table)
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
