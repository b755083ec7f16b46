"""The group bootstrap against scipy's, and against the closed-form clustered error."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats as scipy_stats

from edit_metrics.errors import NotEnoughDataError
from edit_metrics.stats import bootstrap_sums, cluster_bootstrap, cluster_mean_interval


def test_groups_of_one_give_the_ordinary_bootstrap(rng) -> None:
    values = rng.gamma(2.0, 1.0, 60)
    ours = cluster_bootstrap(np.median, [values], range(60), n=4000)
    reference = scipy_stats.bootstrap((values,), np.median, n_resamples=4000, method="percentile", rng=1)
    assert ours.estimate == np.median(values)
    assert ours.interval.low == pytest.approx(reference.confidence_interval.low, abs=0.06)
    assert ours.interval.high == pytest.approx(reference.confidence_interval.high, abs=0.06)


def test_its_standard_error_of_a_mean_is_the_clustered_one(rng) -> None:
    groups = np.repeat(np.arange(80), 4)
    values = rng.normal(0, 1, 80)[groups] + rng.normal(0, 0.2, 320)
    ours = cluster_bootstrap(np.mean, [values], groups, n=3000)
    closed_form = cluster_mean_interval(values, groups, weighting="items").standard_error
    assert ours.standard_error == pytest.approx(closed_form, rel=0.06)


def test_several_arrays_keep_their_items_together(rng) -> None:
    x = rng.normal(size=90)
    result = cluster_bootstrap(lambda a, b: float(np.corrcoef(a, b)[0, 1]), [x, 2 * x], np.arange(90) // 3, n=50)
    assert result.interval.low == pytest.approx(1.0)


def test_the_same_seed_gives_the_same_interval(rng) -> None:
    x = rng.normal(size=40)
    first, second = (cluster_bootstrap(np.mean, [x], np.arange(40) // 2, n=100, seed=7) for _ in range(2))
    assert first == second
    assert cluster_bootstrap(np.mean, [x], np.arange(40) // 2, n=100, seed=8) != first


def test_resamples_without_a_value_are_counted_and_left_out() -> None:
    x = np.array([0.0, 1.0, 2.0, 3.0])
    result = cluster_bootstrap(lambda a: float("nan") if a.min() > 0 else float(a.mean()), [x], range(4), n=400)
    assert result.n_resamples + result.n_undefined == 400
    assert result.n_undefined == pytest.approx(400 * 0.75**4, abs=40)


def test_a_statistic_that_is_mostly_undefined_is_refused() -> None:
    with pytest.raises(NotEnoughDataError, match="resamples"):
        cluster_bootstrap(lambda a: float("nan"), [np.arange(4.0)], range(4), n=20)


def test_one_group_is_not_enough_to_resample() -> None:
    with pytest.raises(NotEnoughDataError, match="two groups"):
        cluster_bootstrap(np.mean, [np.arange(4.0)], [1, 1, 1, 1])


def test_arrays_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="length 4"):
        cluster_bootstrap(np.mean, [np.arange(3.0)], range(4))


def test_sums_give_what_resampling_the_items_gives(rng) -> None:
    x, y = rng.normal(size=(2, 300))
    groups = rng.integers(40, size=300)
    slow = cluster_bootstrap(lambda a, b: float(a.sum() / np.abs(b).sum()), [x, y], groups, n=200, seed=3)
    fast = bootstrap_sums(lambda sums: float(sums[0] / sums[1]), np.column_stack([x, np.abs(y)]), groups, 200, 3)
    assert fast.interval.low == pytest.approx(slow.interval.low, abs=1e-12)
    assert fast.interval.high == pytest.approx(slow.interval.high, abs=1e-12)
    assert (fast.n_groups, fast.estimate) == (slow.n_groups, pytest.approx(slow.estimate))
