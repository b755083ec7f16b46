"""``ratings plan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.choices import PromisedSides
from edit_metrics.cli.options import ExcludeRater, Join, Json, Run, Target, choice

if TYPE_CHECKING:
    from edit_metrics.triage.rating_plan import RatingPlan


def register(ratings_app: typer.Typer) -> None:
    """Add this file's verb to those of ``ratings``."""
    ratings_app.command("plan")(plan)


def plan(
    run: Run,
    target: Target,
    rated: Annotated[
        list[Path] | None, typer.Option(help="Ratings of all batches so far; none before the first; repeatable.")
    ] = None,
    calibration: Annotated[Path | None, typer.Option(help="From `calibrate`: what errors its ratings show.")] = None,
    join: Join = None,
    max_error: Annotated[float, typer.Option(help="Largest share of wrong automatic decisions, each side.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Probability that the promise holds.")] = 0.95,
    promise: Annotated[
        PromisedSides, choice(PromisedSides, "--promise", "Which decisions may be automatic.")
    ] = PromisedSides.BOTH,
    overlap: Annotated[int, typer.Option(help="Raters an item.", min=1, max=1000)] = 1,
    dimensions: Annotated[str | None, typer.Option(help="d,d: that raters are asked; default: the target.")] = None,
    dispute: Annotated[
        float | None, typer.Option(help="Ratings further apart ask for one more; default: half of the scale.", min=0)
    ] = None,
    rating_cost: Annotated[float | None, typer.Option(help="Price of one rating, in any unit.", min=0)] = None,
    judge_cost: Annotated[
        float | None, typer.Option(help="Price of one call: plan for metrics and judge together.", min=0)
    ] = None,
    exclude_rater: ExcludeRater = None,
    as_json: Json = False,
) -> None:
    """What to rate next, until when, in hours and money: random ratings until a first automatic decision."""
    from edit_metrics.calibration.calibration import read_calibration
    from edit_metrics.calibration.joining import join_table
    from edit_metrics.cli.console import emit_json
    from edit_metrics.ratings.files import read_rating_files
    from edit_metrics.ratings.progress import rating_progress
    from edit_metrics.scores.table import read_scores
    from edit_metrics.triage.automatic import Promise
    from edit_metrics.triage.planning import Asking, plan_ratings
    from edit_metrics.triage.rating_plan import to_json

    frame = join_table(read_scores(run).frame, join)
    fitted = None if calibration is None else read_calibration(calibration)
    known = read_rating_files(rated, exclude_raters=exclude_rater or ()) if rated else None
    asked = tuple(dimensions.split(",")) if dimensions else (target,)
    found = plan_ratings(
        frame,
        target,
        Promise.parse(max_error, confidence, promise),
        Asking(overlap, len(asked), rating_cost, judge_cost),
        ratings=known,
        progress=None if known is None else rating_progress(known, overlap, asked, dispute),
        calibration=fitted,
    )
    if as_json:
        emit_json(dict(to_json(found)))
        return
    _print(found, max_error)


def _print(found: RatingPlan, max_error: float) -> None:
    from edit_metrics.cli.console import say, table
    from edit_metrics.triage.rating_plan import words

    rows: list[list[Any]] = [
        [one.model or "(none named)", one.items, one.rated, one.needed, one.draw] for one in found.models
    ]
    columns = ["model", "items", "random ratings", "needed", "in a draw of"]
    table("Models that may be decided automatically, and random ratings until then", columns, rows)
    for sentence in words(found, max_error):
        say(sentence)
    hours = "no rating has a time" if found.hours is None else f"{found.hours:.1f} hours at {found.seconds:.0f} s"
    cost = "" if found.cost is None else f", {found.cost:g} at the given price"
    say(f"{found.ratings} ratings to collect: {hours}{cost}")
