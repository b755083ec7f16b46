"""The audit's check: contradictions switch decisions off, and what it cannot see is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from calibration_cases import only, world
from scipy.stats import binom, binomtest

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import Calibration
from edit_metrics.ratings.draws import Draw
from edit_metrics.ratings.table import Ratings
from edit_metrics.triage.automatic import Promise
from edit_metrics.triage.calibrated import DecisionOptions, triage_by_calibration
from edit_metrics.triage.drift import AuditRatings, audit_ratings, drift_test
from edit_metrics.triage.lanes import Lane
from edit_metrics.triage.risk import Side
from edit_metrics.triage.uncalibrated import QueueOptions

FAIL_ONLY = DecisionOptions(Promise(0.1, 0.9, (Side.FAIL,)))


def audited(frame: pd.DataFrame, passed: np.ndarray, rows: np.ndarray) -> Ratings:
    """Ratings of those rows as one complete draw."""
    names = frame["id"].iloc[rows]
    table = pd.DataFrame({"id": names, "rater": "ann", "dimension": "adherence", "rating": passed})
    return Ratings(table.reset_index(drop=True), world()[1].scale, (Draw.of(frame["id"], names),))


def test_drifted_audit_ratings_switch_decisions_off(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    p_pass = fitted.score(frame).prediction.p_pass
    frame["id"] = "new" + frame["id"]
    rng = np.random.default_rng(0)
    rows = rng.choice(len(frame), 80, replace=False)
    as_predicted = (rng.uniform(size=80) < p_pass[rows]).astype(float)
    for passed, drifted in ((as_predicted, False), (np.ones(80), True)):
        outcome = triage_by_calibration(frame, fitted, QueueOptions(), FAIL_ONLY, audited(frame, passed, rows))
        decisions = outcome.statement.to_json()["automatic_decisions"]
        assert decisions["drift"]["drifted"] is drifted
        assert any(item.lane is Lane.AUTO_FAIL for item in outcome.placements) is not drifted
        assert (decisions["promise"] == "none made") is drifted


def test_the_observed_error_has_its_interval_and_the_number_that_would_find_double(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    frame["id"] = "new" + frame["id"]
    rows = np.argsort(fitted.score(frame).rank)[:120]
    passed = np.zeros(120)
    passed[:3] = 1.0
    outcome = triage_by_calibration(frame, fitted, QueueOptions(), FAIL_ONLY, audited(frame, passed, rows))
    assert outcome.statement.decisions is not None
    drift = outcome.statement.decisions.automation.drift
    assert drift is not None
    (error,) = drift.errors
    assert (error.share.hits, error.share.n) == (3, int(error.share.n))
    assert error.p_value == pytest.approx(binomtest(3, error.share.n, 0.1, alternative="greater").pvalue)
    # 89 decisions find 20 % where 10 % was promised, four times in five.
    assert error.n_for_double == 89
    assert error.n_audit_for_double == int(np.ceil(89 * 120 / error.share.n))


def test_items_rated_before_they_were_drawn_belong_to_the_audit() -> None:
    frame, ratings = world()
    ids = frame["id"].tolist()
    first, early = Draw.of(ids, ids[::3]), ids[1::3][:40]
    batch = replace(only(ratings, {*first.drawn, *early}), draws=(first,))
    found = calibrate(frame, batch, CalibrateOptions("adherence", n_resamples=20))
    second = Draw.of(ids, [*ids[::3][:20], *early[:15], *ids[2::3][:60]])
    later = replace(only(ratings, {*first.drawn, *early, *second.drawn}), draws=(first, second))
    audit = audit_ratings(later, found, frame, found.score(frame))
    assert audit is not None
    names = frame["id"].iloc[audit.places]
    assert set(names) == {*early[:15], *ids[2::3][:60]}
    held_out = found.held_out.set_index("id")["p_pass"]
    at = names.tolist().index(early[0])
    assert audit.p_pass[at] == held_out[early[0]] != found.score(frame).prediction.p_pass[audit.places[at]]


def test_ratings_without_a_draw_or_already_promised_upon_check_nothing(fitted: Calibration) -> None:
    frame, ratings = world(seed=9)
    scores = fitted.score(frame)
    assert audit_ratings(ratings, fitted, frame, scores) is None
    drawn = replace(ratings, draws=(Draw.of(frame["id"], frame["id"][::4]),))
    assert audit_ratings(drawn, fitted, frame, scores) is None
    renamed = frame.assign(id="new" + frame["id"])
    moved = ratings.frame.assign(id="new" + ratings.frame["id"])
    fresh = Ratings(moved, ratings.scale, (Draw.of(renamed["id"], renamed["id"][::4]),))
    found = audit_ratings(fresh, fitted, renamed, scores)
    assert found is not None
    assert len(found.passed) == len(renamed["id"][::4])


def test_few_audit_ratings_are_no_verdict() -> None:
    few = AuditRatings(np.zeros(19), np.zeros(19), np.zeros(19), np.arange(19), [str(k) for k in range(19)])
    assert drift_test(few, {Side.FAIL: np.ones(19, dtype=np.bool_)}, 0.05) is None


def test_an_error_three_times_the_promise_is_found_with_72_audited_items_more_often_than_before() -> None:
    # 45 of 72 audited items are decided; exact power of the binomial at its level.
    def power(level: float) -> float:
        fewest = next(k for k in range(46) if binom.sf(k - 1, 45, 0.05) < level)
        return float(binom.sf(fewest - 1, 45, 0.15))

    found = 0
    rng = np.random.default_rng(5)
    for _ in range(400):
        passed = (rng.uniform(size=72) < 0.15).astype(float)
        audit = AuditRatings(np.zeros(72), np.full(72, 0.15), passed, np.arange(72), [str(k) for k in range(72)])
        drift = drift_test(audit, {Side.FAIL: np.arange(72) < 45}, 0.05)
        assert drift is not None
        found += any("error above" in reason for reason in drift.reasons)
    assert found / 400 == pytest.approx(power(0.05), abs=0.06)
    assert power(0.05) > power(0.01) + 0.1
