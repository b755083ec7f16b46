"""What `edit-metrics rate` keeps: one append-only JSONL file a rater, one answer a line.

A line is on the disk before the next picture shows, so a line that is torn can only be the last one and was never
confirmed: it is dropped. Nothing is ever rewritten; the last line of an item and dimension wins.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.types import join_codes

FORMAT: Final = "edit-metrics/rate"
VERSION: Final = 1


class Kind(StrEnum):
    """What a line says."""

    SHOWN = "shown"
    """The item came onto the rater's screen; others leave it to them for a while."""
    RATING = "rating"
    SKIP = "skip"
    """The rater could not rate the item in that dimension; ``flags`` says why."""
    NOT_APPLICABLE = "not_applicable"
    UNDO = "undo"
    """The answer before is taken back."""
    REMARK = "remark"


ANSWERS: Final = (Kind.RATING, Kind.SKIP, Kind.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line.

    Attributes:
        dimension: empty for what is said of the whole item (``shown``, ``remark``).
        rating: for ``rating`` alone.
        time: ISO 8601, UTC.
        seconds: that the pictures were in sight before the answer; None where nobody timed.
        flags: reasons of a skip, or flags of a remark: codes of the rubric.
        comment: free text of a remark.
    """

    kind: Kind
    id: str
    rater: str
    time: str
    dimension: str = ""
    rating: float | None = None
    seconds: float | None = None
    flags: tuple[str, ...] = ()
    comment: str = ""

    def to_line(self) -> str:
        """JSON without a line end; empty fields are left out."""
        record = {name: value for name, value in asdict(self).items() if value not in (None, "", ())}
        return json.dumps({"format": FORMAT, "version": VERSION, **record}, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Entry:
        """The inverse of :meth:`to_line`.

        Raises:
            ValueError: another format or version, an unknown kind, or a field of the wrong form.
        """
        if record.get("format") != FORMAT or record.get("version") != VERSION:
            raise ValueError(f"format {record.get('format')!r}, version {record.get('version')!r}")
        known = {name: record[name] for name in cls.__slots__ if name in record}
        missing = [name for name in ("kind", "id", "rater", "time") if name not in known]
        if missing:
            raise ValueError(f"no {', '.join(missing)}")
        known["kind"] = Kind(known["kind"])
        known["flags"] = tuple(str(flag) for flag in known.get("flags", ()))
        for name in ("rating", "seconds"):
            if known.get(name) is not None:
                known[name] = float(known[name])
        return cls(**known)


def read_entries(path: Path) -> tuple[list[Entry], int]:
    """The lines of a rater's file in their order, and 1 when a torn last line was dropped, else 0.

    Raises:
        TableError: no such file, or a line *before* the last that is broken: that is no crash but another file.
    """
    try:
        parts = path.read_bytes().split(b"\n")
    except OSError as error:
        raise TableError("a rater's file of `edit-metrics rate`", str(error.strerror), str(path)) from None
    torn = 1 if parts[-1].strip() else 0  # what no line end closes was never confirmed
    entries = []
    for number, line in enumerate(parts[:-1], start=1):
        if not line.strip():
            continue
        try:
            entries.append(Entry.from_record(json.loads(line.decode("utf-8"))))
        except (ValueError, TypeError, AttributeError) as error:
            what = "a line that `edit-metrics rate` wrote"
            raise TableError(what, " ".join(str(error).split())[:200], f"{path}, line {number}") from None
    return entries, torn


def standing_answers(entries: Iterable[Entry]) -> dict[tuple[str, str, str], Entry]:
    """(id, rater, dimension) → the last answer, unless it was taken back."""
    standing: dict[tuple[str, str, str], Entry] = {}
    for entry in entries:
        key = (entry.id, entry.rater, entry.dimension)
        if entry.kind in ANSWERS:
            standing.pop(key, None)  # so that the order is that of the last answers
            standing[key] = entry
        elif entry.kind is Kind.UNDO:
            standing.pop(key, None)
    return standing


@dataclass(frozen=True, slots=True)
class RateLog:
    """Several raters' files as tables.

    Attributes:
        rows: long: ``id, rater, dimension, rating, time, seconds, not_applicable``.
        remarks: columns ``id, rater, flags`` (``;``-joined codes), ``comment``.
        n_torn: last lines that were dropped.
        n_skipped: answers that say the item could not be rated.
    """

    rows: pd.DataFrame
    remarks: pd.DataFrame
    n_torn: int
    n_skipped: int


def read_rate_log(paths: Sequence[Path]) -> RateLog:
    """Read the files of ``edit-metrics rate``, one or several raters.

    Raises:
        TableError: see :func:`read_entries`; or no answer in any of them.
    """
    read = [read_entries(path) for path in paths]
    entries = [entry for found, _ in read for entry in found]
    answers = list(standing_answers(entries).values())
    if not any(entry.kind is Kind.RATING for entry in answers):
        raise TableError("at least one rating", "none", ", ".join(map(str, paths)), "Rate first: edit-metrics rate RUN")
    rows = [
        {
            "id": entry.id,
            "rater": entry.rater,
            "dimension": entry.dimension,
            "rating": entry.rating,
            "time": entry.time,
            "seconds": entry.seconds,
            "not_applicable": entry.kind is not Kind.RATING,
        }
        for entry in answers
    ]
    said = {(entry.id, entry.rater): entry for entry in entries if entry.kind is Kind.REMARK}
    skips = {(entry.id, entry.rater): entry.flags for entry in answers if entry.kind is Kind.SKIP}
    remarks = [
        {
            "id": name,
            "rater": rater,
            "flags": join_codes(dict.fromkeys((*(said[key].flags if key in said else ()), *skips.get(key, ())))),
            "comment": said[key].comment if key in said else "",
        }
        for key in dict.fromkeys((*said, *skips))
        for name, rater in (key,)
    ]
    table = pd.DataFrame(remarks, columns=["id", "rater", "flags", "comment"])
    frame = pd.DataFrame(rows).astype({"rating": "float64", "seconds": "float64"})
    return RateLog(frame, table[(table["flags"] != "") | (table["comment"] != "")], sum(n for _, n in read), len(skips))
