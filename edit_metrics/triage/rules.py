"""What the rules of a calibration decide of a run, by which tier, and whom the judge must still be asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edit_metrics.calibration.predictor import Labels
from edit_metrics.triage.policy import PolicyControl, TierDecisions
from edit_metrics.triage.risk import Control, Side
from edit_metrics.types import Float64

Decisions = Mapping[Side, TierDecisions]


@dataclass(frozen=True, slots=True)
class Ranks:
    """Decision ranks of N items; NaN where a tier has nothing to go by."""

    metrics: Float64
    judge: Float64

    @classmethod
    def of_metrics(cls, rank: Float64) -> Ranks:
        """Without a judge."""
        return cls(rank, np.full(len(rank), np.nan))


@dataclass(frozen=True, slots=True)
class Rule:
    """Risk control for the items of some models: all eligible ones, or one where the mix of models differs."""

    models: tuple[str, ...]
    control: Control | PolicyControl

    def covers(self, models: Labels) -> NDArray[np.bool_]:
        """Which items it is about."""
        return np.isin(models.astype(str), self.models)

    def decides(self, ranks: Ranks, models: Labels) -> TierDecisions:
        """Which items it decides on its side."""
        if isinstance(self.control, PolicyControl):
            found = self.control.decides(ranks.metrics, ranks.judge)
        else:
            found = TierDecisions(self.control.decides(ranks.metrics), np.zeros(len(ranks.metrics), dtype=np.bool_))
        return found.only(self.covers(models))


@dataclass(frozen=True, slots=True)
class JudgeCalls:
    """What a policy needs of the judge; masks over N items.

    Attributes:
        needed: the metrics leave them open, and their models' policy asks.
        to_ask: of these, nobody has asked him about.
        held: items of a policy that is not asked in full yet: he decides none of them, since those that were asked
            first are not a random part.
        saved: would be asked without the metrics.
    """

    needed: NDArray[np.bool_]
    to_ask: NDArray[np.bool_]
    held: NDArray[np.bool_]
    saved: NDArray[np.bool_]


def decide(rules: Sequence[Rule], ranks: Ranks, models: Labels) -> Decisions:
    """Every side's decisions; what the metrics decide is never the judge's, and what both sides claim is nobody's."""
    n = len(ranks.metrics)
    found = {side: TierDecisions.nothing(n) for side in Side}
    for rule in rules:
        found[rule.control.side] |= rule.decides(ranks, models)
    for side, other in ((Side.FAIL, Side.PASS), (Side.PASS, Side.FAIL)):
        found[side] = TierDecisions(found[side].metrics, found[side].judge & ~found[other].metrics)
    contested = found[Side.FAIL].together & found[Side.PASS].together
    return {side: one.only(~contested) for side, one in found.items()}


def judge_calls(
    rules: Sequence[Rule], decisions: Decisions, models: Labels, askable: NDArray[np.bool_], unasked: NDArray[np.bool_]
) -> JudgeCalls:
    """Whom to ask about.

    Args:
        rules: of the run.
        decisions: by these rules.
        models: of the items.
        askable: no gate stops them, something is measured of them, and people have not rated them.
        unasked: nobody has asked the judge yet.
    """
    asks = np.zeros(len(models), dtype=np.bool_)
    by_metrics = np.any([one.metrics for one in decisions.values()], axis=0)
    held = np.zeros(len(models), dtype=np.bool_)
    for rule in rules:
        if isinstance(rule.control, PolicyControl) and rule.control.asks:
            own = rule.covers(models)
            asks |= own
            if (own & askable & unasked & ~by_metrics).any():
                held |= own
    asks &= askable
    return JudgeCalls(asks & ~by_metrics, asks & ~by_metrics & unasked, held, asks & by_metrics)
