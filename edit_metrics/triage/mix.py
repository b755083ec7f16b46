"""The mix of models: is a statement about the rated items one about this run?

A threshold that was tested on the rated items holds for a run in which every item weighs the same. In a run of another
mix a model with few ratings may count most: 72 rated items of one model among 1,000 of others, and a run of which it
makes 90 %, broke the promise in a third of the draws when the test was only weighted. With relative weights between a
and b, wrong decisions weigh at most b and all decisions at least a, so that

    error here ≤ (b / a) · error of the rated population.

A mild shift is therefore paid for by testing at α · a / b. Beyond that every model is decided by its own ratings, or
not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from edit_metrics.triage.risk import RiskSample, fewest_decided
from edit_metrics.types import Float64

MOST_SHIFT: Final = 1.25
"""Largest b / a that is paid for with α: 5 % become 4 %, about what deciding eight models apart would cost."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One test: on which rated items, at which error, for the items of which models.

    Attributes:
        models: of the run, that its decisions are about.
        sample: the random ratings that it rests on.
        alpha: the error to test at, at most the promised one.
        share: of the error probability of the side.
    """

    models: tuple[str, ...]
    sample: RiskSample
    alpha: float
    share: float


def plan_stages(
    random: pd.DataFrame, present: Mapping[str, int], population: Mapping[str, float], alpha: float, delta: float
) -> list[Stage]:
    """One test for all models where the run has the mix of the rated population, else one for each.

    Decided from numbers of items alone, never from their ratings.

    Args:
        random: held-out rows of random ratings of eligible models: ``rank, passed, group, model, inclusion_prob``.
        present: model → items of the run, eligible models alone.
        population: model → items of what the ratings were drawn from.
        alpha: promised error.
        delta: error probability of the side.
    """
    if random.empty:
        return []
    weights = relative_weights(random, present, population)
    shift = float(weights.max() / weights.min())
    models = tuple(present)
    if shift <= MOST_SHIFT:
        return [Stage(models, risk_sample(random), alpha / shift, 1.0)]
    counts = random["model"].value_counts()
    able = [name for name in models if counts.get(name, 0) >= fewest_decided(alpha, delta)]
    stages = []
    for name in able:
        own = random["model"] == name
        inside = weights[own.to_numpy()]
        stages.append(
            Stage((name,), risk_sample(random[own]), alpha * float(inside.min() / inside.max()), 1 / len(able))
        )
    return stages


def relative_weights(rows: pd.DataFrame, present: Mapping[str, int], population: Mapping[str, float]) -> Float64:
    """How many items of the run each rated item stands for, up to a factor: 1 / P(draw) · run's share / own share.

    With equal probabilities and the population's own mix all are equal.
    """
    drawn = 1.0 / rows["inclusion_prob"].to_numpy(dtype=np.float64)
    factors = {name: n / population[name] for name, n in present.items() if population.get(name)}
    return drawn * rows["model"].map(factors).to_numpy(dtype=np.float64)


def risk_sample(rows: pd.DataFrame) -> RiskSample:
    """The columns of risk control."""
    rank, passed = (rows[name].to_numpy(dtype=np.float64) for name in ("rank", "passed"))
    judge = rows["judge_rank"].to_numpy(dtype=np.float64) if "judge_rank" in rows else None
    return RiskSample(rank, passed, rows["group"].astype(str).to_numpy(dtype=object), judge)
