"""What triage says of itself: the content of ``triage.json``, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edit_metrics.calibration.calibration import Calibration
from edit_metrics.triage.automatic import Automation, DecidedModel, Promise
from edit_metrics.triage.costs import DecisionCosts
from edit_metrics.triage.drift import Drift, ObservedError
from edit_metrics.triage.risk import Side

METHOD = "fixed-sequence testing (Learn then Test), p = max(exact binomial, cluster-t over groups)"
DRAWN_FROM = "all items of the table, before any lane"
ASSUMPTIONS = (
    "The random ratings of the calibration and the items of this run come from the same population: the same kinds of "
    "sources and instructions, the same rubric, raters of the same severity. A new model breaks this first, which is "
    "why models without enough random ratings are never decided automatically.",
    "The mix of models may differ: a small shift is paid for with a smaller error, beyond it each model is decided by "
    "its own ratings. Within a model the items are taken as exchangeable with the rated ones.",
    "The promise is about all automatic decisions of a side together, not about each model or edit type: see by_model.",
    "People's mean rating is taken as the truth.",
)


@dataclass(frozen=True, slots=True)
class AuditStatement:
    """The random draw.

    Attributes:
        already_rated: drawn items that people rated before: their old ratings belong to the draw.
        unreadable: drawn items that nobody can rate.
    """

    asked_share: float
    drawn: int
    already_rated: int
    unreadable: int
    inclusion_prob: float
    seed: int
    drawn_from: str = DRAWN_FROM


@dataclass(frozen=True, slots=True)
class QueueStatement:
    """What every triage does.

    Attributes:
        lanes: lane → items.
        queued_lanes: lane → queued items.
        half_rated: items that come back because raters are missing.
        disputed: items that come back because raters are far apart.
        overlap: raters an item.
    """

    items: int
    lanes: Mapping[str, int]
    queued: int
    queued_lanes: Mapping[str, int]
    budget: int | None
    over_budget: int
    already_rated: int
    half_rated: int
    disputed: int
    overlap: int
    ratings_asked_for: int
    audit: AuditStatement
    gold: tuple[str, ...]
    blind: bool


@dataclass(frozen=True, slots=True)
class DecisionStatement:
    """What is decided without people, and what is promised of it."""

    calibration: Calibration
    automation: Automation
    promise: Promise
    costs: DecisionCosts

    @property
    def made(self) -> tuple[Side, ...]:
        """Sides on which something may be decided; none where the audit switched decisions off."""
        found = self.automation
        if found.drift is not None and found.drift.drifted:
            return ()
        return tuple(dict.fromkeys(rule.control.side for rule in found.rules if rule.control.threshold is not None))

    @property
    def promise_in_words(self) -> str:
        """One sentence; ``none made`` where nothing may be decided."""
        wrong = {
            Side.FAIL: "the automatically failed items are ones that people pass",
            Side.PASS: "the automatically passed items are ones that people fail",
        }
        if not self.made:
            return "none made"
        each = "; ".join(f"at most {self.promise.max_error:.1%} of {wrong[side]}" for side in self.made)
        return f"With {self.promise.confidence:.0%} confidence: {each}."

    @property
    def kind(self) -> str | None:
        """How the promise is to be read; None where there is none."""
        if not self.made:
            return None
        finite = all(one.control.finite_sample for one in self.automation.rules if one.control.threshold is not None)
        return "finite-sample" if finite else "cluster-robust (asymptotic in the number of groups)"

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        found, fitted = self.automation, self.calibration
        return {
            "promise": self.promise_in_words,
            "kind": self.kind,
            "max_error": self.promise.max_error,
            "confidence": self.promise.confidence,
            "method": METHOD,
            "sides": [{**rule.control.to_json(), "models": list(rule.models)} for rule in found.rules],
            "calibration": {
                "target": fitted.target,
                "pass_at": fitted.pass_at,
                "features": [spec.name for spec in fitted.features],
                "signatures": dict(fitted.signatures),
                "data": dict(fitted.report.get("data", {})),
                "origin": fitted.origin.to_json(),
            },
            "models": {
                "fewest_random_ratings": found.n_min,
                "eligible": dict(found.eligible),
                "excluded": dict(found.excluded),
            },
            "by_model": [_by_model(one) for one in found.by_model],
            "drift": None if found.drift is None else _drift(found.drift),
            "costs": asdict(self.costs),
            "notes": list(found.notes),
            "assumptions": list(ASSUMPTIONS),
        }


@dataclass(frozen=True, slots=True)
class TriageStatement:
    """Everything that one triage says.

    Attributes:
        decisions: None without a calibration: nothing is decided automatically.
        order: of the queue, in words.
    """

    decisions: DecisionStatement | None
    order: str
    queue: QueueStatement

    def to_json(self) -> dict[str, Any]:
        """The record of ``triage.json``."""
        nothing = "none: triage ran without a calibration"
        return {
            "automatic_decisions": nothing if self.decisions is None else self.decisions.to_json(),
            "order": self.order,
            **asdict(self.queue),
        }


def _by_model(one: DecidedModel) -> dict[str, Any]:
    return {**asdict(one), "side": one.side.value}


def _drift(found: Drift) -> dict[str, Any]:
    return {
        "n_items": found.n_items,
        "drifted": found.drifted,
        "reasons": list(found.reasons),
        "p_mean_of_passed_minus_p_pass": found.p_mean,
        "observed_errors": [_observed(one) for one in found.errors],
    }


def _observed(one: ObservedError) -> dict[str, Any]:
    interval = one.share.interval
    return {
        "side": one.side.value,
        "audited_decisions": one.share.n,
        "wrong": one.share.hits,
        "share_wrong": one.share.value,
        "low": interval.low,
        "high": interval.high,
        "p_above_promise": one.p_value,
        "audited_decisions_to_find_double": one.n_for_double,
        "audited_items_to_find_double": one.n_audit_for_double,
    }
