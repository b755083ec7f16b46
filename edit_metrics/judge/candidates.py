"""From a run's table to what may be asked: which items are settled, and the pictures that were really scored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import pyarrow as pa

from edit_metrics.backends.chat_judge import ChatPicture
from edit_metrics.config import Config
from edit_metrics.errors import ImageError, TableError
from edit_metrics.io.sources import OutsideRootError, read_bytes, resolve_path
from edit_metrics.judge.questions import JudgedEdit
from edit_metrics.judge.selection import Candidate
from edit_metrics.judge.template import Wording
from edit_metrics.scores.codes import INFEASIBLE, UNSAFE
from edit_metrics.scores.columns import EDITED_SHA256, FLAGS, SOURCE_SHA256, MetricColumns, metric_name
from edit_metrics.scores.judging import SUCCESS
from edit_metrics.scores.rows import read_prescores
from edit_metrics.types import split_codes

SETTLING_FLAGS: Final = (INFEASIBLE, UNSAFE, "no_op", "blank_edited")
"""Flags that settle an item without a judge: a gate has it, or a fact."""
CHECK_FAILED: Final = "check_failed"
"""A typed check found that the edit is not what was asked for; no answer can change that."""
_READERS: Final = 8
"""Threads that read and hash pictures: mostly waiting."""
_SHOWN: Final = 3


def read_candidates(table: pa.Table, config: Config, p_pass: Mapping[str, float] | None = None) -> list[Candidate]:
    """What selection knows of each row.

    Args:
        table: scored by metrics alone; see :func:`edit_metrics.judge.joining.without_answers`.
        config: the run's.
        p_pass: item → calibrated probability that people pass it.
    """
    known = p_pass or {}
    checks = _checks(table, config)
    needed = [column for name in checks for column in (name, MetricColumns(name).reason)]
    rows = _rows(table, ("id", "group", "model", FLAGS, *needed))
    return [
        Candidate(
            id=row["id"],
            group=row["group"] or row["id"],
            model=row["model"] or "",
            settled=_settled(row, checks, config),
            prescores=prescores,
            p_pass=known.get(row["id"]),
        )
        for row, prescores in zip(rows, read_prescores(table), strict=True)
    ]


def _settled(row: Mapping[str, Any], checks: Sequence[str], config: Config) -> str:
    flags = split_codes(row[FLAGS] or "")
    for flag in SETTLING_FLAGS:
        if flag in flags:
            return flag
    found = [row[name] for name in checks if row[name] is not None and not row[MetricColumns(name).reason]]
    return CHECK_FAILED if any(value < config.confidence.threshold for value in found) else ""


def _checks(table: pa.Table, config: Config) -> list[str]:
    """Columns of the metrics that decide adherence before a judge does."""
    groups = config.dimension("adherence").decides
    names = [metric_name("adherence", short) for group in groups for short in group]
    return [name for name in names if name != SUCCESS and name in table.column_names]


def _rows(table: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    there = [name for name in names if name in table.column_names]
    rows: list[dict[str, Any]] = table.select(there).to_pylist()
    return [dict.fromkeys(names) | row for row in rows]


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """Where the table's paths start from.

    Attributes:
        root: folder or URL.
        allow_outside: also read pictures that lie elsewhere.
        max_bytes: of one file.
    """

    root: str
    allow_outside: bool
    max_bytes: int


def read_edits(table: pa.Table, positions: Sequence[int], place: PicturePlace) -> list[JudgedEdit]:
    """What a judge is shown of these rows. Every picture is read once and held against the hash that the table has.

    Raises:
        TableError: pictures that are not there, or no longer those that were scored; nothing was sent.
    """
    names = ("id", "source", "edited", "instruction", "source_caption", "target_caption", "edit_type")
    rows = _rows(table.take(pa.array(positions, pa.int64())), (*names, SOURCE_SHA256, EDITED_SHA256))
    wanted: dict[str, str | None] = {}
    for row in rows:
        wanted |= {row["source"]: row[SOURCE_SHA256], row["edited"]: row[EDITED_SHA256]}
    with ThreadPoolExecutor(_READERS, "edit-metrics-judge") as pool:
        found = dict(zip(wanted, pool.map(partial(_hash, place), wanted), strict=True))
    _refuse_others(wanted, found, place)
    return [
        JudgedEdit(
            row["id"],
            Wording(row["instruction"], row["source_caption"], row["target_caption"], row["edit_type"]),
            _picture(row["source"], found[row["source"]], place),
            _picture(row["edited"], found[row["edited"]], place),
        )
        for row in rows
    ]


def _picture(path: str, sha256: str, place: PicturePlace) -> ChatPicture:
    return ChatPicture(sha256, partial(_read, place, path))


def _read(place: PicturePlace, path: str) -> bytes:
    try:
        return read_bytes(resolve_path(path, place.root, place.allow_outside), place.max_bytes)
    except OutsideRootError:
        raise ImageError(f"a path inside {place.root}", path, todo="See --allow-outside-root.") from None


def _hash(place: PicturePlace, path: str) -> str:
    """SHA-256 of the file; the reason in words, with a space in it, where it cannot be read."""
    try:
        return hashlib.sha256(_read(place, path)).hexdigest()
    except ImageError as error:
        return f"{path}: {error.got}"


def _refuse_others(wanted: Mapping[str, str | None], found: Mapping[str, str], place: PicturePlace) -> None:
    absent = [text for text in found.values() if " " in text]
    if absent:
        raise TableError(
            "the pictures that were scored",
            f"{len(absent)} of {len(found)} that cannot be read: {'; '.join(absent[:_SHOWN])}",
            place.root,
            "Name the folder that the table's paths start from: --root FOLDER.",
        )
    other = [path for path, sha256 in wanted.items() if sha256 is not None and found[path] != sha256]
    if other:
        raise TableError(
            "the pictures that were scored",
            f"{len(other)} of {len(found)} with other content now: {', '.join(other[:_SHOWN])}",
            place.root,
            "Score them again first: an answer about another picture would stand beside these measurements.",
        )
