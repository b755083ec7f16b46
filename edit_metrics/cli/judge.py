"""`edit-metrics judge`: a vision-language model is asked about a run's items, and its answers join the run."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.cli.options import (
    AllowOutsideRoot,
    Json,
    JudgeModel,
    JudgePrompt,
    JudgeUrls,
    JudgeYes,
    Root,
    SetKeys,
)
from edit_metrics.errors import ConfigError, JudgeError, RunError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edit_metrics.backends.chat_judge import ChatJudge
    from edit_metrics.config import Config
    from edit_metrics.judge.estimate import Prices, TokensPerCall
    from edit_metrics.judge.session import Judged, JudgePlan
    from edit_metrics.judge.store import AnswerStore
    from edit_metrics.scores.table import ScoreTable


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("judge")(judge)


@dataclass(frozen=True, slots=True)
class Asking:
    """How a run is asked, as opposed to what.

    Attributes:
        yes: send pictures to another machine without a question.
    """

    prices: Prices
    dry_run: bool
    yes: bool


def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    base_url: JudgeUrls = None,
    model: JudgeModel = None,
    budget: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Most items: those where an answer changes most, and a draw.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Ask about every item that is not settled.")] = False,
    same_as: Annotated[
        Path | None, typer.Option("--same-as", metavar="RUN", help="Ask about the items that this judged run asked.")
    ] = None,
    random_share: Annotated[float, typer.Option(help="Of a budget, drawn blindly: what comparisons rest on.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Of that draw.")] = 0,
    calibration: Annotated[
        Path | None, typer.Option(help="From `calibrate`: with a budget, ask where P(pass) is nearest to one half.")
    ] = None,
    repeat: Annotated[int, typer.Option(min=1, metavar="K", help="Answers of each item; their spread is kept.")] = 1,
    template: JudgePrompt = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be asked and send nothing.")] = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the requests for a batch queue instead of asking.")
    ] = None,
    import_: Annotated[
        list[Path] | None, typer.Option("--import", metavar="FILE", help="Take the answers of a batch; repeatable.")
    ] = None,
    yes: JudgeYes = False,
    price_in: Annotated[float | None, typer.Option(help="Of a million tokens sent; costs are then shown.")] = None,
    price_out: Annotated[float | None, typer.Option(help="Of a million tokens answered.")] = None,
    currency: Annotated[str, typer.Option(help="Of the prices.")] = "USD",
    cache: Annotated[Path | None, typer.Option(help="Folder of the kept answers; default: the user's cache.")] = None,
    set_: SetKeys = None,
    root: Root = None,
    allow_outside_root: AllowOutsideRoot = False,
    as_json: Json = False,
) -> None:
    """Ask a vision-language model about a run's edits; keep each answer at once; compute the run's scores again."""
    from edit_metrics.judge.estimate import Prices
    from edit_metrics.judge.selection import SelectionRule
    from edit_metrics.judge.session import asked_ids, plan_judging, run_config
    from edit_metrics.judge.template import load_template
    from edit_metrics.scores.table import read_scores

    _check_choice(budget, all_, same_as, dry_run)
    if export is not None and import_:
        raise UserError("--export or --import", "both", todo="Export, run the batch, then import its answers.")
    scored = read_scores(run)
    rule = SelectionRule(budget, random_share, seed, "" if same_as is None else same_as.name)
    settings = judge_settings(run_config(scored), base_url, model, set_ or ())
    plan = plan_judging(
        scored,
        rule,
        load_template(template),
        repeat=repeat,
        root=root,
        allow_outside_root=allow_outside_root,
        same_ids=None if same_as is None else asked_ids(same_as),
        p_pass=None if calibration is None else _p_pass(scored, calibration),
    )
    asking = Asking(Prices(price_in, price_out, currency), dry_run, yes)
    if export is not None:
        _export(plan, settings, cache, export)
    elif import_:
        _import(plan, settings, cache, import_, as_json)
    else:
        ask_run(plan, settings, cache, asking, as_json)


def _check_choice(budget: int | None, all_: bool, same_as: Path | None, dry_run: bool) -> None:
    given = [name for name, on in (("--budget", budget), ("--all", all_), ("--same-as", same_as)) if on]
    if len(given) > 1 or (not given and not dry_run):
        raise UserError(
            "one of --budget N, --all and --same-as RUN",
            " and ".join(given) or "none of them",
            todo="--dry-run says what each would ask, and what it would cost.",
        )


def judge_settings(
    config: Config, base_url: Sequence[str] | None, model: str | None, overrides: Sequence[str]
) -> dict[str, Any]:
    """The section ``backends.judge``: the profile's, then ``--set``, then the options.

    Raises:
        ConfigError: an override of something that is not the judge's.
    """
    from edit_metrics.config import override

    for one in overrides:
        if not one.startswith("backends.judge."):
            todo = "What was measured is not measured again here: other keys belong to `edit-metrics score`."
            raise ConfigError("--set backends.judge.KEY=VALUE", repr(one), "--set", todo)
    section = dict(override(config, overrides).backends.get("judge", {})) if overrides else {}
    section = {"use": "chat_judge"} | dict(config.backends.get("judge", {})) | section
    if base_url:
        section["base_url"] = list(base_url) if len(base_url) > 1 else base_url[0]
    return section | ({"model": model} if model else {})


def _p_pass(scored: ScoreTable, path: Path) -> dict[str, float]:
    """Item → calibrated probability that people pass it, where the calibration can say."""
    import math

    from edit_metrics.calibration.calibration import check_signatures, read_calibration
    from edit_metrics.cli.console import warn

    loaded = read_calibration(path)
    for note in check_signatures(loaded, scored.info):
        warn(note)
    values = loaded.score(scored.frame).prediction.p_pass
    cells = zip(scored.frame["id"], values, strict=True)
    return {str(name): float(value) for name, value in cells if not math.isnan(value)}


def open_judge(settings: Mapping[str, Any]) -> ChatJudge:
    """The backend of a section.

    Raises:
        ConfigError: another backend, or an option that it does not have.
    """
    from edit_metrics.backends.chat_judge import ChatJudge
    from edit_metrics.backends.factory import build_backend

    backend = build_backend("judge", settings)
    if not isinstance(backend, ChatJudge):
        raise ConfigError("the backend chat_judge", str(settings.get("use")), "backends.judge.use")
    return backend


def _open(settings: Mapping[str, Any], cache: Path | None) -> tuple[ChatJudge, AnswerStore]:
    from edit_metrics.judge.store import AnswerStore, default_folder

    return open_judge(settings), AnswerStore(cache or default_folder())


def ask_run(
    plan: JudgePlan, settings: Mapping[str, Any], cache: Path | None, asking: Asking, as_json: bool = False
) -> None:
    """Say what it takes, ask, write, sum up.

    Raises:
        JudgeError: nothing can be asked like this.
        RunError: the servers have stopped answering.
        typer.Exit: interrupted; what was answered is kept.
    """
    from edit_metrics.cli.console import emit_json, say, warn
    from edit_metrics.cli.progress import AskingLines
    from edit_metrics.judge.estimate import TokensPerCall, estimate_tokens
    from edit_metrics.judge.session import greet, judge_run, open_questions, write_judged

    backend, store = _open(settings, cache)
    estimate = estimate_tokens(plan.edits, plan.template, backend.picture_rules)
    kept = store.models(question.key for question in plan.questions(backend))
    _say_plan(plan, backend, kept, estimate, asking.prices)
    if asking.dry_run:
        say("dry run: nothing was sent.")
        if as_json:
            emit_json(_plan_as_json(plan, estimate))
        return
    agree(backend, asking.yes)
    greeting = greet(backend, plan.template, store)
    for text in (*greeting.report.doubts(), *greeting.report.problems):
        warn(f"canary {text}")
    for text in greeting.drift:
        warn(f"the judge {greeting.model} does not answer as it did: {text}; comparisons will be refused")
    tokens = greeting.report
    if tokens.tokens_in is not None and tokens.tokens_out is not None:
        # Canaries are small pictures: what the server charges for text and answer is theirs, pictures are estimated.
        estimate = TokensPerCall(max(estimate.tokens_in, tokens.tokens_in), tokens.tokens_out, measured=True)
    left = len(open_questions(plan, backend, store, greeting.model))
    with AskingLines(left, asking.prices.in_words) as progress:
        judged = judge_run(plan, backend, store, greeting, progress)
    if judged.stopped:
        say("edit-metrics: interrupted; every answer is kept, and the same command goes on where it stopped.")
        raise typer.Exit(RunError.exit_code)
    write_judged(plan, backend, judged)
    store.close()
    _sum_up(plan, judged, asking.prices, as_json)


def _say_plan(
    plan: JudgePlan, backend: ChatJudge, kept: Mapping[str, int], estimate: TokensPerCall, prices: Prices
) -> None:
    from edit_metrics.cli.console import say
    from edit_metrics.judge.canaries import canaries

    chosen, rows = plan.selection, len(plan.table)
    settled = ", ".join(f"{code} {n}" for code, n in chosen.settled.items())
    say(
        f"{rows} items: {len(chosen.asked)} to ask, {sum(chosen.settled.values())} settled without a judge"
        f"{f' ({settled})' if settled else ''}, {chosen.left_out} left out by the budget"
    )
    calls = len(plan.edits) * plan.repeat
    known = next(iter(kept.values()), 0)
    say(
        f"at most {calls} calls and {len(canaries())} canaries, about {estimate.tokens_in:.0f} + "
        f"{estimate.tokens_out:.0f} tokens each (an estimate)"
        + (f", {known} answers of {next(iter(kept))} are kept already" if kept else "")
    )
    cost = prices.in_words(calls * estimate.tokens_in, calls * estimate.tokens_out)
    if cost:
        say(f"about {cost}")
    say(f"prompt {plan.template.name} ({plan.template.sha256[:12]}), judge {backend.model or '(the one served)'}")


def agree(backend: ChatJudge, yes: bool) -> None:
    """Say that pictures leave this machine, and ask whether they may.

    Raises:
        JudgeError: nobody is there to say yes.
    """
    from edit_metrics.cli.console import say

    hosts = backend.hosts_elsewhere
    if not hosts:
        return
    say(f"The pictures and instructions will leave this machine: they are sent to {', '.join(hosts)}.")
    if yes:
        return
    if not sys.stdin.isatty():
        raise JudgeError(
            "a yes to sending pictures to another machine", "nobody to ask", ", ".join(hosts), "Scripts say --yes."
        )
    typer.confirm("Send them?", abort=True, err=True)


def _export(plan: JudgePlan, settings: Mapping[str, Any], cache: Path | None, path: Path) -> None:
    from edit_metrics.cli.console import say
    from edit_metrics.judge.session import export_run

    backend, store = _open(settings, cache)
    files = export_run(plan, backend, store, path)
    say(f"the open ones of {len(plan.edits) * plan.repeat} questions, and the canaries → {', '.join(map(str, files))}")
    say("The files hold the pictures. Import the answers with the same options and --import instead of --export.")


def _import(
    plan: JudgePlan, settings: Mapping[str, Any], cache: Path | None, paths: Sequence[Path], as_json: bool
) -> None:
    from edit_metrics.cli.console import say, warn
    from edit_metrics.judge.estimate import Prices
    from edit_metrics.judge.session import import_run, write_judged

    backend, store = _open(settings, cache)
    judged, found = import_run(plan, backend, store, paths)
    problems = ", ".join(f"{code} {n}" for code, n in found.problems.items())
    say(f"{found.kept} answers kept{f', without one: {problems}' if problems else ''}")
    if len(found.models) > 1:
        warn(f"answers of {len(found.models)} models: {', '.join(found.models)}; those of {judged.record.model} count")
    write_judged(plan, backend, judged)
    _sum_up(plan, judged, Prices(), as_json)


def _sum_up(plan: JudgePlan, judged: Judged, prices: Prices, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json, say, table
    from edit_metrics.scores.summary import summarise_file
    from edit_metrics.scores.table import TABLE_NAME

    summary = summarise_file(plan.folder / TABLE_NAME)
    record = judged.record
    if as_json:
        dimensions = {one.name: {"n": one.n, "mean": one.mean} for one in summary.dimensions}
        emit_json({"judge": record.model_dump(mode="json"), "dimensions": dimensions})
    else:
        rows = [
            (one.name, one.n, one.mean, ", ".join(f"{cause.n} {cause.code}" for cause in one.missing[:3]))
            for one in summary.metrics
            if one.short.startswith("judge")
        ]
        table(f"{record.model}, {record.template.name}", ("question", "n", "mean", "missing, and why"), rows)
        table(
            "Pre-scores with the judge",
            ("dimension", "n", "mean", "confidence"),
            [(one.name, one.n, one.mean, one.confidence) for one in summary.dimensions],
        )
    meter = judged.meter
    if meter is not None:
        cost = prices.in_words(meter.tokens_in, meter.tokens_out)
        uncounted = f", {meter.uncounted} answers without a count" if meter.uncounted else ""
        say(
            f"{meter.calls} calls, {meter.tokens_in} + {meter.tokens_out} tokens{uncounted}"
            + (f", {cost}" if cost else "")
        )
    open_ = record.counts["asked"] - record.counts["answered"]
    if open_:
        say(f"{open_} items without an answer: the same command asks about them again.")
    say(f"written: {plan.folder}/scores.parquet, scores.csv, run.json")


def _plan_as_json(plan: JudgePlan, estimate: TokensPerCall) -> dict[str, Any]:
    return {
        "items": len(plan.table),
        "asked": len(plan.selection.asked),
        "settled": dict(plan.selection.settled),
        "left_out": plan.selection.left_out,
        "calls": len(plan.edits) * plan.repeat,
        "tokens_in": round(estimate.tokens_in),
        "tokens_out": round(estimate.tokens_out),
    }
