"""`edit-metrics judge`: a vision-language model is asked about a run's items, and its answers join the run."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.cli.asking import Asking, ask_run, judge_settings, open_judge, open_store, sum_up
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
from edit_metrics.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edit_metrics.judge.session import JudgePlan
    from edit_metrics.scores.table import ScoreTable


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("judge")(judge)


def judge(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    base_url: JudgeUrls = None,
    model: JudgeModel = None,
    budget: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Most items: those where an answer changes most, and a draw.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="Ask about every open item; the default on this machine.")
    ] = False,
    same_as: Annotated[
        Path | None, typer.Option("--same-as", metavar="RUN", help="Ask about the items that this judged run asked.")
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option("--ids", metavar="FILE", help="Ask about the ids of a table too: judge_queue.csv."),
    ] = None,
    random_share: Annotated[float, typer.Option(help="Of a budget, drawn blindly: what comparisons rest on.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Of that draw.", min=0)] = 0,
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
    from edit_metrics.engine.lock import locked
    from edit_metrics.judge.estimate import Prices
    from edit_metrics.judge.selection import SelectionRule
    from edit_metrics.judge.session import asked_ids, plan_judging, run_config
    from edit_metrics.judge.template import load_template
    from edit_metrics.scores.run_info import RUN_INFO_NAME
    from edit_metrics.scores.table import read_scores

    chosen = _chosen({"--budget": budget, "--all": all_, "--same-as": same_as, "--ids": ids})
    if export is not None and import_:
        raise UserError("--export or --import", "both", todo="Export, run the batch, then import its answers.")
    folder = run if run.is_dir() else run.parent
    writes = (folder / RUN_INFO_NAME).is_file() and not dry_run and export is None
    # All the while: answers that another process adds meanwhile would be lost when these are written.
    with locked(folder) if writes else nullcontext():
        scored = read_scores(run)
        rule = SelectionRule(
            budget, random_share, seed, "" if same_as is None else same_as.name, "" if ids is None else ids.name
        )
        settings = judge_settings(run_config(scored), base_url, model, set_ or ())
        if not (chosen or dry_run or export or import_):
            _check_all_is_meant(settings)
        plan = plan_judging(
            scored,
            rule,
            load_template(template),
            repeat=repeat,
            root=root,
            allow_outside_root=allow_outside_root,
            same_ids=None if same_as is None else asked_ids(same_as),
            listed=None if ids is None else _read_ids(ids),
            p_pass=None if calibration is None else _p_pass(scored, calibration),
        )
        asking = Asking(Prices(price_in, price_out, currency), dry_run, yes)
        if export is not None:
            _export(plan, settings, cache, export)
        elif import_:
            _import(plan, settings, cache, import_, as_json)
        else:
            judged = ask_run(plan, settings, cache, asking, as_json)
            if judged is not None:
                sum_up(plan, judged, asking.prices, as_json)


def _read_ids(path: Path) -> frozenset[str]:
    from edit_metrics.io.tables import read_table, with_text_ids

    return frozenset(with_text_ids(read_table(path), path)["id"])


def _chosen(options: Mapping[str, Any]) -> bool:
    """Whether one of the options that choose items is given.

    Raises:
        UserError: several are.
    """
    given = [name for name, value in options.items() if value]
    if len(given) > 1:
        raise UserError(f"one of {', '.join(options)}", " and ".join(given))
    return bool(given)


def _check_all_is_meant(settings: Mapping[str, Any]) -> None:
    """Without a choice every open item is asked; where that goes elsewhere, and costs, it has to be said.

    Raises:
        UserError: the judge is on another machine.
    """
    hosts = open_judge(settings).hosts_elsewhere
    if hosts:
        raise UserError(
            "one of --budget N, --all, --same-as RUN and --ids FILE for a judge on another machine",
            "none of them",
            ", ".join(hosts),
            "--dry-run says what each would ask, and what it would cost.",
        )


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


def _export(plan: JudgePlan, settings: Mapping[str, Any], cache: Path | None, path: Path) -> None:
    from edit_metrics.cli.console import say
    from edit_metrics.judge.session import export_run

    backend, store = open_judge(settings), open_store(cache)
    files = export_run(plan, backend, store, path)
    say(f"the open ones of {len(plan.edits) * plan.repeat} questions, and the canaries → {', '.join(map(str, files))}")
    say("The files hold the pictures. Import the answers with the same options and --import instead of --export.")


def _import(
    plan: JudgePlan, settings: Mapping[str, Any], cache: Path | None, paths: Sequence[Path], as_json: bool
) -> None:
    from edit_metrics.cli.console import say, warn
    from edit_metrics.judge.estimate import Prices
    from edit_metrics.judge.session import import_run, write_judged

    backend, store = open_judge(settings), open_store(cache)
    judged, found = import_run(plan, backend, store, paths)
    problems = ", ".join(f"{code} {n}" for code, n in found.problems.items())
    say(f"{found.kept} answers kept{f', without one: {problems}' if problems else ''}")
    if len(found.models) > 1:
        warn(f"answers of {len(found.models)} models: {', '.join(found.models)}; those of {judged.record.model} count")
    write_judged(plan, backend, judged)
    sum_up(plan, judged, Prices(), as_json)
