"""Does the gate keep its promises? Simulated benchmark pairs through the gate's own code.

    python benchmarks/simulate_gate.py            2,000 pairs a row, a few minutes on one core
    python benchmarks/simulate_gate.py --quick    200 pairs a row

Every pair has 8 dimensions, 20 to 300 groups of 1 to 6 items, differences with a part that the items of a group share
and a part of their own, both skewed, correlated over dimensions, and values that are missing on either side by chance.
Two promises, each at α = .05:

    P(regression | no difference)               ≤ α + 2 standard errors of the simulation
    P(pass | one dimension at −margin)          ≤ α + 2 standard errors

Skew is what breaks a t-test, and each promise has its bad side: a long tail of gains makes false regressions, a long
tail of drops makes false passes. Both are run. The two tests beside the gate's see the same data, the same Holm
correction and the same minimum effect; they differ in the p-value alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr

from edit_metrics.compare import judge_slices
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge import judge, judge_all
from edit_metrics.compare.verdict import Outcome, PairedDimension, PairedSlices, overall
from edit_metrics.stats import holm
from edit_metrics.types import DIMENSIONS

Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]
Test = Callable[[PairedDimension], tuple[float, float]]

ALPHA: Final = 0.05
KINDS: Final = ("add", "background", "pose", "recolour", "remove", "replace", "style", "text")


@dataclass(frozen=True, slots=True)
class World:
    """How benchmark pairs come about.

    Attributes:
        tail: the long tail of the differences: ``gains``, ``drops`` or ``none``.
        shape: of the gamma distribution behind them; its skewness is 2 / √shape.
        shared: standard deviation of the part of a difference that a group's items share.
        own: standard deviation of the part of an item's own.
        missing: chance that a value is missing on one side.
        groups: smallest and largest number of groups.
    """

    tail: str = "none"
    shape: float = 2.0
    shared: float = 0.05
    own: float = 0.08
    missing: float = 0.03
    groups: tuple[int, int] = (20, 300)


def simulate(world: World, rng: np.random.Generator, effects: Sequence[float]) -> list[PairedDimension]:
    """One benchmark pair whose true differences are ``effects``, one a dimension."""
    n_groups = int(rng.integers(world.groups[0], world.groups[1] + 1))
    codes = np.repeat(np.arange(n_groups), rng.integers(1, 7, n_groups))
    shared, own = _centred(world, rng, n_groups, len(effects)), _centred(world, rng, len(codes), len(effects))
    difference = world.shared * shared[codes] + world.own * own + np.asarray(effects)
    # Items differ much more from each other than two checkpoints on one item do.
    baseline = rng.beta(4, 2, (len(codes), 1)) + 0.05 * rng.normal(size=difference.shape)
    lost = rng.random((2, *difference.shape)) < world.missing
    return [
        PairedDimension(
            name,
            np.where(lost[0, :, index], np.nan, baseline[:, index]),
            np.where(lost[1, :, index], np.nan, baseline[:, index] + difference[:, index]),
            codes,
            lost[0, :, index].astype(np.float64),
            lost[1, :, index].astype(np.float64),
            np.zeros(len(codes)),
        )
        for index, name in enumerate(DIMENSIONS[: len(effects)])
    ]


def _centred(world: World, rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float64]:
    """Mean 0, standard deviation 1, correlation ½ over columns."""
    if world.tail == "none":
        common, single = rng.normal(size=(rows, 1)), rng.normal(size=(rows, columns))
        normal: NDArray[np.float64] = (common + single) / np.sqrt(2)
        return normal
    # The sum of two gamma variables of half the shape has the shape asked for.
    half = world.shape / 2
    total = rng.gamma(half, size=(rows, 1)) + rng.gamma(half, size=(rows, columns))
    skewed: NDArray[np.float64] = (total - world.shape) / np.sqrt(world.shape)
    return skewed if world.tail == "gains" else -skewed


def unpaired_z(pair: PairedDimension) -> tuple[float, float]:
    """Difference and one-sided p of two independent samples of items."""
    before = pair.baseline[np.isfinite(pair.baseline)]
    after = pair.candidate[np.isfinite(pair.candidate)]
    difference = float(after.mean() - before.mean())
    error = np.sqrt(after.var(ddof=1) / len(after) + before.var(ddof=1) / len(before))
    return difference, float(ndtr(difference / error))


def unclustered_t(pair: PairedDimension) -> tuple[float, float]:
    """Difference and one-sided p of a paired t-test that takes every item as independent."""
    difference = (pair.candidate - pair.baseline)[np.isfinite(pair.candidate) & np.isfinite(pair.baseline)]
    t = difference.mean() / difference.std(ddof=1) * np.sqrt(len(difference))
    return float(difference.mean()), float(stdtr(len(difference) - 1, t))


def is_regression(pairs: Sequence[PairedDimension], test: Test, config: GateConfig) -> bool:
    """The gate's rule for scores with another test's p-value."""
    found = [test(pair) for pair in pairs]
    adjusted = holm([p for _, p in found])
    return any(
        p <= config.alpha and difference <= -config.minimum_effect
        for (difference, _), p in zip(found, adjusted, strict=True)
    )


def edit_types(pairs: Sequence[PairedDimension], rng: np.random.Generator) -> PairedSlices:
    """Every item is of one of eight kinds, whatever its group."""
    codes = rng.integers(0, len(KINDS), len(pairs[0].groups))
    return PairedSlices("edit_type", codes, KINDS)


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of the simulated pairs.

    Attributes:
        sliced: regression when slices by edit type decide too.
        slices: a slice alone speaks against the candidate.
    """

    regression: float
    sliced: float
    slices: float
    passed: float
    inconclusive: float
    unclustered: float
    unpaired: float
    pairs: int


def measure(
    world: World, effects: Sequence[float], pairs: int, seed: int, config: GateConfig, *, sliced: bool = True
) -> Rates:
    """Verdicts over ``pairs`` simulated benchmark pairs; ``sliced=False`` leaves the slices out, the dearest part."""
    # Kinds have a generator of their own, so that the pairs are the same with and without them.
    rng, kinds = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    by_type = config.model_copy(update={"by": ("edit_type",)})
    outcomes, others = [], []
    for _ in range(pairs):
        data = simulate(world, rng, effects)
        # Without a by, slices are tested and take nothing from the level of the dimensions.
        judged = judge_all(data, (), (slices := (edit_types(data, kinds),) if sliced else ()), config)
        outcome, worse = overall(judged.dimensions), any(one.worse for one in judged.slices)
        outcomes.append(outcome)
        # At four fifths of the level no dimension drops that did not at the whole of it.
        dropped = outcome is Outcome.REGRESSION
        if dropped and not worse:
            dropped = overall(judge_all(data, (), slices, by_type).dimensions) is Outcome.REGRESSION
        others.append(
            (
                worse or dropped,
                worse,
                is_regression(data, unclustered_t, config),
                is_regression(data, unpaired_z, config),
            )
        )
    share = {outcome: outcomes.count(outcome) / pairs for outcome in Outcome}
    both, slices, unclustered, unpaired = (float(x) for x in np.mean(others, axis=0))
    passed, doubt = share[Outcome.PASS], share[Outcome.INCONCLUSIVE]
    return Rates(share[Outcome.REGRESSION], both, slices, passed, doubt, unclustered, unpaired, pairs)


def allowed(pairs: int) -> float:
    """α + 2 standard errors of a share of α over that many pairs."""
    return ALPHA + 2 * float(np.sqrt(ALPHA * (1 - ALPHA) / pairs))


def errors(pairs: int, config: GateConfig) -> bool:
    """Print both error rates in every world; True when all promises are kept."""
    at_margin = (-config.margin, *[0.0] * 7)
    limit, kept = allowed(pairs), True
    sizes = ((20, 300), (20, 40), (100, 300))
    print(f"\nError rates over {pairs} pairs a row; allowed: {limit:.4f}\n")
    print(
        "| tail | groups | regression, no difference | slices on | unclustered t | unpaired z | pass, one at −margin |"
    )
    print("|---|---|---:|---:|---:|---:|---:|")
    for tail in ("none", "gains", "drops"):
        for index, groups in enumerate(sizes):
            world = World(tail=tail, groups=groups)
            null = measure(world, [0.0] * 8, pairs, 10 + index, config)
            edge = measure(world, at_margin, pairs, 20 + index, config, sliced=False)
            kept = kept and max(null.regression, null.sliced, edge.passed) <= limit
            rates = f"{null.regression:.4f} | {null.sliced:.4f} | "
            rates += f"{null.unclustered:.4f} | {null.unpaired:.4f} | {edge.passed:.4f}"
            print(f"| {tail} | {groups[0]}–{groups[1]} | {rates} |", flush=True)
    return kept


def power(pairs: int, config: GateConfig) -> None:
    """Print how often a drop of one dimension is found, and how often no drop passes."""
    print(f"\nShare of {pairs} pairs called a regression when one dimension of eight drops (tail: gains)\n")
    print("| groups | drop | gate | slices on | unclustered t | unpaired z | gate passes |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for groups in (20, 50, 100, 300):
        world = World(tail="gains", groups=(groups, groups))
        for drop in (0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1):
            found = measure(world, (-drop, *[0.0] * 7), pairs, 30 + groups, config)
            others = f"{found.unclustered:.3f} | {found.unpaired:.3f}"
            gate = f"{found.regression:.3f} | {found.sliced:.3f}"
            print(f"| {groups} | {drop:.2f} | {gate} | {others} | {found.passed:.3f} |")


def limits(pairs: int, config: GateConfig) -> None:
    """Print where the promises break: few groups with a long tail, and rare, large drops."""
    far_better = (-config.margin, *[10 * config.margin] * 7)
    print(f"\nLeast favourable, over {pairs} pairs: for a pass, all other dimensions far better and nothing missing\n")
    print("| tail | groups | regression, no difference | pass, one at −margin |")
    print("|---|---|---:|---:|")
    for tail in ("none", "gains", "drops"):
        for groups in ((20, 20), (20, 40), (20, 300)):
            world = World(tail=tail, groups=groups)
            null = measure(world, [0.0] * 8, pairs, 50, config, sliced=False)
            edge = measure(replace(world, missing=0.0), far_better, pairs, 60, config, sliced=False)
            print(f"| {tail} | {groups[0]}–{groups[1]} | {null.regression:.4f} | {edge.passed:.4f} |")
    rare_drops(pairs, config)


def rare_drops(pairs: int, config: GateConfig) -> None:
    """Print how often a score that is constant but for rare, large drops passes at −margin."""
    print(
        f"\nRare drops: each group of one item loses a whole point with chance {config.margin:g}, over {pairs} pairs\n"
    )
    print("| groups | pass, one at −margin |")
    print("|---:|---:|")
    rng = np.random.default_rng(40)
    for groups in (20, 50, 100, 300, 1000):
        codes, zero = np.arange(groups), np.zeros(groups)
        pair = PairedDimension("safety", np.ones(groups), np.ones(groups), codes, zero, zero, zero)
        passes = 0
        for _ in range(pairs):
            drops = (rng.random(groups) < config.margin).astype(np.float64)
            passes += overall(judge([replace(pair, candidate=1 - drops)], config)) is Outcome.PASS
        print(f"| {groups} | {passes / pairs:.4f} |")


def fewest_groups(pairs: int, config: GateConfig) -> None:
    """Print how often slices alone call equal checkpoints a regression, by the fewest groups that a slice needs."""
    level = judge_slices.SLICES_SHARE * config.alpha
    print(f"\nA slice alone calls equal checkpoints a regression, over {pairs} pairs; meant: {level:.3f} at most\n")
    print("| tail | groups | from 2 groups | from 3 | from 5 | from 8 |")
    print("|---|---|---:|---:|---:|---:|")
    shipped = judge_slices.FEWEST_GROUPS
    for tail in ("none", "gains", "drops"):
        rng, worse = np.random.default_rng(70), np.zeros(4)
        for _ in range(pairs):
            data = simulate(World(tail=tail, groups=(20, 40)), rng, [0.0] * 8)
            kinds = edit_types(data, rng)
            for index, fewest in enumerate((2, 3, 5, 8)):
                judge_slices.FEWEST_GROUPS = fewest
                worse[index] += any(one.worse for one in judge_slices.judge_slices(data, (kinds,), config))
        print(f"| {tail} | 20–40 | " + " | ".join(f"{share:.4f}" for share in worse / pairs) + " |", flush=True)
    judge_slices.FEWEST_GROUPS = shipped


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; 1 when a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=2000, help="simulated pairs a row")
    parser.add_argument("--quick", action="store_true", help="200 pairs a row, error rates alone")
    parser.add_argument("--part", choices=("errors", "power", "limits", "slices"), help="one part alone")
    options = parser.parse_args(arguments)
    config = GateConfig(alpha=ALPHA)
    pairs = 200 if options.quick else options.pairs
    parts = {options.part} if options.part else {"errors"} if options.quick else {"errors", "power", "limits", "slices"}
    kept = "errors" not in parts or errors(pairs, config)
    if "power" in parts:
        power(max(1, pairs // 5), config)
    if "limits" in parts:
        limits(pairs, config)
    if "slices" in parts:
        fewest_groups(pairs, config)
    if "errors" in parts:
        print("\nBoth promises are kept in every row." if kept else "\nA promise is broken.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
