"""`edit-metrics compare` and `edit-metrics gate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edit_metrics.cli.options import Json
from edit_metrics.errors import EditMetricsError, UserError, suggest

if TYPE_CHECKING:
    from edit_metrics.compare.comparison import Comparison
    from edit_metrics.compare.gate import GateResult
    from edit_metrics.compare.measures import Declared
    from edit_metrics.scores.table import ScoreTable

RunArgument = Annotated[str, typer.Argument(help="A run folder or a score table.")]
PairBy = Annotated[
    list[str] | None,
    typer.Option("--pair-by", metavar="COLUMN", help="Column that is equal for the same task; repeat for several."),
]
Higher = Annotated[
    list[str] | None,
    typer.Option("--higher", metavar="COLUMN", help="Column of another program of which more is better; repeatable."),
]
Lower = Annotated[
    list[str] | None,
    typer.Option("--lower", metavar="COLUMN", help="Column of another program of which less is better; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add both verbs."""
    app.command("compare")(compare)
    app.command("gate")(gate)


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...", help="Run folders or score tables; the first one is what the others are compared with."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for comparison.json, .md and the CSV files.")],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="Compare the values of this column of one run, for example model."),
    ] = None,
    pair_by: PairBy = None,
    reference: Annotated[str | None, typer.Option("--reference", help="With --by: the value to compare with.")] = None,
    slices: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            metavar="COLUMN",
            help="Also compare within each value of this column; default edit_type; repeatable.",
        ),
    ] = None,
    margin: Annotated[float, typer.Option(help="A difference of scores within this does not matter.")] = 0.02,
    metric_margin: Annotated[
        list[str] | None,
        typer.Option("--metric-margin", metavar="COLUMN=VALUE", help="The same for one metric; repeatable."),
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the tests.")] = 0.05,
    pass_at: Annotated[float, typer.Option(help="Score from which an item passes, for the list of flips.")] = 0.5,
    metrics: Annotated[bool, typer.Option("--metrics/--no-metrics", help="Compare the metrics too.")] = True,
    higher: Higher = None,
    lower: Lower = None,
    as_json: Json = False,
) -> None:
    """Compare runs item by item: what is better, on what, and whether the difference is real."""
    from edit_metrics.compare.comparison import CompareOptions, compare_runs
    from edit_metrics.compare.output import write_comparison

    if not 0 < alpha < 0.5:
        raise UserError("--alpha above 0 and below 0.5", str(alpha))
    if not margin > 0:
        raise UserError("--margin above 0", str(margin))
    sides, keys = _sides(runs, by, tuple(pair_by or ()), reference)
    options = CompareOptions(
        pair_by=keys,
        slices=tuple(slices) if slices is not None else None,
        margin=margin,
        alpha=alpha,
        confidence=1 - alpha,
        pass_at=pass_at,
        metrics=metrics,
        declared=_declared(higher, lower, metric_margin),
    )
    comparison = compare_runs(sides, options)
    write_comparison(comparison, out)
    _print_comparison(comparison, out, as_json)


def gate(
    baseline: RunArgument,
    candidate: RunArgument,
    config: Annotated[Path | None, typer.Option("--config", help="YAML of tolerances; see configs/gate.yaml.")] = None,
    margin: Annotated[float | None, typer.Option(help="A pass excludes a drop of this size (default 0.02).")] = None,
    minimum_effect: Annotated[
        float | None, typer.Option(help="A smaller drop is no regression (default 0.01).")
    ] = None,
    alpha: Annotated[float | None, typer.Option(help="Level of both verdicts (default 0.05).")] = None,
    allow_missing: Annotated[
        int | None,
        typer.Option("--allow-missing", metavar="N", help="More net newly missing values than this are a regression."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="A drop within one value of this column is a regression (edit_type: else a warning); repeatable.",
        ),
    ] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML here.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write a job summary here.")] = None,
    accept: Annotated[
        Path | None,
        typer.Option(
            "--accept",
            metavar="DIR",
            help="Also write the candidate's scores here as a new baseline, whatever the verdict.",
        ),
    ] = None,
    pair_by: PairBy = None,
    higher: Higher = None,
    lower: Lower = None,
    as_json: Json = False,
) -> None:
    """Fail when the candidate is worse than the baseline: exit 0 pass, 1 regression, 3 inconclusive, 4 broken."""
    from edit_metrics.cli.console import say
    from edit_metrics.compare.baseline import write_baseline
    from edit_metrics.compare.gate import is_read, run_gate
    from edit_metrics.compare.gate_config import load_gate_config
    from edit_metrics.compare.gate_junit import error_to_junit, gate_to_junit
    from edit_metrics.compare.gate_output import gate_to_markdown
    from edit_metrics.compare.verdict import EXIT_CODES
    from edit_metrics.io.tables import write_text
    from edit_metrics.scores.table import read_runs

    try:
        settings = load_gate_config(
            config,
            margin=margin,
            minimum_effect=minimum_effect,
            alpha=alpha,
            allowed_newly_missing=allow_missing,
            by=tuple(by) if by else None,
        )
        also = (*(pair_by or ()), *(higher or ()), *(lower or ()), *(by or ()))
        sides = read_runs([baseline, candidate], lambda column: is_read(column, also))
        result = run_gate(sides[0], sides[1], settings, _declared(higher, lower, None), tuple(pair_by or ("id",)))
        if accept:
            write_baseline(sides[1], accept, (*(pair_by or ()), *(higher or ()), *(lower or ())))
    except EditMetricsError as error:
        if junit:
            write_text(error_to_junit(error), junit)
        raise
    if junit:
        write_text(gate_to_junit(result), junit)
    if markdown:
        write_text(gate_to_markdown(result), markdown)
    _print_gate(result, as_json)
    if accept:
        say(f"Accepted as the new baseline: {accept}")
    raise typer.Exit(EXIT_CODES[result.outcome])


def _sides(
    paths: Sequence[str], by: str | None, pair_by: tuple[str, ...], reference: str | None
) -> tuple[tuple[ScoreTable, ...], tuple[str, ...]]:
    """The runs to compare and the columns that pair them."""
    from edit_metrics.compare.pairing import default_pair_by, split_by
    from edit_metrics.scores.table import read_runs

    runs = read_runs(paths)
    if by is None:
        if len(runs) < 2:
            raise UserError("two runs or more, or one with --by COLUMN", f"{len(runs)} run")
        if reference is not None:
            raise UserError("--reference together with --by", "--reference alone", todo="Name the reference run first.")
        return runs, pair_by or ("id",)
    if len(runs) != 1:
        raise UserError("one run with --by", f"{len(runs)} runs")
    sides = split_by(runs[0], by)
    names = [side.name for side in sides]
    if reference is not None:
        if reference not in names:
            raise UserError(f"a value of {by!r} as --reference", repr(reference), todo=suggest(reference, names))
        sides = tuple(sorted(sides, key=lambda side: side.name != reference))
    return sides, pair_by or default_pair_by(runs[0])


def _declared(higher: list[str] | None, lower: list[str] | None, margins: list[str] | None) -> Declared:
    from edit_metrics.compare.measures import Declared

    return Declared(tuple(higher or ()), tuple(lower or ()), dict(_margin(text) for text in margins or ()))


def _margin(text: str) -> tuple[str, float]:
    column, _, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not (column and number > 0):
        raise UserError("--metric-margin COLUMN=VALUE with a value above 0", repr(text))
    return column, number


def _print_comparison(comparison: Comparison, out: Path, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json, say, table, warn
    from edit_metrics.compare.output import COLUMNS, comparison_to_dict, difference_cells, unmatched_lines

    for text in (*comparison.warnings, *unmatched_lines(comparison)):
        warn(text)
    if as_json:
        emit_json(comparison_to_dict(comparison))
    else:
        scores = [found for found in comparison.differences if found.kind != "metric"]
        # A foreign table has no dimensions; its own numbers are then what was asked about.
        shown = scores or list(comparison.differences)
        table(f"Compared with {comparison.runs[0].name}", COLUMNS, [difference_cells(found) for found in shown])
        if len(comparison.runs) > 2 and comparison.ranking:
            rows = [[row.measure, row.rank, row.run, row.mean, row.n_items] for row in comparison.ranking]
            table("Ranking (equal ranks: not separated)", ("measure", "rank", "run", "mean", "items"), rows)
    failing = sum(flip.change == "now_fails" for flip in comparison.flips)
    say(
        f"{failing} items now fail, {len(comparison.flips) - failing} now pass, "
        f"{len(comparison.newly_missing)} scores newly missing. Details: {out}"
    )


def _print_gate(result: GateResult, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json, say, table, warn
    from edit_metrics.compare.gate_output import (
        COLUMNS,
        FLAG_COLUMNS,
        SLICE_COLUMNS,
        flag_rows,
        gate_rows,
        gate_to_dict,
        headline,
        slice_rows,
    )

    for text in result.warnings:
        warn(text)
    if as_json:
        emit_json(gate_to_dict(result))
    else:
        table("", COLUMNS, gate_rows(result))
        if flags := flag_rows(result):
            table("Flags", FLAG_COLUMNS, flags)
        if slices := slice_rows(result):
            table(f"Slices that dropped, of {len(result.slices)}", SLICE_COLUMNS, slices)
    say(headline(result))
