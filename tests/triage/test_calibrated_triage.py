"""Triage with a calibration: what is decided, for whom, and when it is switched off."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from calibration_cases import only, world

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import Calibration
from edit_metrics.errors import TableError, UserError
from edit_metrics.ratings.progress import Progress
from edit_metrics.triage.automatic import Promise
from edit_metrics.triage.calibrated import DecisionOptions, triage_by_calibration
from edit_metrics.triage.costs import DecisionCosts, order_by_saving, order_by_uncertainty, residual_costs
from edit_metrics.triage.duplicates import duplicate_clusters
from edit_metrics.triage.lanes import Lane, Placement, Selection
from edit_metrics.triage.risk import Side
from edit_metrics.triage.statement import DecisionStatement
from edit_metrics.triage.uncalibrated import QueueOptions, Triage

FAIL_ONLY = DecisionOptions(Promise(0.1, 0.9, (Side.FAIL,)))


def said(outcome: Triage) -> DecisionStatement:
    assert outcome.statement.decisions is not None
    return outcome.statement.decisions


def lanes(outcome: Triage) -> dict[str, Placement]:
    return {item.id: item for item in outcome.placements}


def test_what_is_failed_is_mostly_what_people_fail(fitted: Calibration) -> None:
    frame, ratings = world(seed=9)
    outcome = triage_by_calibration(frame, fitted, QueueOptions(), FAIL_ONLY)
    failed = [item.id for item in outcome.placements if item.lane is Lane.AUTO_FAIL]
    means = ratings.item_means("adherence")["mean"]
    assert len(failed) > 60
    assert (means[failed] >= 0.5).mean() <= 0.13
    assert said(outcome).promise_in_words.startswith("With 90% confidence: at most 10.0%")
    assert not {item.id for item in outcome.queue} & set(failed)


def test_both_sides_share_the_error_probability(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    outcome = triage_by_calibration(frame, fitted, QueueOptions(), DecisionOptions(Promise(0.1, 0.9)))
    assert [rule.control.delta for rule in said(outcome).automation.rules] == pytest.approx([0.05, 0.05])
    assert {item.lane for item in outcome.placements} >= {Lane.AUTO_FAIL, Lane.AUTO_PASS, Lane.HUMAN, Lane.AUDIT}


def test_a_new_model_is_never_decided_and_the_output_says_so() -> None:
    frame, ratings = world()
    known = set(frame["id"][frame["model"] != "m5"])
    found = calibrate(frame, only(ratings, known, inclusion_prob=1.0), CalibrateOptions("adherence", n_resamples=20))
    outcome = triage_by_calibration(frame, found, QueueOptions(), FAIL_ONLY)
    by_id = lanes(outcome)
    new = [by_id[name] for name in frame["id"][frame["model"] == "m5"]]
    assert {item.lane for item in new} == {Lane.HUMAN, Lane.AUDIT}
    assert all("model_without_enough_random_ratings" in item.reasons for item in new)
    assert any(item.lane is Lane.AUTO_FAIL for item in outcome.placements)
    automation = said(outcome).automation
    assert automation.excluded == {"m5": 0}
    assert "m5 (0)" in automation.notes[0]


def test_without_random_ratings_nothing_is_decided() -> None:
    frame, ratings = world()
    prioritised = only(ratings, set(frame["id"][:300]))
    found = calibrate(frame, prioritised, CalibrateOptions("adherence", n_resamples=20))
    outcome = triage_by_calibration(frame, found, QueueOptions(), FAIL_ONLY)
    assert {item.lane for item in outcome.placements} == {Lane.HUMAN, Lane.AUDIT}
    assert said(outcome).promise_in_words == "none made"
    assert "nothing says that the calibration's ratings were drawn at random" in said(outcome).automation.notes[0]


def test_gates_come_before_any_decision(fitted: Calibration) -> None:
    frame, _ = world()
    frame["flags"] = ""
    frame.loc[:19, "flags"] = "unsafe"
    outcome = triage_by_calibration(frame, fitted, QueueOptions(), FAIL_ONLY)
    assert {lanes(outcome)[name].lane for name in frame["id"][:20]} == {Lane.UNSAFE}
    assert all(item.lane is Lane.UNSAFE for item in outcome.queue[:20])


def test_an_item_without_its_features_is_asked_about(fitted: Calibration) -> None:
    frame, _ = world()
    frame.loc[frame["good"].idxmin(), "bad"] = np.nan
    name = str(frame["id"][frame["good"].idxmin()])
    item = lanes(triage_by_calibration(frame, fitted, QueueOptions(audit=0), FAIL_ONLY))[name]
    assert item.lane is Lane.HUMAN
    assert item.reasons[0] == "missing:bad"
    assert item.p_pass is None


def test_the_queue_asks_where_most_is_saved_under_the_stated_costs(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    costs = DecisionCosts(wrong_fail=5.0)
    outcome = triage_by_calibration(frame, fitted, QueueOptions(audit=0), DecisionOptions(FAIL_ONLY.promise, costs))
    p_pass = np.array([item.p_pass for item in outcome.queue], dtype=float)
    savings = costs.expected_saving(p_pass)
    assert (np.diff(savings) <= 1e-12).all()
    assert all(item.selection is Selection.EXPECTED_SAVING for item in outcome.queue)


def test_near_duplicates_beyond_the_cap_go_to_the_end(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    outcome = triage_by_calibration(frame, fitted, QueueOptions(audit=0), FAIL_ONLY)
    first = [item.id for item in outcome.queue[:5]]
    frame["edited_phash"] = [f"{k * 2654435761 % 2**64:016x}" for k in range(len(frame))]
    frame.loc[frame["id"].isin(first), "edited_phash"] = ["00ff00ff00ff00ff", "00ff00ff00ff00fe"] * 2 + [
        "00ff00ff00ff00ff"
    ]
    capped = triage_by_calibration(frame, fitted, QueueOptions(audit=0), FAIL_ONLY)
    assert [item.id for item in capped.queue[:2]] == first[:2]
    assert {item.id for item in capped.queue[-3:]} == set(first[2:])
    assert all("near_duplicate" in item.reasons for item in capped.queue[-3:])


def test_hashes_within_four_bits_share_a_cluster() -> None:
    near = ["0000000000000000", "000000000000000f", "000000000000001f", None, "ffff000000000000", ""]
    assert duplicate_clusters(near) == [0, 0, 2, 3, 4, 5]


def test_rated_items_and_the_budget_hold_with_a_calibration_too(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    rated = frozenset(frame["id"][:50])
    outcome = triage_by_calibration(frame, fitted, QueueOptions(budget=40, rated=Progress(done=rated)), FAIL_ONLY)
    assert len(outcome.queue) == 40
    assert not rated & {item.id for item in outcome.queue}
    assert sum(item.selection is Selection.AUDIT for item in outcome.queue) <= 20


def test_an_order_of_ones_own_and_a_calibration_exclude_each_other(fitted: Calibration) -> None:
    with pytest.raises(TableError, match="order-by"):
        triage_by_calibration(world()[0], fitted, QueueOptions(order_by="good"), FAIL_ONLY)


def test_a_promise_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError, match="between 0 and 1"):
        Promise.parse(0.0, 0.95, "both")
    with pytest.raises(UserError, match="both, fail, pass or none"):
        Promise.parse(0.05, 0.95, "bothe")
    assert Promise.parse(0.05, 0.95, "both").delta == pytest.approx(0.025)


def test_residual_cost_falls_to_zero_and_asking_the_dear_ones_first_is_cheapest() -> None:
    cost = np.array([0.0, 5.0, 1.0, 0.0])
    assert residual_costs(np.array([1, 2, 0, 3]), cost).tolist() == [1.5, 0.25, 0.0, 0.0, 0.0]
    assert residual_costs(np.array([0, 3, 2, 1]), cost).tolist() == [1.5, 1.5, 1.5, 1.25, 0.0]


def test_equal_costs_ask_the_uncertain_first_and_unequal_ones_do_not() -> None:
    p_pass = np.array([0.02, 0.17, 0.5, 0.9])
    assert order_by_saving(p_pass, DecisionCosts()).tolist() == order_by_uncertainty(p_pass).tolist()
    assert order_by_saving(p_pass, DecisionCosts(wrong_fail=5.0)).tolist() == [1, 2, 0, 3]
    assert DecisionCosts(wrong_fail=5.0).decides_pass(p_pass).tolist() == [False, True, True, True]


def test_lanes_cover_every_item_once(fitted: Calibration) -> None:
    frame, _ = world(seed=9)
    outcome = triage_by_calibration(frame, fitted, QueueOptions(budget=30, audit=0.1), DecisionOptions())
    assert pd.Series([item.id for item in outcome.placements]).is_unique
    assert {item.id for item in outcome.placements} == set(frame["id"])
    assert sum(outcome.statement.queue.lanes.values()) == len(frame)
