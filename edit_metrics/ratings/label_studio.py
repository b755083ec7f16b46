"""Ratings, flags and comments out of Label Studio's JSON exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.io.tables import as_name
from edit_metrics.ratings.rubric import Rubric
from edit_metrics.types import join_codes

ITEM_KEY: Final = "item_id"
"""Key of the item's id in a task's data. Not ``id``: in CSV and JSON_MIN exports that is Label Studio's own number."""
_OLD_KEY: Final = "id"
"""What tasks were written with before; safe in the full JSON export alone, the only one that is read."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """What people entered.

    Attributes:
        rows: long: ``id, rater, dimension, rating, time, seconds, not_applicable``; one rater may have several of an
            item.
        remarks: columns ``id, rater, flags`` (``;``-joined codes), ``comment``; only annotations that have either.
        n_skipped: annotations that their rater cancelled: rows that say ``not_applicable`` in every dimension.
    """

    rows: pd.DataFrame
    remarks: pd.DataFrame
    n_skipped: int


def read_annotations(paths: Sequence[Path], rubric: Rubric) -> Annotations:
    """Read JSON exports (format ``JSON``, not ``JSON_MIN``) of one or several projects.

    A rater who is a number in one place and an e-mail address in another is one person where any file names both.

    Args:
        paths: the files.
        rubric: names the dimensions.

    Raises:
        TableError: not such an export, no task with a rating, or an unknown rating.
    """
    found = [(path, task, annotation) for path in paths for task, annotation in _annotations(path)]
    people = _people(annotation.get("completed_by") for _, _, annotation in found)
    rows: list[dict[str, Any]] = []
    remarks, n_skipped, n_rated = [], 0, 0
    for path, task, annotation in found:
        who = {"id": _item_id(task, path), "rater": _rater(annotation.get("completed_by"), people)}
        skipped = bool(annotation.get("was_cancelled"))
        n_skipped += skipped
        entered = {str(one.get("from_name")): one.get("value") or {} for one in annotation.get("result") or []}
        names = list(rubric.dimensions) if skipped else [one for one in rubric.dimensions if one in entered]
        n_rated += 0 if skipped else len(names)
        # One lead time for the whole annotation: each of its ratings took a share.
        seconds = None if annotation.get("lead_time") is None else float(annotation["lead_time"]) / max(len(names), 1)
        shared = {**who, "time": annotation.get("created_at"), "seconds": seconds, "not_applicable": skipped}
        rows += [
            {**shared, "dimension": name, "rating": None if skipped else _rating(entered[name], path)} for name in names
        ]
        flags, comment = join_codes(entered.get("flags", {}).get("choices", [])), _comment(entered.get("comment", {}))
        if flags or comment:
            remarks.append({**who, "flags": flags, "comment": comment})
    if not n_rated:
        where = ", ".join(map(str, paths))
        raise TableError("annotated tasks", "none with a rating", where, "Export after people have submitted.")
    return Annotations(
        pd.DataFrame(rows), pd.DataFrame(remarks, columns=["id", "rater", "flags", "comment"]), n_skipped
    )


def _annotations(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise TableError("Label Studio's JSON export", "no such file", str(path)) from None
    except (OSError, ValueError) as error:
        raise TableError("a JSON file", str(error), str(path)) from error
    if not isinstance(tasks, list) or any(not isinstance(one, dict) or "annotations" not in one for one in tasks):
        todo = "Export as JSON, not as JSON_MIN or CSV."
        raise TableError("a list of tasks with 'annotations'", "something else", str(path), todo)
    for task in tasks:
        for annotation in task["annotations"] or []:
            if not isinstance(annotation, dict):
                raise TableError(
                    "annotations in full", f"the number {annotation!r} alone in task {task.get('id')}", str(path),
                    "Export through the project's Export button or /api/projects/N/export?exportType=JSON.",
                )  # fmt: skip
            yield task, annotation


def _item_id(task: Mapping[str, Any], path: Path) -> str:
    data = task.get("data") or {}
    name = data.get(ITEM_KEY, data.get(_OLD_KEY))
    if name is None:
        raise TableError(f"{ITEM_KEY!r} in every task's data", f"none in task {task.get('id')}", str(path))
    return as_name(name)


def _people(raters: Iterator[Any]) -> dict[str, str]:
    """User number → e-mail address, from every place that gives both."""
    named = (who for who in raters if isinstance(who, dict) and who.get("email") and who.get("id") is not None)
    return {str(who["id"]): str(who["email"]).strip().lower() for who in named}


def _rater(who: Any, people: Mapping[str, str]) -> str:
    """The e-mail address where an export gives it, else the user's number."""
    if isinstance(who, dict):
        if who.get("email"):
            return str(who["email"]).strip().lower()
        who = who.get("id")
    text = str(who).strip().lower()
    return text if "@" in text else people.get(text, f"user{text}")


def _rating(value: Mapping[str, Any], path: Path) -> float:
    chosen = value.get("choices", [])
    try:
        (one,) = chosen
        # The anchor's number, whether the export holds the alias or the whole label.
        return float(str(one).split(" ", 1)[0])
    except ValueError:
        raise TableError("one rating a dimension", repr(chosen), str(path)) from None


def _comment(value: Mapping[str, Any]) -> str:
    text = value.get("text") or ""
    return " ".join(text if isinstance(text, list) else [str(text)]).strip()
