"""Triage: a score table in, one placement an item out. Without a calibration nothing is decided automatically."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.ratings.progress import Progress
from edit_metrics.scores.cells import column_of_codes
from edit_metrics.scores.codes import ordered_by
from edit_metrics.scores.columns import PRIORITY, PRIORITY_REASONS
from edit_metrics.triage.lanes import Lane, Placement, Selection, gate_lanes
from edit_metrics.triage.queue import Audit, assemble, base_order, draw_audit, lane_counts
from edit_metrics.triage.statement import AuditStatement, QueueStatement, TriageStatement


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """What the user asks of the queue.

    Attributes:
        budget: most items in the queue, audit and gold included; None: no limit.
        audit: share of all items drawn at random for the audit slice.
        seed: of that draw.
        order_by: see :func:`edit_metrics.triage.queue.base_order`.
        rated: what people have rated already: done items are never queued again, the others come back first.
        gold: ids with known ratings that screen raters.
        overlap: raters an item.
        blind: exports carry no scores, since showing them anchors raters.
    """

    budget: int | None = None
    audit: float = 0.05
    seed: int = 0
    order_by: str | None = None
    rated: Progress = field(default_factory=Progress)
    gold: frozenset[str] = frozenset()
    overlap: int = 1
    blind: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.audit <= 1:
            raise TableError("an audit share from 0 to 1", str(self.audit), "--audit")
        if self.budget is not None and self.budget < 0:
            raise TableError("a budget of 0 or more items", str(self.budget), "--budget")
        if self.overlap < 1:
            raise TableError("1 or more raters an item", str(self.overlap), "--overlap")


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """An item to ask the judge about; why: ``open`` (the metrics leave it to him) or ``audit`` (it tests policies)."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Triage:
    """The outcome.

    Attributes:
        placements: every item once; queued ones first and in order.
        statement: what was promised, on what data, under which assumptions: the content of ``triage.json``.
        to_judge: whom the judge should be asked about, those that may be decided first; empty without a policy.
    """

    placements: tuple[Placement, ...]
    statement: TriageStatement
    to_judge: tuple[JudgeRequest, ...] = ()

    @property
    def queue(self) -> tuple[Placement, ...]:
        """Items that people are asked about, in order."""
        return tuple(item for item in self.placements if item.position is not None)


def triage_by_priority(frame: pd.DataFrame, options: QueueOptions) -> Triage:
    """Queue in the table's ``priority`` order (or by one column, or by id); gates in their own lanes.

    Args:
        frame: a score table with a unique column ``id``.
        options: see :class:`QueueOptions`.

    Raises:
        TableError: a column or an id that the options name is absent.
    """
    ids = frame["id"].astype(str).tolist()
    check_known(options.gold, ids, "--gold")
    audit = draw_audit(ids, options.audit, room_for_audit(options), options.seed)
    gates = dict(zip(ids, gate_lanes(frame), strict=True))
    causes = _priority_reasons(frame)
    order = options.order_by or (PRIORITY if PRIORITY in frame else "id")
    ordered = []
    for name in base_order(frame, options.order_by):
        gate = gates[name]
        placed = gate or Placement(name, Lane.HUMAN, (), Selection.PRIORITY)
        ordered.append(placed.because(*causes.get(name, () if gate else (ordered_by(order),))))
    placements = fill_queue(ordered, audit, options)
    return Triage(tuple(placements), TriageStatement(None, order, queue_statement(placements, audit, options)))


def fill_queue(ordered: Sequence[Placement], audit: Audit, options: QueueOptions) -> list[Placement]:
    """:func:`edit_metrics.triage.queue.assemble` with the user's options."""
    return assemble(
        ordered,
        audit=audit,
        gold=options.gold,
        rated=options.rated,
        budget=options.budget,
        overlap=options.overlap,
    )


def room_for_audit(options: QueueOptions) -> int | None:
    """Items that the budget leaves for the audit slice: gold comes first, and half of the rest stays for the order."""
    return None if options.budget is None else max(options.budget - len(options.gold) + 1, 0) // 2


def queue_statement(placements: Sequence[Placement], audit: Audit, options: QueueOptions) -> QueueStatement:
    """The part of the statement that every triage has."""
    queued = [item for item in placements if item.position is not None]

    def because(reason: str) -> int:
        return sum(reason in item.reasons for item in placements)

    drawn = AuditStatement(
        options.audit,
        len(audit.ids),
        len(audit.ids & options.rated.done - options.gold),
        sum(item.lane is Lane.UNREADABLE for item in placements if item.id in audit.ids),
        audit.inclusion_prob,
        options.seed,
    )
    return QueueStatement(
        items=len(placements),
        lanes=lane_counts(placements),
        queued=len(queued),
        queued_lanes=lane_counts(queued),
        budget=options.budget,
        over_budget=because("over_budget"),
        already_rated=because("already_rated"),
        half_rated=because("half_rated"),
        disputed=because("disputed"),
        overlap=options.overlap,
        ratings_asked_for=sum(item.raters or 0 for item in queued),
        audit=drawn,
        gold=tuple(sorted(options.gold)),
        blind=options.blind,
    )


def check_known(names: Collection[str], ids: Collection[str], where: str) -> None:
    """Refuse ids that are not in the score table.

    Raises:
        TableError: names the first of them.
    """
    unknown = sorted(set(names) - set(ids))
    if unknown:
        raise TableError("ids of the score table", f"{len(unknown)} others, first {unknown[0]!r}", where)


def _priority_reasons(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    if PRIORITY_REASONS not in frame:
        return {}
    return dict(zip(map(str, frame["id"]), column_of_codes(frame, PRIORITY_REASONS), strict=True))
