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
from edit_metrics.triage.drift import AuditRatings, Drift, drift_test
from edit_metrics.triage.mix import Stage, plan_stages
from edit_metrics.triage.risk import Control, Side, control_risk, fewest_decided
from edit_metrics.types import Float64

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
class Rule:
    """Risk control for the items of some models: all eligible ones, or one where the mix of models differs."""

    models: tuple[str, ...]
    control: Control

    def decides(self, side: Side, rank: Float64, models: Labels) -> NDArray[np.bool_]:
        """Which items are decided on that side: of these models, rank beyond the threshold."""
        if self.control.side is not side:
            return np.zeros(len(rank), dtype=np.bool_)
        return np.isin(models.astype(str), self.models) & self.control.decides(rank)


@dataclass(frozen=True, slots=True)
class DecidedModel:
    """What the calibration's random ratings say of one model under a rule."""

    side: Side
    model: str
    n_decided: int
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

    def decides(self, side: Side, rank: Float64, models: Labels, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which items are decided on that side: usable prediction, eligible model, rank beyond the threshold."""
        if self.drift is not None and self.drift.drifted:
            return np.zeros(len(rank), dtype=np.bool_)
        return usable & decided_by(self.rules, side, rank, models)


def automate(
    calibration: Calibration,
    models: Labels,
    decidable: NDArray[np.bool_],
    promise: Promise,
    audit: AuditRatings | None,
) -> Automation:
    """Run risk control for the run's mix of models.

    Args:
        calibration: with its held-out, randomly selected ratings.
        models: of the run's items; empty strings where the table names none.
        decidable: which of them pass every gate.
        promise: what is to be promised.
        audit: ratings of the run's own audit slice; None when there are none.
    """
    n_min = fewest_decided(promise.max_error, promise.delta)
    random = random_rows(calibration)
    counts = random["model"].value_counts()
    present = {str(name): int(n) for name, n in pd.Series(models[decidable]).value_counts().items()}
    eligible = {name: int(counts[name]) for name in present if counts.get(name, 0) >= n_min}
    excluded = {name: int(counts.get(name, 0)) for name in present if name not in eligible}
    rows = random[random["model"].isin(list(eligible))]
    own_mix = {name: present[name] for name in eligible}
    stages = plan_stages(rows, own_mix, calibration.origin.models, promise.max_error, promise.delta)
    rules = tuple(_rule(stage, side, promise) for side in promise.sides for stage in stages)
    drift = None
    if audit is not None:
        own = models[audit.places]
        decided = {side: decided_by(rules, side, audit.rank, own) for side in promise.sides}
        drift = drift_test(audit, decided, promise.max_error)
    found = Automation(rules, eligible, excluded, n_min, tuple(_by_model(rows, rules)), drift, ())
    return replace(found, notes=tuple(_notes(found, len(random), len(stages))))


def random_rows(calibration: Calibration) -> pd.DataFrame:
    """Held-out predictions of the randomly drawn items, model as text."""
    held_out = calibration.held_out
    random = held_out[held_out["inclusion_prob"].notna()]
    return random.assign(model=random["model"].fillna("").astype(str))


def decided_by(rules: Sequence[Rule], side: Side, rank: Float64, models: Labels) -> NDArray[np.bool_]:
    """Which items any of the rules decides on that side."""
    decided = np.zeros(len(rank), dtype=np.bool_)
    for rule in rules:
        decided |= rule.decides(side, rank, models)
    return decided


def _rule(stage: Stage, side: Side, promise: Promise) -> Rule:
    return Rule(stage.models, control_risk(stage.sample, side, stage.alpha, promise.delta * stage.share))


def _by_model(rows: pd.DataFrame, rules: Sequence[Rule]) -> list[DecidedModel]:
    rank, models = rows["rank"].to_numpy(dtype=np.float64), rows["model"].to_numpy(dtype=object)
    found = []
    for side in dict.fromkeys(rule.control.side for rule in rules):
        decided = rows[decided_by(rules, side, rank, models)]
        for model, part in decided.groupby("model", sort=True):
            wrong = part["passed"] if side is Side.FAIL else 1 - part["passed"]
            found.append(DecidedModel(side, str(model), len(part), float(wrong.mean())))
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
        if all(rule.control.threshold is None for rule in own):
            reasons = "; ".join(dict.fromkeys(rule.control.reason for rule in own))
            notes.append(f"nothing is {'failed' if side is Side.FAIL else 'passed'} automatically: {reasons}")
    if found.drift is not None and found.drift.drifted:
        said = "; ".join(found.drift.reasons)
        notes.append(f"automatic decisions are switched off: the audit ratings contradict the calibration ({said})")
    return notes
