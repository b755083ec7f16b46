"""`edit-metrics compare`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edit_metrics.cli.options import Higher, Json, Lower, PairBy
from edit_metrics.errors import UserError, suggest

if TYPE_CHECKING:
    from edit_metrics.compare.comparison import Comparison
    from edit_metrics.compare.measures import Declared
    from edit_metrics.scores.table import ScoreTable


_MOST_ROWS = 60
"""Rows of a table on the terminal: a thousand models make ten thousand."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("compare")(compare)


def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Run folders or score tables; the first is what the others are compared with. One alone: its means.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for comparison.json, .md and the CSV files.")],
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help="Compare the values of this column of one run, for example model."),
    ] = None,
    pair_by: PairBy = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option("--baseline", metavar="RUN", help="Compare every RUN with this one instead; repeatable."),
    ] = None,
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
    if by is not None and baseline:
        raise UserError("--by with --reference VALUE", "--by with --baseline")
    sides, keys = _sides([*(baseline or ()), *runs], by, tuple(pair_by or ()), reference)
    options = CompareOptions(
        pair_by=keys,
        slices=tuple(slices) if slices is not None else None,
        margin=margin,
        alpha=alpha,
        confidence=1 - alpha,
        pass_at=pass_at,
        metrics=metrics,
        baselines=len(baseline or ()) or 1,
        declared=declared_columns(higher, lower, metric_margin),
    )
    comparison = compare_runs(sides, options)
    write_comparison(comparison, out)
    _print_comparison(comparison, out, as_json)


def _sides(
    paths: Sequence[str], by: str | None, pair_by: tuple[str, ...], reference: str | None
) -> tuple[tuple[ScoreTable, ...], tuple[str, ...]]:
    """The runs to compare and the columns that pair them."""
    from edit_metrics.compare.pairing import default_pair_by, split_by
    from edit_metrics.scores.table import read_runs

    runs = read_runs(paths)
    if by is None:
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


def declared_columns(higher: list[str] | None, lower: list[str] | None, margins: list[str] | None = None) -> Declared:
    """What the user says about columns of another program."""
    from edit_metrics.compare.measures import Declared

    return Declared(tuple(higher or ()), tuple(lower or ()), dict(_margin(text) for text in margins or ()))


def _margin(text: str) -> tuple[str, float]:
    column, _, value = text.rpartition("=")
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not (column and 0 < number < math.inf):
        raise UserError("--metric-margin COLUMN=VALUE with a value above 0", repr(text))
    return column, number


def _print_comparison(comparison: Comparison, out: Path, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json, say, warn
    from edit_metrics.compare import output as words
    from edit_metrics.compare.headline import headlines, notes

    for text in (*comparison.warnings, *words.unmatched_lines(comparison)):
        warn(text)
    if as_json:
        emit_json(words.comparison_to_dict(comparison))
    elif len(comparison.runs) == 1:
        _table(comparison.runs[0].name, words.MEAN_COLUMNS, words.mean_rows(comparison), out / "means.csv")
    else:
        several = comparison.options.baselines > 1
        scores = [found for found in comparison.differences if found.kind != "metric"]
        # A foreign table has no dimensions; its own numbers are then what was asked about.
        shown = [words.difference_cells(found, against=several) for found in scores or comparison.differences]
        title = "Compared" if several else f"Compared with {comparison.runs[0].name}"
        _table(title, words.COLUMNS, shown, out / "differences.csv")
        telling = [words.difference_cells(found, against=several) for found in words.telling_slices(comparison)]
        if telling:
            _table(f"Slices that differ, of {len(comparison.slices)}", words.COLUMNS, telling, out / "slices.csv")
        if len(comparison.runs) > 2 and comparison.ranking:
            rows = words.ranking_rows(comparison)
            _table(
                "Ranking (1–3: the data does not separate these places)",
                words.RANKING_COLUMNS,
                rows,
                out / "ranking.csv",
            )
    for text in (*headlines(comparison), *notes(comparison)):
        say(text)
    if len(comparison.runs) == 1:
        say(f"Details: {out}")
        return
    failing = sum(flip.change == "now_fails" for flip in comparison.flips)
    say(
        f"{failing} items now fail, {len(comparison.flips) - failing} now pass, "
        f"{len(comparison.newly_missing)} scores newly missing. Details: {out}"
    )


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], whole: Path) -> None:
    from edit_metrics.cli.console import say, table

    table(title, columns, rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        say(f"and {len(rows) - _MOST_ROWS} more rows in {whole}")
