"""A judge as a tier of its own between metrics and people: asked for a price, of what the metrics leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.calibration.curves import MonotoneCurve
from edit_metrics.calibration.features import ScoreColumn, is_usable, parse_features
from edit_metrics.calibration.fitting import Fitter, RatedItems, choose_recipe, try_candidates, used_features
from edit_metrics.calibration.folds import group_folds
from edit_metrics.calibration.predictor import Recipe, RoutedPredictor
from edit_metrics.scores.judging import NUMBER_COLUMNS, SELECTED_BY
from edit_metrics.types import Float64

NOT_ASKED: Final = "judge_not_asked"
"""Reason of a judge's column where nobody asked him; every other reason is an answer without a number."""
JUDGE_PREFIX: Final = "judge."
"""Of what a judge leaves beside his measurements: spread, model, VIEScore."""


@dataclass(frozen=True, slots=True)
class JudgeScores:
    """What a judge says of N items.

    Attributes:
        rank: among the rated items; NaN where he gave no number.
        p_pass: probability that people pass the item; NaN likewise.
        open: nobody has asked him about the item yet.
    """

    rank: Float64
    p_pass: Float64
    open: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class JudgeTier:
    """The judge's own predictor: his columns alone, so that it does not change what a call adds.

    Attributes:
        features: his columns, in order.
        recipe: how P(pass) is fitted.
        predictor: fitted on all rated items.
        rank: P(pass) → rank among the rated items.
    """

    features: tuple[ScoreColumn, ...]
    recipe: Recipe
    predictor: RoutedPredictor
    rank: MonotoneCurve

    def score(self, frame: pd.DataFrame) -> JudgeScores:
        """Apply to a score table; where it lacks the columns nobody was asked."""
        values = judge_matrix(frame, self.features)
        known = np.isfinite(values).all(axis=1)
        p_pass = self.predictor.predict(values, np.full(len(values), "", dtype=object)).p_pass
        return JudgeScores(
            np.where(known, self.rank(p_pass), np.nan), np.where(known, p_pass, np.nan), not_asked(frame, self.features)
        )

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        return {
            "features": [{"name": spec.name, "sign": spec.sign} for spec in self.features],
            "recipe": {"kind": self.recipe.kind, "features": list(self.recipe.features)},
            "predictor": self.predictor.to_json(),
            "rank": self.rank.to_json(),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> JudgeTier:
        """The inverse of :meth:`to_json`."""
        return cls(
            tuple(ScoreColumn(str(one["name"]), int(one["sign"])) for one in record["features"]),
            Recipe(str(record["recipe"]["kind"]), tuple(record["recipe"]["features"])),
            RoutedPredictor.from_json(record["predictor"]),
            MonotoneCurve.from_json(record["rank"]),
        )


def judge_features(frame: pd.DataFrame, rated: pd.Series[bool], asked_for: str | None) -> list[ScoreColumn]:
    """The columns that were named, or those that ``judge`` writes and that most rated items carry; none without any.

    Raises:
        TableError: a named column cannot be a feature.
    """
    if asked_for is not None:
        return parse_features(asked_for, frame, "--judge")
    return [ScoreColumn(name, 1) for name in NUMBER_COLUMNS if name in frame and is_usable(frame[name][rated])]


def fit_judge_tier(
    rated: RatedItems, specs: list[ScoreColumn], bounds: tuple[float, float], seed: int
) -> tuple[JudgeTier, pd.DataFrame]:
    """Choose a recipe held out by group, fit it on all.

    Args:
        rated: rated items with the judge's columns alone.
        specs: these columns.
        bounds: lowest and highest rating of the scale.
        seed: of the folds.

    Returns:
        The tier, and held-out ``id, judge_rank, judge_p_pass``.
    """
    groups = rated.groups.tolist()
    folds = group_folds(groups, seed)
    tried = try_candidates(rated.sample, specs, folds, bounds)
    recipe = choose_recipe(tried.passing, rated.sample.passed, groups)
    used = used_features(specs, [recipe])
    kept = rated.with_features(used)
    fitter = Fitter(tuple(specs[place] for place in used), recipe, recipe, bounds)
    predictor, rank = fitter.fit_ranked(kept.sample)
    held_out = fitter.held_out(kept, folds)[["id", "rank", "p_pass"]]
    tier = JudgeTier(fitter.specs, recipe, predictor, rank)
    return tier, held_out.rename(columns={"rank": "judge_rank", "p_pass": "judge_p_pass"})


def judge_matrix(frame: pd.DataFrame, features: tuple[ScoreColumn, ...]) -> Float64:
    """N×F values, NaN where missing; a column that is absent is missing everywhere."""
    nothing = pd.Series(np.nan, frame.index)
    columns = [pd.to_numeric(frame.get(spec.name, nothing)) for spec in features]
    return np.column_stack([column.to_numpy(np.float64, na_value=np.nan) for column in columns])


def not_asked(frame: pd.DataFrame, features: tuple[ScoreColumn, ...], *, said: bool = False) -> NDArray[np.bool_]:
    """Items with a gap in one of the columns for which no reason stands but ``NOT_ASKED``.

    An item that was selected and is settled by a fact (no edit at all) was not asked either, and never will be.

    Args:
        frame: a score table.
        features: the judge's columns.
        said: only where the table says so; else also where it gives no reason.
    """
    codes = [NOT_ASKED] if said else ["", NOT_ASKED]
    settled = frame[SELECTED_BY].notna().to_numpy() if SELECTED_BY in frame else np.zeros(len(frame), dtype=np.bool_)
    waiting = np.zeros(len(frame), dtype=np.bool_)
    values = judge_matrix(frame, features)
    for place, spec in enumerate(features):
        gap = ~np.isfinite(values[:, place])
        reasons = frame.get(f"{spec.name}.reason", pd.Series("", frame.index)).fillna("").astype(str)
        waiting |= gap & reasons.isin(codes).to_numpy()
    return waiting & ~settled
