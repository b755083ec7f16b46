"""Runs that a judge has seen: whose answers may stand side by side, and about which items.

A judged score and a measured one are different instruments, and so are two judges. Items that were picked because a
score was doubtful are no sample of anything. What is left when both are minded is compared; where nothing is, the
message says what to ask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edit_metrics.errors import SignatureError
from edit_metrics.scores.cells import text
from edit_metrics.scores.codes import short_cause
from edit_metrics.scores.columns import DimensionColumns
from edit_metrics.scores.judging import (
    DRAWN_BLINDLY,
    JUDGED_DIMENSIONS,
    MODEL,
    SELECTED_BY,
    UNANSWERED,
    JudgeRecord,
    SelectedBy,
    find_drift,
)
from edit_metrics.scores.table import ScoreTable
from edit_metrics.types import Status


@dataclass(frozen=True, slots=True)
class Comparable:
    """Runs cut down to the items whose answers may stand side by side.

    Attributes:
        warnings: which items were left out, and why.
    """

    runs: tuple[ScoreTable, ...]
    warnings: tuple[str, ...] = ()


def comparable_runs(runs: Sequence[ScoreTable]) -> Comparable:
    """Refuse what may not be compared, and keep the items that may.

    Runs that were judged in part are cut down to the items that were asked in all of them, by a draw that no score has
    touched or as the same items (``--same-as``). An item that was asked and has no answer has no score there: what
    metrics say of it is another instrument.

    Raises:
        SignatureError: one run is judged and another is not; by different judges; the judge has drifted between them;
            or no item was asked in both like this.
    """
    for run in runs:
        _check_whole(run)
    for run in runs[1:]:
        _check_judges(runs[0], run)
    runs = [_without_stand_ins(run) for run in runs]
    if all(record is None or not record.in_part for record in map(_record, runs)):
        return Comparable(tuple(runs))
    ids = set[str].intersection(*(_shared_ids(runs[0], other) for other in runs[1:]))
    if not ids:
        names = ", ".join(run.name for run in runs)
        raise SignatureError(
            "items that were asked in both runs, by a draw that no score has touched or as the same items",
            f"none in {names}",
            todo=f"Ask about the same items: edit-metrics judge {runs[-1].path.parent} --same-as {runs[0].path.parent}",
        )
    kept = tuple(replace(run, frame=run.frame[run.frame["id"].isin(ids)].reset_index(drop=True)) for run in runs)
    largest = max(len(run.frame) for run in runs)
    text = f"judged in part: compared on the {len(ids)} of {largest} items that were asked in every run"
    return Comparable(kept, (text,))


def _without_stand_ins(run: ScoreTable) -> ScoreTable:
    """Items that were asked and have no answer lose the scores that metrics gave them instead: another instrument."""
    if _record(run) is None or UNANSWERED not in run.frame.columns or SELECTED_BY not in run.frame.columns:
        return run
    cells = [text(cell) for cell in run.frame[UNANSWERED]]
    asked = run.frame[SELECTED_BY].notna()
    open_ = np.array([one and cell not in ("", "judge_not_asked") for one, cell in zip(asked, cells, strict=True)])
    if not open_.any():
        return run
    causes = [short_cause(cell) for cell, unanswered in zip(cells, open_, strict=True) if unanswered]
    frame = run.frame.copy()
    for own in map(DimensionColumns, JUDGED_DIMENSIONS):
        if own.score in frame.columns:
            frame.loc[open_, own.score] = None
            frame.loc[open_, own.status] = Status.UNAVAILABLE.value
            frame.loc[open_, own.reasons] = causes
    return replace(run, frame=frame)


def _record(run: ScoreTable) -> JudgeRecord | None:
    return None if run.info is None else run.info.judge


def _check_whole(run: ScoreTable) -> None:
    """A table with answers whose ``run.json`` knows of none: the judge's run died between the two files."""
    if run.signed and _record(run) is None and MODEL in run.frame.columns:
        raise SignatureError(
            "a run.json that names the judge of the table beside it",
            "one that names none",
            str(run.path),
            "The judge's run was killed while it wrote: run the same `edit-metrics judge` command again.",
        )


def _check_judges(first: ScoreTable, other: ScoreTable) -> None:
    ours, theirs = _record(first), _record(other)
    if (ours is None) != (theirs is None) and first.signed and other.signed:
        judged, plain = (first, other) if theirs is None else (other, first)
        raise SignatureError(
            f"runs that are both judged, or both not: {judged.name} is judged",
            f"{plain.name}, which is not",
            f"{first.path} and {other.path}",
            f"Ask about the same items: edit-metrics judge {plain.path.parent} --same-as {judged.path.parent}",
        )
    if ours is None or theirs is None:
        return
    named = [("model", ours.model, theirs.model), ("revision", ours.model_revision, theirs.model_revision)]
    named += [
        ("prompt", _prompt(ours), _prompt(theirs)),
        ("answers an item", str(ours.repetitions), str(theirs.repetitions)),
    ]
    differing = [f"{what} {a or '(none)'} → {b or '(none)'}" for what, a, b in named if a != b]
    if differing:
        raise SignatureError(
            f"answers of the same judge as in {first.name}",
            f"others in {other.name}: {'; '.join(differing)}",
            f"{first.path} and {other.path}",
            "Ask the same judge about both; answers that are kept cost nothing again.",
        )
    _check_drift(first, other, ours, theirs)


def _prompt(record: JudgeRecord) -> str:
    return f"{record.template.name} {record.template.sha256[:12]}"


def _check_drift(first: ScoreTable, other: ScoreTable, ours: JudgeRecord, theirs: JudgeRecord) -> None:
    found: list[str] = []
    for run, record in ((first, ours), (other, theirs)):
        found += [f"within {run.name}, {text}" for text in (record.canaries.drift if record.canaries else ())]
    if ours.canaries is not None and theirs.canaries is not None and ours.canaries.version == theirs.canaries.version:
        found += find_drift(ours.canaries.answers, theirs.canaries.answers).sentences
    if found:
        raise SignatureError(
            f"a judge that answers the same pinned questions in {other.name} as in {first.name}",
            "; ".join(found),
            f"{first.path} and {other.path}",
            f"{theirs.model} has changed behind its name. Judge both runs anew with one that stays "
            "(--set backends.judge.model_revision=… starts a new cache).",
        )


def _shared_ids(first: ScoreTable, other: ScoreTable) -> set[str]:
    """Ids whose answers, or whose absence from the other table, may be compared."""
    ours, theirs = _selected(first), _selected(other)
    same = SelectedBy.SAME_AS in ours.values() or SelectedBy.SAME_AS in theirs.values()
    shared = {n for n in ours.keys() & theirs.keys() if SelectedBy.SAME_AS in (ours[n], theirs[n])}
    for mine, table in ((ours, other), (theirs, first)):
        wanted = {name for name, by in mine.items() if by in DRAWN_BLINDLY or same}
        # What the other run lacks altogether stays in: losing an item must cost it.
        shared |= wanted - set(table.frame["id"])
    return shared | (_drawn_blindly(ours) & _drawn_blindly(theirs))


def _drawn_blindly(selected: dict[str, str]) -> set[str]:
    return {name for name, by in selected.items() if by in DRAWN_BLINDLY}


def _selected(run: ScoreTable) -> dict[str, str]:
    if SELECTED_BY not in run.frame.columns:
        return {}
    cells = zip(run.frame["id"], run.frame[SELECTED_BY], strict=True)
    return {str(name): str(by) for name, by in cells if isinstance(by, str) and by}
