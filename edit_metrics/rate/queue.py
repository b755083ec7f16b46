"""Who is asked what: the queue of a triage, or the order of the score table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import TableError, UserError, suggest
from edit_metrics.io.tables import read_table, with_text_ids
from edit_metrics.ratings.rubric import Rubric, RubricDimension
from edit_metrics.report.inputs import read_json
from edit_metrics.scores.cells import number
from edit_metrics.scores.columns import PRIORITY
from edit_metrics.scores.table import ScoreTable

OVERALL: Final = "overall"
QUEUE_NAME: Final = "queue.csv"
STATEMENT_NAME: Final = "triage.json"


@dataclass(frozen=True, slots=True)
class QueuedItem:
    """One item to rate.

    Attributes:
        raters: how many people are to rate it.
        everybody: every rater is asked (a gold item: it measures the raters).
    """

    id: str
    raters: int
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class RatingPlan:
    """What a rating session asks.

    Attributes:
        items: in order.
        questions: dimension → the rubric's words, in the order of asking.
        source: in words, where the order comes from.
    """

    items: tuple[QueuedItem, ...]
    questions: dict[str, RubricDimension]
    source: str


def make_plan(
    run: ScoreTable, rubric: Rubric, queue: Path | None, dimensions: tuple[str, ...], overlap: int | None
) -> RatingPlan:
    """The plan of a run.

    Args:
        run: holds the items.
        rubric: words of the dimensions.
        queue: a triage folder or its ``queue.csv``; None: ``triage/`` in the run folder, else the run's own order.
        dimensions: to ask; empty: the calibration's target that triage used, else ``overall``.
        overlap: raters an item; None: as the queue says, else 1.

    Raises:
        TableError: the queue is not this run's, or has no items.
        UserError: a dimension that the rubric does not have.
    """
    file = _queue_file(run, queue)
    statement = {} if file is None else _statement(file)
    asked = dimensions or (_target(statement) or OVERALL,)
    questions = {name: _question(name, rubric, named=bool(dimensions)) for name in asked}
    if file is None:
        items = tuple(QueuedItem(name, overlap or 1) for name in _by_priority(run))
        return RatingPlan(items, questions, "the run")
    gold = frozenset(map(str, statement.get("gold") or ()))
    table = read_table(file)
    if "id" not in table or table.empty:
        raise TableError("a queue with items", "no rows", str(file), "Is everything decided or rated already?")
    table = with_text_ids(table, file)
    known = set(run.frame["id"])
    foreign = [name for name in table["id"] if name not in known]
    if foreign:
        got = f"{len(foreign)} unknown ids, {foreign[0]!r} first"
        raise TableError("a queue of this run", got, str(file), "Give the run that triage was made from.")
    wanted = table["raters"].tolist() if "raters" in table else [1] * len(table)
    items = tuple(
        QueuedItem(name, overlap or int(number(raters) or 1), name in gold)
        for name, raters in zip(table["id"], wanted, strict=True)
    )
    return RatingPlan(items, questions, str(file))


def _queue_file(run: ScoreTable, queue: Path | None) -> Path | None:
    if queue is not None:
        return queue / QUEUE_NAME if queue.is_dir() else queue
    own = None if run.run_folder is None else run.run_folder / "triage" / QUEUE_NAME
    return own if own is not None and own.is_file() else None


def _statement(queue: Path) -> dict[str, Any]:
    file = queue.with_name(STATEMENT_NAME)
    return dict(read_json(file)) if file.is_file() else {}


def _target(statement: dict[str, Any]) -> str | None:
    """The dimension that the calibration of a triage predicts."""
    decisions = statement.get("automatic_decisions")
    calibration = decisions.get("calibration") if isinstance(decisions, dict) else None
    return str(calibration["target"]) if isinstance(calibration, dict) and calibration.get("target") else None


def _question(name: str, rubric: Rubric, *, named: bool) -> RubricDimension:
    known = {**rubric.dimensions, **({OVERALL: rubric.overall} if rubric.overall else {})}
    if name in known:
        return known[name]
    if named:
        raise UserError("dimensions of the rubric", repr(name), "--dimensions", suggest(name, known))
    # The target of a calibration on somebody else's ratings: its words are not ours to invent.
    ends = {rubric.scale[0]: "worst", rubric.scale[-1]: "best"}
    return RubricDimension(question=f"Rate {name}", anchors={value: ends.get(value, "") for value in rubric.scale})


def _by_priority(run: ScoreTable) -> list[str]:
    if PRIORITY not in run.frame.columns:
        return list(run.frame["id"])
    return list(run.frame.sort_values([PRIORITY, "id"], na_position="last")["id"])
