"""``calibrate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edit_metrics.choices import FitBy
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
    from edit_metrics.calibration.calibration import Calibration
    from edit_metrics.calibration.evaluation import Scored
    from edit_metrics.calibration.report import Statistics


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command("calibrate")(calibrate)


def calibrate(
    run: Run,
    ratings: RatingFiles,
    target: Target,
    out: Annotated[Path, typer.Option("--out", help="Where to write: a .json file; plots go beside it.")],
    pass_at: Annotated[float | None, typer.Option(help="Mean rating that passes; default: the scale's middle.")] = None,
    features: Annotated[str | None, typer.Option(help="col,col:- (lower is better); default: every metric.")] = None,
    judge: Annotated[
        str | None, typer.Option(help="col,col: what a judge answered, at a price; default: the columns of `judge`.")
    ] = None,
    join: Join = None,
    by: Annotated[FitBy | None, choice(FitBy, "--by", "Fit each type with enough ratings on its own.")] = None,
    group: Group = "group",
    ratings_are_random: RatingsAreRandom = False,
    seed: FoldSeed = 0,
    exclude_rater: ExcludeRater = None,
    as_json: Json = False,
) -> None:
    """Map metrics to the raters' scale and to P(pass), cross-fitted by group, with its held-out error."""
    from edit_metrics.calibration.calibrate import CalibrateOptions
    from edit_metrics.calibration.calibrate import calibrate as fit
    from edit_metrics.calibration.calibration import write_calibration
    from edit_metrics.calibration.joining import join_table
    from edit_metrics.cli.console import emit_json, say, warn
    from edit_metrics.errors import MissingExtraError
    from edit_metrics.ratings.files import read_rating_files
    from edit_metrics.scores.table import read_scores
    from edit_metrics.triage.plots import plot_reliability, plot_residual_cost

    scored = read_scores(run)
    if not scored.signed:
        warn("the score table is unsigned: the calibration cannot check that later tables mean the same")
    frame = join_table(scored.frame, join)
    options = CalibrateOptions(target, pass_at, features, by, group, ratings_are_random, seed, judge=judge)
    found = fit(frame, read_rating_files(ratings, exclude_raters=exclude_rater or ()), options, scored.info)
    for note in found.origin.notes:
        warn(note)
    write_calibration(found, out)
    try:
        plots = [
            plot_reliability(found, out.with_suffix(".reliability.png")),
            plot_residual_cost(found, out.with_suffix(".residual_cost.png")),
        ]
    except MissingExtraError as error:
        plots = []
        warn(str(error))
    if as_json:
        emit_json(found.report.to_json())
        return
    _print_report(found)
    drawn = f", plots → {', '.join(map(str, plots))}" if plots else ""
    say(f"calibration → {out}{drawn}")


def _print_report(found: Calibration) -> None:
    from edit_metrics.cli.console import say, table

    report = found.report
    names = ["auroc", "brier", "ece", "spearman", "kendall", "plcc"]
    best, chosen = report.best_single_metric, report.chosen
    rows = [["chosen, held out", *_cells(chosen.held_out, names)]]
    if chosen.leave_one_model_out is not None:
        rows.append(["chosen, leave one model out", *_cells(chosen.leave_one_model_out, names)])
    rows.append([f"best raw column ({best.column})", *_cells(best.statistics, names)])
    rows.append(["one rater against the rest", *_cells(report.one_rater, names)])
    rows += [[f"tried: {one.recipe}", *_cells(one.statistics, names)] for one in report.candidates]
    table(f"{found.target}: held out by group, 95 % intervals over groups", ["", *names], rows)
    data = report.data
    judge = "" if found.judge is None else f"; the judge's answer alone: {found.judge.recipe}"
    say(
        f"P(pass at {found.pass_at:g}): {chosen.p_pass}{judge}; mean rating: {chosen.rating}; {data.items} items, "
        f"{data.groups} groups, {data.passed} pass, {data.random_items} randomly selected"
    )


def _cells(scored: Statistics, names: list[str]) -> list[str | None]:
    def cell(one: Scored | None) -> str | None:
        if one is None or one.value is None:
            return None
        bounds = "" if one.low is None else f" [{one.low:.3f}, {one.high:.3f}]"
        return f"{one.value:.3f}{bounds}"

    return [cell(scored.get(name)) for name in names]
