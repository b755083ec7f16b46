"""Calibrate: honest held-out numbers, refusals, and a file that says what it was fitted on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from calibration_cases import only, world
from scipy.stats import kendalltau, pearsonr, rankdata, spearmanr
from sklearn.metrics import brier_score_loss, roc_auc_score

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import (
    Calibration,
    check_signatures,
    feature_signatures,
    read_calibration,
    write_calibration,
)
from edit_metrics.calibration.evaluation import (
    auroc,
    brier,
    expected_calibration_error,
    kendall,
    mean_ranks,
    plcc,
    spearman,
)
from edit_metrics.calibration.fitting import choose_recipe
from edit_metrics.calibration.joining import join_table
from edit_metrics.calibration.predictor import Recipe
from edit_metrics.calibration.report import QualityReport
from edit_metrics.errors import NotEnoughDataError, SignatureError, TableError
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.signatures import Signature


def test_the_statistics_equal_scipys_and_scikit_learns(rng: np.random.Generator) -> None:
    x = np.round(rng.uniform(size=200), 1)
    y = (rng.uniform(size=200) < x).astype(float)
    z = np.round(x + rng.normal(0, 0.3, 200), 1)
    assert auroc(x, y) == pytest.approx(roc_auc_score(y, x))
    assert brier(x, y) == pytest.approx(brier_score_loss(y, x))
    assert spearman(x, z) == pytest.approx(spearmanr(x, z).statistic)
    assert kendall(x, z) == pytest.approx(kendalltau(x, z).statistic)
    assert kendall(np.tile(x, 2), np.tile(z, 2)) == kendalltau(np.tile(x, 2), np.tile(z, 2)).statistic
    assert mean_ranks(z).tolist() == rankdata(z).tolist()
    assert np.isnan(spearman(np.append(x, np.nan), np.append(z, 1.0)))
    assert plcc(x, z) == pytest.approx(pearsonr(x, z).statistic)
    assert np.isnan(auroc(x, np.ones(200)))


def test_a_hand_worked_calibration_error() -> None:
    # Ten items, ten bins of one: |p − y| averaged.
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1, 1.0])
    assert expected_calibration_error(p, y) == pytest.approx((0.1 + 0.2 + 0.3 + 0.4 + 0.5 + 0.4 + 0.3 + 0.2 + 0.1) / 10)


def test_the_fit_beats_its_best_column_and_ignores_the_model_name(fitted: Calibration) -> None:
    report = fitted.report.to_json()
    assert QualityReport.from_json(report) == fitted.report
    assert report["chosen"]["p_pass"].endswith("(good + bad)")
    assert report["chosen"]["held_out"]["auroc"]["value"] > report["best_single_metric"]["auroc"]["value"]
    assert {spec.name for spec in fitted.features} == {"good", "bad"}
    assert set(report["chosen"]["leave_one_model_out"]) == {"auroc", "brier", "ece", "spearman", "kendall", "plcc"}
    assert [row["model"] for row in report["by_model"]] == [f"m{k}" for k in range(6)]
    interval = report["chosen"]["held_out"]["auroc"]
    assert interval["low"] < interval["value"] < interval["high"]


def test_held_out_quality_is_what_new_items_show(fitted: Calibration) -> None:
    frame, ratings = world(seed=4)
    means = ratings.item_means("adherence").loc[frame["id"].tolist(), "mean"].to_numpy()
    prediction = fitted.score(frame).prediction
    fresh = auroc(prediction.p_pass, (means >= 0.5).astype(float))
    assert fitted.report.to_json()["chosen"]["held_out"]["auroc"]["value"] == pytest.approx(fresh, abs=0.05)


def test_pure_noise_looks_like_noise_held_out() -> None:
    frame, ratings = world()
    found = calibrate(frame, ratings, CalibrateOptions("adherence", features="noise", n_resamples=20))
    assert found.report.to_json()["chosen"]["held_out"]["auroc"]["value"] == pytest.approx(0.5, abs=0.08)


def test_the_file_gives_back_the_same_calibration(fitted: Calibration, tmp_path: Path) -> None:
    frame, _ = world()
    write_calibration(fitted, tmp_path / "c.json")
    back = read_calibration(tmp_path / "c.json")
    np.testing.assert_array_equal(back.score(frame).rank, fitted.score(frame).rank)
    pd.testing.assert_frame_equal(back.held_out, fitted.held_out, check_dtype=False)
    assert (back.features, back.recipes, back.scale) == (fitted.features, fitted.recipes, fitted.scale)


@pytest.mark.parametrize("change", [{"version": 99}, {"format": "something"}, {"predictor": {}}])
def test_another_version_or_a_broken_file_is_refused(
    fitted: Calibration, tmp_path: Path, change: dict[str, Any]
) -> None:
    write_calibration(fitted, tmp_path / "c.json")
    record = json.loads((tmp_path / "c.json").read_text())
    (tmp_path / "c.json").write_text(json.dumps(record | change))
    with pytest.raises(TableError):
        read_calibration(tmp_path / "c.json")


def run_info(hash_: str) -> RunInfo:
    return RunInfo(score_signature={"quality": Signature(sha256=hash_)})


def test_scores_of_another_definition_are_refused_and_unsigned_ones_warn() -> None:
    frame, ratings = world()
    signed = frame.rename(columns={"good": "quality.good", "bad": "quality.bad"})
    options = CalibrateOptions("adherence", features="quality.good:+,quality.bad:-", n_resamples=20)
    found = calibrate(signed, ratings, options, run_info("abc"))
    assert found.signatures == {"quality": "abc"}
    assert check_signatures(found, run_info("abc")) == []
    with pytest.raises(SignatureError, match="quality scores"):
        check_signatures(found, run_info("def"))
    assert "unsigned" in check_signatures(found, None)[0]


def test_a_judge_asked_later_changes_no_metric_s_definition_and_a_curve_changes_the_pre_score_s() -> None:
    metric, curve, judge = {"metrics": {"blur": 1}}, {"section": {"cap": 0.5}}, {"judge": {"model": "a"}}

    def signed(*parts: dict[str, object]) -> RunInfo:
        whole = {name: value for part in parts for name, value in part.items()}
        return RunInfo(score_signature={"quality": Signature.of(whole)})

    def hashes(feature: str, *parts: dict[str, object]) -> dict[str, str]:
        return feature_signatures([feature], signed(*parts))

    before = hashes("quality.blur_delta", metric, curve)
    assert before == hashes("quality.blur_delta", metric, {"section": {"cap": 0.3}}, judge)
    assert before != hashes("quality.blur_delta", {"metrics": {"blur": 2}}, curve)
    assert hashes("quality.score", metric, curve) != hashes("quality.score", metric, {"section": {"cap": 0.3}})
    assert hashes("quality.judge_clean", metric, curve) == {}
    answered = hashes("quality.judge_clean", metric, curve, judge)
    assert answered != hashes("quality.judge_clean", metric, curve, {"judge": {"model": "b"}})
    assert list(answered) == ["quality.judge"]


def test_too_few_ratings_are_refused_with_the_number_needed() -> None:
    frame, ratings = world()
    few = only(ratings, set(frame["id"][:120]))
    with pytest.raises(NotEnoughDataError, match=r"at least 150 rated items.*got 120.*at least 30 more") as caught:
        calibrate(frame, few, CalibrateOptions("adherence"))
    assert caught.value.exit_code == 2


def test_ratings_of_unknown_items_are_refused() -> None:
    frame, ratings = world()
    with pytest.raises(TableError, match="i0000"):
        calibrate(frame.iloc[1:], ratings, CalibrateOptions("adherence"))


def test_edit_types_with_enough_ratings_have_predictors_of_their_own() -> None:
    frame, ratings = world(n_groups=80)
    flipped = frame.assign(good=np.where(frame["edit_type"] == "add", frame["good"], -frame["good"]))
    options = CalibrateOptions("adherence", features="good", n_resamples=20)
    together = calibrate(flipped, ratings, options)
    apart = calibrate(flipped, ratings, CalibrateOptions("adherence", features="good", by="edit_type", n_resamples=20))
    assert set(apart.predictor.by_type) == {"add", "remove"}
    quality = [one.report.to_json()["chosen"]["held_out"]["auroc"]["value"] for one in (together, apart)]
    assert quality[1] > quality[0] + 0.1


def test_the_simplest_recipe_within_one_standard_error_wins(rng: np.random.Generator) -> None:
    truth = rng.normal(size=400)
    noise = rng.normal(size=400)
    single, linear, joint = Recipe("isotonic", ("a",)), Recipe("ordinal"), Recipe("ordinal", ("a", "b", "c"))
    groups = [str(k // 4) for k in range(400)]
    predictions = {single: truth + 2 * noise, linear: truth + noise, joint: truth + 0.999 * noise}
    assert choose_recipe(predictions, truth, groups) == joint
    tied = {single: truth + 2 * noise, linear: truth + noise, joint: truth - noise}
    assert choose_recipe(tied, truth, groups) == linear


def test_a_judges_columns_are_joined_by_id(tmp_path: Path) -> None:
    frame, _ = world()
    judge = pd.DataFrame({"id": frame["id"][::-1], "judge": np.arange(len(frame))})
    judge.to_csv(tmp_path / "judge.csv", index=False)
    joined = join_table(frame, tmp_path / "judge.csv")
    assert joined["judge"].tolist() == list(range(len(frame)))[::-1]
    judge.rename(columns={"judge": "good"}).to_csv(tmp_path / "clash.csv", index=False)
    with pytest.raises(TableError, match="good"):
        join_table(frame, tmp_path / "clash.csv")
