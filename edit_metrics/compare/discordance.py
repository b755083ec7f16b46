"""Events that are or are not on either side of a pair (a lost score, a flag): which way do the changed ones point?

Scores are tested over groups, since another sample of sources is meant. For rare events that alone would be blind:
twelve lost scores in four groups are four signs, whose smallest possible p-value is 1/16. So the unit is chosen by what
the counts *could* say (Tarone 1990): groups where enough of them changed to reach the level that the correction leaves,
else items. The choice looks at how many changed, never at the direction, and so costs no error where the directions are
independent given what is at risk: a source with a small face may lose it in every edit, on either side alike. Where
chance itself loses whole groups on one side, the test on items alarms too often: docs/compare.md has the rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edit_metrics.stats import mcnemar_exact
from edit_metrics.types import Float64

Unit = Literal["groups", "items"]


@dataclass(frozen=True, slots=True)
class Discordance:
    """Pairs that changed.

    Attributes:
        worse_items: items where the candidate has more of it; ``better_items`` where it has less.
        worse_groups: groups with more of it on balance, ``better_groups`` with less.
        net_share: more minus less, averaged within groups, then over groups.
        unit: what the test counts; None where even all pointing one way would not reach α.
        p_value: one-sided exact McNemar: are there more worse than better ones? 1 without a test.
    """

    worse_items: int
    better_items: int
    worse_groups: int
    better_groups: int
    net_share: float
    unit: Unit | None
    p_value: float


def discordance(change: Float64, groups: NDArray[np.intp], alpha: float, n_tests: int) -> Discordance:
    """Count and test.

    Args:
        change: N shares of samples, candidate − baseline.
        groups: N group numbers.
        alpha: level of the whole family of tests.
        n_tests: tests in that family, of which the smallest p-value has to reach ``alpha / n_tests``.
    """
    counts = np.bincount(groups)
    by_group = np.bincount(groups, weights=change)[counts > 0] / counts[counts > 0]
    worse_items, better_items = int((change > 0).sum()), int((change < 0).sum())
    worse, better = int((by_group > 0).sum()), int((by_group < 0).sum())
    unit: Unit | None = None
    p_value = 1.0
    if 0.5 ** (worse + better) <= alpha / n_tests:
        unit, p_value = "groups", mcnemar_exact(better, worse, "greater").p_value
    elif 0.5 ** (worse_items + better_items) <= alpha:
        unit, p_value = "items", mcnemar_exact(better_items, worse_items, "greater").p_value
    share = float(by_group.mean()) if len(by_group) else 0.0
    return Discordance(worse_items, better_items, worse, better, share, unit, p_value)
