"""The mix of models: mild shifts are paid for, others are decided model by model; never by weights alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from edit_metrics.triage.mix import plan_stages, relative_weights
from edit_metrics.triage.risk import Side, control_risk


def rows(counts: dict[str, int], *, probability: float = 0.5) -> pd.DataFrame:
    models = np.repeat(list(counts), list(counts.values()))
    n = len(models)
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "rank": rng.uniform(size=n),
            "passed": 0.0,
            "group": [f"g{k}" for k in range(n)],
            "model": models,
            "inclusion_prob": probability,
        }
    )


def test_the_population_s_own_mix_is_one_test_at_the_promised_error() -> None:
    (stage,) = plan_stages(rows({"a": 100, "b": 50}), {"a": 20, "b": 10}, {"a": 400, "b": 200}, 0.05, 0.05)
    assert stage.models == ("a", "b")
    assert stage.alpha == pytest.approx(0.05)
    assert len(stage.sample.rank) == 150


def test_a_mild_shift_is_paid_for_with_the_error() -> None:
    (stage,) = plan_stages(rows({"a": 100, "b": 100}), {"a": 120, "b": 100}, {"a": 500, "b": 500}, 0.05, 0.05)
    assert stage.alpha == pytest.approx(0.05 / 1.2)


def test_a_large_shift_is_decided_model_by_model_and_shares_the_error_probability() -> None:
    sample = rows({"a": 100, "b": 80, "c": 30})
    stages = plan_stages(sample, {"a": 90, "b": 10, "c": 10}, {"a": 100, "b": 400, "c": 400}, 0.05, 0.05)
    assert [stage.models for stage in stages] == [("a",), ("b",)]
    assert [stage.share for stage in stages] == [0.5, 0.5]
    assert [len(stage.sample.rank) for stage in stages] == [100, 80]


def test_unequal_chances_of_the_draw_are_a_shift_too() -> None:
    sample = rows({"a": 200})
    sample.loc[:99, "inclusion_prob"] = 0.45
    (stage,) = plan_stages(sample, {"a": 10}, {"a": 500}, 0.05, 0.05)
    assert stage.alpha == pytest.approx(0.05 * 0.45 / 0.5)


def test_a_decision_at_the_smaller_error_holds_under_every_mix_within_the_shift() -> None:
    # Two models, errors 0 and 4 % beyond the threshold; the second weighs 1.25 times as much here.
    sample = rows({"a": 3000, "b": 3000})
    sample.loc[sample["model"] == "b", "passed"] = (np.random.default_rng(2).uniform(size=3000) < 0.04).astype(float)
    (stage,) = plan_stages(sample, {"a": 100, "b": 125}, {"a": 1, "b": 1}, 0.04, 0.05)
    control = control_risk(stage.sample, Side.FAIL, stage.alpha, 0.05)
    decided = control.decides(sample["rank"].to_numpy())
    weights = relative_weights(sample, {"a": 100, "b": 125}, {"a": 1, "b": 1})
    assert decided.sum() > 500
    assert np.average(sample["passed"][decided], weights=weights[decided]) <= 0.04
