"""Triage with a calibration: automatic lanes under a promise, the rest by what asking is expected to save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from edit_metrics.calibration.calibration import Calibration, Scores, text_column
from edit_metrics.errors import TableError
from edit_metrics.scores import codes
from edit_metrics.scores.columns import EDITED_PHASH
from edit_metrics.triage.automatic import AuditRatings, Automation, Promise, automate
from edit_metrics.triage.costs import DecisionCosts, order_by_saving
from edit_metrics.triage.duplicates import duplicate_clusters
from edit_metrics.triage.lanes import Lane, Placement, Selection, gate_lanes
from edit_metrics.triage.queue import assemble, base_order, draw_audit
from edit_metrics.triage.risk import Side
from edit_metrics.triage.uncalibrated import QueueOptions, Triage, check_known, queue_statement, room_for_audit

ASSUMPTIONS: Final = (
    "The random ratings of the calibration and the items of this run come from the same population: the same kinds of "
    "sources and instructions, the same rubric, raters of the same severity. A new model breaks this first, which is "
    "why models without enough random ratings are never decided automatically.",
    "The mix of models may differ; the test is weighted to the mix of this run. Within a model the items are taken as "
    "exchangeable with the rated ones.",
    "The promise is about all automatic decisions of a side together, not about each model or edit type: see by_model.",
    "People's mean rating is taken as the truth.",
)


@dataclass(frozen=True, slots=True)
class DecisionOptions:
    """What the user asks of automatic decisions and of the order.

    Attributes:
        promise: error, confidence and sides.
        costs: of the two wrong decisions, for the order of the queue.
        per_cluster: near-duplicates that keep their place; further ones go to the end of the queue.
    """

    promise: Promise = field(default_factory=Promise)
    costs: DecisionCosts = field(default_factory=DecisionCosts)
    per_cluster: int = 2


def triage_by_calibration(
    frame: pd.DataFrame,
    calibration: Calibration,
    options: QueueOptions,
    decisions: DecisionOptions,
    audit_ratings: AuditRatings | None = None,
) -> Triage:
    """Place every item.

    Args:
        frame: a score table with a unique column ``id`` and the calibration's features.
        calibration: fitted on the same definitions (see ``check_signatures``).
        options: budget, audit, rated and gold items.
        decisions: promise, costs, near-duplicates.
        audit_ratings: ratings of this run's audit slice, for the drift test.

    Raises:
        TableError: a column or an id that is needed is absent.
    """
    if options.order_by is not None:
        raise TableError("--order-by without --calibration", "both: a calibration sets the order", "--order-by")
    ids = frame["id"].astype(str).tolist()
    check_known(options.gold, ids, "--gold")
    audit = draw_audit(ids, options.audit, room_for_audit(options), options.seed)
    scores = calibration.score(frame)
    models = text_column(frame, "model")
    by_id = dict(zip(ids, zip(scores.rank, scores.prediction.p_pass, strict=True), strict=True))
    automation = automate(calibration, models, decisions.promise, audit_ratings, by_id)
    placed = _place(frame, calibration, scores, automation)
    ordered = _order(frame, placed, scores, decisions, audit.ids, options.seed)
    placements = assemble(ordered, audit=audit, gold=options.gold, rated=options.rated, budget=options.budget)
    statement = {
        "automatic_decisions": _statement(calibration, automation, decisions),
        "order": f"gates, audit, then expected saving at costs {asdict(decisions.costs)}",
        **queue_statement(placements, audit, options),
    }
    return Triage(tuple(placements), statement, automation.controls)


def _place(frame: pd.DataFrame, calibration: Calibration, scores: Scores, automation: Automation) -> list[Placement]:
    """One placement an item, in the table's order."""
    models = text_column(frame, "model")
    usable = scores.prediction.complete
    failed = automation.decides(Side.FAIL, scores.rank, models, usable)
    passed = automation.decides(Side.PASS, scores.rank, models, usable)
    absent = _absent_features(frame, calibration)
    placed = []
    for index, gate in enumerate(gate_lanes(frame)):
        name = str(frame["id"].iloc[index])
        if gate is not None:
            item = gate
        elif failed[index] != passed[index]:
            lane = Lane.AUTO_FAIL if failed[index] else Lane.AUTO_PASS
            item = Placement(name, lane, (lane.value, codes.rank(scores.rank[index])))
        else:
            causes = [codes.missing(column) for column in absent[index]]
            causes += ["model_without_enough_random_ratings"] if models[index] not in automation.eligible else []
            item = Placement(name, Lane.HUMAN, tuple(causes) or ("undecided",), Selection.EXPECTED_SAVING)
        known = bool(usable[index])
        placed.append(
            replace(
                item,
                p_pass=float(scores.prediction.p_pass[index]) if known else None,
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
    by_saving = order_by_saving(scores.prediction.p_pass, decisions.costs)
    first = {item.id for item in (*gates, *drawn)}
    rest = [placed[index] for index in by_saving if placed[index].id not in first]
    savings = decisions.costs.expected_saving(scores.prediction.p_pass)
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


def _statement(calibration: Calibration, automation: Automation, decisions: DecisionOptions) -> dict[str, Any]:
    promise = decisions.promise
    made = [control for control in automation.controls if control.threshold is not None]
    switched_off = automation.drift is not None and automation.drift.drifted
    kept = bool(made) and bool(automation.eligible) and not switched_off
    finite = all(control.finite_sample for control in made)
    return {
        "promise": _promise_in_words(promise, [control.side for control in made]) if kept else "none made",
        "kind": ("finite-sample" if finite else "cluster-robust (asymptotic in the number of groups)")
        if kept
        else None,
        "max_error": promise.max_error,
        "confidence": promise.confidence,
        "method": "fixed-sequence testing (Learn then Test), p = max(exact binomial, cluster-t over groups)",
        "sides": [control.to_json() for control in automation.controls],
        "calibration": {
            "target": calibration.target,
            "pass_at": calibration.pass_at,
            "features": [spec.name for spec in calibration.features],
            "signatures": dict(calibration.signatures),
            "data": dict(calibration.report.get("data", {})),
        },
        "models": {
            "fewest_random_ratings": automation.n_min,
            "eligible": dict(automation.eligible),
            "excluded": dict(automation.excluded),
        },
        "by_model": list(automation.by_model),
        "drift": None if automation.drift is None else asdict(automation.drift),
        "costs": asdict(decisions.costs),
        "notes": list(automation.notes),
        "assumptions": list(ASSUMPTIONS),
    }


def _promise_in_words(promise: Promise, sides: Sequence[Side]) -> str:
    wrong = {
        Side.FAIL: "the automatically failed items are ones that people pass",
        Side.PASS: "the automatically passed items are ones that people fail",
    }
    each = "; ".join(f"at most {promise.max_error:.1%} of {wrong[side]}" for side in sides)
    return f"With {promise.confidence:.0%} confidence: {each}."
