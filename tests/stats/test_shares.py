"""Shares: the exact interval against scipy, the grouped one in simulation, sizes against the power they promise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from edit_metrics.stats import exact_interval, fewest_to_reject, grouped_share


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (3, 41), (41, 41), (50, 1000)])
def test_the_exact_interval_equals_scipys(hits: int, n: int) -> None:
    ours, theirs = exact_interval(hits, n, 0.9), binomtest(hits, n).proportion_ci(0.9, method="exact")
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_single_items_have_nearly_the_exact_interval(rng: np.random.Generator) -> None:
    hit = (rng.uniform(size=400) < 0.1).astype(float)
    found = grouped_share(hit, range(400))
    assert found.n_effective == pytest.approx(400, rel=0.01)
    assert found.value == pytest.approx(hit.mean())


def test_copies_count_once(rng: np.random.Generator) -> None:
    hit = np.repeat((rng.uniform(size=100) < 0.2).astype(float), 4)
    found = grouped_share(hit, np.repeat(np.arange(100), 4))
    assert found.n_effective == pytest.approx(100, rel=0.05)


def test_no_hit_at_all_keeps_the_exact_interval() -> None:
    assert grouped_share(np.zeros(30), np.arange(30) // 3).interval == exact_interval(0, 30)


def test_the_grouped_interval_covers_where_the_plain_one_does_not(rng: np.random.Generator) -> None:
    covers, plain = [], []
    groups = np.repeat(np.arange(60), 5)
    for _ in range(400):
        chance = rng.beta(0.4, 1.6, 60)[groups]
        hit = (rng.uniform(size=300) < chance).astype(float)
        found, alone = grouped_share(hit, groups).interval, exact_interval(hit.sum(), 300)
        covers.append(found.low <= 0.2 <= found.high)
        plain.append(alone.low <= 0.2 <= alone.high)
    assert np.mean(covers) >= 0.93
    assert np.mean(plain) < 0.88


def test_the_size_has_the_power_and_smaller_ones_do_not_keep_it() -> None:
    n = fewest_to_reject(0.05, 0.1, 0.05, 0.8)

    def power(size: int) -> float:
        critical = next(k for k in range(size + 1) if binom.sf(k - 1, size, 0.05) <= 0.05)
        return float(binom.sf(critical - 1, size, 0.1))

    assert all(power(size) >= 0.8 for size in range(n, 2 * n))
    assert power(n - 1) < 0.8
