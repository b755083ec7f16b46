"""The page of a triage: what was promised, where every item went, and the queue with its reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from edit_metrics.report.cards import make_cards
from edit_metrics.report.html import render, safe_json
from edit_metrics.report.inputs import TriageInput
from edit_metrics.report.pictures import PictureStore, png_uri
from edit_metrics.report.run_page import row_links
from edit_metrics.report.table import MAX_ROWS, Column, dimension_column, instruction_column, items_table
from edit_metrics.scores.cells import codes, number, rows_of, text
from edit_metrics.scores.codes import UNSAFE
from edit_metrics.scores.items import Item, reachable_confidence, read_items

_LANES: Final = {
    "unreadable": "no picture to rate",
    "infeasible": "cannot be judged",
    "unsafe": "flagged as unsafe",
    "auto-pass": "passed without a person",
    "auto-fail": "failed without a person",
    "audit": "drawn at random for the audit",
    "human": "for people",
}


def triage_page(triage: TriageInput, store: PictureStore | None, thumbnails: int) -> str:
    """The HTML of a triage folder.

    Args:
        triage: what was read.
        store: where the pictures are; None when the run is not known.
        thumbnails: most queued items with pictures.
    """
    placed = {text(row["id"]): row for row in rows_of(triage.lanes)}
    items = _items(triage, placed)
    queued = [item for item in items if item.priority is not None]
    head = queued[:thumbnails] if store is not None else []
    cards = make_cards(head, store)
    links = row_links(items[:MAX_ROWS], {card.item.id: card.number for card in cards}, store, thumbnails)
    statement = triage.statement
    decisions = statement.get("automatic_decisions")
    return render(
        "triage.html",
        title=f"Triage: {triage.path.resolve().name}",
        statement=statement,
        decisions=decisions if isinstance(decisions, Mapping) else None,
        sentence=decisions if isinstance(decisions, str) else None,
        lanes=[
            (name, _LANES.get(name, ""), n, statement["queued_lanes"].get(name, 0))
            for name, n in statement["lanes"].items()
        ],
        cards=cards,
        plots=[(path.stem.replace("_", " "), png_uri(path)) for path in triage.plots],
        has_pictures=store is not None,
        n=len(triage.lanes),
        table=safe_json(items_table(items, _columns(items, placed), links)),
        table_rows=min(len(items), MAX_ROWS),
        looks=sum(item.id in links.looks or item.id in links.cards for item in items[:MAX_ROWS]),
    )


def _items(triage: TriageInput, placed: Mapping[str, Mapping[str, Any]]) -> list[Item]:
    """Every item, queued ones first in their order, with the triage's reasons in the place of the run's."""
    shown = triage.lanes.sort_values("order", na_position="last").head(MAX_ROWS)
    frame = shown if triage.run is None else triage.run.frame[triage.run.frame["id"].isin(shown["id"])]
    info = None if triage.run is None else triage.run.info
    context = {text(row["id"]): row for row in rows_of(triage.queue)}
    items = []
    for item in read_items(frame, reachable_confidence(info, frame)):
        place, known = placed[item.id], context.get(item.id, {})
        order = number(place["order"])
        items.append(
            replace(
                item,
                priority=None if order is None else int(order),
                priority_reasons=codes(place["reasons"]),
                instruction=item.instruction or text(known.get("instruction")),
                model=item.model or text(known.get("model")),
                edit_type=item.edit_type or text(known.get("edit_type")),
                sensitive=item.sensitive or text(place["lane"]) == UNSAFE,
            )
        )
    return sorted(items, key=lambda item: (item.priority is None, item.priority or 0))


def _columns(items: list[Item], placed: Mapping[str, Mapping[str, Any]]) -> list[Column]:
    def cell(name: str) -> Any:
        return lambda item: text(placed[item.id].get(name)) or None

    def value(name: str) -> Any:
        return lambda item: number(placed[item.id].get(name))

    columns = [
        Column("order", "int", lambda item: item.priority),
        Column("id", "id", lambda item: item.id),
        Column("lane", "text", cell("lane"), choice=True),
        Column("queued because", "text", cell("selection"), choice=True),
    ]
    if any(item.instruction for item in items):
        columns.append(instruction_column())
    if any(item.model for item in items):
        columns.append(Column("model", "text", lambda item: item.model, choice=True))
    if any(item.edit_type for item in items):
        columns.append(Column("edit type", "text", lambda item: item.edit_type, choice=True))
    if any(item.flags for item in items):
        columns.append(Column("flags", "flags", lambda item: item.flags))
    for name, label, kind in (("p_pass", "P(pass)", "score"), ("expected_rating", "expected rating", "number")):
        if any(number(row.get(name)) is not None for row in placed.values()):
            columns.append(Column(label, kind, value(name)))  # type: ignore[arg-type]
    return columns + [dimension_column(name) for name in (items[0].scores if items else ())]
