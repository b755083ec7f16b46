"""The triage folder: ``queue.csv``, ``queue.jsonl``, ``lanes.csv``, ``triage.json``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pandas as pd

from edit_metrics import __version__
from edit_metrics.human.lanes import Placement
from edit_metrics.human.triage import Triage
from edit_metrics.io.tables import write_csv, write_json, write_jsonl

FORMAT_VERSION: Final = 1
_COLUMNS: Final = ("order", "id", "lane", "reasons", "selection", "inclusion_prob", "p_pass", "expected_rating")
_CONTEXT: Final = ("model", "edit_type", "group", "instruction", "source", "edited")


def write_triage(triage: Triage, frame: pd.DataFrame, folder: Path) -> None:
    """Write the folder's tables and its statement; each file atomically, the statement last.

    ``queue.csv`` and ``queue.jsonl`` hold the items that people are asked about, in order. ``lanes.csv`` holds every
    item of the table once, decided ones too.

    Args:
        triage: the outcome.
        frame: the score table, for columns that help a person recognise the item.
        folder: made when absent.
    """
    context = frame.set_index(frame["id"].astype(str))[[name for name in _CONTEXT if name in frame]]
    queue = _table(triage.queue).join(context, on="id")
    write_csv(queue, folder / "queue.csv")
    write_jsonl(_records(queue), folder / "queue.jsonl")
    write_csv(_table(triage.placements), folder / "lanes.csv")
    statement = {"format": "edit-metrics triage", "version": FORMAT_VERSION, "edit_metrics": __version__}
    write_json({**statement, **triage.statement}, folder / "triage.json")


def _table(placements: Iterable[Placement]) -> pd.DataFrame:
    rows = [
        (
            item.position,
            item.id,
            item.lane.value,
            ";".join(item.reasons),
            item.selection.value if item.selection else None,
            item.inclusion_prob,
            item.p_pass,
            item.expected_rating,
        )
        for item in placements
    ]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    text = dict.fromkeys(("id", "lane", "reasons", "selection"), "str")
    numbers = dict.fromkeys(("inclusion_prob", "p_pass", "expected_rating"), "float64")
    return table.astype({"order": "Int64", **text, **numbers})


def _records(table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for record in table.to_dict("records"):
        yield {str(name): _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value
