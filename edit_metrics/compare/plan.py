"""Can this benchmark pass at its margin? Asked before the first candidate, of one run or of two.

What decides is the spread over groups of the *differences* between two checkpoints. Two runs show it. One run shows
only how much the scores themselves differ from source to source (s); differences then spread by s·√(2·(1 − ρ)), where
ρ, how well two checkpoints' scores go together over sources, is the user's to know. So the plan of one run says which ρ
the benchmark needs, and what it would take at some.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.measures import Measure
from edit_metrics.compare.pairing import Units
from edit_metrics.compare.sample_size import POWER, groups_needed, power_at
from edit_metrics.stats import cluster_mean_interval
from edit_metrics.types import Float64

CORRELATIONS: Final = (0.5, 0.8, 0.95)
"""Examples of ρ, from checkpoints that share little to repeats of one."""


@dataclass(frozen=True, slots=True)
class AtCorrelation:
    """The plan of one dimension if two checkpoints go together like this."""

    correlation: float
    chance_to_pass: float
    groups_to_pass: int


@dataclass(frozen=True, slots=True)
class DimensionPlan:
    """One dimension.

    Attributes:
        spread: standard deviation over groups of the differences (two runs), or of the scores (one run); None with
            fewer than two groups, which the gate would not judge.
        chance_to_pass: of an unchanged candidate, with the groups that are there; None for one run.
        groups_to_pass: for an 80 % chance of that; None for one run.
        groups_to_find: groups for an 80 % chance that a drop of the margin is called a regression; None for one run.
        smallest_margin: that an unchanged candidate passes with 80 % chance; None for one run.
        correlation_needed: smallest ρ with which it can pass with 80 % chance; None for two runs. At 1 no ρ suffices.
        examples: for one run.
    """

    name: str
    margin: float
    n_items: int
    n_groups: int
    spread: float | None
    chance_to_pass: float | None = None
    groups_to_pass: int | None = None
    groups_to_find: int | None = None
    smallest_margin: float | None = None
    correlation_needed: float | None = None
    examples: tuple[AtCorrelation, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """All dimensions.

    Attributes:
        other: the second run; None for one.
        chance_to_pass: that every dimension passes, if their chances were independent (they mostly go together, which
            makes it larger); None for one run.
        groups_to_pass: groups at which that is 80 %; None for one run, or where nothing can be judged.
    """

    run: str
    other: str | None
    config: GateConfig
    dimensions: tuple[DimensionPlan, ...]
    chance_to_pass: float | None = None
    groups_to_pass: int | None = None


def plan_one(units: Units, measures: Sequence[Measure], config: GateConfig) -> Plan:
    """Plan from one run."""
    found = [_of_scores(m, units.values(m.column), units.codes, config) for m in measures]
    return Plan(units.run.name, None, config, tuple(found))


def plan_pair(
    names: tuple[str, str], pairs: Sequence[tuple[Measure, Float64, NDArray[np.intp]]], config: GateConfig
) -> Plan:
    """Plan from the differences of two runs, each measure with N differences (NaN where missing) and N groups.

    The difference that the two happen to have is not used, only its spread.
    """
    found = [_of_differences(m, values, groups, config, len(pairs)) for m, values, groups in pairs]
    planned = [(one.spread, one.margin, one.n_groups) for one in found if one.spread is not None]
    if not planned:
        return Plan(*names, config, tuple(found))
    chance = math.prod(power_at(n, spread, margin, config.alpha) for spread, margin, n in planned)
    # Each at the chance that lets all of them together reach the aim.
    alone = POWER ** (1 / len(planned))
    needed = max(groups_needed(spread, margin, config.alpha, alone) for spread, margin, _ in planned)
    return Plan(*names, config, tuple(found), chance, needed)


def _of_differences(
    measure: Measure, values: Float64, groups: NDArray[np.intp], config: GateConfig, n_tests: int
) -> DimensionPlan:
    margin = config.rule(measure.name).margin
    n_items, n, spread = _spread(values, groups)
    if spread is None:
        return DimensionPlan(measure.name, margin, n_items, n, None)
    return DimensionPlan(
        measure.name,
        margin,
        n_items,
        n,
        spread,
        power_at(n, spread, margin, config.alpha),
        groups_needed(spread, margin, config.alpha),
        groups_needed(spread, margin, config.alpha / n_tests),
        _smallest_margin(n, spread, config.alpha),
    )


def _of_scores(measure: Measure, values: Float64, groups: NDArray[np.intp], config: GateConfig) -> DimensionPlan:
    margin, alpha = config.rule(measure.name).margin, config.alpha
    n_items, n, spread = _spread(values, groups)
    if spread is None:
        return DimensionPlan(measure.name, margin, n_items, n, None)
    # The margin that can be passed grows in proportion to the spread of the differences.
    widest = margin / _smallest_margin(n, 1.0, alpha)
    needed = 0.0 if spread == 0 else max(0.0, 1 - widest**2 / (2 * spread**2))
    examples = tuple(
        AtCorrelation(rho, power_at(n, apart, margin, alpha), groups_needed(apart, margin, alpha))
        for rho in CORRELATIONS
        for apart in [spread * math.sqrt(2 * (1 - rho))]
    )
    return DimensionPlan(measure.name, margin, n_items, n, spread, correlation_needed=needed, examples=examples)


def _spread(values: Float64, groups: NDArray[np.intp]) -> tuple[int, int, float | None]:
    there = np.isfinite(values)
    kept = groups[there]
    if not len(kept) or (kept == kept[0]).all():
        return len(kept), min(1, len(kept)), None
    found = cluster_mean_interval(values[there], kept)
    return found.n_items, found.n_groups, found.standard_error * math.sqrt(found.n_groups)


def _smallest_margin(n_groups: int, spread: float, alpha: float) -> float:
    """By bisection: the power grows with the margin."""
    low, high = 0.0, spread
    while power_at(n_groups, spread, high, alpha) < POWER:
        low, high = high, 2 * high
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if power_at(n_groups, spread, middle, alpha) >= POWER else (middle, high)
    return high
