"""What the gate can say, and what it says it about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.sample_size import MoreData
from edit_metrics.types import Float64


class Outcome(StrEnum):
    """What the gate says about one dimension, or about the whole."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"
    BROKEN = "broken"
    IGNORED = "ignored"


EXIT_CODES: Final = {
    Outcome.PASS: 0,
    Outcome.REGRESSION: 1,
    Outcome.INCONCLUSIVE: 3,
    Outcome.BROKEN: 4,
}


@dataclass(frozen=True, slots=True)
class PairedDimension:
    """One dimension of N paired items; what the baseline has and the candidate lacks altogether is a missing value.

    Attributes:
        baseline: N scores, higher is better, NaN where missing.
        candidate: N scores, likewise.
        groups: N integer codes.
        baseline_missing: N shares of samples without a value (0 or 1 for one sample an item).
        candidate_missing: N, likewise.
        candidate_failed: N shares of samples that lack a value because a measurement raised.
        required: the config names this dimension.
    """

    name: str
    baseline: Float64
    candidate: Float64
    groups: NDArray[np.intp]
    baseline_missing: Float64
    candidate_missing: Float64
    candidate_failed: Float64
    required: bool = False


@dataclass(frozen=True, slots=True)
class Missingness:
    """What the candidate lacks that the baseline has, and the reverse.

    Attributes:
        newly_missing: items.
        newly_present: items.
        net_share: newly missing minus newly present, averaged within groups, then over groups.
        p_value: one-sided exact McNemar on groups: are there more worse than better ones?
        p_adjusted: after Holm; equal to 1 where the test cannot reach α.
        by_failure: share of the newly missing values that are missing because a measurement raised.
    """

    newly_missing: float
    newly_present: float
    net_share: float
    worse_groups: int
    better_groups: int
    p_value: float
    p_adjusted: float
    by_failure: float


@dataclass(frozen=True, slots=True)
class DimensionVerdict:
    """The gate's answer for one dimension.

    Attributes:
        reasons: codes; see docs/compare.md.
        baseline_mean: over groups, on items that both sides scored; None when there are none.
        difference: candidate − baseline, positive is better; None with fewer than two groups.
        lower_bound: one-sided, 1 − α.
        p_value: one-sided, of "the candidate is not worse".
        p_adjusted: after Holm over dimensions.
        more_data: what would decide, when inconclusive for want of data.
    """

    name: str
    outcome: Outcome
    reasons: tuple[str, ...]
    n_items: int
    n_groups: int
    baseline_mean: float | None = None
    candidate_mean: float | None = None
    difference: float | None = None
    standard_error: float | None = None
    lower_bound: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    missingness: Missingness | None = None
    more_data: MoreData | None = None


def overall(verdicts: Sequence[DimensionVerdict]) -> Outcome:
    """The gate's answer: one regression decides, then a broken measurement, then doubt; nothing judged is doubt."""
    outcomes = {verdict.outcome for verdict in verdicts}
    for outcome in (Outcome.REGRESSION, Outcome.BROKEN, Outcome.INCONCLUSIVE, Outcome.PASS):
        if outcome in outcomes:
            return outcome
    return Outcome.INCONCLUSIVE
