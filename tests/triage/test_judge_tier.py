"""A judge between metrics and people: in the calibration, in the lanes, in the statement, on the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calibration_cases import world

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import Calibration, read_calibration, write_calibration
from edit_metrics.calibration.judge_tier import NOT_ASKED
from edit_metrics.cli import main
from edit_metrics.errors import TableError, UserError
from edit_metrics.triage.automatic import Promise
from edit_metrics.triage.calibrated import DecisionOptions, triage_by_calibration
from edit_metrics.triage.costs import AskingCosts
from edit_metrics.triage.lanes import Lane
from edit_metrics.triage.risk import Side
from edit_metrics.triage.uncalibrated import QueueOptions, Triage

JUDGED = CalibrateOptions("adherence", features="bad,noise", n_resamples=20, random=True, judge="good")
ASKED = DecisionOptions(Promise(0.1, 0.9, (Side.FAIL,)), asking=AskingCosts(0.01, 1.0))


@pytest.fixture(scope="module")
def judged() -> Calibration:
    frame, ratings = world(n_groups=120)
    return calibrate(frame, ratings, JUDGED)


def run(calibration: Calibration, frame: pd.DataFrame, audit: float = 0.05) -> Triage:
    return triage_by_calibration(frame, calibration, QueueOptions(audit=audit), ASKED)


def lanes(outcome: Triage) -> pd.Series[str]:
    return pd.Series({item.id: item.lane.value for item in outcome.placements})


def test_a_judge_has_ranks_of_his_own_and_is_no_feature(judged: Calibration, tmp_path: Path) -> None:
    assert judged.judge is not None
    assert [spec.name for spec in judged.judge.features] == ["good"]
    assert "good" not in [spec.name for spec in judged.features]
    assert {"judge_rank", "judge_p_pass"} <= set(judged.held_out)
    write_calibration(judged, tmp_path / "c.json")
    again = read_calibration(tmp_path / "c.json")
    assert again.judge == judged.judge
    pd.testing.assert_frame_equal(again.held_out, judged.held_out, check_dtype=False)


def test_a_judge_who_did_not_see_every_random_item_is_refused_or_left_out() -> None:
    frame, ratings = world()
    frame = frame.rename(columns={"good": "adherence.judge"})
    frame["adherence.judge.reason"] = ""
    options = CalibrateOptions("adherence", features="bad", n_resamples=20, random=True)
    assert calibrate(frame, ratings, options).judge is not None
    frame.loc[:9, ["adherence.judge", "adherence.judge.reason"]] = [np.nan, NOT_ASKED]
    assert calibrate(frame, ratings, options).judge is None
    named = CalibrateOptions("adherence", features="bad", n_resamples=20, random=True, judge="adherence.judge")
    with pytest.raises(TableError, match="10 not asked"):
        calibrate(frame, ratings, named)
    # No number for another reason is an answer: the policy sends such items to people.
    frame.loc[:9, "adherence.judge.reason"] = "judge_refused"
    found = calibrate(frame, ratings, named)
    assert found.held_out["judge_rank"].isna().sum() == 10


def test_a_column_is_the_judge_s_or_the_metrics() -> None:
    frame, ratings = world()
    with pytest.raises(TableError, match="good of the judge"):
        calibrate(frame, ratings, CalibrateOptions("adherence", features="good", judge="good"))
    with pytest.raises(TableError, match=r"'god'.*--judge.*Did you mean 'good'"):
        calibrate(frame, ratings, CalibrateOptions("adherence", judge="god"))


def test_what_a_judge_answers_is_a_feature_only_where_the_user_names_it() -> None:
    frame, ratings = world()
    frame = frame.rename(columns={"good": "adherence.judge"})
    frame["judge.viescore"] = frame["adherence.judge"]
    default = calibrate(frame, ratings, CalibrateOptions("adherence", n_resamples=20, random=True))
    assert not {"adherence.judge", "judge.viescore"} & {spec.name for spec in default.features}
    named = CalibrateOptions("adherence", features="adherence.judge,bad", n_resamples=20, random=True)
    assert calibrate(frame, ratings, named).judge is None


def test_first_the_metrics_then_the_judge_then_people(judged: Calibration) -> None:
    frame, ratings = world(n_groups=120, seed=9)
    before = run(judged, frame.drop(columns="good"))
    said = before.statement.decisions
    assert said is not None
    assert said.judge is not None
    first = lanes(before)
    asked = {one.id for one in before.to_judge if one.why == "open"}
    assert asked >= set(first.index[first == Lane.JUDGE])
    assert said.judge.calls_left == said.judge.calls_needed == len(asked)
    assert said.judge.calls_needed + said.judge.calls_saved == len(frame)
    assert said.judge.cost_left == pytest.approx(0.01 * len(asked))
    assert not any(item.lane is Lane.JUDGE for item in before.queue)

    after = run(judged, frame)
    second = lanes(after)
    assert not (second == Lane.JUDGE).any()
    by_metrics = first.index[first == Lane.AUTO_FAIL]
    assert (second[by_metrics] == Lane.AUTO_FAIL).all()
    by_judge = [item.id for item in after.placements if "decided_by_judge" in item.reasons]
    assert len(by_judge) > 20
    assert not set(by_judge) & set(by_metrics)
    means = ratings.item_means("adherence")["mean"]
    assert (means[by_judge] >= 0.5).mean() < 0.13
    done = after.statement.decisions
    assert done is not None
    assert done.judge is not None
    assert done.judge.calls_left == 0
    assert sum(one.by_judge for one in done.judge.by_model) >= len(by_judge)
    assert "for what the metrics decide and for what the judge decides" in done.promise_in_words
    assert done.to_json()["sides"][0]["chosen"]["risks"][-1]["tier"] == "together"


def test_a_judge_who_was_asked_about_some_decides_nothing_yet(judged: Calibration) -> None:
    frame, _ = world(n_groups=120, seed=9)
    whole = run(judged, frame, audit=0)
    frame.loc[frame.index % 3 == 0, "good"] = np.nan
    part = run(judged, frame, audit=0)
    assert any("decided_by_judge" in item.reasons for item in whole.placements)
    assert not any("decided_by_judge" in item.reasons for item in part.placements)
    assert part.to_judge
    frame["good.reason"] = np.where(frame["good"].isna(), "judge_unparsable", "")
    told = run(judged, frame, audit=0)
    assert any("decided_by_judge" in item.reasons for item in told.placements)
    silent = set(frame["id"][frame["good"].isna()])
    assert not [item.id for item in told.placements if "decided_by_judge" in item.reasons and item.id in silent]
    assert not told.to_judge


def test_the_audit_s_items_are_asked_about_whatever_was_decided(judged: Calibration) -> None:
    frame, _ = world(n_groups=120, seed=9)
    outcome = run(judged, frame.drop(columns="good"), audit=0.3)
    drawn = {item.id for item in outcome.placements if item.inclusion_prob is not None}
    assert drawn <= {one.id for one in outcome.to_judge}
    assert {one.why for one in outcome.to_judge} == {"open", "audit"}
    assert len({one.id for one in outcome.to_judge}) == len(outcome.to_judge)


def test_without_prices_the_metrics_decide_alone_and_prices_need_a_judge(judged: Calibration) -> None:
    frame, _ = world(n_groups=120, seed=9)
    alone = triage_by_calibration(frame, judged, QueueOptions(), DecisionOptions(ASKED.promise))
    assert alone.statement.decisions is not None
    assert alone.statement.decisions.judge is None
    assert not alone.to_judge
    blind = calibrate(*world(), CalibrateOptions("adherence", n_resamples=20, random=True))
    assert blind.judge is None
    with pytest.raises(TableError, match="calibrate --judge COLUMN"):
        triage_by_calibration(frame, blind, QueueOptions(), ASKED)
    with pytest.raises(UserError, match="together"):
        AskingCosts.parse(1.0, None)
    with pytest.raises(UserError, match="0 or more"):
        AskingCosts.parse(-1.0, 1.0)
    assert AskingCosts.parse(None, None) is None


def test_the_verbs_end_to_end(
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
    frame, ratings = world(n_groups=120)
    frame.drop(columns="good").to_csv("scores.csv", index=False)
    frame[["id", "good"]].to_csv("judge.csv", index=False)
    ratings.frame.to_csv("ratings.csv", index=False)
    about = ("scores.csv", "--ratings", "ratings.csv", "--target", "adherence", "--join", "judge.csv")
    assert verb("calibrate", *about, "--judge", "good", "--ratings-are-random", "--out", "c.json") == 0
    place = ("triage", "scores.csv", "--calibration", "c.json", "--max-error", "0.1", "--promise", "fail")
    prices = ("--judge-cost", "0.01", "--rating-cost", "1")
    capsys.readouterr()
    assert verb(*place, *prices, "--out", "first") == 0
    assert "all of them: judge_queue.csv" in " ".join(capsys.readouterr().err.split())
    asked = pd.read_csv("first/judge_queue.csv")
    assert set(asked["why"]) <= {"open", "audit"}
    assert verb(*place, *prices, "--join", "judge.csv", "--out", "first", "--json") == 0
    said = json.loads(capsys.readouterr().out)["automatic_decisions"]
    assert said["judge"]["calls_left"] == 0
    assert said["judge"]["costs"] == {"judge": 0.01, "rating": 1.0}
    assert not Path("first/judge_queue.csv").exists()
    assert Path("first/plots/risk_coverage.png").is_file()
    assert verb(*place, "--judge-cost", "1", "--out", "x") == 2
    assert verb("triage", "scores.csv", *prices, "--out", "x") == 2
    assert verb(*place, "--out", "x") == 0
    assert "the calibration knows a judge" in " ".join(capsys.readouterr().err.split())
