"""One run's decisions by tier, what is left for the judge, and what that costs and saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.calibration.calibration import Calibration, Scores, text_column
from edit_metrics.calibration.features import feature_matrix
from edit_metrics.calibration.predictor import Labels
from edit_metrics.triage.automatic import Automation
from edit_metrics.triage.costs import AskingCosts
from edit_metrics.triage.policy import TierDecisions
from edit_metrics.triage.risk import Side
from edit_metrics.triage.rules import JudgeCalls, Ranks, decide, judge_calls
from edit_metrics.triage.statement import JudgeStatement, TierCount
from edit_metrics.triage.uncalibrated import JudgeRequest


@dataclass(frozen=True, slots=True)
class Decided:
    """How one item was decided."""

    side: Side
    by_judge: bool


@dataclass(frozen=True, slots=True)
class RunDecisions:
    """Decisions about N items.

    Attributes:
        tiers: side → what each tier decides.
        calls: what the judge is needed for.
        unasked: nobody has asked him about the item.
    """

    tiers: Mapping[Side, TierDecisions]
    calls: JudgeCalls
    unasked: NDArray[np.bool_]

    def of(self, index: int) -> Decided | None:
        """How that item was decided; None where it was not."""
        for side, tiers in self.tiers.items():
            if tiers.metrics[index] or tiers.judge[index]:
                return Decided(side, bool(tiers.judge[index]))
        return None


def decide_run(
    frame: pd.DataFrame,
    calibration: Calibration,
    scores: Scores,
    automation: Automation,
    decidable: NDArray[np.bool_],
    done: NDArray[np.bool_],
) -> RunDecisions:
    """Apply the rules; the judge decides nothing of a policy's items while he was asked about some of them only.

    Args:
        frame: the score table.
        calibration: whose features are read.
        scores: of the table.
        automation: the rules.
        decidable: items that pass every gate.
        done: items that people have rated.
    """
    models = text_column(frame, "model")
    # As in the calibration: of what no metric says anything, nobody but people decides.
    measured = np.isfinite(feature_matrix(frame, [spec.name for spec in calibration.features])).any(axis=1)
    found = decide(automation.active, Ranks(scores.rank, scores.judge_rank), models)
    unasked = np.ones(len(frame), dtype=np.bool_) if scores.judge is None else scores.judge.open
    calls = judge_calls(automation.active, found, models, decidable & measured & ~done, unasked)
    tiers = {
        side: TierDecisions(one.metrics, one.judge & measured & ~calls.held).only(decidable)
        for side, one in found.items()
    }
    return RunDecisions(tiers, calls, unasked)


def judge_requests(
    ids: list[str], found: RunDecisions, scores: Scores, audited: NDArray[np.bool_]
) -> tuple[JudgeRequest, ...]:
    """Whom to ask about: what the metrics leave open, the least certain first; then the audit's other items.

    The audit's items are asked about whatever was decided of them: the next calibration tests its policies on them.
    """
    if not found.calls.needed.any():
        return ()
    order = np.argsort(np.abs(scores.p_pass - 0.5), kind="stable")
    extra = audited & found.unasked & ~found.calls.to_ask
    wanted = [(found.calls.to_ask, "open"), (extra, "audit")]
    return tuple(JudgeRequest(ids[place], why) for mask, why in wanted for place in order if mask[place])


def judge_statement(
    calibration: Calibration,
    asking: AskingCosts | None,
    found: RunDecisions,
    models: Labels,
    waiting: NDArray[np.bool_],
) -> JudgeStatement | None:
    """What the policy costs and saves in this run; None without one.

    Args:
        calibration: knows the judge.
        asking: prices; None: no policy.
        found: decisions.
        models: of the items.
        waiting: items that pass every gate and that people have not rated.
    """
    if asking is None or calibration.judge is None:
        return None
    by_metrics = waiting & np.any([one.metrics for one in found.tiers.values()], axis=0)
    by_judge = waiting & np.any([one.judge for one in found.tiers.values()], axis=0)
    counts = []
    for model in sorted(set(models[waiting].astype(str).tolist())):
        own = waiting & (models == model)
        n = [int((own & mask).sum()) for mask in (by_metrics, by_judge, found.calls.needed)]
        counts.append(TierCount(model, int(own.sum()), *n))
    left, saved = int(found.calls.to_ask.sum()), int(found.calls.saved.sum())
    return JudgeStatement(
        asking,
        tuple(spec.name for spec in calibration.judge.features),
        int(found.calls.needed.sum()),
        left,
        saved,
        left * asking.judge,
        saved * asking.judge,
        float((by_metrics | by_judge).sum()) * asking.rating,
        tuple(counts),
    )
