"""Automatic decisions with a stated error: Learn-then-Test over thresholds, valid for items that come in groups.

The promise of one side: *of the items decided automatically, at most a share α is decided wrongly*, with confidence
1 − δ over the draw of the rated sample. Each threshold is a hypothesis "the share is α or more", tested by

    p = max(exact binomial, cluster-t on L_g = Σ_i auto_i · (err_i − α) over groups g)

and a fixed sequence (Angelopoulos et al. 2021, "Learn then Test") walks from the fewest decided items to more, as long
as every test rejects. It starts where a sample without a single error could reject:
⌈log δ / log(1 − α)⌉ items, 59 at 5 % and 95 %. Steps are one percent of the rated items: finer ones only add places to
stumble over.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import binom

from edit_metrics.errors import UserError
from edit_metrics.stats import group_codes
from edit_metrics.types import Float64


class Side(StrEnum):
    """Which items are decided: the low ranks are failed, the high ones passed."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - a decision, not a password


@dataclass(frozen=True, slots=True)
class RiskSample:
    """Randomly selected ratings, N items.

    Attributes:
        rank: held-out decision rank; low is bad; NaN where an item lacks what the rank is made of: it is never decided.
        passed: 1.0 where people pass the item.
        groups: labels; items of one group are not independent.
        judge: held-out rank by the judge alone, NaN where he gave no answer; None without a judge.
    """

    rank: Float64
    passed: Float64
    groups: NDArray[Any]
    judge: Float64 | None = None


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """One threshold: how much it decides, how often that is wrong, and the evidence that this is less than α."""

    threshold: float
    n_decided: int
    n_wrong: int
    p_binomial: float
    p_cluster: float

    @property
    def p_value(self) -> float:
        """The larger of the two."""
        return max(self.p_binomial, self.p_cluster)


@dataclass(frozen=True, slots=True)
class Control:
    """What risk control allows on one side.

    Attributes:
        threshold: decide ranks up to it (fail) or from it (pass); None: decide nothing.
        reason: why nothing is decided; empty otherwise.
        chosen: the last rejected threshold; None likewise.
        curve: every threshold, fewest decided first.
        finite_sample: groups are single items, so that the binomial test is exact; otherwise the promise is
            cluster-robust, which is asymptotic in the number of groups.
        alpha: largest share of wrong decisions that was tested; the promise, or less where the mix of models differs.
        delta: largest probability that the promise is broken.
        n_items: rated items behind it.
        n_groups: groups behind it.
        n_start: fewest decided items at which testing starts.
    """

    side: Side
    threshold: float | None
    reason: str
    chosen: RiskPoint | None
    curve: tuple[RiskPoint, ...]
    finite_sample: bool
    alpha: float
    delta: float
    n_items: int
    n_groups: int
    n_start: int

    def decides(self, rank: Float64) -> NDArray[np.bool_]:
        """Which ranks are decided automatically."""
        if self.threshold is None:
            return np.zeros(len(rank), dtype=np.bool_)
        return np.asarray(rank <= self.threshold if self.side is Side.FAIL else rank >= self.threshold)

    @property
    def decides_something(self) -> bool:
        """Whether there is a threshold."""
        return self.threshold is not None

    def to_json(self) -> dict[str, Any]:
        """A JSON record without the curve."""
        record = {name: getattr(self, name) for name in self.__slots__ if name not in ("curve", "chosen")}
        chosen = None if self.chosen is None else {**asdict(self.chosen), "p_value": self.chosen.p_value}
        return {**record, "side": self.side.value, "chosen": chosen}


def fewest_decided(alpha: float, delta: float) -> int:
    """Smallest n at which no error in n items rejects "the share is α or more" at level δ: (1 − α)^n ≤ δ."""
    if not 0 < alpha < 1 or not 0 < delta < 1:
        raise UserError("an error and a confidence between 0 and 1", f"error {alpha:g}, 1 − confidence {delta:g}")
    return math.ceil(math.log(delta) / math.log1p(-alpha))


def control_risk(sample: RiskSample, side: Side, alpha: float, delta: float) -> Control:
    """The most that may be decided on one side.

    Args:
        sample: randomly selected ratings with held-out ranks.
        side: failing the low ranks or passing the high ones.
        alpha: largest share of wrong decisions.
        delta: largest probability that the promise is broken.
    """
    n_start = fewest_decided(alpha, delta)
    curve = risk_curve(sample, side, alpha)
    n_groups = len(set(sample.groups.tolist()))
    exact = n_groups == len(sample.rank)
    tested = _steps([point for point in curve if point.n_decided >= n_start], len(sample.rank))
    last, reason = None, ""
    if n_groups < 2 or not tested:
        reason = f"too_few_random_ratings: {len(sample.rank)} rated, {n_start} must be decided"
    else:
        last = _last_rejected(tested, delta)
        reason = "" if last else f"error_too_high_at_the_start: {tested[0].n_wrong} of {tested[0].n_decided} wrong"
    threshold = last.threshold if last else None
    return Control(side, threshold, reason, last, curve, exact, alpha, delta, len(sample.rank), n_groups, n_start)


def risk_curve(sample: RiskSample, side: Side, alpha: float) -> tuple[RiskPoint, ...]:
    """Every distinct rank as a threshold, fewest decided first."""
    n_known = int(np.isfinite(sample.rank).sum())
    if n_known == 0:
        return ()
    sign = 1.0 if side is Side.FAIL else -1.0
    wrong = sample.passed if side is Side.FAIL else 1.0 - sample.passed
    # NaN sorts last: items that are never decided come after every threshold.
    order = np.argsort(sign * sample.rank, kind="stable")[:n_known]
    rank, wrong = sample.rank[order], wrong[order]
    codes = group_codes(sample.groups.tolist())
    last = np.append(np.flatnonzero(np.diff(rank) != 0), len(rank) - 1)
    n_decided, n_wrong = last + 1, np.cumsum(wrong)[last].round().astype(int)
    p_cluster = _cluster_p(wrong - alpha, codes[order], int(codes.max()) + 1, last)
    p_binomial = np.asarray(binom.cdf(n_wrong, n_decided, alpha))
    return tuple(
        RiskPoint(float(rank[at]), int(n), int(errors), float(exact), float(robust))
        for at, n, errors, exact, robust in zip(last, n_decided, n_wrong, p_binomial, p_cluster, strict=True)
    )


def _cluster_p(losses: Float64, codes: NDArray[np.intp], n_groups: int, last: NDArray[np.intp]) -> Float64:
    """One-sided t-tests of "the mean of L_g is 0 or more", for every prefix, from running sums.

    Groups without a decided item count with L_g = 0. With S = Σ L_g and Q = Σ L_g², an item that adds l to its group
    adds l to S and 2·L_g·l + l² to Q, so that all thresholds cost one pass.
    """
    before = np.empty(len(losses))
    totals = np.zeros(n_groups)
    for index, (code, loss) in enumerate(zip(codes.tolist(), losses.tolist(), strict=True)):
        before[index] = totals[code]
        totals[code] += loss
    total = np.cumsum(losses)[last]
    squares = np.cumsum(2 * before * losses + losses**2)[last]
    if n_groups < 2:
        return np.ones(len(last))
    variance = np.maximum(squares - total**2 / n_groups, 0.0) / (n_groups - 1)
    error = np.sqrt(variance / n_groups)
    mean = total / n_groups
    t = np.divide(mean, error, out=np.where(mean < 0, -np.inf, np.inf), where=error > 1e-15)
    return np.asarray(stdtr(n_groups - 1, t), dtype=np.float64)


def error_p_value(
    decided: NDArray[np.bool_], wrong: Float64, codes: NDArray[np.intp], n_groups: int, alpha: float
) -> float:
    """The same test of any set of decisions: p of "their share of wrong ones is α or more".

    Args:
        decided: N items.
        wrong: 1.0 where a decision would be wrong.
        codes: group of every item, 0 … n_groups − 1.
        n_groups: groups without a decided item count too.
        alpha: promised error.
    """
    chosen = np.flatnonzero(decided)
    n = len(chosen)
    if n == 0:
        return 1.0
    exact = float(binom.cdf(round(float(wrong[chosen].sum())), n, alpha))
    robust = _cluster_p(wrong[chosen] - alpha, codes[chosen], n_groups, np.array([n - 1]))[0]
    return max(exact, float(robust))


def _steps(points: list[RiskPoint], n_items: int) -> list[RiskPoint]:
    """The first point, then each that decides at least one percent of the items more than the one before."""
    kept: list[RiskPoint] = []
    for point in points:
        if not kept or point.n_decided >= kept[-1].n_decided + n_items / 100:
            kept.append(point)
    return kept


def _last_rejected(tested: list[RiskPoint], delta: float) -> RiskPoint | None:
    rejected = list(takewhile(lambda point: point.p_value <= delta, tested))
    return rejected[-1] if rejected else None
