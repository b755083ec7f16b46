"""Tests of all pairs at once against the one-pair test."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from edit_metrics.stats import cluster_t_test, pairwise_t_tests


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_every_pair_of_columns_is_the_clustered_t_test(rng, missing) -> None:
    groups = rng.integers(0, 12, 60)
    values = rng.normal(size=(60, 1)) + rng.normal(0, 0.1, (60, 5)) + np.array([0, 0, 0.1, 0.2, 0.2])
    values[rng.random(values.shape) < missing] = np.nan
    found = pairwise_t_tests(values, groups)
    pairs = list(zip(found.first, found.second, strict=True))
    assert pairs == list(combinations(range(5), 2))
    for (first, second), mean, p_value in zip(pairs, found.means, found.p_values, strict=True):
        difference = values[:, second] - values[:, first]
        there = np.isfinite(difference)
        expected = cluster_t_test(difference[there], groups[there])
        assert mean == pytest.approx(expected.mean, abs=1e-12)
        assert p_value == pytest.approx(expected.p_value, rel=1e-9)


def test_equal_columns_are_equal_and_a_constant_shift_is_certain(rng) -> None:
    column = rng.normal(size=20)
    found = pairwise_t_tests(np.column_stack([column, column, column + 0.1]), np.arange(20))
    assert found.p_values.tolist() == [1.0, 0.0, 0.0]


def test_pairs_with_fewer_than_two_common_groups_are_left_out(rng) -> None:
    values = rng.normal(size=(6, 3))
    values[:3, 2] = np.nan
    found = pairwise_t_tests(values, np.array([0, 0, 0, 1, 1, 1]))
    assert list(zip(found.first, found.second, strict=True)) == [(0, 1)]


@pytest.mark.parametrize("shape", [(0, 3), (4, 1), (4, 0)])
def test_nothing_to_test_is_no_test(shape) -> None:
    assert len(pairwise_t_tests(np.zeros(shape), np.arange(shape[0])).p_values) == 0
