"""Triage with a calibration: automatic lanes under a promise, the rest by what asking is expected to save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pandas as pd

from edit_metrics.calibration.calibration import Calibration, Scores, text_column
from edit_metrics.errors import TableError
from edit_metrics.ratings.table import Ratings
from edit_metrics.scores import codes
from edit_metrics.scores.columns import EDITED_PHASH
from edit_metrics.triage.automatic import Automation, Promise, automate
from edit_metrics.triage.costs import AskingCosts, DecisionCosts, order_by_saving
from edit_metrics.triage.drift import audit_ratings
from edit_metrics.triage.duplicates import duplicate_clusters
from edit_metrics.triage.lanes import Lane, Placement, Selection, gate_lanes
from edit_metrics.triage.queue import base_order, draw_audit
from edit_metrics.triage.risk import Side
from edit_metrics.triage.run_decisions import RunDecisions, decide_run, judge_requests, judge_statement
from edit_metrics.triage.statement import DecisionStatement, TriageStatement
from edit_metrics.triage.uncalibrated import (
    QueueOptions,
    Triage,
    check_known,
    fill_queue,
    queue_statement,
    room_for_audit,
)


@dataclass(frozen=True, slots=True)
class DecisionOptions:
    """What the user asks of automatic decisions and of the order.

    Attributes:
        promise: error, confidence and sides.
        costs: of the two wrong decisions, for the order of the queue.
        per_cluster: near-duplicates that keep their place; further ones go to the end of the queue.
        asking: what a call of the judge and a rating cost; None: the metrics decide alone.
    """

    promise: Promise = field(default_factory=Promise)
    costs: DecisionCosts = field(default_factory=DecisionCosts)
    per_cluster: int = 2
    asking: AskingCosts | None = None


def triage_by_calibration(
    frame: pd.DataFrame,
    calibration: Calibration,
    options: QueueOptions,
    decisions: DecisionOptions,
    ratings: Ratings | None = None,
) -> Triage:
    """Place every item.

    Args:
        frame: a score table with a unique column ``id`` and the calibration's features.
        calibration: fitted on the same definitions (see ``check_signatures``).
        options: budget, audit, rated and gold items.
        decisions: promise, costs, near-duplicates.
        ratings: of earlier batches of this run; their random draws check what would be decided.

    Raises:
        TableError: a column or an id that is needed is absent.
    """
    if options.order_by is not None:
        raise TableError("--order-by without --calibration", "both: a calibration sets the order", "--order-by")
    ids = frame["id"].astype(str).tolist()
    check_known(options.gold, ids, "--gold")
    audit = draw_audit(ids, options.audit, room_for_audit(options), options.seed)
    scores = calibration.score(frame)
    seen = None if ratings is None else audit_ratings(ratings, calibration, frame, scores)
    gates = gate_lanes(frame)
    decidable = np.array([gate is None for gate in gates], dtype=np.bool_)
    models = text_column(frame, "model")
    automation = automate(calibration, models, decidable, decisions.promise, seen, decisions.asking)
    done = np.array([name in options.rated.done for name in ids], dtype=np.bool_)
    tiers = decide_run(frame, calibration, scores, automation, decidable, done)
    placed = _place(frame, calibration, scores, automation, tiers, gates)
    ordered = _order(frame, placed, scores, decisions, audit.ids, options.seed)
    placements = fill_queue(ordered, audit, options)
    statement = TriageStatement(
        DecisionStatement(
            calibration,
            automation,
            decisions.promise,
            decisions.costs,
            judge_statement(calibration, decisions.asking, tiers, models, decidable & ~done),
        ),
        f"gates, audit, then expected saving at costs {asdict(decisions.costs)}",
        queue_statement(placements, audit, options),
    )
    audited = np.array([name in audit.ids for name in ids], dtype=np.bool_) & decidable
    return Triage(tuple(placements), statement, judge_requests(ids, tiers, scores, audited))


def _place(
    frame: pd.DataFrame,
    calibration: Calibration,
    scores: Scores,
    automation: Automation,
    tiers: RunDecisions,
    gates: Sequence[Placement | None],
) -> list[Placement]:
    """One placement an item, in the table's order."""
    models = text_column(frame, "model")
    usable = scores.prediction.complete | np.isfinite(scores.judge_rank)
    absent = _absent_features(frame, calibration)
    placed = []
    for index, gate in enumerate(gates):
        name = str(frame["id"].iloc[index])
        if gate is not None:
            item = gate
        elif (decided := tiers.of(index)) is not None:
            lane = Lane.AUTO_FAIL if decided.side is Side.FAIL else Lane.AUTO_PASS
            rank = scores.judge_rank[index] if decided.by_judge else scores.rank[index]
            by_judge = ("decided_by_judge",) if decided.by_judge else ()
            item = Placement(name, lane, (lane.value, *by_judge, codes.rank(rank)))
        elif tiers.calls.to_ask[index]:
            item = Placement(name, Lane.JUDGE, ("ask_the_judge",))
        else:
            causes = [codes.missing(column) for column in absent[index]]
            causes += ["model_without_enough_random_ratings"] if models[index] not in automation.eligible else []
            item = Placement(name, Lane.HUMAN, tuple(causes) or ("undecided",), Selection.EXPECTED_SAVING)
        known = bool(usable[index])
        placed.append(
            replace(
                item,
                p_pass=float(scores.p_pass[index]) if known else None,
                expected_rating=float(scores.prediction.rating[index]) if known else None,
            )
        )
    return placed


def _absent_features(frame: pd.DataFrame, calibration: Calibration) -> list[list[str]]:
    missing = {spec.name: frame[spec.name].isna().to_numpy() for spec in calibration.features}
    return [[name for name, gaps in missing.items() if gaps[index]] for index in range(len(frame))]


def _order(
    frame: pd.DataFrame,
    placed: Sequence[Placement],
    scores: Scores,
    decisions: DecisionOptions,
    audited: frozenset[str],
    seed: int,
) -> list[Placement]:
    """Gates in priority order, the audit slice in random order, then by expected saving; near-duplicates last.

    The audit comes before the rest of the queue, so that it is rated even when people do not finish.
    """
    by_id = {item.id: item for item in placed}
    gates = [by_id[name] for name in base_order(frame, None) if by_id[name].selection is Selection.GATE]
    names = sorted(item.id for item in placed if item.id in audited and item.selection is not Selection.GATE)
    drawn = [by_id[names[index]] for index in np.random.default_rng(seed + 1).permutation(len(names))]
    by_saving = order_by_saving(scores.p_pass, decisions.costs)
    first = {item.id for item in (*gates, *drawn)}
    rest = [placed[index] for index in by_saving if placed[index].id not in first]
    savings = decisions.costs.expected_saving(scores.p_pass)
    saving_of = {item.id: savings[index] for index, item in enumerate(placed)}
    human = [
        item.because(codes.saving(saving_of[item.id])) if item.lane is Lane.HUMAN else item
        for item in _repeats_last(frame, rest, decisions.per_cluster)
    ]
    return [*gates, *drawn, *human]


def _repeats_last(frame: pd.DataFrame, items: Sequence[Placement], per_cluster: int) -> list[Placement]:
    if EDITED_PHASH not in frame:
        return list(items)
    ids, hashes = text_column(frame, "id"), text_column(frame, EDITED_PHASH)
    cluster_of = dict(zip(ids, duplicate_clusters(hashes.tolist()), strict=True))
    seen: Counter[int] = Counter()
    kept, repeats = [], []
    for item in items:
        if item.lane is not Lane.HUMAN:
            kept.append(item)
            continue
        seen[cluster_of[item.id]] += 1
        if seen[cluster_of[item.id]] > per_cluster:
            repeats.append(item.because("near_duplicate"))
        else:
            kept.append(item)
    return kept + repeats
