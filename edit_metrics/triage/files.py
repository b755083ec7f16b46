"""The triage folder: the queue, every item's lane, the statement, and what Label Studio needs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from edit_metrics._version import __version__
from edit_metrics.io.tables import write_csv, write_json, write_jsonl, write_text
from edit_metrics.ratings.rubric import load_rubric
from edit_metrics.triage.label_studio import TaskOptions, labelling_config, labelling_tasks
from edit_metrics.triage.lanes import Placement
from edit_metrics.triage.uncalibrated import Triage
from edit_metrics.types import join_codes

FORMAT_VERSION: Final = 1
JUDGE_QUEUE: Final = "judge_queue.csv"
_COLUMNS: Final = (
    "order",
    "id",
    "lane",
    "reasons",
    "selection",
    "raters",
    "inclusion_prob",
    "p_pass",
    "expected_rating",
)
_CONTEXT: Final = ("model", "edit_type", "group", "instruction", "source", "edited")


def write_triage(triage: Triage, frame: pd.DataFrame, folder: Path, setup: Mapping[str, Any] | None = None) -> None:
    """Write the folder's tables and its statement; each file atomically, the statement last.

    ``queue.csv`` and ``queue.jsonl`` hold the items that people are asked about, in order. ``lanes.csv`` holds every
    item of the table once, decided ones too. ``judge_queue.csv`` is there where a policy asks the judge: ``id, why``.

    Args:
        triage: the outcome.
        frame: the score table, for columns that help a person recognise the item.
        folder: made when absent.
        setup: what :func:`write_label_studio` returned; None when there are no tasks.
    """
    context = frame.set_index(frame["id"].astype(str))[[name for name in _CONTEXT if name in frame]]
    queue = _table(triage.queue).join(context, on="id")
    write_csv(queue, folder / "queue.csv")
    write_jsonl(_records(queue), folder / "queue.jsonl")
    write_csv(_table(triage.placements), folder / "lanes.csv")
    if triage.to_judge:
        write_csv(pd.DataFrame([asdict(one) for one in triage.to_judge]), folder / JUDGE_QUEUE)
    else:
        (folder / JUDGE_QUEUE).unlink(missing_ok=True)
    head = {"format": "edit-metrics triage", "version": FORMAT_VERSION, "edit_metrics": __version__}
    write_json({**head, **triage.statement.to_json(), "label_studio": setup}, folder / "triage.json")


def write_label_studio(
    triage: Triage, frame: pd.DataFrame, folder: Path, target: str | None, options: TaskOptions
) -> dict[str, Any]:
    """Write ``label_studio_config.xml`` and ``label_studio_tasks.json``.

    Returns:
        How to set Label Studio up for them, for ``triage.json``.
    """
    rubric = load_rubric()
    write_text(labelling_config(rubric), folder / "label_studio_config.xml")
    write_json(labelling_tasks(triage.queue, frame, rubric, target, options), folder / "label_studio_tasks.json")
    return {
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(options.places.document_root),
        "local_storages": [str(folder) for folder in options.places.folders],
        "sampling": "Sequential sampling",
        "rubric_version": rubric.version,
    }


def _table(placements: Iterable[Placement]) -> pd.DataFrame:
    rows = [
        (
            item.position,
            item.id,
            item.lane.value,
            join_codes(item.reasons),
            item.selection.value if item.selection else None,
            item.raters,
            item.inclusion_prob,
            item.p_pass,
            item.expected_rating,
        )
        for item in placements
    ]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    text = dict.fromkeys(("id", "lane", "reasons", "selection"), "str")
    numbers = dict.fromkeys(("inclusion_prob", "p_pass", "expected_rating"), "float64")
    return table.astype({"order": "Int64", "raters": "Int64", **text, **numbers})


def _records(table: pd.DataFrame) -> Iterable[dict[str, Any]]:
    for record in table.to_dict("records"):
        yield {str(name): _plain(value) for name, value in record.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return None  # JSON has no word for it; queue.csv and lanes.csv have
    return None if pd.api.types.is_scalar(value) and pd.isna(value) else value
