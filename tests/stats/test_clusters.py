"""Clustered means and tests against statsmodels' cluster-robust OLS and scipy's t-test."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import stats as scipy_stats

from edit_metrics.errors import NotEnoughDataError
from edit_metrics.stats import cluster_mean_interval, cluster_t_test, group_codes, one_sided_bound, tost


@pytest.fixture
def clustered(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    groups = rng.integers(0, 25, size=140)
    return rng.normal(0, 0.1, 25)[groups] + rng.gamma(1.5, 0.1, 140) - 0.1, groups


def _group_means(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.array([values[groups == group].mean() for group in np.unique(groups)])


def test_item_weighted_mean_and_error_equal_cluster_robust_ols(clustered) -> None:
    values, groups = clustered
    ours = cluster_mean_interval(values, groups, 0.9, weighting="items")
    model = sm.OLS(values, np.ones(len(values)))
    reference = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    assert ours.mean == pytest.approx(reference.params[0], abs=1e-14)
    assert ours.standard_error == pytest.approx(reference.bse[0], rel=1e-12)
    assert (ours.interval.low, ours.interval.high) == pytest.approx(tuple(reference.conf_int(0.1)[0]), rel=1e-10)
    assert (ours.n_items, ours.n_groups) == (140, len(np.unique(groups)))


def test_item_weighted_p_value_equals_cluster_robust_ols(clustered) -> None:
    values, groups = clustered
    reference = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    ours = cluster_t_test(values, groups, weighting="items")
    assert ours.p_value == pytest.approx(reference.pvalues[0], rel=1e-9)


@pytest.mark.parametrize("alternative", ["two-sided", "less", "greater"])
@pytest.mark.parametrize("null", [0.0, -0.02, 0.1])
def test_group_weighted_test_equals_the_t_test_on_group_means(clustered, alternative, null) -> None:
    values, groups = clustered
    reference = scipy_stats.ttest_1samp(_group_means(values, groups), null, alternative=alternative)
    ours = cluster_t_test(values, groups, alternative, null)
    assert ours.t == pytest.approx(reference.statistic, rel=1e-10)
    assert ours.p_value == pytest.approx(reference.pvalue, rel=1e-9)
    assert ours.df == reference.df


def test_group_weighted_interval_equals_scipy(clustered) -> None:
    values, groups = clustered
    reference = scipy_stats.ttest_1samp(_group_means(values, groups), 0).confidence_interval(0.95)
    ours = cluster_mean_interval(values, groups).interval
    assert (ours.low, ours.high) == pytest.approx((reference.low, reference.high), rel=1e-10)


def test_duplicating_every_item_does_not_shrink_the_interval(clustered) -> None:
    values, groups = clustered
    once = cluster_mean_interval(values, groups)
    ten_times = cluster_mean_interval(np.tile(values, 10), np.tile(groups, 10))
    assert ten_times.interval.low == pytest.approx(once.interval.low)
    assert ten_times.interval.high == pytest.approx(once.interval.high)


def test_a_group_with_many_items_counts_once_or_many_times_as_asked() -> None:
    values, groups = [1.0, 0.0, 0.0, 0.0], ["a", "b", "b", "b"]
    assert cluster_mean_interval(values, groups).mean == 0.5
    assert cluster_mean_interval(values, groups, weighting="items").mean == 0.25


@pytest.mark.parametrize(("alternative", "p_value"), [("two-sided", 1.0), ("less", 0.5), ("greater", 0.5)])
def test_no_difference_anywhere_is_no_evidence(alternative, p_value) -> None:
    assert cluster_t_test([0.0] * 6, [1, 1, 2, 2, 3, 3], alternative).p_value == p_value


def test_the_same_difference_in_every_group_is_certain_in_its_direction() -> None:
    differences = np.array([0.8, 0.7, 0.6, 0.3]) - np.array([0.9, 0.8, 0.7, 0.4])
    result = cluster_t_test(differences, range(4), "less")
    assert (result.t, result.p_value) == (-math.inf, 0.0)
    assert cluster_t_test(differences, range(4), "greater").p_value == 1.0
    assert cluster_t_test(differences, range(4)).p_value == 0.0


def test_equivalence_is_two_one_sided_tests(clustered) -> None:
    values, groups = clustered
    means = _group_means(values, groups)
    lower = scipy_stats.ttest_1samp(means, -0.15, alternative="greater").pvalue
    upper = scipy_stats.ttest_1samp(means, 0.15, alternative="less").pvalue
    result = tost(values, groups, 0.15)
    assert result.p_value == pytest.approx(max(lower, upper), rel=1e-9)
    assert result.equivalent
    assert not tost(values, groups, 0.03).equivalent


def test_equivalence_agrees_with_the_ninety_percent_interval(clustered) -> None:
    values, groups = clustered
    interval = cluster_mean_interval(values, groups, 0.9).interval
    reach = max(abs(interval.low), abs(interval.high))
    assert tost(values, groups, reach * 1.001).equivalent
    assert not tost(values, groups, reach * 0.999).equivalent


def test_a_one_sided_bound_is_the_end_of_the_two_sided_interval_at_twice_the_level(clustered) -> None:
    values, groups = clustered
    both = cluster_mean_interval(values, groups, 0.9)
    bound = one_sided_bound(both.mean, both.standard_error, both.n_groups, 0.05)
    assert bound.low == pytest.approx(both.interval.low)
    assert bound.high == math.inf


def test_intervals_of_skewed_groups_of_unequal_size_cover_at_their_level(rng) -> None:
    hits = 0
    for _ in range(600):
        groups = np.repeat(np.arange(30), rng.integers(1, 6, 30))
        values = rng.normal(0, 0.1, 30)[groups] + rng.gamma(2.0, 0.1, len(groups)) - 0.2
        interval = cluster_mean_interval(values, groups).interval
        hits += interval.low <= 0 <= interval.high
    # 600 draws: standard error .009.
    assert 0.925 <= hits / 600 <= 0.975


def test_codes_follow_first_appearance_whatever_the_labels() -> None:
    assert group_codes(["b", 1, "b", ("x", 2)]).tolist() == [0, 1, 0, 2]


def test_codes_of_whole_numbers_keep_their_order() -> None:
    assert group_codes(np.array([7, -2, 7, 30, -2])).tolist() == [1, 0, 1, 2, 0]
    assert group_codes(np.array([3, 0, 3, 4])).tolist() == [1, 0, 1, 2]
    assert group_codes(np.array([], dtype=int)).tolist() == []


@pytest.mark.parametrize("label", [None, float("nan")])
def test_a_missing_group_is_refused(label) -> None:
    with pytest.raises(ValueError, match="group label"):
        group_codes(["a", label])


def test_one_group_is_not_enough() -> None:
    with pytest.raises(NotEnoughDataError, match="two groups"):
        cluster_mean_interval([0.1, 0.2], ["a", "a"])


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [([0.1, math.nan], [1, 2], "finite"), ([0.1, 0.2], [1], "one group label")],
)
def test_values_that_cannot_be_averaged_are_refused(values, groups, message) -> None:
    with pytest.raises(ValueError, match=message):
        cluster_t_test(values, groups)


def test_shares_and_margins_outside_their_range_are_refused() -> None:
    with pytest.raises(ValueError, match="confidence"):
        cluster_mean_interval([0.1, 0.2], [1, 2], 95)
    with pytest.raises(ValueError, match="margin"):
        tost([0.1, 0.2], [1, 2], 0.0)
