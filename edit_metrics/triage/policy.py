"""Policies of two tiers as values: what the metrics decide, what the judge decides, and the evidence for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edit_metrics.triage.chain import NONE, Cuts, Keys
from edit_metrics.triage.risk import Side
from edit_metrics.types import Float64

METRICS, JUDGE, TOGETHER = "metrics", "judge", "together"


@dataclass(frozen=True, slots=True)
class TierRisk:
    """What the testing part says of the decisions of one tier, or of both together."""

    tier: str
    n_decided: int
    n_wrong: int
    p_value: float


@dataclass(frozen=True, slots=True)
class PolicyPoint:
    """One tested policy.

    Attributes:
        metrics: rank up to (fail) or from (pass) which the metrics decide; None: they decide nothing.
        judge: the same of the judge's rank; None: he is not asked.
        risks: of every tier that decides something, and, last, of both together.
    """

    metrics: float | None
    judge: float | None
    risks: tuple[TierRisk, ...]

    @property
    def p_value(self) -> float:
        """The largest: all must hold."""
        return max(one.p_value for one in self.risks)

    @property
    def n_decided(self) -> int:
        """By both tiers."""
        return self.risks[-1].n_decided

    @property
    def n_wrong(self) -> int:
        """Of these."""
        return self.risks[-1].n_wrong


@dataclass(frozen=True, slots=True)
class LowestError:
    """The fewest wrong decisions in a hundred that a tier reaches when it decides enough: what is possible at best."""

    tier: str
    n_decided: int
    n_wrong: int


@dataclass(frozen=True, slots=True)
class TierDecisions:
    """Which items each tier decides on one side; N items."""

    metrics: NDArray[np.bool_]
    judge: NDArray[np.bool_]

    @classmethod
    def nothing(cls, n: int) -> TierDecisions:
        """No item is decided."""
        return cls(np.zeros(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_))

    def only(self, rows: NDArray[np.bool_]) -> TierDecisions:
        """Without the items outside a mask."""
        return TierDecisions(self.metrics & rows, self.judge & rows)

    def __or__(self, other: TierDecisions) -> TierDecisions:
        """Decided by the same tier of either."""
        return TierDecisions(self.metrics | other.metrics, self.judge | other.judge)

    @property
    def together(self) -> NDArray[np.bool_]:
        """Decided by either."""
        return np.asarray(self.metrics | self.judge)


@dataclass(frozen=True, slots=True)
class PolicyControl:
    """What is allowed on one side of a policy of two tiers.

    Attributes:
        reason: why nothing is decided; empty otherwise.
        chosen: the last policy that holds; None likewise.
        tested: every policy that was tested, fewest decided first; the last one failed, unless all hold.
        lowest: per tier, on all random ratings.
        finite_sample: see :class:`edit_metrics.triage.risk.Control`.
        alpha: largest share of wrong decisions that was tested.
        delta: largest probability that the promise is broken.
        n_items: rated items that test.
        n_groups: their groups.
        n_start: fewest decided items of a tier that can be tested.
    """

    side: Side
    reason: str
    chosen: PolicyPoint | None
    tested: tuple[PolicyPoint, ...]
    lowest: tuple[LowestError, ...]
    finite_sample: bool
    alpha: float
    delta: float
    n_items: int
    n_groups: int
    n_start: int

    @property
    def decides_something(self) -> bool:
        """Whether a policy holds."""
        return self.chosen is not None

    @property
    def curve(self) -> tuple[PolicyPoint, ...]:
        """What a plot of risk and coverage shows."""
        return self.tested

    @property
    def asks(self) -> bool:
        """Whether the judge is asked."""
        return self.chosen is not None and self.chosen.judge is not None

    def decides(self, rank: Float64, judge: Float64) -> TierDecisions:
        """Which ranks are decided, and by which tier; NaN is never decided."""
        if self.chosen is None:
            return TierDecisions.nothing(len(rank))
        sign = 1.0 if self.side is Side.FAIL else -1.0
        cuts = Cuts(*(NONE if at is None else sign * at for at in (self.chosen.metrics, self.chosen.judge)))
        keys = keys_of(rank, judge, self.side)
        return TierDecisions(keys.by_metrics(cuts), keys.by_judge(cuts))

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        record = asdict(self) | {"side": self.side.value, "tested": len(self.tested)}
        if self.chosen is not None:
            record["chosen"]["p_value"] = self.chosen.p_value
        return record


def keys_of(rank: Float64, judge: Float64, side: Side) -> Keys:
    """What cuts of a side are made on."""
    sign = 1.0 if side is Side.FAIL else -1.0
    return Keys(*(np.where(np.isfinite(one), sign * one, np.inf) for one in (rank, judge)))
