"""How many more groups would decide, when the gate cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from scipy.special import ndtri, stdtrit

from edit_metrics.compare.gate_config import DimensionRule
from edit_metrics.stats import ClusterTTest

POWER: Final = 0.8
"""The chance that the estimate aims at."""


@dataclass(frozen=True, slots=True)
class MoreData:
    """An estimate, as if the true difference and spread were the ones seen.

    Attributes:
        towards: the verdict that fewer additional groups would reach.
        groups: additional groups for an 80 % chance of that verdict.
        items: additional items, at this benchmark's items per group.
    """

    towards: Literal["pass", "regression"]
    groups: int
    items: int


def data_to_decide(test: ClusterTTest, n_items: int, rule: DimensionRule, alpha: float, n_tests: int) -> MoreData:
    """The nearer of the two verdicts.

    Args:
        test: the dimension's test on ``test.df + 1`` groups.
        n_items: items in those groups.
        rule: the dimension's margin and minimum effect.
        alpha: level of both verdicts.
        n_tests: tests that share the correction: a regression is planned at α / n_tests, Holm's hardest step.
    """
    n_groups = test.df + 1
    spread = test.standard_error * math.sqrt(n_groups)
    distances: dict[Literal["pass", "regression"], float] = {}
    if test.mean > -rule.margin:
        distances["pass"] = test.mean + rule.margin
    if test.mean <= -rule.minimum_effect:
        distances["regression"] = -test.mean
    level = {"pass": alpha, "regression": alpha / n_tests}
    needed = {name: _groups_needed(spread / distance, level[name], n_groups) for name, distance in distances.items()}
    towards = min(needed, key=lambda name: needed[name])
    # At least one more: what is there has not decided.
    groups = max(1, needed[towards] - n_groups)
    return MoreData(towards, groups, math.ceil(groups * n_items / n_groups))


def _groups_needed(spread_over_distance: float, alpha: float, n_groups: int) -> int:
    """Solve n = (t_{1−α, n−1} + z_{power})² · (spread/distance)² by fixed-point iteration from above."""
    n = float(n_groups)
    for _ in range(20):
        quantile = float(stdtrit(max(1.0, n - 1), 1 - alpha)) + float(ndtri(POWER))
        n = max(2.0, (quantile * spread_over_distance) ** 2)
    return math.ceil(n)
