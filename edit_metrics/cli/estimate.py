"""``estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.choices import EstimateBy
from edit_metrics.cli.options import (
    ExcludeRater,
    FoldSeed,
    Group,
    Join,
    Json,
    RatingFiles,
    RatingsAreRandom,
    Run,
    Target,
    choice,
)

if TYPE_CHECKING:
    from edit_metrics.stats import Estimate


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command("estimate")(estimate)


def estimate(
    run: Run,
    ratings: RatingFiles,
    target: Target,
    feature: Annotated[str | None, typer.Option(help="Column to predict from; COLUMN:- when lower is better.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Predict as this calibration does, fitted anew.")] = None,
    join: Join = None,
    by: Annotated[EstimateBy | None, choice(EstimateBy, "--by", "Also one estimate for each of its values.")] = None,
    group: Group = "group",
    ratings_are_random: RatingsAreRandom = False,
    seed: FoldSeed = 0,
    exclude_rater: ExcludeRater = None,
    as_json: Json = False,
) -> None:
    """Mean rating of all items from random ratings of a few, with the predictions' help, and without."""
    from dataclasses import asdict

    from edit_metrics.calibration.calibration import check_signatures, read_calibration
    from edit_metrics.calibration.estimate import estimate_means
    from edit_metrics.calibration.features import parse_features
    from edit_metrics.calibration.joining import join_table
    from edit_metrics.calibration.predictor import Recipe
    from edit_metrics.calibration.rated_table import rated_table
    from edit_metrics.cli.console import emit_json, table, warn
    from edit_metrics.errors import UserError
    from edit_metrics.ratings.files import read_rating_files
    from edit_metrics.scores.table import read_scores

    if (feature is None) == (calibration is None):
        raise UserError("either --feature or --calibration", "both" if feature else "neither")
    scored = read_scores(run)
    frame = join_table(scored.frame, join)
    if calibration is not None:
        loaded = read_calibration(calibration)
        for note in check_signatures(loaded, scored.info):
            warn(note)
        specs, recipe = list(loaded.features), loaded.recipes[1]
    else:
        specs = parse_features(str(feature), frame)
        recipe = Recipe("ordinal") if len(specs) > 1 else Recipe("isotonic")
    names = [spec.name for spec in specs]
    known = read_rating_files(ratings, exclude_raters=exclude_rater or ())
    prepared = rated_table(frame, known, target, names, random=ratings_are_random, group=group)
    for note in prepared.notes:
        warn(note)
    found = estimate_means(prepared, specs, recipe, by_model=by is EstimateBy.MODEL, seed=seed)
    if as_json:
        emit_json([asdict(one) for one in found])
        return
    columns = ["", "method", "mean", "95 %", "ratings only", "95 % ", "gain", "λ", "rated", "items", "note"]
    rows = [
        [e.name, e.method.value, *_mean(e.estimate), *_mean(e.ratings_only), e.effective_gain, e.power, e.n_rated,
         e.n_items, e.reason] for e in found
    ]  # fmt: skip
    table(f"{target}: mean rating of all items of the table", columns, rows)


def _mean(mean: Estimate | None) -> list[Any]:
    return [None, None] if mean is None else [mean.value, f"[{mean.interval.low:.3f}, {mean.interval.high:.3f}]"]
