"""Candidates, cross-fitted by group; the choice among them; and the routed fit of the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.calibration.curves import MonotoneCurve, fit_ranks
from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.folds import Rows, cross_predict
from edit_metrics.calibration.predictor import Labels, Predictor, Recipe, RoutedPredictor, Sample, fit_predictor
from edit_metrics.stats import cluster_mean_interval
from edit_metrics.types import Float64

MIN_ITEMS_TYPE: Final = 200
"""Fewest rated items of an edit type for a predictor of its own; smaller ones use the predictor for all items."""


@dataclass(frozen=True, slots=True)
class RatedItems:
    """The rated items of a score table, as arrays of one length N.

    Attributes:
        models: empty strings where unknown. For reports and for the check of triage; never a feature.
        inclusion_prob: NaN for items that were not drawn at random.
    """

    ids: Labels
    groups: Labels
    models: Labels
    inclusion_prob: Float64
    sample: Sample

    def take(self, rows: NDArray[Any]) -> RatedItems:
        """The items at those places; a place may repeat."""
        return RatedItems(
            self.ids[rows], self.groups[rows], self.models[rows], self.inclusion_prob[rows], self.sample.take(rows)
        )

    def with_features(self, places: Sequence[int]) -> RatedItems:
        """The same items with some of their features."""
        return replace(self, sample=replace(self.sample, features=self.sample.features[:, list(places)]))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Held-out predictions of every recipe that was tried, simplest first."""

    passing: Mapping[Recipe, Float64]
    rating: Mapping[Recipe, Float64]


@dataclass(frozen=True, slots=True)
class Fitter:
    """Everything but the data: fits the same predictor on any sample.

    Attributes:
        bounds: lowest and highest rating of the scale.
        types: edit types that get a predictor of their own, see :func:`large_types`; decided once, not in every fold.
    """

    specs: tuple[ScoreColumn, ...]
    pass_recipe: Recipe
    rating_recipe: Recipe
    bounds: tuple[float, float]
    types: tuple[str, ...] = ()

    def fit(self, sample: Sample) -> RoutedPredictor:
        """Fit on all items of the sample."""
        own = {name: np.flatnonzero(sample.edit_type == name) for name in self.types}
        by_type = {name: self._fit_one(sample.take(rows)) for name, rows in own.items() if len(rows)}
        return RoutedPredictor(self._fit_one(sample), by_type)

    def fit_ranked(self, sample: Sample) -> tuple[RoutedPredictor, MonotoneCurve]:
        """Fit, and rank the predictions of all items of the sample."""
        predictor = self.fit(sample)
        return predictor, fit_ranks(predictor.predict(sample.features, sample.edit_type).p_pass)

    def held_out(self, rated: RatedItems, labels: NDArray[Any]) -> pd.DataFrame:
        """One row a rated item, predicted without its label (a fold, or a model that is left out).

        The rank curve of each fit is taken over all items, left-out ones too: it reads features, never ratings. An item
        with a gap has no rank: it is never decided, so that it must not count among the decided ones.
        """
        sample = rated.sample

        def fit_predict(train: Rows, left_out: Rows) -> Float64:
            predictor = self.fit(sample.take(train))
            everywhere = predictor.predict(sample.features, sample.edit_type)
            ranks = fit_ranks(everywhere.p_pass)(everywhere.p_pass)
            ranks = np.where(everywhere.complete, ranks, np.nan)
            return np.column_stack([ranks, everywhere.p_pass, everywhere.rating])[left_out]

        rank, p_pass, rating = cross_predict(labels, fit_predict, 3).T
        return pd.DataFrame(
            {
                "id": rated.ids,
                "group": rated.groups,
                "model": rated.models,
                "rating": sample.rating,
                "passed": sample.passed,
                "inclusion_prob": rated.inclusion_prob,
                "rank": rank,
                "p_pass": p_pass,
                "expected_rating": rating,
            }
        )

    def _fit_one(self, sample: Sample) -> Predictor:
        return fit_predictor(sample, self.specs, self.pass_recipe, self.rating_recipe, self.bounds)


def large_types(sample: Sample) -> tuple[str, ...]:
    """Edit types with at least ``MIN_ITEMS_TYPE`` rated items."""
    names, counts = np.unique(sample.edit_type.astype(str), return_counts=True)
    return tuple(name for name, n in zip(names.tolist(), counts, strict=True) if name and n >= MIN_ITEMS_TYPE)


def single_recipes(specs: Sequence[ScoreColumn]) -> list[Recipe]:
    """One isotonic curve for each feature."""
    return [Recipe("isotonic", (spec.name,)) for spec in specs]


def joint_recipes(ranked: Sequence[str]) -> list[Recipe]:
    """Several features, fewest first: the best two, three, five, eight … of the ranked ones.

    A feature that says nothing costs little on average and much in the tail, where automatic decisions are made.
    """
    sizes = [size for size in (2, 3, 5, 8, 13, 21, 34) if size < len(ranked)]
    return [Recipe("ordinal", tuple(ranked[:size])) for size in (*sizes, len(ranked)) if size > 1]


def try_candidates(
    sample: Sample, specs: Sequence[ScoreColumn], labels: NDArray[Any], bounds: tuple[float, float]
) -> Candidates:
    """Predict every item by every recipe, fitted without the item's label; single features first, to rank them."""
    passing: dict[Recipe, Float64] = {}
    rating: dict[Recipe, Float64] = {}

    def attempt(recipe: Recipe) -> None:
        def fit_predict(train: Rows, left_out: Rows) -> Float64:
            found = fit_predictor(sample.take(train), specs, recipe, recipe, bounds).predict(sample.features[left_out])
            return np.column_stack([found.p_pass, found.rating])

        passing[recipe], rating[recipe] = cross_predict(labels, fit_predict, 2).T

    for recipe in single_recipes(specs):
        attempt(recipe)
    errors = {recipe.features[0]: float(((p - sample.passed) ** 2).mean()) for recipe, p in passing.items()}
    for recipe in joint_recipes(sorted(errors, key=errors.__getitem__)):
        attempt(recipe)
    return Candidates(passing, rating)


def choose_recipe(predictions: Mapping[Recipe, Float64], truth: Float64, groups: Sequence[str]) -> Recipe:
    """The simplest recipe whose squared error is within one standard error of the best one's.

    The standard error is that of the paired difference over groups (the one-standard-error rule of Breiman et al.
    1984, paired). Single features count as equally simple, so the best of them stands for all.
    """
    errors = {recipe: (prediction - truth) ** 2 for recipe, prediction in predictions.items()}
    best = min(errors, key=lambda recipe: float(errors[recipe].mean()))
    singles = [recipe for recipe in errors if recipe.kind == "isotonic"]
    best_single = min(singles, key=lambda recipe: float(errors[recipe].mean()))
    for recipe in (best_single, *(r for r in errors if r.kind != "isotonic")):
        worse = cluster_mean_interval(errors[recipe] - errors[best], groups, weighting="items")
        if recipe == best or worse.mean <= worse.standard_error:
            return recipe
    return best


def used_features(specs: Sequence[ScoreColumn], recipes: Sequence[Recipe]) -> list[int]:
    """Places of the features that the recipes read: a gap in any other must not hold an item back."""
    names = {name for recipe in recipes for name in recipe.features}
    return [index for index, spec in enumerate(specs) if spec.name in names]
