"""The page of a run: what was scored, what is missing, what the metrics cannot see, and who to look at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from edit_metrics.report.cards import choose, make_cards, make_looks
from edit_metrics.report.charts import histogram
from edit_metrics.report.html import render, safe_json
from edit_metrics.report.inputs import plots_in
from edit_metrics.report.pictures import PictureStore, png_uri
from edit_metrics.report.table import (
    MAX_ROWS,
    Column,
    RowLinks,
    dimension_column,
    instruction_column,
    items_table,
    value_column,
)
from edit_metrics.scores.cells import number
from edit_metrics.scores.columns import NOT_MEASUREMENTS, OVERALL_MINIMUM, PRIORITY, DimensionColumns
from edit_metrics.scores.facts import metric_facts
from edit_metrics.scores.items import Item, reachable_confidence, read_items
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.summary import SliceRow, by_dimension, slice_rows, summarise
from edit_metrics.scores.table import ScoreTable
from edit_metrics.types import Grid

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES: Final = 12
"""Numeric columns of a table without dimensions that the page shows."""


def run_page(run: ScoreTable, store: PictureStore, thumbnails: int) -> str:
    """The HTML of a run.

    Args:
        run: what was read.
        store: where its pictures are.
        thumbnails: most items with cards; 0: no pictures at all.
    """
    names = run.dimensions
    values = () if names else _numeric_columns(run)
    frame = rows_to_show(run.frame, thumbnails)
    items = read_items(frame, reachable_confidence(run.info, run.frame), values)
    ordered = sorted(items, key=lambda item: (item.priority is None, item.priority or 0))
    chosen = choose(ordered, thumbnails)
    worst = make_cards(chosen.worst, store)
    uncertain = make_cards(chosen.uncertain, store, first=len(worst))
    links = row_links(ordered[:MAX_ROWS], {c.item.id: c.number for c in (*worst, *uncertain)}, store, thumbnails)
    summary = summarise(run.frame)
    return render(
        "run.html",
        title=f"Edit report: {_name(run)}",
        run=run,
        info=run.info,
        rejected=run.rejected(),
        n=summary.rows,
        flags=summary.flags,
        dimensions=[(one, _histogram(run.frame, one.name)) for one in summary.dimensions],
        values=[_value_summary(run, name) for name in values],
        names=names,
        slices=_slices(run, names),
        metrics=by_dimension(summary.metrics),
        directions=_directions(),
        weights=_weights(run.info),
        signatures=_signatures(run.info),
        sections=[
            ("worst", "Worst first", "Lowest weakest dimension first.", worst),
            (
                "uncertain",
                "Least certain first",
                "Of the others: lowest confidence, as a share of what the profile can reach in that dimension.",
                uncertain,
            ),
        ],
        plots=[(path.stem.replace("_", " ").replace(".", ": "), png_uri(path)) for path in plots_in(run.run_folder)],
        table=safe_json(items_table(ordered, _columns(items, names, values), links)),
        table_rows=min(len(ordered), MAX_ROWS),
        looks=sum(item.id in links.looks or item.id in links.cards for item in ordered[:MAX_ROWS]),
    )


def rows_to_show(frame: pd.DataFrame, thumbnails: int) -> pd.DataFrame:
    """All rows, or of a very long table those that come first in the queue and those with the weakest dimension."""
    if len(frame) <= MAX_ROWS:
        return frame
    first = frame.nsmallest(MAX_ROWS, PRIORITY).index if PRIORITY in frame.columns else frame.index[:MAX_ROWS]
    worst = frame.nsmallest(thumbnails, OVERALL_MINIMUM).index if OVERALL_MINIMUM in frame.columns else first
    return frame.loc[first.union(worst)]


def row_links(items: Sequence[Item], cards: Mapping[str, int], store: PictureStore | None, thumbnails: int) -> RowLinks:
    """Where each row's card, evidence and pictures are."""
    if store is None:
        return RowLinks(cards)
    looks = make_looks(items, store, cards.keys()) if thumbnails else {}
    return RowLinks(cards, {item.id: store.evidence_links(item.id) for item in items}, looks)


def _name(run: ScoreTable) -> str:
    place = run.run_folder or run.path
    return place.resolve().name or str(place)


def _histogram(frame: pd.DataFrame, dimension: str) -> Markup:
    scores = frame[DimensionColumns(dimension).score].astype("float64").dropna()
    return histogram(tuple(scores.tolist()), f"{dimension} scores")


def _columns(items: Sequence[Item], names: Sequence[str], values: Sequence[str]) -> list[Column]:
    """Columns that say something about this run: a column that is empty everywhere is left out."""
    columns = [Column("id", "id", lambda item: item.id)]
    if any(item.priority is not None for item in items):
        columns.insert(0, Column("order", "int", lambda item: item.priority))
    if any(item.instruction for item in items):
        columns.append(instruction_column())
    if any(item.model for item in items):
        columns.append(Column("model", "text", lambda item: item.model, choice=True))
    if any(item.edit_type for item in items):
        columns.append(Column("edit type", "text", lambda item: item.edit_type, choice=True))
    if any(item.flags for item in items):
        columns.append(Column("flags", "flags", lambda item: item.flags))
    if any(item.overall is not None for item in items):
        columns.append(Column("weakest", "score", lambda item: item.overall))
    columns += [dimension_column(name) for name in names]
    if any(item.certainty is not None for item in items):
        columns.append(Column("certainty", "score", lambda item: item.certainty))
    return columns + [value_column(name) for name in values]


def _slices(run: ScoreTable, names: Sequence[str]) -> list[tuple[str, list[SliceRow]]]:
    columns = ("edit_type", "model", "turn")  # of a chain of edits, drift shows from turn to turn
    found = [(column.replace("_", " "), slice_rows(run.frame, names, column)) for column in columns]
    return [(title, rows) for title, rows in found if rows and names]


def _numeric_columns(run: ScoreTable) -> tuple[str, ...]:
    frame = run.frame
    names = [str(name) for name in frame.columns if name not in NOT_MEASUREMENTS]
    numeric = [name for name in names if frame[name].dtype.kind in "iuf"]
    return tuple(numeric[:MOST_VALUES])


def _value_summary(run: ScoreTable, name: str) -> tuple[str, list[float], Markup]:
    there = [value for cell in run.frame[name] if (value := number(cell)) is not None]
    bounds = (min(there), max(there)) if there else (0.0, 1.0)
    return name, there, histogram(there, name, bounds)


def _directions() -> dict[str, str]:
    arrows = {"higher": "higher is better", "lower": "lower is better", "neither": "read beside others"}
    return {
        name: arrows[facts.direction.value]
        + (f", {facts.unit}" if facts.unit else "")
        + ("" if facts.grid is Grid.NATIVE else f", {facts.grid} grid")
        for name, facts in metric_facts().items()
    }


def _signatures(info: RunInfo | None) -> list[tuple[str, str]]:
    return [] if info is None else [(name, one.sha256) for name, one in info.score_signature.items()]


def _weights(info: RunInfo | None) -> list[tuple[str, str, str]]:
    """Role, model and weight hashes of every backend that a score rests on."""
    found: dict[str, tuple[str, str, str]] = {}
    for role, model in ({} if info is None else info.backends).items():
        hashes = ", ".join(f"{name} {digest[:16]}…" for name, digest in model.weights.items())
        found[role] = (role, model.name, hashes)
    return sorted(found.values())
