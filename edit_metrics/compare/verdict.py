"""What the gate can say, and what it says it about."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.discordance import Unit
from edit_metrics.compare.sample_size import MoreData
from edit_metrics.types import Float64


class Outcome(StrEnum):
    """What the gate says about one dimension, or about the whole."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    REGRESSION = "regression"
    INCONCLUSIVE = "inconclusive"
    BROKEN = "broken"
    NOT_JUDGED = "not_judged"
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
class PairedFlag:
    """One flag on N paired items.

    Attributes:
        baseline: N shares of samples that carry it.
        candidate: N, likewise; 0 where the candidate lacks the item.
        groups: N integer codes.
    """

    name: str
    baseline: Float64
    candidate: Float64
    groups: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class PairedSlices:
    """A column that slices N paired items.

    Attributes:
        codes: N numbers, into ``values``.
    """

    column: str
    codes: NDArray[np.intp]
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Missingness:
    """What the candidate lacks that the baseline has, and the reverse.

    Attributes:
        newly_missing: items.
        newly_present: items.
        net_share: newly missing minus newly present, averaged within groups, then over groups.
        unit: what the test counts, ``groups`` or ``items``; None where it could not reach α.
        p_value: one-sided exact McNemar: are there more worse than better ones?
        p_adjusted: after Holm; 1 without a test.
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
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class FlagVerdict:
    """The gate's answer for one flag.

    Attributes:
        newly: items that carry it in the candidate and not, or in fewer samples, in the baseline.
        no_longer: the reverse; never set against ``newly``.
        allowed: newly flagged items above which it is a regression; None: the test alone decides.
        unit: what the test counts; None where it could not reach α.
    """

    name: str
    outcome: Outcome
    reasons: tuple[str, ...]
    newly: int = 0
    no_longer: int = 0
    allowed: int | None = None
    worse_groups: int = 0
    better_groups: int = 0
    unit: Unit | None = None
    p_value: float = 1.0
    p_adjusted: float = 1.0


@dataclass(frozen=True, slots=True)
class SliceVerdict:
    """One dimension on the items with one value of a column.

    Attributes:
        difference: candidate − baseline, positive is better.
        p_value: one-sided, of "it dropped by the margin at most".
        p_adjusted: after Holm over all slices and dimensions, at their share of α.
        worse: ``p_adjusted`` ≤ α: a regression where the config names the column, else a warning.
    """

    column: str
    value: str
    dimension: str
    n_items: int
    n_groups: int
    difference: float
    p_value: float
    p_adjusted: float
    worse: bool


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
        more_data: what would decide, when the margin is not excluded.
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


def overall(verdicts: Sequence[DimensionVerdict], also: Iterable[Outcome] = ()) -> Outcome:
    """The gate's answer: one regression decides, then a broken measurement, then doubt; nothing judged is doubt.

    Args:
        verdicts: of the dimensions; a pass needs one of them to pass.
        also: of flags, slices and conditions, which can only speak against the candidate.
    """
    outcomes = {verdict.outcome for verdict in verdicts} | {one for one in also if one is not Outcome.PASS}
    for outcome in (Outcome.REGRESSION, Outcome.BROKEN, Outcome.INCONCLUSIVE, Outcome.PASS):
        if outcome in outcomes:
            return outcome
    return Outcome.INCONCLUSIVE
