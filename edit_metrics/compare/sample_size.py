"""How many groups would decide: planned for candidates as they may be, not for the difference that happened to be seen.

A plan at the observed difference chases noise: of two equal checkpoints one is a little lower, and the plan says how
many items would prove that a regression. So the spread is taken from the data and the difference is not: a *pass* is
planned for a candidate that is as good as the baseline (δ = 0), a *regression* for one that dropped by the margin
(δ = −margin).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from scipy.special import ndtr, ndtri, stdtrit

from edit_metrics.compare.gate_config import DimensionRule
from edit_metrics.stats import ClusterTTest

POWER: Final = 0.8
"""The chance that the estimate aims at."""


@dataclass(frozen=True, slots=True)
class MoreData:
    """Groups to add, as if the spread were the one seen.

    Attributes:
        towards: ``pass``: what a candidate that is as good as the baseline needs.
        groups: additional groups for an 80 % chance that this dimension passes if nothing changed.
        items: additional items, at this benchmark's items per group.
        regression_groups: additional groups for an 80 % chance of a regression if the candidate dropped by the margin;
            0 where that chance is there already.
        regression_items: likewise.
    """

    towards: Literal["pass"]
    groups: int
    items: int
    regression_groups: int
    regression_items: int


def data_to_decide(test: ClusterTTest, n_items: int, rule: DimensionRule, alpha: float, n_tests: int) -> MoreData:
    """What would decide in either case.

    Args:
        test: the dimension's test on ``test.df + 1`` groups, for its spread.
        n_items: items in those groups.
        rule: the dimension's margin.
        alpha: level of both verdicts.
        n_tests: tests that share the correction: a regression is planned at α / n_tests, Holm's hardest step.
    """
    there = test.df + 1
    spread = test.standard_error * math.sqrt(there)
    to_pass = groups_needed(spread, rule.margin, alpha)
    to_fail = groups_needed(spread, rule.margin, alpha / n_tests)
    # At least one more: what is there has not decided.
    more, to_regression = max(1, to_pass - there), max(0, to_fail - there)
    per_group = n_items / there
    return MoreData("pass", more, math.ceil(more * per_group), to_regression, math.ceil(to_regression * per_group))


def groups_needed(spread: float, distance: float, alpha: float, power: float = POWER) -> int:
    """Smallest number of groups at which a one-sided t-test at level α finds a distance with that power.

    Args:
        spread: standard deviation of the group means of the differences.
        distance: from the null hypothesis, above 0.
        alpha: one-sided.
        power: chance of finding it.
    """
    ratio = spread / distance
    n = 2
    # z instead of t is never too many; from there upwards, exactly.
    n = max(n, math.ceil(((float(ndtri(1 - alpha)) + float(ndtri(power))) * ratio) ** 2))
    while power_at(n, spread, distance, alpha) < power:
        n += max(1, n // 500)
    return n


def power_at(n_groups: int, spread: float, distance: float, alpha: float) -> float:
    """Chance that the one-sided t-test on ``n_groups`` group means at level α finds a distance (non-central t)."""
    from scipy.stats import nct  # slow to import, and a start of the gate seldom needs it

    if spread <= 0:
        return 1.0
    quantile, centre = float(stdtrit(n_groups - 1, 1 - alpha)), math.sqrt(n_groups) * distance / spread
    found = float(nct.sf(quantile, n_groups - 1, centre))
    # Far out the library gives up; there the normal distribution is exact enough.
    return found if math.isfinite(found) else float(ndtr(centre - quantile))
