"""The page of a run: what was scored, what is missing, what the metrics cannot see, and who to look at first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from markupsafe import Markup

from edit_metrics.registry import all_metrics
from edit_metrics.report.cards import choose, make_cards
from edit_metrics.report.charts import histogram
from edit_metrics.report.html import render, safe_json
from edit_metrics.report.inputs import RunInput
from edit_metrics.report.items import Item, dimensions_of, number, reachable_confidence, read_items
from edit_metrics.report.pictures import PictureStore, png_uri
from edit_metrics.report.summary import (
    SliceRow,
    by_dimension,
    count_flags,
    slice_rows,
    summarise_dimensions,
    summarise_metrics,
)
from edit_metrics.report.table import MAX_ROWS, Column, RowLinks, dimension_column, items_table, value_column

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES: Final = 12
"""Numeric columns of a table without dimensions that the page shows."""
NOT_RECORDED: Final[Mapping[str, Any]] = {
    "config": None, "manifest": None, "run_signature": None, "counts": None, "device": None, "versions": {},
}  # fmt: skip
"""Parts that the run file of a gate's baseline leaves out."""


def run_page(run: RunInput, store: PictureStore, out: Path, thumbnails: int) -> str:
    """The HTML of a run.

    Args:
        run: what was read.
        store: where its pictures are.
        out: where the page will lie: links to evidence are relative to it.
        thumbnails: most items with pictures.
    """
    names = dimensions_of(run.frame)
    config = None if run.info is None else run.info.get("config")
    values = () if names else _numeric_columns(run)
    frame = rows_to_show(run.frame, thumbnails)
    items = read_items(frame, reachable_confidence(config, run.frame), values)
    ordered = sorted(items, key=lambda item: (item.priority is None, item.priority or 0))
    chosen = choose(ordered, thumbnails)
    worst = make_cards(chosen.worst, store.figures)
    uncertain = make_cards(chosen.uncertain, store.figures, first=len(worst))
    links = row_links(ordered[:MAX_ROWS], {c.item.id: c.number for c in (*worst, *uncertain)}, store, out)
    return render(
        "run.html",
        title=f"Edit report: {_name(run)}",
        run=run,
        info=None if run.info is None else {**NOT_RECORDED, **run.info},
        n=len(run.frame),
        flags=count_flags(run.frame),
        dimensions=[
            (one, histogram(one.scores, f"{one.name} scores")) for one in summarise_dimensions(run.frame, names)
        ],
        values=[_value_summary(run, name) for name in values],
        names=names,
        slices=_slices(run, names),
        metrics=by_dimension(summarise_metrics(run.frame)),
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
        plots=[(path.stem.replace("_", " ").replace(".", ": "), png_uri(path)) for path in run.plots],
        table=safe_json(items_table(ordered, _columns(items, names, values), links)),
        table_rows=min(len(ordered), MAX_ROWS),
    )


def rows_to_show(frame: pd.DataFrame, thumbnails: int) -> pd.DataFrame:
    """All rows, or of a very long table those that come first in the queue and those with the weakest dimension."""
    if len(frame) <= MAX_ROWS:
        return frame
    first = frame.nsmallest(MAX_ROWS, "priority").index if "priority" in frame.columns else frame.index[:MAX_ROWS]
    worst = frame.nsmallest(thumbnails, "overall.min").index if "overall.min" in frame.columns else first
    return frame.loc[first.union(worst)]


def row_links(items: Sequence[Item], cards: Mapping[str, int], store: PictureStore, out: Path) -> RowLinks:
    """Where each row's card and evidence are."""
    if store.evidence is None:
        return RowLinks(cards)
    folder = os.path.relpath(store.evidence.resolve(), out.resolve().parent).replace(os.sep, "/")
    return RowLinks(cards, {item.id: store.evidence_kinds(item.id) for item in items}, folder)


def _name(run: RunInput) -> str:
    return run.path.resolve().name or str(run.path)


def _columns(items: Sequence[Item], names: Sequence[str], values: Sequence[str]) -> list[Column]:
    """Columns that say something about this run: a column that is empty everywhere is left out."""
    columns = [Column("id", "id", lambda item: item.id)]
    if any(item.priority is not None for item in items):
        columns.insert(0, Column("order", "int", lambda item: item.priority))
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


def _slices(run: RunInput, names: Sequence[str]) -> list[tuple[str, list[SliceRow]]]:
    found = [(column.replace("_", " "), slice_rows(run.frame, names, column)) for column in ("edit_type", "model")]
    return [(title, rows) for title, rows in found if rows and names]


def _numeric_columns(run: RunInput) -> tuple[str, ...]:
    frame = run.frame
    numeric = [
        str(name) for name in frame.columns if frame[name].dtype.kind in "iuf" and name not in ("priority", "row")
    ]
    return tuple(numeric[:MOST_VALUES])


def _value_summary(run: RunInput, name: str) -> tuple[str, list[float], Markup]:
    there = [value for cell in run.frame[name] if (value := number(cell)) is not None]
    bounds = (min(there), max(there)) if there else (0.0, 1.0)
    return name, there, histogram(there, name, bounds)


def _directions() -> dict[str, str]:
    arrows = {"higher": "higher is better", "lower": "lower is better", "neither": "read beside others"}
    return {
        metric.name: arrows[metric.direction.value] + (f", {metric.unit}" if metric.unit else "")
        for metric in all_metrics()
    }


def _signatures(info: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    return [(name, str(one["sha256"])) for name, one in (info or {}).get("score_signature", {}).items()]


def _weights(info: Mapping[str, Any] | None) -> list[tuple[str, str, str]]:
    """Role, model and weight hashes of every backend that a score rests on."""
    found: dict[str, tuple[str, str, str]] = {}
    for signature in (info or {}).get("score_signature", {}).values():
        for role, print_ in signature["parts"]["backends"].items():
            hashes = ", ".join(f"{name} {str(digest)[:16]}…" for name, digest in print_["weights"].items())
            found[role] = (role, str(print_["name"]), hashes)
    return sorted(found.values())
