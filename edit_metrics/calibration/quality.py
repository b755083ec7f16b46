"""What a calibration reports of itself: held out by group, and by model, against one metric and against one rater."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from edit_metrics.calibration.evaluation import (
    PASS_STATISTICS,
    RATING_STATISTICS,
    Scored,
    auroc,
    brier,
    evaluate,
    rater_ceiling,
    reliability,
    spearman,
    with_interval,
)
from edit_metrics.calibration.features import FeatureSpec
from edit_metrics.calibration.fitting import Candidates, Fitter, RatedItems
from edit_metrics.calibration.predictor import Recipe, learn_sign
from edit_metrics.types import Float64


def quality_report(
    rated: RatedItems,
    tried: Candidates,
    specs: Sequence[FeatureSpec],
    fitter: Fitter,
    kept: RatedItems,
    held_out: pd.DataFrame,
    matrix: pd.DataFrame,
    pass_at: float,
    n_resamples: int,
) -> dict[str, Any]:
    """The ``report`` section of a calibration file.

    Args:
        rated: the rated items with every feature that was tried.
        tried: held-out predictions of every recipe.
        specs: the features that were tried.
        fitter: of the chosen recipes.
        kept: the rated items with the features that the chosen recipes read.
        held_out: predictions of the chosen recipes, left out by group.
        matrix: items × raters.
        pass_at: mean rating from which an item passes.
        n_resamples: of the intervals.
    """
    by_model = leave_one_model_out(kept, fitter)
    chosen = {"held_out": _chosen(held_out, n_resamples)}
    if by_model is not None:
        chosen["leave_one_model_out"] = _chosen(by_model, n_resamples)
    return {
        "data": data_counts(rated),
        "chosen": {
            "p_pass": str(fitter.pass_recipe),
            "rating": str(fitter.rating_recipe),
            "edit_types": list(fitter.types),
            **chosen,
        },
        "by_model": [] if by_model is None else _per_model(by_model),
        "candidates": _candidates(rated, tried, n_resamples),
        "best_single_metric": best_single_metric(rated, specs, n_resamples),
        "one_rater_against_the_rest": _ceiling(rated, matrix, pass_at, n_resamples),
        "reliability": [asdict(one) for one in reliability(_column(held_out, "p_pass"), _column(held_out, "passed"))],
    }


def leave_one_model_out(rated: RatedItems, fitter: Fitter) -> pd.DataFrame | None:
    """Predictions of every item by a fit that has not seen its model; None with fewer than two models."""
    if len(np.unique(rated.models.astype(str))) < 2:
        return None
    return fitter.held_out(rated, rated.models.astype(str))


def data_counts(rated: RatedItems) -> dict[str, Any]:
    """How much the calibration rests on."""
    models, counts = np.unique(rated.models.astype(str), return_counts=True)
    random = np.isfinite(rated.inclusion_prob)
    return {
        "items": len(rated.ids),
        "groups": len(set(rated.groups.tolist())),
        "passed": int(rated.sample.passed.sum()),
        "random_items": int(random.sum()),
        "models": dict(zip(models.tolist(), counts.tolist(), strict=True)),
    }


def best_single_metric(rated: RatedItems, specs: Sequence[FeatureSpec], n_resamples: int) -> dict[str, Any]:
    """The raw column that orders the items best, chosen on these very ratings: a bar that favours the column."""
    signed = {
        spec.name: (spec.sign or learn_sign(column, rated.sample.rating)) * column
        for spec, column in zip(specs, rated.sample.features.T, strict=True)
    }
    found = {}
    for name, values in signed.items():
        known = np.isfinite(values)
        found[name] = auroc(values[known], rated.sample.passed[known]), known, values
    name, (_, known, values) = max(found.items(), key=lambda one: np.nan_to_num(one[1][0]))
    groups = rated.groups[known].tolist()
    ranks = {key: RATING_STATISTICS[key] for key in ("spearman", "kendall")}
    statistics: list[tuple[Mapping[str, Callable[[Float64, Float64], float]], Float64]] = [
        ({"auroc": auroc}, rated.sample.passed),
        (ranks, rated.sample.rating),
    ]
    scored = {
        key: value.to_json()
        for named, truth in statistics
        for key, value in evaluate(named, values[known], truth[known], groups, n_resamples=n_resamples).items()
    }
    return {"column": name, "n": int(known.sum()), **scored}


def _chosen(table: pd.DataFrame, n_resamples: int) -> dict[str, Any]:
    groups = table["group"].tolist()
    scored = evaluate(
        PASS_STATISTICS, _column(table, "p_pass"), _column(table, "passed"), groups, n_resamples=n_resamples
    ) | evaluate(
        RATING_STATISTICS, _column(table, "expected_rating"), _column(table, "rating"), groups, n_resamples=n_resamples
    )
    return {name: value.to_json() for name, value in scored.items()}


def _per_model(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for model, part in table.groupby("model", sort=True):
        p_pass, passed = _column(part, "p_pass"), _column(part, "passed")
        rows.append(
            {
                "model": str(model),
                "n": len(part),
                "pass_rate": float(passed.mean()),
                "mean_p_pass": float(p_pass.mean()),
                "auroc": _finite(auroc(p_pass, passed)),
                "brier": brier(p_pass, passed),
                "spearman": _finite(spearman(_column(part, "expected_rating"), _column(part, "rating"))),
            }
        )
    return rows


def _candidates(rated: RatedItems, tried: Candidates, n_resamples: int) -> list[dict[str, Any]]:
    groups = rated.groups.tolist()

    def scored(recipe: Recipe) -> dict[str, Scored]:
        return evaluate(
            PASS_STATISTICS, tried.passing[recipe], rated.sample.passed, groups, n_resamples=n_resamples
        ) | evaluate(RATING_STATISTICS, tried.rating[recipe], rated.sample.rating, groups, n_resamples=n_resamples)

    return [
        {"recipe": str(recipe), **{name: value.to_json() for name, value in scored(recipe).items()}}
        for recipe in tried.passing
    ]


def _ceiling(rated: RatedItems, matrix: pd.DataFrame, pass_at: float, n_resamples: int) -> dict[str, Any]:
    rows = matrix.loc[rated.ids.tolist()].to_numpy(dtype=np.float64)
    groups = rated.groups.tolist()
    return {
        name: with_interval(statistic, [rows], groups, n_resamples=n_resamples, seed=0).to_json()
        for name, statistic in rater_ceiling(rows, pass_at).items()
    }


def _column(table: pd.DataFrame, name: str) -> Float64:
    return np.asarray(table[name], dtype=np.float64)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
