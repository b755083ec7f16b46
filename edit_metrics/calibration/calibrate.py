"""Fit a calibration from a score table and ratings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from edit_metrics.calibration.calibration import Calibration, feature_signatures, text_column
from edit_metrics.calibration.evaluation import passes
from edit_metrics.calibration.features import ScoreColumn, default_features, feature_matrix, parse_features
from edit_metrics.calibration.fitting import (
    Fitter,
    RatedItems,
    choose_recipe,
    large_types,
    try_candidates,
    used_features,
)
from edit_metrics.calibration.folds import group_folds
from edit_metrics.calibration.judge_tier import JUDGE_PREFIX, fit_judge_tier, judge_features, not_asked
from edit_metrics.calibration.origin import rating_origin
from edit_metrics.calibration.predictor import Sample
from edit_metrics.calibration.quality import Choice, Trial, quality_report
from edit_metrics.choices import FitBy, choose
from edit_metrics.errors import NotEnoughDataError, TableError, suggest
from edit_metrics.ratings.design import Design, sampling_design
from edit_metrics.ratings.gates import stopped_items
from edit_metrics.ratings.table import Ratings
from edit_metrics.scores.judging import MEASURED
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.types import Float64

MIN_ITEMS: Final = 150
MIN_GROUPS: Final = 30
MIN_EACH: Final = 15
"""Fewest rated items, fewest groups, fewest items on either side of the pass mark."""


@dataclass(frozen=True, slots=True)
class CalibrateOptions:
    """What the user asks of a calibration.

    Attributes:
        target: the rated dimension.
        pass_at: mean rating from which an item passes; None: the middle of the scale.
        features: ``col,col:-``; None: see :func:`edit_metrics.calibration.features.default_features`.
        by: ``edit_type`` fits predictors of their own for edit types with enough ratings; None: one for all.
        group: column of items that are not independent.
        random: the rated items were drawn uniformly from the table, although nothing in the files says so.
        seed: of the folds.
        n_resamples: of the intervals.
        judge: ``col,col:-``: columns that cost a call; None: those that ``judge`` writes, if the rated items have them.
    """

    target: str
    pass_at: float | None = None
    features: str | None = None
    by: str | None = None
    group: str = "group"
    random: bool = False
    seed: int = 0
    n_resamples: int = 200
    judge: str | None = None


def calibrate(
    frame: pd.DataFrame, ratings: Ratings, options: CalibrateOptions, info: RunInfo | None = None
) -> Calibration:
    """Try every candidate held out by group, take the simplest that is not clearly worse, report all.

    Args:
        frame: a score table with a unique column ``id`` and every feature column.
        ratings: of items of that table.
        options: see :class:`CalibrateOptions`.
        info: the run's ``run.json``, for the signatures; None for an unsigned table.

    Raises:
        NotEnoughDataError: fewer items, groups, passes or fails than the stated minimum.
        TableError: an unknown id, column or dimension.
    """
    if options.by is not None:
        choose(FitBy, options.by, "--by")
    pass_at = ratings.scale.midpoint if options.pass_at is None else options.pass_at
    ids = frame["id"].tolist()
    ratings.check_ids(ids, "--ratings")
    design = sampling_design(ids, ratings, options.target, declared=options.random, whole_table=False)
    judge_specs = judge_features(frame, is_rated(frame, ratings, options.target), options.judge)
    specs = choose_features(frame, ratings, options, [spec.name for spec in judge_specs])
    if options.judge is None:
        # What the user names as a feature is one.
        named = {spec.name for spec in specs}
        judge_specs = [spec for spec in judge_specs if spec.name not in named]
    rated = rated_items(frame, ratings, specs, options, pass_at, design)
    check_enough(rated)
    bounds = (ratings.scale.low, ratings.scale.high)
    folds = group_folds(rated.groups.tolist(), options.seed)
    tried = try_candidates(rated.sample, specs, folds, bounds)
    groups = rated.groups.tolist()
    recipes = (
        choose_recipe(tried.passing, rated.sample.passed, groups),
        choose_recipe(tried.rating, rated.sample.rating, groups),
    )
    used = used_features(specs, recipes)
    kept = rated.with_features(used)
    types = large_types(kept.sample) if options.by == FitBy.EDIT_TYPE else ()
    fitter = Fitter(tuple(specs[index] for index in used), *recipes, bounds, types)
    predictor, rank = fitter.fit_ranked(kept.sample)
    held_out = fitter.held_out(kept, folds)
    judge = None
    if judge_specs and check_asked(frame, judge_specs, design, required=options.judge is not None):
        asked = rated_items(frame, ratings, judge_specs, options, pass_at, design)
        judge, said = fit_judge_tier(asked, judge_specs, bounds, options.seed)
        held_out = held_out.merge(said, on="id", how="left", validate="one_to_one")
    matrix = ratings.matrix(options.target)
    trial, choice = Trial(rated, specs, tried), Choice(fitter, kept, held_out)
    report = quality_report(trial, choice, matrix, pass_at, options.n_resamples)
    return Calibration(
        options.target,
        ratings.scale,
        pass_at,
        fitter.specs,
        recipes,
        predictor,
        rank,
        held_out,
        feature_signatures([spec.name for spec in (*fitter.specs, *(judge.features if judge else ()))], info),
        report,
        rating_origin(frame, text_column(frame, "model"), design),
        options.seed,
        judge,
    )


def is_rated(frame: pd.DataFrame, ratings: Ratings, target: str) -> pd.Series[bool]:
    """Which rows of the table somebody rated."""
    return frame["id"].isin(set(ratings.of(target)["id"]))


def check_asked(frame: pd.DataFrame, specs: Sequence[ScoreColumn], design: Design, *, required: bool) -> bool:
    """Whether the judge was asked about every item that a promise may rest on: he might have decided the others.

    Raises:
        TableError: not, and the user named his columns.
    """
    n = int((design.drawn & not_asked(frame, tuple(specs), said=True)).sum())
    if n and required:
        todo = "Ask about these items too: a policy is tested on what the judge says of all of them."
        raise TableError("a judge who was asked about every randomly rated item", f"{n} not asked", "--judge", todo)
    return n == 0


def choose_features(
    frame: pd.DataFrame, ratings: Ratings, options: CalibrateOptions, taken: Collection[str] = ()
) -> list[ScoreColumn]:
    """The features that were asked for, or the default ones without those that are ``taken`` and what a judge costs.

    Raises:
        TableError: a named column cannot be a feature, or none can.
    """
    rated = is_rated(frame, ratings, options.target)
    if options.features is None:
        of_judge = [str(name) for name in frame if str(name) in MEASURED or str(name).startswith(JUDGE_PREFIX)]
        return default_features(frame, rated, exclude=(*ratings.dimensions, options.group, *taken, *of_judge))
    specs = parse_features(options.features, frame)
    both = [spec.name for spec in specs if spec.name in taken]
    if both and options.judge is not None:
        raise TableError("columns that cost nothing", f"{', '.join(both)} of the judge", "--features")
    return specs


def rated_items(
    frame: pd.DataFrame,
    ratings: Ratings,
    specs: Sequence[ScoreColumn],
    options: CalibrateOptions,
    pass_at: float,
    design: Design,
) -> RatedItems:
    """Join ratings and scores; items without any feature value are left out.

    Raises:
        TableError: no such group column.
    """
    means = ratings.item_means(options.target)
    features = feature_matrix(frame, [spec.name for spec in specs])
    rating: Float64 = np.array(frame["id"].map(means["mean"]), dtype=np.float64)
    kept = np.flatnonzero(np.isfinite(features).any(axis=1) & np.isfinite(rating))
    rows, rating = frame.iloc[kept], rating[kept]
    sample = Sample(features[kept], rating, passes(rating, pass_at), text_column(rows, "edit_type"))
    return RatedItems(
        text_column(rows, "id"),
        item_groups(rows, options.group),
        text_column(rows, "model"),
        random_probabilities(frame, design)[kept],
        sample,
    )


def random_probabilities(frame: pd.DataFrame, design: Design) -> Float64:
    """Probability of the draw of each item that promises may rest on; NaN for the others.

    Items that a gate stops are never decided automatically, so that they say nothing about automatic decisions.
    """
    decidable = np.array([one is None for one in stopped_items(frame)], dtype=np.bool_)
    return np.where(design.drawn & decidable, design.probability, np.nan)


def item_groups(frame: pd.DataFrame, column: str) -> Any:
    """Group of every item as text; where the table has no such column and none was asked for, the item itself.

    Raises:
        TableError: a column was asked for by name and is absent.
    """
    if column in frame:
        groups = text_column(frame, column)
        ids = text_column(frame, "id")
        return np.where(groups == "", ids, groups)
    if column != "group":
        raise TableError("a column of the table", repr(column), "--group", suggest(column, map(str, frame)))
    return text_column(frame, "id")


def check_enough(rated: RatedItems) -> None:
    """Refuse too small a sample, with the number that is needed.

    Raises:
        NotEnoughDataError: fewer than ``MIN_ITEMS``, ``MIN_GROUPS`` or ``MIN_EACH``.
    """
    n_passed = int(rated.sample.passed.sum())
    counts = (
        (len(rated.ids), MIN_ITEMS, "rated items that have a feature value"),
        (len(set(rated.groups.tolist())), MIN_GROUPS, "groups of rated items"),
        (n_passed, MIN_EACH, "items that people pass"),
        (len(rated.ids) - n_passed, MIN_EACH, "items that people fail"),
    )
    for n, needed, what in counts:
        if n < needed:
            raise NotEnoughDataError(f"at least {needed} {what}", str(n), todo=f"Rate at least {needed - n} more.")
