"""Automatic fails in runs of another mix of models, and on tables cut by their ratings; before and after.

    python benchmarks/simulate_mix.py [--part mix|cut] [--draws 300] [--quick]

Rated samples are drawn from 1,432 edits of eight models with human ratings; the error of what would be failed is
counted on all of them, weighted to the run's mix. Promise: 5 % at 95 %, fail side, ranks held out by group.

* ``mix``: 72 rated items of MagicBrush and 1,000 of the others, and runs with another share of MagicBrush. *Before*:
  all items in one test, binomial without weights, cluster-t with them. *After*: paid for with the error, or by model.
* ``cut``: a table cut to its 400 rated items, worst first by LPIPS. *Before*: every item of the table is rated, so it
  counted as a census. *After*: only what was drawn counts, here 150 items of the whole table among the 400 rated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from rated_edits_world import run_parts, share
from scipy.special import stdtr
from scipy.stats import binom
from triage_evidence import ALPHA, DELTA, Evidence

from edit_metrics.calibration.fitting import RatedItems
from edit_metrics.calibration.folds import group_folds
from edit_metrics.cli.console import table
from edit_metrics.triage.mix import plan_stages
from edit_metrics.triage.risk import RiskSample, Side, control_risk, fewest_decided
from edit_metrics.types import Float64

BEST = "MagicBrush"


def held_out(evidence: Evidence, features: str, rows: np.ndarray, seed: int) -> tuple[pd.DataFrame, Float64]:
    """Held-out rows of a rated sample, and the rank of every item by the fit on that sample."""
    fitter, rated = evidence.fitter(features)
    drawn = rated.take(rows)
    found = fitter.held_out(drawn, group_folds(drawn.groups.tolist(), seed))
    predictor, rank = fitter.fit_ranked(drawn.sample)
    everywhere = rank(predictor.predict(rated.sample.features, rated.sample.edit_type).p_pass)
    return found.assign(inclusion_prob=1.0), everywhere


def weighted_threshold(rows: pd.DataFrame, weights: Float64) -> float | None:
    """The rule before: exact binomial without weights, cluster-t with them, fixed sequence in steps of one percent."""
    order = np.argsort(rows["rank"].to_numpy(), kind="stable")
    rank, passed = rows["rank"].to_numpy()[order], rows["passed"].to_numpy()[order]
    codes = pd.factorize(rows["group"])[0][order]
    weights = weights[order] / weights.mean()
    start, step = fewest_decided(ALPHA, DELTA), len(rows) / 100
    found, last = None, 0.0
    for n in [*np.flatnonzero(np.diff(rank)) + 1, len(rank)]:
        if n < start or n < last + step:
            continue
        totals = np.bincount(codes[:n], weights=weights[:n] * (passed[:n] - ALPHA), minlength=codes.max() + 1)
        error = totals.std(ddof=1) / np.sqrt(len(totals))
        p_cluster = float(stdtr(len(totals) - 1, totals.mean() / error)) if error > 0 else 0.0
        if max(float(binom.cdf(passed[:n].sum(), n, ALPHA)), p_cluster) > DELTA:
            break
        found, last = float(rank[n - 1]), float(n)
    return found


def mix(evidence: Evidence, n_draws: int) -> None:
    rated = evidence.rated
    best = rated.models == BEST
    rows = []
    for features in ("judge", "both"):
        for of_best in (72 / 1072, 0.125, 0.5, 0.9):
            rng = np.random.default_rng(17)
            outcomes: dict[str, list[tuple[bool, float]]] = {"before": [], "after": []}
            weights = np.where(best, of_best / best.sum(), (1 - of_best) / (~best).sum())
            for draw in range(n_draws):
                chosen = np.concatenate(
                    [rng.choice(np.flatnonzero(best), 72, False), rng.choice(np.flatnonzero(~best), 1000, False)]
                )
                sample, rank = held_out(evidence, features, chosen, draw)
                own = np.where(sample["model"] == BEST, of_best / 72, (1 - of_best) / 1000)
                threshold = weighted_threshold(sample, own)
                before = np.zeros(len(rank), dtype=bool) if threshold is None else rank <= threshold
                outcomes["before"].append(outcome(rated, before, weights))
                outcomes["after"].append(outcome(rated, by_stages(rated, sample, rank, of_best), weights))
            cells = [
                cell
                for name in ("before", "after")
                for cell in (share([one[0] for one in outcomes[name]]), float(np.mean([w for _, w in outcomes[name]])))
            ]
            rows.append([features, f"{of_best:.1%}", *cells])
    columns = ["features", f"of {BEST}", "before: broken", "failed", "after: broken", "failed "]
    table(f"72 {BEST} and 1,000 others rated, {n_draws} draws", columns, rows)


def by_stages(rated: RatedItems, sample: pd.DataFrame, rank: Float64, of_best: float) -> np.ndarray:
    """What the package decides."""
    counts = sample["model"].value_counts()
    able = [str(name) for name in counts.index if counts[name] >= fewest_decided(ALPHA, DELTA)]
    others = counts.drop(BEST)
    present = {str(name): float(1e6 * (1 - of_best) * others[name] / others.sum()) for name in others.index}
    present[BEST] = 1e6 * of_best
    run = {name: round(present[name]) for name in able}
    population = {str(name): float(n) for name, n in counts.items()}
    decided = np.zeros(len(rank), dtype=bool)
    for stage in plan_stages(sample[sample["model"].isin(able)], run, population, ALPHA, DELTA):
        control = control_risk(stage.sample, Side.FAIL, stage.alpha, DELTA * stage.share)
        decided |= control.decides(rank) & np.isin(rated.models.astype(str), stage.models)
    return decided


def outcome(rated: RatedItems, decided: np.ndarray, weights: Float64) -> tuple[bool, float]:
    """Is the promise broken, and how much of the run is failed."""
    mass = float(weights[decided].sum())
    wrong = float((weights * rated.sample.passed)[decided].sum())
    return mass > 0 and wrong / mass > ALPHA, mass


def cut(evidence: Evidence, n_draws: int) -> None:
    rated = evidence.rated
    lpips = rated.sample.features[:, [spec.name for spec in evidence.specs].index("lpips")]
    members = [np.flatnonzero(rated.groups == name) for name in np.unique(rated.groups.astype(str))]
    rng = np.random.default_rng(23)
    outcomes: dict[str, list[tuple[bool, float]]] = {"before": [], "after": []}
    for draw in range(n_draws):
        # A run of 90 sources; its 400 rated items are the worst by LPIPS, 150 drawn ones among them.
        here = np.concatenate([members[code] for code in rng.choice(len(members), 90, replace=False)])
        audit = rng.choice(here, 150, replace=False)
        worst = here[np.argsort(-lpips[here], kind="stable")]
        queue = np.concatenate([audit, worst[~np.isin(worst, audit)][:250]])
        for name, random in (("before", queue), ("after", audit)):
            sample, rank = held_out(evidence, "lpips", queue, draw)
            own = sample[np.isin(queue, random)]
            drawn = RiskSample(own["rank"].to_numpy(), own["passed"].to_numpy(), own["group"].to_numpy(dtype=object))
            decided = control_risk(drawn, Side.FAIL, ALPHA, DELTA).decides(rank)
            everything = np.zeros(len(rank))
            everything[here] = 1 / len(here)
            outcomes[name].append(outcome(rated, decided & np.isin(np.arange(len(rank)), here), everything))
    rows = [
        [name, share([one[0] for one in found]), float(np.mean([one[1] for one in found]))]
        for name, found in outcomes.items()
    ]
    table(f"A table cut to 400 rated items, worst first by LPIPS, {n_draws} draws", ["", "broken", "failed"], rows)


if __name__ == "__main__":
    run_parts(__doc__, {"mix": mix, "cut": cut}, 300)
