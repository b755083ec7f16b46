"""Asking a judge from the command line: settings, consent, progress, cost. Shared by judge, score and doctor."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from edit_metrics.errors import ConfigError, JudgeError, RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edit_metrics.backends.chat_judge import ChatJudge
    from edit_metrics.config import Config
    from edit_metrics.judge.estimate import Prices, TokensPerCall
    from edit_metrics.judge.session import Judged, JudgePlan
    from edit_metrics.judge.store import AnswerStore


@dataclass(frozen=True, slots=True)
class Asking:
    """How a run is asked, as opposed to what.

    Attributes:
        yes: send pictures to another machine without a question.
    """

    prices: Prices
    dry_run: bool
    yes: bool


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


def open_store(cache: Path | None) -> AnswerStore:
    """Where answers are kept; the user's cache where nothing else is said."""
    from edit_metrics.judge.store import AnswerStore, default_folder

    return AnswerStore(cache or default_folder())


def judge_by_profile(folder: Path, config: Config, yes: bool) -> None:
    """Ask about a run that was just scored, as its profile says; nothing where it says nothing.

    Raises:
        JudgeError: nothing can be asked like this.
        typer.Exit: interrupted; what was answered is kept.
    """
    from edit_metrics.engine.lock import locked
    from edit_metrics.judge.estimate import Prices
    from edit_metrics.judge.selection import SelectionRule
    from edit_metrics.judge.session import plan_judging
    from edit_metrics.judge.template import load_template
    from edit_metrics.scores.table import read_scores

    wanted = config.judge
    if wanted is None:
        return
    rule = SelectionRule(wanted.budget, wanted.random_share, wanted.seed)
    prices = Prices(wanted.price_in, wanted.price_out, wanted.currency)
    template = load_template(wanted.template or None)
    with locked(folder):
        plan = plan_judging(read_scores(folder), rule, template, repeat=wanted.repeat, allow_outside_root=True)
        ask_run(plan, judge_settings(config, None, None, ()), None, Asking(prices, dry_run=False, yes=yes))


def ask_run(
    plan: JudgePlan, settings: Mapping[str, Any], cache: Path | None, asking: Asking, as_json: bool = False
) -> Judged | None:
    """Say what it takes, ask, write.

    Args:
        plan: what to ask.
        settings: the section ``backends.judge``.
        cache: folder of the kept answers.
        asking: how.
        as_json: print a dry run's numbers.

    Returns:
        The answers; None of a dry run.

    Raises:
        JudgeError: nothing can be asked like this.
        RunError: the servers have stopped answering.
        typer.Exit: interrupted; what was answered is kept.
    """
    from edit_metrics.cli.console import emit_json, say
    from edit_metrics.judge.estimate import estimate_tokens
    from edit_metrics.judge.session import write_judged

    backend, store = open_judge(settings), open_store(cache)
    estimate = estimate_tokens(plan.edits, plan.template, backend.picture_rules)
    kept = store.models(question.key for question in plan.questions(backend))
    _say_plan(plan, backend, kept, estimate, asking.prices)
    if asking.dry_run:
        say("dry run: nothing was sent.")
        if as_json:
            emit_json(_plan_as_json(plan, estimate))
        return None
    agree(backend, asking.yes)
    try:
        judged = _ask(plan, backend, store, estimate, asking)
    except KeyboardInterrupt:  # before the first question, or for the second time
        judged = None
    if judged is None or judged.stopped:
        say("edit-metrics: interrupted; every answer is kept, and the same command goes on where it stopped.")
        raise typer.Exit(RunError.exit_code)
    write_judged(plan, backend, judged)
    store.close()
    return judged


def _ask(plan: JudgePlan, backend: ChatJudge, store: AnswerStore, estimate: TokensPerCall, asking: Asking) -> Judged:
    from edit_metrics.cli.console import say, warn
    from edit_metrics.cli.progress import AskingLines
    from edit_metrics.judge.estimate import TokensPerCall
    from edit_metrics.judge.session import greet, judge_run, open_questions

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
    cost = asking.prices.in_words(left * estimate.tokens_in, left * estimate.tokens_out)
    say(f"{greeting.model} answers; {left} questions are open{f', about {cost}' if cost else ''}")
    with AskingLines(left, asking.prices.in_words) as progress:
        return judge_run(plan, backend, store, greeting, progress)


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
    left = max(0, calls - known)
    cost = prices.in_words(left * estimate.tokens_in, left * estimate.tokens_out)
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
    asked = sys.stdin.isatty()
    if not asked or not typer.confirm("Send them?", err=True):
        got = "a no" if asked else "nobody to ask"
        raise JudgeError("a yes to sending pictures to another machine", got, ", ".join(hosts), "Scripts say --yes.")


def sum_up(plan: JudgePlan, judged: Judged, prices: Prices, as_json: bool) -> None:
    """Print what the answers say and what they cost."""
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
