"""Risk control: p-values against scipy, the sequence, and the promise in simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mapie.risk_control import control_fwer
from scipy.stats import binomtest, ttest_1samp

from edit_metrics.errors import UserError
from edit_metrics.stats import cluster_t_test
from edit_metrics.triage.risk import RiskSample, Side, control_risk, fewest_decided, risk_curve


def simulated(rng: np.random.Generator, n_groups: int, size: int, *, spread: float = 0.6) -> RiskSample:
    groups = np.repeat(np.arange(n_groups), size)
    quality = rng.normal(size=len(groups)) + spread * rng.normal(size=n_groups)[groups]
    rank = quality + 0.8 * rng.normal(size=len(groups))
    return RiskSample(rank, (quality > 0.9).astype(float), groups.astype(str).astype(object))


def test_the_start_is_59_items_at_5_percent_and_95_percent() -> None:
    assert fewest_decided(0.05, 0.05) == 59
    assert fewest_decided(0.05, 0.025) == 72
    with pytest.raises(UserError):
        fewest_decided(0.05, 0.0)


@pytest.mark.parametrize("side", [Side.FAIL, Side.PASS])
def test_p_values_equal_scipys(rng: np.random.Generator, side: Side) -> None:
    sample = simulated(rng, 30, 4)
    alpha = 0.1
    for point in risk_curve(sample, side, alpha)[5::20]:
        decided = sample.rank <= point.threshold if side is Side.FAIL else sample.rank >= point.threshold
        wrong = sample.passed if side is Side.FAIL else 1 - sample.passed
        assert point.n_decided == decided.sum()
        assert point.n_wrong == wrong[decided].sum()
        exact = binomtest(point.n_wrong, point.n_decided, alpha, alternative="less").pvalue
        assert point.p_binomial == pytest.approx(exact, rel=1e-9)
        losses = decided * (wrong - alpha)
        totals = [losses[sample.groups == g].sum() for g in dict.fromkeys(sample.groups)]
        assert point.p_cluster == pytest.approx(ttest_1samp(totals, 0, alternative="less").pvalue, rel=1e-6)
        assert point.p_cluster == pytest.approx(cluster_t_test(totals, range(30), "less").p_value, rel=1e-6)


def test_the_sequence_stops_where_mapies_does(rng: np.random.Generator) -> None:
    stops = set()
    for _ in range(40):
        control = control_risk(simulated(rng, 60, 4), Side.FAIL, 0.1, 0.05)
        tested = [point for point in control.curve if point.n_decided >= control.n_start]
        steps = [tested[0]]
        for point in tested[1:]:
            if point.n_decided >= steps[-1].n_decided + control.n_items / 100:
                steps.append(point)
        rejected = control_fwer(np.array([point.p_value for point in steps]), 0.05, "fixed_sequence")
        assert control.chosen == (steps[int(rejected[-1])] if len(rejected) else None)
        stops.add(len(rejected))
    assert len(stops) > 5


def test_tied_ranks_are_decided_together() -> None:
    ranks = np.repeat([0.0, 1.0], 40)
    sample = RiskSample(ranks, np.zeros(80), np.arange(80).astype(str).astype(object))
    assert [point.n_decided for point in risk_curve(sample, Side.FAIL, 0.05)] == [40, 80]


def test_nothing_is_decided_when_the_first_test_fails() -> None:
    sample = RiskSample(np.arange(100.0), np.tile([0.0, 1.0], 50), np.arange(100).astype(str).astype(object))
    control = control_risk(sample, Side.FAIL, 0.05, 0.05)
    assert control.threshold is None
    assert control.reason.startswith("error_too_high_at_the_start")
    assert not control.decides(sample.rank).any()


def test_too_few_ratings_promise_nothing() -> None:
    sample = RiskSample(np.arange(58.0), np.zeros(58), np.arange(58).astype(str).astype(object))
    assert control_risk(sample, Side.FAIL, 0.05, 0.05).reason.startswith("too_few_random_ratings")
    empty = RiskSample(np.array([]), np.array([]), np.array([], dtype=object))
    assert control_risk(empty, Side.FAIL, 0.05, 0.05).threshold is None


def test_single_items_are_finite_sample_and_groups_are_not(rng: np.random.Generator) -> None:
    assert control_risk(simulated(rng, 300, 1), Side.FAIL, 0.1, 0.1).finite_sample
    assert not control_risk(simulated(rng, 60, 5), Side.FAIL, 0.1, 0.1).finite_sample


def test_59_items_without_an_error_are_decided_and_58_are_not_enough() -> None:
    def control(n: int) -> Any:
        rank = np.r_[np.zeros(n), np.ones(100)]
        passed = np.r_[np.zeros(n), np.ones(100)]
        groups = np.arange(n + 100).astype(str).astype(object)
        return control_risk(RiskSample(rank, passed, groups), Side.FAIL, 0.05, 0.05)

    assert control(59).threshold == 0.0
    assert control(58).threshold is None


@pytest.mark.parametrize(("n_groups", "size"), [(300, 1), (60, 5)])
def test_the_promise_is_kept_in_all_but_delta_of_the_draws(n_groups: int, size: int) -> None:
    rng = np.random.default_rng(11)
    population = simulated(rng, 20_000, size)
    alpha = delta = 0.1
    members = np.arange(20_000 * size).reshape(20_000, size)
    broken, decided = [], []
    for _ in range(250):
        rows = members[rng.integers(20_000, size=n_groups)].ravel()
        groups = np.repeat(np.arange(n_groups), size).astype(str).astype(object)
        sample = RiskSample(population.rank[rows], population.passed[rows], groups)
        automatic = control_risk(sample, Side.FAIL, alpha, delta).decides(population.rank)
        broken.append(automatic.any() and population.passed[automatic].mean() > alpha)
        decided.append(automatic.mean())
    assert np.mean(broken) <= delta + 2 * np.sqrt(delta * (1 - delta) / 250)
    assert np.mean(decided) > 0.3


def test_items_without_a_rank_are_never_decided_and_their_groups_still_count(rng: np.random.Generator) -> None:
    whole = simulated(rng, 40, 4)
    known = rng.uniform(size=len(whole.rank)) < 0.7
    gaps = RiskSample(np.where(known, whole.rank, np.nan), whole.passed, whole.groups)
    for point in risk_curve(gaps, Side.FAIL, 0.1)[10::20]:
        decided = known & (whole.rank <= point.threshold)
        assert point.n_decided == decided.sum()
        totals = [(decided * (whole.passed - 0.1))[whole.groups == g].sum() for g in dict.fromkeys(whole.groups)]
        assert point.p_cluster == pytest.approx(ttest_1samp(totals, 0, alternative="less").pvalue, rel=1e-6)
    assert not control_risk(gaps, Side.FAIL, 0.1, 0.05).decides(np.array([np.nan])).any()
