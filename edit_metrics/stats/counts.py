"""Exact tests on counts, and the correction for asking several questions at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from edit_metrics.stats.clusters import Alternative
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class McNemarTest:
    """Paired yes/no outcomes.

    Attributes:
        only_first: pairs where the outcome occurred on the first side alone.
        only_second: pairs where it occurred on the second side alone.
        p_value: exact.
    """

    only_first: int
    only_second: int
    p_value: float
    alternative: Alternative


def mcnemar_exact(only_first: int, only_second: int, alternative: Alternative = "two-sided") -> McNemarTest:
    """Exact McNemar test: do the discordant pairs split evenly (McNemar 1947; binomial with p = 1/2)?

    Args:
        only_first: discordant pairs of one kind.
        only_second: discordant pairs of the other kind.
        alternative: ``greater`` asks whether the outcome is more frequent on the second side.

    Raises:
        ValueError: a count is negative.
    """
    if only_first < 0 or only_second < 0:
        raise ValueError(f"expected counts of 0 or more, got {only_first} and {only_second}")
    discordant = only_first + only_second
    # P(X ≤ k) of a fair binomial; by symmetry P(X ≥ second) = P(X ≤ first).
    less, greater = (float(bdtr(count, discordant, 0.5)) for count in (only_second, only_first))
    p_values = {"less": less, "greater": greater, "two-sided": min(1.0, 2 * min(less, greater))}
    return McNemarTest(only_first, only_second, p_values[alternative], alternative)


def holm(p_values: ArrayLike) -> Float64:
    """Holm-adjusted p-values (Holm 1979): compare each with α and the family-wise error stays at α.

    Ours because it is five lines and the library that has it would become a dependency of every install; the tests
    compare it with that library.

    Args:
        p_values: m values in [0, 1], in any order; may be empty.

    Returns:
        m adjusted values in the same order, never above 1.

    Raises:
        ValueError: a value outside [0, 1], or not a number.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"expected p-values from 0 to 1, got {p.tolist()}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted
