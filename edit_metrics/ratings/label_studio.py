"""Ratings, flags and comments out of Label Studio's JSON export."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.ratings.rubric import Rubric
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long
from edit_metrics.types import join_codes


@dataclass(frozen=True, slots=True)
class Annotations:
    """What people entered.

    Attributes:
        ratings: one row a rated dimension.
        remarks: columns ``id, rater, flags`` (``;``-joined codes), ``comment``; only annotations that have either.
        n_skipped: annotations that their rater cancelled; they are left out.
    """

    ratings: Ratings
    remarks: pd.DataFrame
    n_skipped: int


def read_annotations(path: Path, rubric: Rubric, scale: Scale | None = None) -> Annotations:
    """Read the JSON export (format ``JSON``, not ``JSON_MIN``).

    Args:
        path: the file.
        rubric: names the dimensions, and the scale unless it is given.
        scale: replaces the rubric's.

    Raises:
        TableError: not such an export, no task with a rating, an unknown rating, or one rater rated an item twice.
    """
    ratings, remarks, n_skipped = [], [], 0
    for task, annotation in _annotations(path):
        if annotation.get("was_cancelled"):
            n_skipped += 1
            continue
        who = {"id": _item_id(task, path), "rater": _rater(annotation)}
        found = {str(one.get("from_name")): one.get("value", {}) for one in annotation.get("result", [])}
        time = annotation.get("created_at")
        for name in (one for one in rubric.dimensions if one in found):
            ratings.append({**who, "dimension": name, "rating": _rating(found[name], path), "time": time})
        flags, comment = join_codes(found.get("flags", {}).get("choices", [])), _comment(found.get("comment", {}))
        if flags or comment:
            remarks.append({**who, "flags": flags, "comment": comment})
    if not ratings:
        raise TableError("annotated tasks", "none with a rating", str(path), "Export after people have submitted.")
    checked = ratings_from_long(pd.DataFrame(ratings), scale or rubric.rating_scale, str(path))
    return Annotations(checked, pd.DataFrame(remarks, columns=["id", "rater", "flags", "comment"]), n_skipped)


def _annotations(path: Path) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    try:
        tasks = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise TableError("Label Studio's JSON export", "no such file", str(path)) from None
    except (OSError, ValueError) as error:
        raise TableError("a JSON file", str(error), str(path)) from error
    if not isinstance(tasks, list) or any(not isinstance(one, dict) or "annotations" not in one for one in tasks):
        raise TableError("a list of tasks with 'annotations'", "something else", str(path), "Export as JSON.")
    for task in tasks:
        for annotation in task["annotations"]:
            yield task, annotation


def _item_id(task: Mapping[str, Any], path: Path) -> str:
    name = task.get("data", {}).get("id")
    if name is None:
        raise TableError("an item id in every task's data", f"none in task {task.get('id')}", str(path))
    return str(name)


def _rater(annotation: Mapping[str, Any]) -> str:
    """The e-mail address where the export expands it, else the user's number."""
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        return str(who.get("email") or who.get("id"))
    return f"user{who}"


def _rating(value: Mapping[str, Any], path: Path) -> float:
    chosen = value.get("choices", [])
    try:
        (one,) = chosen
        # The anchor's number, whether the export holds the alias or the whole label.
        return float(str(one).split(" ", 1)[0])
    except ValueError:
        raise TableError("one rating a dimension", repr(chosen), str(path)) from None


def _comment(value: Mapping[str, Any]) -> str:
    text = value.get("text", "")
    return " ".join(text if isinstance(text, list) else [str(text)]).strip()
