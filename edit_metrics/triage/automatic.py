"""Which items of a run a calibration may decide: risk control, eligible models, drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from edit_metrics.calibration.calibration import Calibration
from edit_metrics.calibration.evaluation import passes
from edit_metrics.calibration.predictor import Labels
from edit_metrics.choices import PromisedSides, choose
from edit_metrics.ratings.table import Ratings
from edit_metrics.stats import cluster_t_test
from edit_metrics.triage.risk import Control, RiskSample, Side, control_risk, fewest_decided
from edit_metrics.types import Float64

DRIFT_LEVEL: Final = 0.01
"""Level of each drift test; low, because every triage run repeats them."""
MIN_DRIFT_ITEMS: Final = 20
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
class AuditRatings:
    """Ratings of randomly drawn items of the run that is being triaged, for the drift test."""

    ids: Sequence[str]
    passed: Float64
    groups: Sequence[str]


@dataclass(frozen=True, slots=True)
class Drift:
    """Do the audit ratings contradict the calibration?

    Attributes:
        n_items: audit ratings that it rests on.
        tests: name → p-value.
        drifted: one of them is below ``DRIFT_LEVEL``.
    """

    n_items: int
    tests: Mapping[str, float]
    drifted: bool


@dataclass(frozen=True, slots=True)
class Automation:
    """Automatic decisions of one run.

    Attributes:
        controls: per promised side.
        eligible: model → random ratings in the calibration, for models that may be decided automatically.
        excluded: model → random ratings, for models of the run that may not.
        n_min: fewest random ratings of a model.
        by_model: what the calibration's random ratings say of each eligible model under these thresholds.
        drift: None without audit ratings.
        notes: sentences for the user.
    """

    controls: tuple[Control, ...]
    eligible: Mapping[str, int]
    excluded: Mapping[str, int]
    n_min: int
    by_model: tuple[Mapping[str, Any], ...]
    drift: Drift | None
    notes: tuple[str, ...]

    def decides(self, side: Side, rank: Float64, models: Labels, usable: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which items are decided on that side: usable prediction, eligible model, rank beyond the threshold."""
        allowed = usable & np.isin(models.astype(str), list(self.eligible))
        if self.drift is not None and self.drift.drifted:
            allowed = np.zeros_like(allowed)
        for control in self.controls:
            if control.side is side:
                return np.asarray(allowed & control.decides(rank))
        return np.zeros_like(allowed)


def automate(
    calibration: Calibration, models: Labels, promise: Promise, audit: AuditRatings | None, scores: Mapping[str, Any]
) -> Automation:
    """Run risk control for the run's mix of models.

    Args:
        calibration: with its held-out, randomly selected ratings.
        models: of the run's items; empty strings where the table names none.
        promise: what is to be promised.
        audit: ratings of the run's own audit slice; None when there are none.
        scores: id → (rank, P(pass)) of the run's items, for the drift test.
    """
    n_min = fewest_decided(promise.max_error, promise.delta)
    held_out = calibration.held_out
    random = held_out[held_out["inclusion_prob"].notna()]
    random = random.assign(model=random["model"].fillna("").astype(str))
    counts = random["model"].value_counts()
    present = pd.Series(models.astype(str)).value_counts()
    eligible = {str(name): int(counts[name]) for name in present.index if counts.get(name, 0) >= n_min}
    excluded = {str(name): int(counts.get(name, 0)) for name in present.index if str(name) not in eligible}
    sample_rows = random[random["model"].isin(list(eligible))]
    sample = risk_sample(sample_rows, present)
    controls = tuple(control_risk(sample, side, promise.max_error, promise.delta) for side in promise.sides)
    drift = None if audit is None else drift_test(audit, scores, controls, promise)
    return Automation(
        controls,
        eligible,
        excluded,
        n_min,
        tuple(_by_model(sample_rows, controls)),
        drift,
        tuple(_notes(len(random), eligible, excluded, n_min, controls, drift)),
    )


def audit_ratings(ratings: Ratings, calibration: Calibration, frame: pd.DataFrame) -> AuditRatings | None:
    """Randomly drawn ratings of the run's items that the calibration was not fitted on; None when there are none."""
    if calibration.target not in ratings.dimensions:
        return None
    means = ratings.item_means(calibration.target)
    fresh = means[means["inclusion_prob"].notna() & ~means.index.isin(set(calibration.held_out["id"]))]
    fresh = fresh[fresh.index.isin(set(frame["id"]))]
    if fresh.empty:
        return None
    group_of = dict(zip(frame["id"], frame["group"] if "group" in frame else frame["id"], strict=True))
    ids = [str(name) for name in fresh.index]
    passed = passes(fresh["mean"].to_numpy(dtype=np.float64), calibration.pass_at)
    return AuditRatings(ids, passed, [str(group_of[name]) for name in ids])


def risk_sample(rows: pd.DataFrame, present: pd.Series[int]) -> RiskSample:
    """Random ratings, weighted to the run's mix of models (post-stratification) and by how they were drawn.

    With equal probabilities and the calibration's own mix every weight is 1.
    """
    drawn = 1.0 / rows["inclusion_prob"].to_numpy(dtype=np.float64)
    models = rows["model"]
    here = models.map(present).to_numpy(dtype=np.float64)
    there = pd.Series(drawn, index=rows.index).groupby(models).transform("sum").to_numpy(dtype=np.float64)
    weights = drawn * here / there
    scale = weights.mean() if len(weights) else 1.0
    return RiskSample(
        rows["rank"].to_numpy(dtype=np.float64),
        rows["passed"].to_numpy(dtype=np.float64),
        rows["group"].astype(str).to_numpy(dtype=object),
        np.round(weights / scale, 12),
    )


def drift_test(
    audit: AuditRatings, scores: Mapping[str, Any], controls: Sequence[Control], promise: Promise
) -> Drift | None:
    """Test the run's own audit ratings against the calibration.

    Two questions: is the mean of passed − P(pass) zero (clustered t-test), and is the share of wrong decisions beyond
    each threshold above the promise (exact binomial)? None below ``MIN_DRIFT_ITEMS`` items.
    """
    known = [index for index, name in enumerate(audit.ids) if name in scores]
    if len(known) < MIN_DRIFT_ITEMS:
        return None
    rank = np.array([scores[audit.ids[index]][0] for index in known])
    p_pass = np.array([scores[audit.ids[index]][1] for index in known])
    passed = audit.passed[known]
    groups = [audit.groups[index] for index in known]
    tests = {}
    if len(set(groups)) > 1:
        tests["mean_of_passed_minus_p_pass"] = cluster_t_test(passed - p_pass, groups, weighting="items").p_value
    for control in controls:
        decided = control.decides(rank)
        wrong = passed[decided] if control.side is Side.FAIL else 1 - passed[decided]
        if decided.any():
            p_value = float(binom.sf(wrong.sum() - 1, decided.sum(), promise.max_error))
            tests[f"auto_{control.side}_error_above_promise"] = p_value
    return Drift(len(known), tests, any(p < DRIFT_LEVEL for p in tests.values()))


def _by_model(rows: pd.DataFrame, controls: Sequence[Control]) -> list[dict[str, Any]]:
    found = []
    for control in controls:
        decided = rows[control.decides(rows["rank"].to_numpy(dtype=np.float64))]
        for model, part in decided.groupby("model", sort=True):
            wrong = part["passed"] if control.side is Side.FAIL else 1 - part["passed"]
            share = float(wrong.mean())
            found.append(
                {"side": control.side.value, "model": str(model), "n_decided": len(part), "share_wrong": share}
            )
    return found


def _notes(
    n_random: int,
    eligible: Mapping[str, int],
    excluded: Mapping[str, int],
    n_min: int,
    controls: Sequence[Control],
    drift: Drift | None,
) -> list[str]:
    notes = []
    if n_random == 0:
        notes.append("no automatic decisions: the calibration holds no randomly selected ratings")
    elif excluded:
        named = ", ".join(f"{name or 'no model named'} ({n})" for name, n in excluded.items())
        notes.append(f"no automatic decisions for models with fewer than {n_min} random ratings: {named}")
    for control in controls:
        if eligible and control.threshold is None:
            notes.append(
                f"nothing is {'failed' if control.side is Side.FAIL else 'passed'} automatically: {control.reason}"
            )
    if drift is not None and drift.drifted:
        low = ", ".join(f"{name} p = {p:.4f}" for name, p in drift.tests.items() if p < DRIFT_LEVEL)
        notes.append(f"automatic decisions are switched off: the audit ratings contradict the calibration ({low})")
    return notes
