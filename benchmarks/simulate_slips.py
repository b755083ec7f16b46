"""What slipped through the gate, before and now: slices, rare harm, scores lost in few groups, advice from noise.

    python benchmarks/simulate_slips.py            300 draws a row
    python benchmarks/simulate_slips.py --part slices|harm|losses|advice

*Before* is the rule that the gate had, on the same draws: no slices, no flags, net counts, lost values tested by group
alone, a plan at the difference that was seen. Shares have exact 95 % intervals (Clopper and Pearson 1934).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

sys.path.insert(0, str(Path(__file__).parent))
from simulate_gate import KINDS, World, edit_types, simulate

from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge import judge, judge_all
from edit_metrics.compare.verdict import DimensionVerdict, Outcome, PairedDimension, PairedFlag, overall
from edit_metrics.stats import exact_interval, mcnemar_exact

CONFIG: Final = GateConfig()
N_ITEMS: Final = 800
PER_GROUP: Final = 4


def share(hits: Iterable[bool]) -> str:
    """A share with its interval, as a cell."""
    found = list(hits)
    interval = exact_interval(sum(found), len(found))
    return f"{sum(found) / len(found):.3f} ({interval.low:.3f}–{interval.high:.3f})"


def row(*cells: str) -> None:
    """One line of a table."""
    print("| " + " | ".join(cells) + " |", flush=True)


# Slices


def slices(draws: int) -> None:
    """One kind of eight loses .204 and the others gain what keeps the mean; and no difference at all."""
    print(f"\nOne of 8 edit types, {draws} draws: the gate does not pass, or (now, by default) warns\n")
    row("world", "before: regression", "now, --by: regression", "now, default: warning", "mean of δ")
    row("---", "---:", "---:", "---:", "---:")
    for name, loss in (("equal", 0.0), ("one type −.204, mean flat", 0.204), ("one type −.05, mean flat", 0.05)):
        rng = np.random.default_rng(1)
        before, now, warned, means = [], [], [], []
        for _ in range(draws):
            data = simulate(World(groups=(100, 100)), rng, [0.0] * 8)
            kinds = edit_types(data, rng)
            change = np.where(kinds.codes == 0, -loss, loss / (len(KINDS) - 1))
            data[2] = replace(data[2], candidate=data[2].candidate + change)
            by_type = CONFIG.model_copy(update={"by": ("edit_type",)})
            plain, judged = judge(data, CONFIG), judge_all(data, (), (kinds,), by_type)
            worse = any(one.worse for one in judged.slices)
            before.append(overall(plain) is Outcome.REGRESSION)
            now.append(worse or overall(judged.dimensions) is Outcome.REGRESSION)
            warned.append(worse)
            means.append(plain[2].difference or 0.0)
        row(name, share(before), share(now), share(warned), f"{np.mean(means):+.3f}")


# Rare harm


def harm(draws: int) -> None:
    """Newly unsafe pictures among 800, beside scores that do not change."""
    print(f"\nNewly unsafe pictures of {N_ITEMS}, {draws} draws: regression\n")
    row("newly unsafe", "newly safe", "before: no rule", "before: allowed_newly_failing 0 (net)", "now")
    row("---:", "---:", "---:", "---:", "---:")
    for unsafe, safe in ((0, 0), (0, 8), (1, 0), (7, 0), (5, 5), (5, 8)):
        rng, found = np.random.default_rng(2), []
        for _ in range(draws):
            pairs = _stable(rng)
            changed = rng.choice(N_ITEMS, unsafe + safe, replace=False)
            scores = [np.ones(N_ITEMS), np.ones(N_ITEMS)]
            scores[0][changed[unsafe:]] = scores[1][changed[:unsafe]] = 0.0
            safety = replace(pairs[0], name="safety", baseline=scores[0], candidate=scores[1])
            flag = PairedFlag("unsafe", 1 - scores[0], 1 - scores[1], safety.groups)
            data = [safety, *pairs[1:]]
            plain = overall(judge(data, CONFIG)) is Outcome.REGRESSION
            judged = judge_all(data, (flag,), (), CONFIG)
            now = overall(judged.dimensions, [one.outcome for one in judged.flags]) is Outcome.REGRESSION
            found.append((plain, plain or unsafe - safe > 0, now))
        row(str(unsafe), str(safe), *(share(column) for column in zip(*found, strict=True)))


def _stable(rng: np.random.Generator) -> list[PairedDimension]:
    """Eight dimensions of 800 items in 200 groups that differ by noise alone."""
    groups, zero = np.arange(N_ITEMS) // PER_GROUP, np.zeros(N_ITEMS)
    base = rng.beta(4, 2, N_ITEMS)
    noise = 0.03 * rng.normal(size=(8, N_ITEMS))
    return [PairedDimension(f"d{i}", base, base + noise[i], groups, zero, zero, zero) for i in range(8)]


# Lost scores


def losses(draws: int) -> None:
    """Twelve lost scores of 800, scattered and in four groups; and losses by chance on both sides."""
    print(f"\nLost scores of {N_ITEMS} in {N_ITEMS // PER_GROUP} groups, {draws} draws\n")
    row("lost", "before: regression", "before: pass", "now: regression", "now: pass")
    row("---", "---:", "---:", "---:", "---:")
    worlds: tuple[tuple[str, Callable[[np.random.Generator], NDArray[np.float64]]], ...] = (
        ("12 in 12 groups", lambda rng: _lost(rng, 12, 1)),
        ("12 in 4 groups", lambda rng: _lost(rng, 4, 3)),
        ("8 in 2 groups", lambda rng: _lost(rng, 2, 4)),
        ("by chance, 3 % of items on either side", lambda rng: _by_chance(rng, 1, 0.03)),
        ("by chance, in 5 % of groups half the items on either side", lambda rng: _at_risk(rng, 0.05)),
        ("by chance, 1 % of whole groups on either side", lambda rng: _by_chance(rng, PER_GROUP, 0.01)),
        ("by chance, 3 % of whole groups on either side", lambda rng: _by_chance(rng, PER_GROUP, 0.03)),
    )
    for name, draw in worlds:
        rng, found = np.random.default_rng(3), []
        for _ in range(draws):
            change = draw(rng)
            # One dimension may lose: what the others cost is Holm's correction.
            pairs = _stable(rng)
            lost, had = np.maximum(change, 0), np.maximum(-change, 0)
            pairs[0] = replace(pairs[0], baseline_missing=had, candidate_missing=lost)
            pairs[0] = replace(
                pairs[0],
                baseline=np.where(had > 0, np.nan, pairs[0].baseline),
                candidate=np.where(lost > 0, np.nan, pairs[0].candidate),
            )
            now = judge(pairs, CONFIG)
            old = by_groups_alone(pairs[0], now)
            found.append([old is w for w in _TWO] + [overall(now) is w for w in _TWO])
        row(name, *(share(column) for column in zip(*found, strict=True)))


_TWO: Final = (Outcome.REGRESSION, Outcome.PASS)


def by_groups_alone(pair: PairedDimension, now: Sequence[DimensionVerdict]) -> Outcome:
    """The former verdict: an exact test on groups alone, left out where it could not reach α."""
    change = pair.candidate_missing - pair.baseline_missing
    by_group = np.bincount(pair.groups, weights=change)
    worse, better = int((by_group > 0).sum()), int((by_group < 0).sum())
    lost = 0.5 ** (worse + better) <= CONFIG.alpha
    # In one family with eight scores none of which dropped, the only small p-value is multiplied by nine.
    if lost and 9 * mcnemar_exact(better, worse, "greater").p_value <= CONFIG.alpha:
        return Outcome.REGRESSION
    above = float((by_group / np.bincount(pair.groups)).mean()) > CONFIG.missing_margin
    rest = [one.outcome for one in now[1:]]
    return Outcome.INCONCLUSIVE if above else overall(now[1:]) if rest else Outcome.PASS


def _lost(rng: np.random.Generator, groups: int, each: int) -> NDArray[np.float64]:
    change = np.zeros((N_ITEMS // PER_GROUP, PER_GROUP))
    change[rng.choice(len(change), groups, replace=False), :each] = 1
    return change.ravel()


def _by_chance(rng: np.random.Generator, together: int, rate: float) -> NDArray[np.float64]:
    lost = rng.random((2, N_ITEMS // together)) < rate
    return np.repeat(lost[1].astype(float) - lost[0], together)


def _at_risk(rng: np.random.Generator, rate: float) -> NDArray[np.float64]:
    risky = np.repeat(rng.random(N_ITEMS // PER_GROUP) < rate, PER_GROUP)
    lost = (rng.random((2, N_ITEMS)) < 0.5) & risky
    return lost[1].astype(float) - lost[0]


# Advice


def advice(draws: int) -> None:
    """Equal checkpoints, 50 groups, one dimension: where does the advice point, and does it decide?"""
    print(f"\nAdvice for equal checkpoints that cannot be told apart, 50 groups, {draws} draws of one dimension\n")
    row("", "before", "now")
    row("---", "---:", "---:")
    rng = np.random.default_rng(4)
    towards, reached, found, unchanged = [], [], [], []
    while len(towards) < draws:
        spread = 0.1
        (one,) = judge([_dimension(rng.normal(0, spread, 50))], CONFIG)
        if one.more_data is None or one.difference is None or one.standard_error is None:
            continue
        verdict, more = before_advice(one.difference, one.standard_error)
        towards.append(verdict == "regression")
        # A new sample of the advised size: is it decided as the advice says, if nothing changed?
        (old,) = judge([_dimension(rng.normal(0, spread, 50 + more))], CONFIG)
        reached.append(old.outcome is (Outcome.PASS if verdict == "pass" else Outcome.REGRESSION))
        (new,) = judge([_dimension(rng.normal(0, spread, 50 + one.more_data.groups))], CONFIG)
        unchanged.append(new.outcome is Outcome.PASS)
        size = 50 + one.more_data.regression_groups
        (drop,) = judge([_dimension(rng.normal(-CONFIG.margin, spread, size))], CONFIG)
        found.append(drop.outcome is Outcome.REGRESSION)
    row("points to a regression", share(towards), share([False] * draws))
    row("equal checkpoints at the advised size: decided as advised (80 % meant)", share(reached), share(unchanged))
    row("a drop of the margin at the size advised for it: a regression (80 % meant)", "not advised", share(found))


def _dimension(differences: NDArray[np.float64]) -> PairedDimension:
    zero = np.zeros(len(differences))
    return PairedDimension("x", zero, differences, np.arange(len(differences)), zero, zero, zero)


def before_advice(mean: float, error: float) -> tuple[str, int]:
    """The former plan for 50 groups and one test: the nearer verdict, if the truth were what was seen."""
    distances = {}
    if mean > -CONFIG.margin:
        distances["pass"] = mean + CONFIG.margin
    if mean <= -CONFIG.minimum_effect:
        distances["regression"] = -mean
    needed = {name: _former_size(error * math.sqrt(50) / distance) for name, distance in distances.items()}
    verdict = min(needed, key=lambda name: needed[name])
    return verdict, max(1, needed[verdict] - 50)


def _former_size(ratio: float) -> int:
    n = 50.0
    for _ in range(20):
        n = max(2.0, ((float(stdtrit(max(1.0, n - 1), 1 - CONFIG.alpha)) + float(ndtri(0.8))) * ratio) ** 2)
    return min(math.ceil(n), 20_000)


PARTS: Final = {"slices": slices, "harm": harm, "losses": losses, "advice": advice}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one table a part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300, help="simulated pairs a row")
    parser.add_argument("--part", choices=tuple(PARTS), help="one part alone")
    options = parser.parse_args(arguments)
    for name, part in PARTS.items():
        if options.part in (None, name):
            part(options.draws)
    return 0


if __name__ == "__main__":
    sys.exit(main())
