"""The mix of models: mild shifts are paid for, others are decided model by model; never by weights alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from edit_metrics.triage.mix import plan_stages, relative_weights


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


def test_a_smaller_error_of_the_rated_bounds_the_error_under_every_mix_within_the_shift() -> None:
    sample = rows({"a": 300, "b": 300})
    run, population = {"a": 100, "b": 124}, {"a": 1.0, "b": 1.0}
    (stage,) = plan_stages(sample, run, population, 0.05, 0.05)
    weights = relative_weights(sample, run, population)
    rng = np.random.default_rng(3)
    largest = 0.0
    for _ in range(200):
        decided = rng.uniform(size=600) < rng.uniform(0.1, 0.9)
        wrong = decided & (rng.uniform(size=600) < np.where(sample["model"] == "b", rng.uniform(), 0.01))
        plain, here = wrong.sum() / decided.sum(), (weights * wrong).sum() / (weights * decided).sum()
        largest = max(largest, here / plain if plain else 0.0)
    # 1.1 is what a rule that decides both models alike can reach; one that decides little of the first comes close to
    # the bound.
    assert 1.05 < largest <= 0.05 / stage.alpha
