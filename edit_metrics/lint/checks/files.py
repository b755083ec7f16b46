"""Rows that break the manifest's contract, and files that are missing or do not decode."""

from __future__ import annotations

from collections.abc import Iterator

from edit_metrics.io.remedies import remedy
from edit_metrics.lint.edit_set import EditSet
from edit_metrics.lint.registry import Hit, Severity, check
from edit_metrics.types import EditItem

_MISSING = "missing_file"


@check(
    "rejected_row", Severity.ERROR, "A row breaks the manifest's contract and would be rejected.",
    "See docs/manifest.md.",
)  # fmt: skip
def rejected_row(edits: EditSet) -> Iterator[Hit]:
    """Each rejection, with what to do."""
    for one in edits.manifest.rejections:
        text = f"{one.field}: expected {one.expected}, got {one.got}. {remedy(one)}".strip()
        yield Hit(None, text, line=one.line, id=one.id or "")


@check(
    "missing_file", Severity.ERROR, "A file is missing.",
    "Mend the path, or make the picture: a row without its edit is scored as infeasible.",
)  # fmt: skip
def missing_file(edits: EditSet) -> Iterator[Hit]:
    """Files that are not there, masks and references too."""
    for index, item in enumerate(edits.items):
        gone = [name for name, path in _files(item) if _failed(edits, path) == _MISSING]
        if gone:
            yield Hit(index, f"no {', no '.join(gone)}")


@check(
    "unreadable_file", Severity.ERROR, "A file is there and does not decode.",
    "Make it again, or copy it again: it is cut short, no picture, or over the limits.",
)  # fmt: skip
def unreadable_file(edits: EditSet) -> Iterator[Hit]:
    """Pictures that do not decode to their end, and masks of which that is so; what a mask shows is not asked here."""
    for index, item in enumerate(edits.items):
        broken = [
            f"{name}: {edits.failures[path].text} ({code})"
            for name, path in _files(item)
            if (code := _failed(edits, path)) not in ("", _MISSING, "mask_levels")
        ]
        if broken:
            yield Hit(index, "; ".join(broken))


def _failed(edits: EditSet, path: str) -> str:
    """The code of a failure, empty where there is none."""
    known = path in edits.seen or path in edits.masks
    return "" if known or path not in edits.failures else edits.failures[path].code


def _files(item: EditItem) -> list[tuple[str, str]]:
    named = [("source", item.source), ("edited", item.edited)]
    named += [("mask", item.mask)] if item.mask is not None else []
    return named + [(f"reference {n}", path) for n, path in enumerate(item.references, start=1)]
