"""What triage says of itself: the content of ``triage.json``, typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edit_metrics.calibration.calibration import Calibration
from edit_metrics.triage.automatic import Automation, DecidedModel, Promise
from edit_metrics.triage.costs import AskingCosts, DecisionCosts
from edit_metrics.triage.drift import Drift, ObservedError
from edit_metrics.triage.risk import Side

METHOD = "fixed-sequence testing (Learn then Test), p = max(exact binomial, cluster-t over groups)"
POLICY_METHOD = (
    f"{METHOD}; policies of metrics and judge, chosen on 35 % of the groups and tested on the others, each tier too"
)
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
class TierCount:
    """What each tier decides of one model's items in this run, before the audit's draw is taken out.

    Attributes:
        items: that pass every gate and that people have not rated.
        to_judge: that the metrics leave to the judge.
    """

    model: str
    items: int
    by_metrics: int
    by_judge: int
    to_judge: int


@dataclass(frozen=True, slots=True)
class JudgeStatement:
    """The judge's part in this run.

    Attributes:
        costs: of a call and of a rating.
        calls_needed: items that the metrics leave to him, asked or not.
        calls_left: of these, nobody has asked him about; while there are any, he decides nothing of their models.
        calls_saved: items that need no call because the metrics decide them.
        cost_saved: of these calls, against asking about everything.
        ratings_saved: what people need not rate, times its price.
        by_model: one entry a model.
    """

    costs: AskingCosts
    features: tuple[str, ...]
    calls_needed: int
    calls_left: int
    calls_saved: int
    cost_left: float
    cost_saved: float
    ratings_saved: float
    by_model: tuple[TierCount, ...]


@dataclass(frozen=True, slots=True)
class DecisionStatement:
    """What is decided without people, and what is promised of it."""

    calibration: Calibration
    automation: Automation
    promise: Promise
    costs: DecisionCosts
    judge: JudgeStatement | None = None

    @property
    def made(self) -> tuple[Side, ...]:
        """Sides on which something may be decided; none where the audit switched decisions off."""
        return tuple(dict.fromkeys(rule.control.side for rule in self.automation.active))

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
        tiers = "" if self.judge is None else " It holds for what the metrics decide and for what the judge decides."
        return f"With {self.promise.confidence:.0%} confidence: {each}.{tiers}"

    @property
    def kind(self) -> str | None:
        """How the promise is to be read; None where there is none."""
        if not self.made:
            return None
        finite = all(rule.control.finite_sample for rule in self.automation.active)
        return "finite-sample" if finite else "cluster-robust (asymptotic in the number of groups)"

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        found, fitted = self.automation, self.calibration
        return {
            "promise": self.promise_in_words,
            "kind": self.kind,
            "max_error": self.promise.max_error,
            "confidence": self.promise.confidence,
            "method": METHOD if self.judge is None else POLICY_METHOD,
            "sides": [{**rule.control.to_json(), "models": list(rule.models)} for rule in found.rules],
            "calibration": {
                "target": fitted.target,
                "pass_at": fitted.pass_at,
                "features": [spec.name for spec in fitted.features],
                "signatures": dict(fitted.signatures),
                "data": asdict(fitted.report.data),
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
            "judge": None if self.judge is None else asdict(self.judge),
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
