"""What a calibration reports of itself: held out by group, and by model, against one metric and against one rater."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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
from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.fitting import Candidates, Fitter, RatedItems
from edit_metrics.calibration.predictor import Recipe, learn_sign
from edit_metrics.calibration.report import (
    CandidateQuality,
    ChosenQuality,
    ColumnQuality,
    DataCounts,
    ModelQuality,
    QualityReport,
    Statistics,
)
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class Trial:
    """What was tried.

    Attributes:
        rated: the rated items with every feature that was tried.
        specs: these features.
        tried: held-out predictions of every recipe.
    """

    rated: RatedItems
    specs: Sequence[ScoreColumn]
    tried: Candidates


@dataclass(frozen=True, slots=True)
class Choice:
    """What was taken.

    Attributes:
        fitter: of the chosen recipes.
        kept: the rated items with the features that these read.
        held_out: predictions of them, left out by group.
    """

    fitter: Fitter
    kept: RatedItems
    held_out: pd.DataFrame


def quality_report(
    trial: Trial, choice: Choice, matrix: pd.DataFrame, pass_at: float, n_resamples: int
) -> QualityReport:
    """Measure a calibration.

    Args:
        trial: see there.
        choice: see there.
        matrix: items × raters.
        pass_at: mean rating from which an item passes.
        n_resamples: of the intervals.
    """
    fitter, held_out = choice.fitter, choice.held_out
    by_model = leave_one_model_out(choice.kept, fitter)
    return QualityReport(
        data_counts(trial.rated),
        ChosenQuality(
            str(fitter.pass_recipe),
            str(fitter.rating_recipe),
            tuple(fitter.types),
            _chosen(held_out, n_resamples),
            None if by_model is None else _chosen(by_model, n_resamples),
        ),
        () if by_model is None else _per_model(by_model),
        _candidates(trial.rated, trial.tried, n_resamples),
        best_single_metric(trial.rated, trial.specs, n_resamples),
        _ceiling(trial.rated, matrix, pass_at, n_resamples),
        tuple(reliability(_column(held_out, "p_pass"), _column(held_out, "passed"))),
    )


def leave_one_model_out(rated: RatedItems, fitter: Fitter) -> pd.DataFrame | None:
    """Predictions of every item by a fit that has not seen its model; None with fewer than two models."""
    if len(np.unique(rated.models.astype(str))) < 2:
        return None
    return fitter.held_out(rated, rated.models.astype(str))


def data_counts(rated: RatedItems) -> DataCounts:
    """How much the calibration rests on."""
    models, counts = np.unique(rated.models.astype(str), return_counts=True)
    random = np.isfinite(rated.inclusion_prob)
    return DataCounts(
        len(rated.ids),
        len(set(rated.groups.tolist())),
        int(rated.sample.passed.sum()),
        int(random.sum()),
        dict(zip(models.tolist(), counts.tolist(), strict=True)),
    )


def best_single_metric(rated: RatedItems, specs: Sequence[ScoreColumn], n_resamples: int) -> ColumnQuality:
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
        key: value
        for named, truth in statistics
        for key, value in evaluate(named, values[known], truth[known], groups, n_resamples=n_resamples).items()
    }
    return ColumnQuality(name, int(known.sum()), scored)


def _chosen(table: pd.DataFrame, n_resamples: int) -> Statistics:
    groups = table["group"].tolist()
    return evaluate(
        PASS_STATISTICS, _column(table, "p_pass"), _column(table, "passed"), groups, n_resamples=n_resamples
    ) | evaluate(
        RATING_STATISTICS, _column(table, "expected_rating"), _column(table, "rating"), groups, n_resamples=n_resamples
    )


def _per_model(table: pd.DataFrame) -> tuple[ModelQuality, ...]:
    rows = []
    for model, part in table.groupby("model", sort=True):
        p_pass, passed = _column(part, "p_pass"), _column(part, "passed")
        rows.append(
            ModelQuality(
                str(model),
                len(part),
                float(passed.mean()),
                float(p_pass.mean()),
                _finite(auroc(p_pass, passed)),
                brier(p_pass, passed),
                _finite(spearman(_column(part, "expected_rating"), _column(part, "rating"))),
            )
        )
    return tuple(rows)


def _candidates(rated: RatedItems, tried: Candidates, n_resamples: int) -> tuple[CandidateQuality, ...]:
    groups = rated.groups.tolist()

    def scored(recipe: Recipe) -> dict[str, Scored]:
        return evaluate(
            PASS_STATISTICS, tried.passing[recipe], rated.sample.passed, groups, n_resamples=n_resamples
        ) | evaluate(RATING_STATISTICS, tried.rating[recipe], rated.sample.rating, groups, n_resamples=n_resamples)

    return tuple(CandidateQuality(str(recipe), scored(recipe)) for recipe in tried.passing)


def _ceiling(rated: RatedItems, matrix: pd.DataFrame, pass_at: float, n_resamples: int) -> Statistics:
    rows = matrix.loc[rated.ids.tolist()].to_numpy(dtype=np.float64)
    groups = rated.groups.tolist()
    return {
        name: with_interval(statistic, [rows], groups, n_resamples=n_resamples, seed=0)
        for name, statistic in rater_ceiling(rows, pass_at).items()
    }


def _column(table: pd.DataFrame, name: str) -> Float64:
    return np.asarray(table[name], dtype=np.float64)


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
