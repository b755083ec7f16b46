"""``calibrate`` and ``triage``; registers ``ratings`` and ``estimate`` too: all between a score table and people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.choices import FitBy, PromisedSides
from edit_metrics.cli import estimate as estimate_verb
from edit_metrics.cli import ratings as ratings_verbs
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
    from collections.abc import Mapping

    from edit_metrics.calibration.calibration import Calibration
    from edit_metrics.scores.table import ScoreTable
    from edit_metrics.triage.uncalibrated import Triage


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    ratings_verbs.register(app)
    app.command("calibrate")(calibrate)
    app.command("triage")(triage)
    estimate_verb.register(app)


def calibrate(
    run: Run,
    ratings: RatingFiles,
    target: Target,
    out: Annotated[Path, typer.Option("--out", help="Where to write: a .json file; plots go beside it.")],
    pass_at: Annotated[float | None, typer.Option(help="Mean rating that passes; default: the scale's middle.")] = None,
    features: Annotated[str | None, typer.Option(help="col,col:- (lower is better); default: every metric.")] = None,
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
    from edit_metrics.ratings.files import read_rating_files
    from edit_metrics.scores.table import read_scores
    from edit_metrics.triage.plots import plot_reliability, plot_residual_cost

    scored = read_scores(run)
    if not scored.signed:
        warn("the score table is unsigned: the calibration cannot check that later tables mean the same")
    frame = join_table(scored.frame, join)
    options = CalibrateOptions(target, pass_at, features, by, group, ratings_are_random, seed)
    found = fit(frame, read_rating_files(ratings, exclude_raters=exclude_rater or ()), options, scored.info)
    for note in found.origin.notes:
        warn(note)
    write_calibration(found, out)
    plots = [
        plot_reliability(found, out.with_suffix(".reliability.png")),
        plot_residual_cost(found, out.with_suffix(".residual_cost.png")),
    ]
    if as_json:
        emit_json(dict(found.report))
        return
    _print_report(found)
    say(f"calibration → {out}, plots → {', '.join(str(path) for path in plots)}")


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
    overlap: Annotated[int, typer.Option(help="Raters an item.", min=1)] = 1,
    blind: Annotated[bool, typer.Option(help="Leave scores out of the export for raters: they anchor.")] = True,
    seed: Annotated[
        int | None, typer.Option(help="Of the audit's draw; default: the number of draws made before.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Order the items for people, decide what may be decided: queue.csv, queue.jsonl, lanes.csv, triage.json."""
    from edit_metrics.calibration.calibration import check_signatures, read_calibration
    from edit_metrics.calibration.joining import join_table
    from edit_metrics.cli.console import emit_json, say, warn
    from edit_metrics.ratings.files import read_rating_files
    from edit_metrics.ratings.progress import Progress, rating_progress
    from edit_metrics.scores.table import read_scores
    from edit_metrics.triage.automatic import Promise
    from edit_metrics.triage.calibrated import DecisionOptions, triage_by_calibration
    from edit_metrics.triage.costs import DecisionCosts
    from edit_metrics.triage.files import write_triage
    from edit_metrics.triage.plots import plot_risk_coverage
    from edit_metrics.triage.uncalibrated import QueueOptions, triage_by_priority

    scored = read_scores(run)
    frame = join_table(scored.frame, join)
    loaded = None if calibration is None else read_calibration(calibration)
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
            Promise.parse(max_error, confidence, promise), DecisionCosts(cost_wrong_fail, cost_wrong_pass)
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
            plot_risk_coverage(decided.automation.rules, out / "plots" / "risk_coverage.png")
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
    places = PicturePlaces.of(paths, scored.pictures_root, scored.evidence)
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


def _print_report(found: Calibration) -> None:
    from edit_metrics.cli.console import say, table

    report = found.report
    names = ["auroc", "brier", "ece", "spearman", "kendall", "plcc"]
    rows = [[f"chosen, {key.replace('_', ' ')}", *_cells(report["chosen"].get(key), names)] for key in
            ("held_out", "leave_one_model_out") if key in report["chosen"]]  # fmt: skip
    best, ceiling = report["best_single_metric"], report["one_rater_against_the_rest"]
    rows.append([f"best raw column ({best['column']})", *_cells(best, names)])
    rows.append(["one rater against the rest", *_cells(ceiling, names)])
    rows += [[f"tried: {one['recipe']}", *_cells(one, names)] for one in report["candidates"]]
    table(f"{found.target}: held out by group, 95 % intervals over groups", ["", *names], rows)
    data, chosen = report["data"], report["chosen"]
    say(
        f"P(pass at {found.pass_at:g}): {chosen['p_pass']}; mean rating: {chosen['rating']}; {data['items']} items, "
        f"{data['groups']} groups, {data['passed']} pass, {data['random_items']} randomly selected"
    )


def _cells(scored: Mapping[str, Any] | None, names: list[str]) -> list[str | None]:
    def cell(one: Mapping[str, float | None] | None) -> str | None:
        if one is None or one["value"] is None:
            return None
        bounds = "" if one["low"] is None else f" [{one['low']:.3f}, {one['high']:.3f}]"
        return f"{one['value']:.3f}{bounds}"

    return [cell((scored or {}).get(name)) for name in names]
