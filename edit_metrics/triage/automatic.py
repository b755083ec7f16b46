"""Which items of a run a calibration may decide: risk control over eligible models, checked by the run's own audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.calibration.calibration import Calibration
from edit_metrics.calibration.predictor import Labels
from edit_metrics.choices import PromisedSides, choose
from edit_metrics.errors import TableError
from edit_metrics.triage.costs import AskingCosts
from edit_metrics.triage.drift import AuditRatings, Drift, drift_test
from edit_metrics.triage.mix import Stage, plan_stages
from edit_metrics.triage.policy_control import control_policies
from edit_metrics.triage.risk import Side, control_risk, fewest_decided
from edit_metrics.triage.rules import Decisions, Ranks, Rule, decide

_SIDES: Final = {
    PromisedSides.BOTH: (Side.FAIL, Side.PASS),
    PromisedSides.FAIL: (Side.FAIL,),
    PromisedSides.PASS: (Side.PASS,),
    PromisedSides.NONE: (),
}


@dataclass(frozen=True, slots=True)
class Promise:
    """What the user wants promised.

    Attributes:
        max_error: largest share of wrong decisions among the automatic ones, on each side.
        confidence: probability that all promised sides hold.
        sides: which decisions may be automatic.
    """

    max_error: float = 0.05
    confidence: float = 0.95
    sides: tuple[Side, ...] = (Side.FAIL, Side.PASS)

    @classmethod
    def parse(cls, max_error: float, confidence: float, sides: str) -> Promise:
        """From the command line.

        Raises:
            UserError: sides other than those of :class:`PromisedSides`, or numbers outside (0, 1).
        """
        promised = _SIDES[choose(PromisedSides, sides, "--promise")]
        fewest_decided(max_error, 1 - confidence)
        return cls(max_error, confidence, promised)

    @property
    def delta(self) -> float:
        """Error probability of one side: shared equally when both are promised."""
        return (1 - self.confidence) / max(len(self.sides), 1)


@dataclass(frozen=True, slots=True)
class DecidedModel:
    """What the calibration's random ratings say of one model under the rules; ``n_by_judge`` are among the decided."""

    side: Side
    model: str
    n_rated: int
    n_decided: int
    n_by_judge: int
    share_wrong: float


@dataclass(frozen=True, slots=True)
class Automation:
    """Automatic decisions of one run.

    Attributes:
        rules: per promised side, one for all eligible models or one for each.
        eligible: model → random ratings in the calibration, for models that may be decided automatically.
        excluded: model → random ratings, for models of the run that may not.
        n_min: fewest random ratings of a model.
        by_model: what the calibration's random ratings say of each eligible model under these rules.
        drift: None without audit ratings.
        notes: sentences for the user.
    """

    rules: tuple[Rule, ...]
    eligible: Mapping[str, int]
    excluded: Mapping[str, int]
    n_min: int
    by_model: tuple[DecidedModel, ...]
    drift: Drift | None
    notes: tuple[str, ...]

    @property
    def active(self) -> tuple[Rule, ...]:
        """The rules that decide: none where the audit switched decisions off."""
        if self.drift is not None and self.drift.drifted:
            return ()
        return tuple(rule for rule in self.rules if rule.control.decides_something)


def automate(
    calibration: Calibration,
    models: Labels,
    decidable: NDArray[np.bool_],
    promise: Promise,
    audit: AuditRatings | None,
    asking: AskingCosts | None = None,
) -> Automation:
    """Run risk control for the run's mix of models.

    Args:
        calibration: with its held-out, randomly selected ratings.
        models: of the run's items; empty strings where the table names none.
        decidable: which of them pass every gate.
        promise: what is to be promised.
        audit: ratings of the run's own audit slice; None when there are none.
        asking: what a call and a rating cost: metrics and judge are promised together; None: the metrics alone.

    Raises:
        TableError: prices for a judge whom the calibration does not know.
    """
    if asking is not None and calibration.judge is None:
        raise TableError(
            "a calibration that knows a judge, for --judge-cost",
            "one without: no judge answered about its rated items",
            "--calibration",
            "Join or ask the judge's answers about the rated items and run `edit-metrics calibrate --judge COLUMN`.",
        )
    n_min = fewest_decided(promise.max_error, promise.delta)
    random = random_rows(calibration)
    counts = random["model"].value_counts()
    present = {str(name): int(n) for name, n in pd.Series(models[decidable]).value_counts().items()}
    eligible = {name: int(counts[name]) for name in present if counts.get(name, 0) >= n_min}
    excluded = {name: int(counts.get(name, 0)) for name in present if name not in eligible}
    rows = random[random["model"].isin(list(eligible))]
    own_mix = {name: present[name] for name in eligible}
    stages = plan_stages(rows, own_mix, calibration.origin.models, promise.max_error, promise.delta)
    rules = tuple(rule for stage in stages for rule in _rules(stage, promise, asking, calibration.seed))
    drift = None
    if audit is not None:
        decided = decide(rules, Ranks(audit.rank, audit.judge_rank), models[audit.places])
        drift = drift_test(audit, {side: decided[side].together for side in promise.sides}, promise.max_error)
    found = Automation(rules, eligible, excluded, n_min, tuple(_by_model(rows, rules)), drift, ())
    return replace(found, notes=tuple(_notes(found, len(random), len(stages))))


def random_rows(calibration: Calibration) -> pd.DataFrame:
    """Held-out predictions of the randomly drawn items, model as text."""
    held_out = calibration.held_out
    random = held_out[held_out["inclusion_prob"].notna()]
    return random.assign(model=random["model"].fillna("").astype(str))


def _rules(stage: Stage, promise: Promise, asking: AskingCosts | None, seed: int) -> list[Rule]:
    delta = promise.delta * stage.share
    if asking is None:
        return [Rule(stage.models, control_risk(stage.sample, side, stage.alpha, delta)) for side in promise.sides]
    found = control_policies(stage.sample, promise.sides, stage.alpha, delta, asking.price, seed)
    return [Rule(stage.models, control) for control in found.values()]


def _ranks_of(rows: pd.DataFrame) -> Ranks:
    rank = rows["rank"].to_numpy(dtype=np.float64)
    if "judge_rank" not in rows:
        return Ranks.of_metrics(rank)
    return Ranks(rank, rows["judge_rank"].to_numpy(dtype=np.float64))


def _by_model(rows: pd.DataFrame, rules: Sequence[Rule]) -> list[DecidedModel]:
    models = rows["model"].to_numpy(dtype=object)
    passed = rows["passed"].to_numpy(dtype=np.float64)
    decisions: Decisions = decide(rules, _ranks_of(rows), models)
    found = []
    for side in dict.fromkeys(rule.control.side for rule in rules):
        tiers = decisions[side]
        wrong = passed if side is Side.FAIL else 1 - passed
        for model in sorted(set(models.astype(str).tolist())):
            own = models == model
            decided = own & tiers.together
            if decided.any():
                by_judge, share = int((own & tiers.judge).sum()), float(wrong[decided].mean())
                found.append(DecidedModel(side, model, int(own.sum()), int(decided.sum()), by_judge, share))
    return found


def _notes(found: Automation, n_random: int, n_stages: int) -> list[str]:
    notes = []
    if n_random == 0:
        notes.append(
            "no automatic decisions: nothing says that the calibration's ratings were drawn at random (import them "
            "with --queue TRIAGE_FOLDER, or calibrate with --ratings-are-random)"
        )
    elif found.excluded:
        named = ", ".join(f"{name or 'no model named'} ({n})" for name, n in found.excluded.items())
        notes.append(f"no automatic decisions for models with fewer than {found.n_min} random ratings: {named}")
    if n_stages > 1:
        notes.append("the mix of models is not that of the rated items: each model is decided by its own ratings")
    for side in dict.fromkeys(rule.control.side for rule in found.rules):
        own = [rule for rule in found.rules if rule.control.side is side]
        if not any(rule.control.decides_something for rule in own):
            reasons = "; ".join(dict.fromkeys(rule.control.reason for rule in own))
            notes.append(f"nothing is {'failed' if side is Side.FAIL else 'passed'} automatically: {reasons}")
    if found.drift is not None and found.drift.drifted:
        said = "; ".join(found.drift.reasons)
        notes.append(f"automatic decisions are switched off: the audit ratings contradict the calibration ({said})")
    return notes
