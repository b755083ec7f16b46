"""How many random ratings, until what, at what price: the planner of the next batch."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calibration_cases import only, world

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import Calibration
from edit_metrics.cli import main
from edit_metrics.ratings.draws import Draw
from edit_metrics.ratings.progress import Progress
from edit_metrics.triage.automatic import Promise
from edit_metrics.triage.planning import Asking, draw_for_model, plan_ratings, side_plan
from edit_metrics.triage.rating_plan import words
from edit_metrics.triage.risk import RiskSample, Side, control_risk

FAIL = Promise(0.1, 0.9, (Side.FAIL,))


def test_a_draw_holds_enough_items_of_a_model_four_times_in_five() -> None:
    n = draw_for_model(1000, 200, 60)
    assert n is not None
    rng = np.random.default_rng(0)
    hits = [(rng.choice(1000, n, replace=False) < 200).sum() >= 60 for _ in range(400)]
    assert 0.74 < np.mean(hits) < 0.9
    assert draw_for_model(1000, 59, 60) is None


def drawn(n: int, seed: int) -> RiskSample:
    """The lowest third of the ranks is wrong in 1 %."""
    rng = np.random.default_rng(seed)
    rank = rng.uniform(size=n)
    return RiskSample(rank, (rng.uniform(size=n) < np.where(rank < 1 / 3, 0.01, 0.6)).astype(float), np.arange(n))


def test_what_a_side_needs_is_about_what_it_takes() -> None:
    promise = Promise(0.1, 0.95, (Side.FAIL,))
    found = [side_plan(drawn(300, seed), Side.FAIL, promise, 3000).draw for seed in range(5)]
    n = int(np.median([one for one in found if one is not None]))
    assert 60 < n < 300

    def shown(size: int) -> float:
        draws = [control_risk(drawn(size, 1000 + k), Side.FAIL, 0.1, 0.05).decides_something for k in range(100)]
        return float(np.mean(draws))

    assert shown(n) > 0.6
    assert shown(n // 3) < shown(n) - 0.2


def test_where_nothing_can_be_shown_no_number_is_named() -> None:
    rng = np.random.default_rng(1)
    noise = RiskSample(rng.uniform(size=400), (rng.uniform(size=400) < 0.5).astype(float), np.arange(400))
    found = side_plan(noise, Side.PASS, Promise(0.1, 0.95, (Side.PASS,)), 2000)
    assert found.draw is None
    assert found.limit == 2000
    (lowest,) = found.lowest
    assert lowest.n_wrong / lowest.n_decided > 0.1


def test_before_the_first_batch_a_calibration_needs_its_minimum() -> None:
    frame, _ = world()
    plan = plan_ratings(frame, "", FAIL, Asking(overlap=2, dimensions=3, rating_cost=0.5))
    assert plan.random == 0
    assert plan.target == max(150, min(one.draw for one in plan.models if one.draw))
    assert plan.audit == pytest.approx(plan.target / len(frame), abs=0.001)
    assert plan.ratings == plan.target * 2 * 3
    assert plan.cost == pytest.approx(plan.ratings * 0.5)
    assert plan.hours is None
    assert "--exclude-rated" not in words(plan, 0.1)[-1]


def test_draws_that_are_half_done_and_missing_raters_come_first() -> None:
    frame, ratings = world()
    ids = frame["id"].tolist()
    done = only(ratings, set(ids[:40]), seconds=30.0)
    started = replace(done, draws=(Draw.of(ids, ids[:60]),))
    plan = plan_ratings(frame, "adherence", FAIL, Asking(), ratings=started, progress=Progress(missing={"i0001": 2}))
    # A draw that is not complete counts for nothing yet.
    assert (plan.random, plan.unfinished, plan.missing) == (0, 20, 2)
    assert words(plan, 0.1)[0].startswith("Finish the draws first: 20")
    assert plan.seconds == 30
    assert plan.hours == pytest.approx(plan.ratings * 30 / 3600)
    complete = replace(done, draws=(Draw.of(ids, ids[:40]),))
    after = plan_ratings(frame, "adherence", FAIL, Asking(), ratings=complete)
    assert (after.random, after.unfinished) == (40, 0)
    # 110 more of the 380 that are left.
    assert after.target == 150
    assert after.audit == pytest.approx(110 / 380, abs=0.001)
    assert after.ratings == 110


def test_with_a_calibration_the_errors_that_it_shows_decide(fitted: Calibration) -> None:
    frame, _ = world()
    plan = plan_ratings(frame, "adherence", FAIL, Asking(), calibration=fitted)
    (side,) = plan.sides
    assert side.draw is not None
    assert plan.target is not None
    assert plan.target >= side.draw
    hopeless = plan_ratings(frame, "adherence", Promise(0.0001, 0.9, (Side.FAIL,)), Asking(), calibration=fitted)
    assert hopeless.target is None
    assert "No automatic decision is in reach" in words(hopeless, 0.0001)[-1]


def test_a_judge_is_planned_for_when_a_call_has_a_price() -> None:
    frame, ratings = world(n_groups=120)
    options = CalibrateOptions("adherence", features="noise", n_resamples=20, random=True, judge="good")
    found = calibrate(frame, ratings, options)
    (alone,) = plan_ratings(frame, "adherence", FAIL, Asking(), calibration=found).sides
    asking = Asking(rating_cost=1.0, judge_cost=0.01)
    (together,) = plan_ratings(frame, "adherence", FAIL, asking, calibration=found).sides
    assert [one.tier for one in alone.lowest] == ["metrics"]
    assert [one.tier for one in together.lowest] == ["metrics", "judge"]
    assert alone.draw is None
    assert together.draw is not None


def test_the_verb_says_hours_and_money(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["edit-metrics", *map(str, words)])
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0)
        return 0

    monkeypatch.chdir(tmp_path)
    frame, ratings = world()
    frame.to_csv("scores.csv", index=False)
    ratings.frame[:100].assign(seconds=20.0, inclusion_prob=0.1).to_csv("ratings.csv", index=False)
    about = ("ratings", "plan", "scores.csv", "--target", "adherence", "--rated", "ratings.csv")
    assert verb(*about, "--rating-cost", "0.25", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["random"] == 50
    assert said["hours"] == pytest.approx(said["ratings"] * 20 / 3600)
    assert said["cost"] == pytest.approx(said["ratings"] * 0.25)
    assert {one["model"] for one in said["models"]} == set(pd.unique(frame["model"]))
    assert verb(*about) == 0
    assert "hours at 20 s" in " ".join(capsys.readouterr().err.split())
