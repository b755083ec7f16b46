"""`edit-metrics gate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.cli.compare import declared_columns
from edit_metrics.cli.options import Higher, Json, Lower, PairBy
from edit_metrics.errors import UserError

if TYPE_CHECKING:
    from edit_metrics.compare.gate import GateResult
    from edit_metrics.compare.gate_config import GateConfig
    from edit_metrics.compare.measures import Declared
    from edit_metrics.scores.table import ScoreTable

GateFile = Annotated[Path | None, typer.Option("--config", help="YAML of tolerances; see configs/gate.yaml.")]
Margin = Annotated[float | None, typer.Option(help="A pass excludes a drop of this size (default 0.02).")]
By = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="COLUMN",
        help="A drop within one value of this column is a regression (edit_type: else a warning); repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("gate")(gate)


def gate(
    baseline: Annotated[
        str, typer.Argument(help="A run folder, a baseline or a score table. Alone, with --require: the run to judge.")
    ],
    candidate: Annotated[str | None, typer.Argument(help="The run to judge.")] = None,
    config: GateFile = None,
    margin: Margin = None,
    minimum_effect: Annotated[
        float | None, typer.Option(help="A smaller drop is no regression (default 0.01).")
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="Level of both verdicts (default 0.05).")] = None,
    allow_missing: Annotated[
        int | None,
        typer.Option("--allow-missing", metavar="N", help="More newly missing values than this are a regression."),
    ] = None,
    by: By = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="CONDITION",
            help="What has to hold of the candidate: 'preservation.psnr >= 35 in 99 %'; repeatable.",
        ),
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Say whether this benchmark can pass at the margin; judge nothing.")
    ] = False,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML here.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a job summary here.")] = None,
    pair_by: PairBy = None,
    higher: Higher = None,
    lower: Lower = None,
    as_json: Json = False,
) -> None:
    """Fail when the candidate is worse than the baseline: exit 0 pass, 1 regression, 3 inconclusive, 4 broken."""
    from edit_metrics.cli.console import say
    from edit_metrics.compare.gate_junit import gate_to_junit
    from edit_metrics.compare.gate_output import gate_to_markdown, headline
    from edit_metrics.compare.verdict import EXIT_CODES
    from edit_metrics.io.tables import write_text

    keys, paths = tuple(pair_by or ("id",)), [baseline, *([candidate] if candidate else [])]
    try:
        settings = gate_settings(
            config,
            margin=margin,
            minimum_effect=minimum_effect,
            alpha=alpha,
            allowed_newly_missing=allow_missing,
            by=by,
            require=require,
        )
        sides = read_sides(paths, settings, keys, higher, lower)
        if plan:
            _print_plan(sides, settings, declared_columns(higher, lower), keys, as_json)
            return
        result = _judge(sides, settings, declared_columns(higher, lower), keys)
    except Exception as error:
        if junit:
            _leave_error(error, junit)
        raise
    try:
        if junit:
            write_text(gate_to_junit(result), junit)
        if markdown:
            write_text(gate_to_markdown(result), markdown)
        _print_gate(result, as_json)
        sys.stdout.flush()
    finally:
        # Whatever becomes of the files and of stdout: the verdict is said.
        say(headline(result))
    raise typer.Exit(EXIT_CODES[result.outcome])


def _leave_error(error: Exception, junit: Path) -> None:
    """Write that there is no verdict; a place that takes no file does not hide why."""
    from edit_metrics.cli.console import warn
    from edit_metrics.compare.gate_junit import error_to_junit
    from edit_metrics.io.tables import write_text

    try:
        write_text(error_to_junit(error), junit)
    except OSError as unwritable:
        warn(f"nothing is written to {junit}: {unwritable.strerror or unwritable}")


def gate_settings(
    config: Path | None, *, by: list[str] | None = None, require: list[str] | None = None, **changes: Any
) -> GateConfig:
    """The settings of the file with the options that were given; conditions of both hold.

    Raises:
        ConfigError: see :func:`edit_metrics.compare.gate_config.load_gate_config`.
    """
    from edit_metrics.compare.gate_config import load_gate_config

    settings = load_gate_config(config, by=tuple(by) if by else None, **changes)
    return settings.model_copy(update={"require": (*settings.require, *(require or ()))})


def read_sides(
    paths: list[str], settings: GateConfig, keys: tuple[str, ...], higher: list[str] | None, lower: list[str] | None
) -> tuple[ScoreTable, ...]:
    """The runs, without the columns that the gate does not need."""
    from edit_metrics.compare.conditions import parse_condition
    from edit_metrics.compare.gate import is_read
    from edit_metrics.scores.columns import MetricColumns
    from edit_metrics.scores.table import read_runs

    required = [parse_condition(text).column for text in settings.require]
    also = {*keys, *(higher or ()), *(lower or ()), *(settings.by or ()), *required}
    also |= {MetricColumns(name).status for name in required}
    return read_runs(paths, lambda column: is_read(column, also))


def _judge(
    sides: tuple[ScoreTable, ...], settings: GateConfig, declared: Declared, keys: tuple[str, ...]
) -> GateResult:
    from edit_metrics.compare.gate import run_conditions, run_gate

    if len(sides) == 2:
        return run_gate(*sides, settings, declared, keys)
    if not settings.require:
        raise UserError(
            "a baseline and a candidate, or one run with --require or --plan",
            "one run",
            str(sides[0].path),
            "The first baseline is made with: edit-metrics accept CANDIDATE --into DIR --reason TEXT",
        )
    return run_conditions(sides[0], settings, keys)


def _print_gate(result: GateResult, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json, table, warn
    from edit_metrics.compare import gate_output as words

    for text in result.warnings:
        warn(text)
    tables = (
        ("", words.COLUMNS, words.gate_rows(result)),
        ("Flags", words.FLAG_COLUMNS, words.flag_rows(result)),
        (f"Slices that dropped, of {len(result.slices)}", words.SLICE_COLUMNS, words.slice_rows(result)),
        ("Conditions", words.CONDITION_COLUMNS, words.condition_rows(result)),
    )
    if as_json:
        emit_json(words.gate_to_dict(result))
    else:
        for title, columns, rows in tables:
            if rows:
                table(title, columns, rows)


def _print_plan(
    sides: tuple[ScoreTable, ...], settings: GateConfig, declared: Declared, keys: tuple[str, ...], as_json: bool
) -> None:
    from edit_metrics.cli.console import emit_json, say, table
    from edit_metrics.compare.gate import make_plan
    from edit_metrics.compare.plan_output import plan_headline, plan_table, plan_to_dict

    found = make_plan(sides, settings, declared, keys)
    if as_json:
        emit_json(plan_to_dict(found))
    else:
        columns, rows = plan_table(found)
        table("", columns, rows)
    say(plan_headline(found))
