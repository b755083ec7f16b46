"""Rejected rows: what to do about each, in a sentence."""

from __future__ import annotations

from typing import Final

from edit_metrics.types import Rejection

SYNONYMS: Final = {
    "source": ("image", "input", "input_image", "source_image", "original", "before", "src"),
    "edited": (
        "output",
        "output_image",
        "edited_image",
        "result",
        "after",
        "edit",
        "generated",
        "target",
        "target_image",
    ),
    "instruction": ("prompt", "text", "edit_prompt", "edit_instruction", "caption", "command"),
    "id": ("uid", "key", "name", "index", "idx", "image_id", "sample_id"),
}
"""A manifest's column → what other data sets call it."""


def remedy(rejection: Rejection) -> str:
    """What to do about a rejected row; empty where its expectation says it already."""
    field, expected, got = rejection.field, rejection.expected, rejection.got
    if field == "line" and "cells" in expected:
        return 'Quote the cell that holds a comma, the instruction for example: "make it red, then blue".'
    if field == "line":
        return "Write one JSON object a line (JSONL), not one list over the whole file."
    if expected.startswith("a unique id"):
        return "Give every row an id of its own; several edits of one source share a group, not an id."
    if expected.startswith("a path inside the root"):
        return "Name the pictures' folder with --root, or allow it: --allow-outside-root."
    if got.startswith("nothing"):
        return _rename(field, got)
    return ""


def suggested_names(missing: str, present: list[str]) -> list[str]:
    """Those of the present columns that other data sets use for the missing one."""
    lowered = {name.lower(): name for name in present}
    return [lowered[name] for name in SYNONYMS.get(missing, ()) if name in lowered]


def _rename(field: str, got: str) -> str:
    others = got.partition("other columns: ")[2].rstrip(")").split(", ")
    near = suggested_names(field, others)
    if near:
        return f"Rename {near[0]!r} to {field!r}."
    return f"Add {field!r} to the row." if field != "id" else "Add an 'id' to the row, any unique text."
