"""The queue: who is looked at, in which order, and how the audit slice is drawn. Pure: tables in, placements out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from edit_metrics.errors import TableError, suggest
from edit_metrics.ratings.progress import Progress
from edit_metrics.scores.columns import PRIORITY
from edit_metrics.triage.lanes import GATES, Lane, Placement, Selection

GOLD_EVERY = 20
"""One gold item in so many queued items, until the gold items are used up."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A uniform draw from all items, before any lane.

    Attributes:
        ids: what was drawn.
        inclusion_prob: the same for every item: number drawn / number of items.
    """

    ids: frozenset[str]
    inclusion_prob: float


def draw_audit(ids: Sequence[str], share: float, room: int | None, seed: int) -> Audit:
    """Draw ``ceil(share · N)`` items without replacement, at most ``room``.

    The draw depends on the set of ids and the seed, not on the order of the table.
    """
    n = math.ceil(share * len(ids) - 1e-9)
    n = min(n, len(ids) if room is None else room)
    if n == 0:
        return Audit(frozenset(), 0.0)
    chosen = np.random.default_rng(seed).choice(np.array(sorted(ids), dtype=object), size=n, replace=False)
    return Audit(frozenset(str(name) for name in chosen), n / len(ids))


def base_order(frame: pd.DataFrame, order_by: str | None) -> list[str]:
    """Ids in the order in which people should look without a calibration.

    Args:
        frame: a score table with the column ``id``.
        order_by: ``COLUMN`` or ``COLUMN:+`` (higher is better: lowest first) or ``COLUMN:-`` (highest first); items
            without a value come first, since nothing is known about them. None: the table's own ``priority``, or the
            order of ids in a table that has none.

    Raises:
        TableError: the column is absent or not numeric.
    """
    if order_by is None and PRIORITY not in frame:
        return sorted(frame["id"].astype(str))
    column, _, sign = (order_by or PRIORITY).rpartition(":")
    if not column or sign not in ("+", "-"):
        column, sign = order_by or PRIORITY, "+"
    if column not in frame:
        raise TableError("a column of the score table", repr(column), "--order-by", suggest(column, map(str, frame)))
    values = pd.to_numeric(frame[column], errors="coerce")
    if values.isna().all():
        raise TableError("a numeric column", repr(column), "--order-by")
    keys = pd.DataFrame({"value": values * (1 if sign == "+" else -1), "id": frame["id"].astype(str)})
    return keys.sort_values(["value", "id"], na_position="first")["id"].tolist()


def assemble(
    ordered: Sequence[Placement],
    *,
    audit: Audit,
    gold: Collection[str] = (),
    rated: Progress | None = None,
    budget: int | None = None,
    overlap: int = 1,
) -> list[Placement]:
    """Fill the queue: audit and gold items are certain, the rest follows the order until the budget is spent.

    Automatic decisions and items that are done are never queued; a gold item is, although its rating is known. Items
    that miss a rater come first, whatever was decided of them: one rating more completes one.

    Args:
        ordered: one placement an item, in the order of asking; automatic ones anywhere.
        audit: drawn from all items; its members carry their inclusion probability wherever they end up.
        gold: ids with known ratings, placed evenly through the queue.
        rated: what people have rated.
        budget: most items in the queue, audit and gold included; None: no limit.
        overlap: raters an item.

    Returns:
        Every placement once: queued ones first, with their positions, then the others in the given order.
    """
    rated = rated or Progress()
    drawn = [_drawn(_returning(item, rated), audit) for item in ordered]
    drawn.sort(key=lambda item: item.id not in rated.missing)
    certain = [p.id for p in drawn if p.id in gold or (p.id in audit.ids and p.id not in rated.done)]
    room = None if budget is None else budget - len(certain)
    if room is not None and room < 0:
        raise TableError(
            f"a budget of at least {len(certain)} items", str(budget), "--budget", "Give fewer gold items."
        )
    queued: list[Placement] = []
    left: list[Placement] = []
    taken = set(certain)
    for item in drawn:
        if item.id in gold:
            queued.append(replace(item, selection=Selection.GOLD).because("gold"))
        elif item.id in rated.done:
            left.append(replace(item, selection=None).because("already_rated"))
        elif item.id in taken:
            queued.append(item)
        elif item.selection is None:
            left.append(item)
        elif room is None or room > 0:
            queued.append(item)
            room = None if room is None else room - 1
        else:
            left.append(replace(item, selection=None).because("over_budget"))
    ordered_queue = _spread_gold(queued)
    placed = [
        replace(item, position=index, raters=rated.missing.get(item.id, overlap))
        for index, item in enumerate(ordered_queue, start=1)
    ]
    return placed + left


def _returning(item: Placement, rated: Progress) -> Placement:
    if item.id not in rated.missing:
        return item
    reason = "disputed" if item.id in rated.disputed else "half_rated"
    lane = item.lane if item.lane in GATES else Lane.HUMAN
    return replace(item, lane=lane, selection=Selection.SECOND_OPINION, reasons=(reason, *item.reasons))


def _drawn(item: Placement, audit: Audit) -> Placement:
    if item.id not in audit.ids:
        return item
    lane = item.lane if item.lane in GATES else Lane.AUDIT
    drawn = replace(item, lane=lane, selection=Selection.AUDIT, inclusion_prob=audit.inclusion_prob)
    return drawn if lane in GATES else replace(drawn, reasons=("audit", *item.reasons))


def _spread_gold(queued: Sequence[Placement]) -> list[Placement]:
    gold = [item for item in queued if item.selection is Selection.GOLD]
    others = [item for item in queued if item.selection is not Selection.GOLD]
    if not gold:
        return others
    step = max(1, min(GOLD_EVERY, len(others) // len(gold)))
    spread: list[Placement] = []
    waiting = iter(gold)
    for index, item in enumerate(others):
        if index % step == 0:
            spread.extend(one for one in [next(waiting, None)] if one is not None)
        spread.append(item)
    return spread + list(waiting)


def lane_counts(placements: Sequence[Placement]) -> Mapping[str, int]:
    """Items per lane, every lane named."""
    return {lane.value: sum(item.lane is lane for item in placements) for lane in Lane}
