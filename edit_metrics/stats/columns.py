"""The clustered t-test of every pair of many columns at once: 1,000 runs are half a million pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True, eq=False)
class ColumnTests:
    """P tests of "column ``second`` − column ``first`` has mean 0", each as :func:`edit_metrics.stats.cluster_t_test`.

    Attributes:
        first: P column numbers, ``second`` likewise; pairs with fewer than two common groups are left out.
        means: P differences.
        p_values: P, two-sided.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    means: Float64
    p_values: Float64


def pairwise_t_tests(values: Float64, groups: NDArray[np.intp]) -> ColumnTests:
    """Test every pair of columns on the rows in which both have a value.

    Args:
        values: N×C, NaN where missing.
        groups: N group numbers.

    Returns:
        The tests, ordered by ``first``, then ``second``. Cost: N·C²/2, and C²·(groups) where nothing is missing.
    """
    n_columns = values.shape[1]
    if not len(groups) or n_columns < 2:
        nothing, nobody = np.empty(0), np.empty(0, dtype=np.intp)
        return ColumnTests(nobody, nobody, nothing, nothing)
    order = np.argsort(groups, kind="stable")
    values, groups = values[order], groups[order]
    starts = np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
    if np.isfinite(values).all():
        # Without gaps the difference of two group means is the group mean of the differences.
        values = np.add.reduceat(values, starts, axis=0) / np.diff(np.r_[starts, len(groups)])[:, None]
        starts = np.arange(len(starts))
    found = [_one_against_later(values, starts, column) for column in range(n_columns - 1)]
    first = np.concatenate([np.full(len(later), column) for column, (later, _, _) in enumerate(found)])
    second, means, p_values = (np.concatenate([row[part] for row in found]) for part in range(3))
    return ColumnTests(first, second, means, p_values)


def _one_against_later(
    values: Float64, starts: NDArray[np.intp], column: int
) -> tuple[NDArray[np.intp], Float64, Float64]:
    differences = values[:, column + 1 :] - values[:, column : column + 1]
    there = np.isfinite(differences)
    size = np.abs(np.where(there, differences, 0.0)).max(axis=0)
    if len(starts) < len(values) or not there.all():
        totals = np.add.reduceat(np.where(there, differences, 0.0), starts, axis=0)
        counts = np.add.reduceat(there.astype(np.float64), starts, axis=0)
        differences = np.divide(totals, counts, out=np.zeros_like(totals), where=counts > 0)
        there = counts > 0
    n_groups = there.sum(axis=0)
    tested = n_groups >= 2
    differences, there, n, size = differences[:, tested], there[:, tested], n_groups[tested], size[tested]
    means = differences.sum(axis=0) / n
    spread = np.where(there, differences - means, 0.0)
    errors = np.sqrt(np.einsum("gc,gc->c", spread, spread) / (n - 1) / n)
    # As in cluster_t_test: a spread that is rounding is none.
    errors[errors <= 1e-12 * size] = 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(errors > 0, means / errors, np.where(np.abs(means) <= 1e-12, 0.0, np.copysign(np.inf, means)))
    p_values = np.minimum(1.0, 2 * stdtr(n - 1, -np.abs(t)))
    return np.flatnonzero(tested) + column + 1, means, p_values
