"""``ratings import``, ``ratings agreement``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from edit_metrics.choices import Level, RatingsFormat, Repeated
from edit_metrics.cli import plan
from edit_metrics.cli.options import ExcludeRater, Group, Json, choice

if TYPE_CHECKING:
    import pandas as pd

    from edit_metrics.ratings.agreement import DimensionAgreement
    from edit_metrics.stats import Estimate

ratings_app = typer.Typer(help="Import ratings; measure how far raters agree.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add this file's verbs."""
    plan.register(ratings_app)
    app.add_typer(ratings_app, name="ratings")


@ratings_app.command("import")
def ratings_import(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Label Studio's exports, files of `rate`, or tables.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Where to write: a .parquet file.")],
    format_: Annotated[RatingsFormat, choice(RatingsFormat, "--format", "What the files are.")],
    scale: Annotated[
        str | None, typer.Option(help="What a rating may be: 0,0.5,1 (values) or 0:100 (range); default: as seen.")
    ] = None,
    level: Annotated[Level | None, choice(get_args(Level), "--level", "Level of measurement, with --scale.")] = None,
    column_map: Annotated[
        list[str] | None, typer.Option("--map", help="Wide tables: COLUMN=RATER:DIMENSION, or COLUMN=DIMENSION.")
    ] = None,
    id_column: Annotated[str, typer.Option(help="The column that names the item.")] = "id",
    queue: Annotated[
        list[Path] | None,
        typer.Option(help="The triage folder that was rated: why each item, and how it was drawn; one a batch."),
    ] = None,
    repeated: Annotated[
        Repeated | None, choice(Repeated, "--repeated", "Which of one rater's ratings of an item counts.")
    ] = None,
    exclude_rater: ExcludeRater = None,
    scores: Annotated[Path | None, typer.Option(help="Refuse ratings of items that this run does not hold.")] = None,
) -> None:
    """Check ratings and write them in the long format, with their scale."""
    from edit_metrics.cli.console import say, warn
    from edit_metrics.io.tables import write_csv
    from edit_metrics.ratings.files import write_ratings
    from edit_metrics.ratings.importing import ImportRequest, import_ratings

    request = ImportRequest(
        tuple(files),
        format_,
        scale,
        level,
        tuple(column_map or ()),
        id_column,
        tuple(queue or ()),
        scores,
        repeated,
        tuple(exclude_rater or ()),
    )
    imported = import_ratings(request)
    write_ratings(imported.ratings, out)
    if imported.remarks is not None and len(imported.remarks):
        write_csv(imported.remarks, out.with_suffix(".remarks.csv"))
        say(f"{len(imported.remarks)} annotations with flags or a comment → {out.with_suffix('.remarks.csv')}")
    for note in imported.notes:
        warn(note)
    frame = imported.ratings.frame
    say(
        f"{len(frame)} ratings of {frame['id'].nunique()} items by {frame['rater'].nunique()} raters in "
        f"{frame['dimension'].nunique()} dimensions, scale {imported.ratings.scale} → {out}"
    )


@ratings_app.command("agreement")
def ratings_agreement(
    ratings: Annotated[
        list[Path], typer.Argument(metavar="RATINGS…", help="From `ratings import`, or long tables; several batches.")
    ],
    scores: Annotated[Path | None, typer.Option(help="Score table that holds each item's group.")] = None,
    group: Group = "group",
    gold: Annotated[
        Path | None, typer.Option(help="Table id, dimension, rating of items whose rating is known.")
    ] = None,
    widest: Annotated[int, typer.Option(help="How many item-level disagreements to list.", min=0)] = 10,
    resamples: Annotated[int, typer.Option(help="Bootstrap resamples.", min=200)] = 1000,
    seed: Annotated[int, typer.Option(help="Of the bootstrap.", min=0)] = 0,
    exclude_rater: ExcludeRater = None,
    as_json: Json = False,
) -> None:
    """Krippendorff's alpha per dimension, each rater against the rest, bias, drift, gold items, disagreements."""
    from dataclasses import asdict

    from edit_metrics.cli.console import emit_json, warn
    from edit_metrics.io.tables import read_table, with_text_ids
    from edit_metrics.ratings.agreement import measure_agreement
    from edit_metrics.ratings.files import read_rating_files

    known = None if gold is None else with_text_ids(read_table(gold), gold)
    loaded = read_rating_files(ratings, exclude_raters=exclude_rater or ())
    if not loaded.scale.declared:
        warn(f"the scale was taken from the data: {loaded.scale}; declare it with `ratings import --scale`")
    found = measure_agreement(
        loaded, groups=_groups(scores, group), gold=known, n_widest=widest, n_resamples=resamples, seed=seed
    )
    if as_json:
        emit_json([asdict(dimension) for dimension in found])
        return
    for dimension in found:
        _print_agreement(dimension)


def _groups(scores: Path | None, column: str) -> dict[str, str] | None:
    from edit_metrics.errors import TableError, suggest
    from edit_metrics.scores.table import read_scores

    if scores is None:
        return None
    frame: pd.DataFrame = read_scores(scores).frame
    if column not in frame:
        raise TableError("a column of the score table", repr(column), "--group", suggest(column, map(str, frame)))
    return dict(zip(frame["id"], frame[column].astype(str), strict=True))


def _print_agreement(found: DimensionAgreement) -> None:
    from edit_metrics.cli.console import say, table

    heading = f"{found.dimension}: {found.n_ratings} ratings of {found.n_items} items"
    if found.alpha is None:
        say(f"{heading}; no alpha. {found.alpha_missing}")
    else:
        interval = found.alpha.interval
        rows = [[found.level, found.alpha.estimate, interval.low, interval.high, found.alpha.n_groups]]
        table(
            f"{heading}\nKrippendorff's alpha, 95 % interval over groups",
            ["level", "alpha", "low", "high", "groups"],
            rows,
        )
    table(
        "Raters against the mean of the others",
        ["rater", "items", "Spearman", "bias", "bias 95 %", "drift", "gold exact", "gold error"],
        [
            [
                r.rater,
                r.n_items,
                r.rest_spearman,
                _value(r.bias),
                _range(r.bias),
                _value(r.drift),
                r.gold_exact,
                r.gold_error,
            ]
            for r in found.raters
        ],
    )
    table(
        "Pairs of raters, widest apart first",
        ["rater", "rater ", "items", "Spearman", "mean |difference|"],
        [[p.rater_a, p.rater_b, p.n_items, p.spearman, p.mean_abs_difference] for p in found.pairs],
    )
    if found.widest:
        rows_: list[list[Any]] = [[d.id, d.rater_low, d.low, d.rater_high, d.high] for d in found.widest]
        table("Widest disagreements", ["id", "lowest by", "rating", "highest by", "rating "], rows_)


def _value(estimate: Estimate | None) -> float | None:
    return None if estimate is None else estimate.value


def _range(estimate: Estimate | None) -> str | None:
    return None if estimate is None else f"{estimate.interval.low:+.3f} … {estimate.interval.high:+.3f}"
