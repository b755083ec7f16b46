"""``triage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.choices import PromisedSides
from edit_metrics.cli.options import ExcludeRater, Join, Json, Run, choice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edit_metrics.scores.table import ScoreTable
    from edit_metrics.triage.statement import JudgeStatement
    from edit_metrics.triage.uncalibrated import Triage


def register(app: typer.Typer) -> None:
    """Add this file's verb."""
    app.command("triage")(triage)


def triage(
    run: Run,
    out: Annotated[Path, typer.Option("--out", help="Folder for the queue.")],
    calibration: Annotated[Path | None, typer.Option(help="From `calibrate`; without it nothing is decided.")] = None,
    join: Join = None,
    budget: Annotated[int | None, typer.Option(help="Most items in the queue, audit included.", min=0)] = None,
    max_error: Annotated[float, typer.Option(help="Largest share of wrong automatic decisions, each side.")] = 0.05,
    confidence: Annotated[float, typer.Option(help="Probability that the promise holds.")] = 0.95,
    promise: Annotated[
        PromisedSides, choice(PromisedSides, "--promise", "Which decisions may be automatic.")
    ] = PromisedSides.BOTH,
    cost_wrong_fail: Annotated[float, typer.Option(help="Cost of failing what people pass.")] = 1.0,
    cost_wrong_pass: Annotated[float, typer.Option(help="Cost of passing what people fail.")] = 1.0,
    judge_cost: Annotated[
        float | None, typer.Option(help="Price of one call: metrics, judge and people under one promise.")
    ] = None,
    rating_cost: Annotated[float | None, typer.Option(help="Price of one rating, in the same unit.")] = None,
    audit: Annotated[float, typer.Option(help="Share of all items drawn at random.", min=0, max=1)] = 0.05,
    order_by: Annotated[
        str | None, typer.Option(help="Without a calibration: worst first by COLUMN:+ (higher is better) or COLUMN:-.")
    ] = None,
    exclude_rated: Annotated[
        list[Path] | None,
        typer.Option(help="Ratings of earlier batches: what is done is not queued again; random ones check decisions."),
    ] = None,
    dimensions: Annotated[
        str | None, typer.Option(help="d,d: an item is done when these are; default: the target, or all rated ones.")
    ] = None,
    dispute: Annotated[
        float | None, typer.Option(help="Ratings further apart ask for one more; default: half of the scale.", min=0)
    ] = None,
    exclude_rater: ExcludeRater = None,
    gold: Annotated[Path | None, typer.Option(help="Table with ids whose rating is known.")] = None,
    overlap: Annotated[int, typer.Option(help="Raters an item.", min=1, max=1000)] = 1,
    blind: Annotated[bool, typer.Option(help="Leave scores out of the export for raters: they anchor.")] = True,
    seed: Annotated[
        int | None, typer.Option(help="Of the audit's draw; default: the number of draws made before.", min=0)
    ] = None,
    as_json: Json = False,
) -> None:
    """Order the items for people, decide what may be decided: queue.csv, queue.jsonl, lanes.csv, triage.json."""
    from edit_metrics.calibration.calibration import check_signatures, read_calibration
    from edit_metrics.calibration.joining import join_table
    from edit_metrics.cli.console import emit_json, say, warn
    from edit_metrics.errors import MissingExtraError, UserError
    from edit_metrics.ratings.files import read_rating_files
    from edit_metrics.ratings.progress import Progress, rating_progress
    from edit_metrics.scores.table import read_scores
    from edit_metrics.triage.automatic import Promise
    from edit_metrics.triage.calibrated import DecisionOptions, triage_by_calibration
    from edit_metrics.triage.costs import AskingCosts, DecisionCosts
    from edit_metrics.triage.files import write_triage
    from edit_metrics.triage.plots import plot_risk_coverage
    from edit_metrics.triage.uncalibrated import QueueOptions, triage_by_priority

    scored = read_scores(run)
    frame = join_table(scored.frame, join)
    loaded = None if calibration is None else read_calibration(calibration)
    asking = AskingCosts.parse(judge_cost, rating_cost)
    if asking is not None and loaded is None:
        raise UserError("--calibration with --judge-cost", "none: nothing is decided without one", "--calibration")
    if asking is None and loaded is not None and loaded.judge is not None:
        warn("the calibration knows a judge; give --judge-cost and --rating-cost to promise metrics and judge together")
    before = read_rating_files(exclude_rated, exclude_raters=exclude_rater or ()) if exclude_rated else None
    asked = tuple(dimensions.split(",")) if dimensions else None if loaded is None else (loaded.target,)
    options = QueueOptions(
        budget,
        audit,
        (0 if before is None else len(before.draws)) if seed is None else seed,
        order_by,
        Progress() if before is None else rating_progress(before, overlap, asked, dispute),
        _ids(gold),
        overlap,
        blind,
    )
    if loaded is None:
        outcome = triage_by_priority(frame, options)
    else:
        decisions = DecisionOptions(
            Promise.parse(max_error, confidence, promise),
            DecisionCosts(cost_wrong_fail, cost_wrong_pass),
            asking=asking,
        )
        for note in check_signatures(loaded, scored.info):
            warn(note)
        outcome = triage_by_calibration(frame, loaded, options, decisions, before)
    write_triage(outcome, frame, out, _label_studio(outcome, scored, out, None if loaded is None else loaded.target))
    decided = outcome.statement.decisions
    if decided is not None:
        for note in decided.automation.notes:
            warn(note)
        if decided.automation.rules:
            try:
                plot_risk_coverage(decided.automation.rules, out / "plots" / "risk_coverage.png")
            except MissingExtraError as error:
                warn(str(error))  # the queue is written, and decides without a picture of it
    if as_json:
        emit_json(outcome.statement.to_json())
        return
    _print_triage(outcome)
    say(f"{len(outcome.queue)} of {len(outcome.placements)} items queued → {out}")


def _ids(path: Path | None) -> frozenset[str]:
    from edit_metrics.io.tables import read_table, with_text_ids

    return frozenset() if path is None else frozenset(with_text_ids(read_table(path), path)["id"])


def _label_studio(outcome: Triage, scored: ScoreTable, out: Path, target: str | None) -> Mapping[str, Any] | None:
    """Write Label Studio's files where the table has pictures."""
    from edit_metrics.triage.files import write_label_studio
    from edit_metrics.triage.label_studio import TaskOptions
    from edit_metrics.triage.picture_places import PicturePlaces

    frame = scored.frame
    if not {"source", "edited"} <= set(frame.columns):
        return None
    paths = [str(path) for name in ("source", "edited") for path in frame[name].dropna()]
    places = PicturePlaces.of(paths, scored.pictures_root, scored.evidence, out / "pictures")
    options = TaskOptions(places, scored.evidence, outcome.statement.queue.blind)
    return write_label_studio(outcome, frame, out, target, options)


def _print_triage(outcome: Triage) -> None:
    from edit_metrics.cli.console import say, table

    queue, decided = outcome.statement.queue, outcome.statement.decisions
    lanes = [[name, n, queue.queued_lanes[name]] for name, n in queue.lanes.items()]
    table("Lanes", ["lane", "items", "queued"], lanes)
    rows = [[p.position, p.id, p.lane.value, "; ".join(p.reasons[:3])] for p in outcome.queue[:10]]
    if rows:
        table("Head of the queue", ["order", "id", "lane", "reasons"], rows)
    if decided is None:
        say("automatic decisions: none: triage ran without a calibration")
        return
    say(f"automatic decisions: {decided.promise_in_words}")
    for one in () if decided.automation.drift is None else decided.automation.drift.errors:
        seen, interval = f"{one.share.hits} of {one.share.n} wrong", one.share.interval
        say(
            f"audit of auto-{one.side}: {seen}, 95 % from {interval.low:.1%} to {interval.high:.1%}; "
            f"{one.n_audit_for_double} audited items would find twice the promised error"
        )
    if decided.judge is not None:
        _print_judge(decided.judge)


def _print_judge(found: JudgeStatement) -> None:
    from edit_metrics.cli.console import say, table

    rows = [
        [one.model or "(none named)", one.items, one.by_metrics, one.to_judge, one.by_judge] for one in found.by_model
    ]
    table(
        "Who decides what people have not rated (before the audit's draw is taken out)",
        ["model", "items", "by metrics", "to the judge", "by judge"],
        rows,
    )
    if not found.calls_needed + found.calls_saved:
        say("judge: not asked, since no policy that asks holds")
        return
    say(
        f"judge: {found.calls_needed} calls instead of {found.calls_needed + found.calls_saved} "
        f"({found.cost_saved:g} saved); {found.calls_left} still to make ({found.cost_left:g})"
    )
    if found.calls_left:
        say("the judge decides nothing of these models' items until he was asked about all of them: judge_queue.csv")
