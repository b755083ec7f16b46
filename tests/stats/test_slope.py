"""The clustered slope against statsmodels' cluster-robust OLS."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from edit_metrics.errors import NotEnoughDataError
from edit_metrics.stats import cluster_slope


def test_the_slope_and_its_interval_equal_statsmodels(rng: np.random.Generator) -> None:
    groups = rng.integers(12, size=80)
    x = rng.uniform(size=80)
    y = 0.5 * x + rng.normal(size=12)[groups] + rng.normal(size=80)
    fit = sm.OLS(y, sm.add_constant(x)).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    found = cluster_slope(x, y, groups)
    assert found.value == pytest.approx(fit.params[1])
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(fit.conf_int()[1]))


def test_an_x_that_never_varies_has_no_slope() -> None:
    with pytest.raises(NotEnoughDataError):
        cluster_slope(np.ones(4), np.arange(4.0), [1, 1, 2, 2])
