"""The planner of the next batch: does the number of random ratings that it names bring a first automatic decision?

    python benchmarks/simulate_planner.py [--draws 300] [--quick]

1,432 edits of eight models with human ratings. A first batch is a uniform draw of 200; `ratings plan` reads it with the
calibration fitted on it, and names a number; a second draw of the share that it says is joined to the first; the
calibration is fitted anew and automatic decisions are asked for as `triage` does, fail side, 95 %.

Of the draws in which a number is named: how many decide something at it, how many at half of the way, and how many did
with the first batch alone. The planner says that its number is enough four times in five.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from rated_edits_world import run_parts, share
from simulate_batches import TARGET, World
from triage_evidence import Evidence

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import Calibration, text_column
from edit_metrics.cli.console import table
from edit_metrics.errors import NotEnoughDataError
from edit_metrics.ratings.combining import combine_ratings
from edit_metrics.ratings.draws import Draw
from edit_metrics.ratings.table import Ratings
from edit_metrics.triage.automatic import Promise, automate
from edit_metrics.triage.planning import POWER, Asking, plan_ratings
from edit_metrics.triage.risk import Side

FIRST = 200
SETTINGS = (("gpt4o_sc", 0.05), ("gpt4o_sc", 0.1), ("lpips:-", 0.1))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One first batch and what came of it; None: not asked.

    Attributes:
        target: random ratings that were named.
        before: something is decided with the first batch.
        halfway: with half of the ratings that were still to come.
        after: with all of them.
    """

    target: int | None
    before: bool
    halfway: bool | None = None
    after: bool | None = None


def fitted(world: World, drawn: list[set[str]], features: str) -> tuple[Ratings, Calibration | None]:
    """The ratings of some draws with their calibration; None where too few pass."""
    ids = world.frame["id"]
    parts = [world.of_items(one, (Draw.of(ids, one),)) for one in drawn]
    ratings = parts[0] if len(parts) == 1 else combine_ratings(parts, [str(k) for k in range(len(parts))])
    options = CalibrateOptions(TARGET, features=features, n_resamples=2)
    try:
        return ratings, calibrate(world.frame, ratings, options)
    except NotEnoughDataError:
        return ratings, None


def decides(world: World, drawn: list[set[str]], features: str, promise: Promise) -> bool:
    """Whether something of the table would be decided automatically."""
    return _decides(world, fitted(world, drawn, features)[1], promise)


def _decides(world: World, calibration: Calibration | None, promise: Promise) -> bool:
    if calibration is None:
        return False
    models = text_column(world.frame, "model")
    everything = np.ones(len(models), dtype=np.bool_)
    found = automate(calibration, models, everything, promise, None)
    rank = calibration.score(world.frame).rank
    return any(bool((rule.control.decides(rank) & np.isin(models.astype(str), rule.models)).any())
               for rule in found.active)  # fmt: skip


def one_lead(world: World, features: str, promise: Promise, seed: int) -> Outcome | None:
    """A first batch, the plan, the second; None where the first cannot be calibrated."""
    rng = np.random.default_rng(seed)
    ids = world.frame["id"].to_numpy(dtype=object)
    first = set(rng.choice(ids, FIRST, replace=False))
    ratings, calibration = fitted(world, [first], features)
    if calibration is None:
        return None
    plan = plan_ratings(world.frame, TARGET, promise, Asking(), ratings=ratings, calibration=calibration)
    before = _decides(world, calibration, promise)
    if plan.target is None:
        return Outcome(None, before)
    second = set(rng.choice(ids, round(plan.audit * len(ids)), replace=False))
    if not second:
        return Outcome(plan.target, before, before, before)
    half = set(rng.choice(ids, round(plan.audit * len(ids) / 2), replace=False))
    return Outcome(
        plan.target, before, decides(world, [first, half], features, promise),
        decides(world, [first, second], features, promise),
    )  # fmt: skip


def planned(evidence: Evidence, n_draws: int) -> None:
    world = World.of(evidence)
    rows = []
    for features, alpha in SETTINGS:
        promise = Promise(alpha, 0.95, (Side.FAIL,))
        leads = (one_lead(world, features, promise, seed) for seed in range(n_draws))
        found = [one for one in leads if one is not None]
        named = [one for one in found if one.target is not None]
        targets = pd.Series([one.target for one in named], dtype=float)
        rows.append([
            features, f"{alpha:.0%}", len(found), len(named), f"{targets.median():.0f}",
            *(share([bool(value) for value in values]) for values in (
                [one.before for one in named], [one.halfway for one in named], [one.after for one in named],
            )),
        ])  # fmt: skip
    title = f"A first batch of {FIRST} random ratings, {n_draws} draws; the number named is to be enough in {POWER:.0%}"
    columns = ["features", "promise", "draws", "named", "median", "first batch", "half of the rest", "the number named"]
    table(title, columns, rows)


if __name__ == "__main__":
    run_parts(__doc__, {"planned": planned}, 300)
