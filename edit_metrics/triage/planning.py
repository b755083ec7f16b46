"""What to rate next: how many random ratings until something may be decided automatically, and what they cost.

Three things stand in the way of the first automatic decision, in this order: ratings enough to fit a calibration,
random ratings enough of one model, and a cut whose error is shown to be below the promised one. The third is a guess
from the ratings that are there: it is the number with which ``POWER`` of their resamples decide something.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from edit_metrics.calibration.calibrate import MIN_ITEMS
from edit_metrics.calibration.calibration import Calibration, text_column
from edit_metrics.ratings.design import sampling_design
from edit_metrics.ratings.gates import unreadable_items
from edit_metrics.ratings.progress import Progress
from edit_metrics.ratings.table import Ratings
from edit_metrics.stats import group_codes
from edit_metrics.triage.automatic import Promise, random_rows
from edit_metrics.triage.costs import AskingCosts
from edit_metrics.triage.mix import risk_sample
from edit_metrics.triage.policy_control import control_policies, lowest_errors
from edit_metrics.triage.rating_plan import ModelPlan, RatingPlan, SidePlan
from edit_metrics.triage.risk import RiskSample, Side, control_risk, fewest_decided

POWER: Final = 0.8
"""Chance that the ratings that are named are enough, if what was seen is true."""
_RESAMPLES: Final = 40
_SIZES: Final = 12
"""Enough to tell 80 % from 65 %, and steps of a quarter or so: the number that is said is one of these sizes."""
_MOST_TIMES: Final = 10
"""Ratings more than so many times those that are there are not guessed about."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How items are asked about.

    Attributes:
        overlap: raters an item.
        dimensions: rated ones an item.
        rating_cost: price of a rating; None: no costs are said.
        judge_cost: price of a call, where metrics and judge are promised together; None: the metrics alone.
    """

    overlap: int = 1
    dimensions: int = 1
    rating_cost: float | None = None
    judge_cost: float | None = None

    @property
    def price(self) -> float | None:
        """A call in ratings; None without a judge."""
        found = None if self.judge_cost is None else AskingCosts.parse(self.judge_cost, self.rating_cost)
        return None if found is None else found.price


def plan_ratings(
    frame: pd.DataFrame,
    target: str,
    promise: Promise,
    asking: Asking,
    *,
    ratings: Ratings | None = None,
    progress: Progress | None = None,
    calibration: Calibration | None = None,
) -> RatingPlan:
    """Plan the next batch of one table.

    Args:
        frame: a score table with a unique column ``id``.
        target: the rated dimension.
        promise: what is to be promised.
        asking: raters and prices.
        ratings: of all batches so far; None: none.
        progress: how far items are rated.
        calibration: fitted on them; None: its number of ratings comes first, and nothing is said of sides.
    """
    ids = frame["id"].astype(str).tolist()
    ratable = ~unreadable_items(frame)
    models = text_column(frame, "model")
    drawn = np.zeros(len(ids), dtype=np.bool_)
    unfinished = 0
    if ratings is not None:
        drawn = sampling_design(ids, ratings, target, declared=False, whole_table=False).drawn
        unfinished = _unfinished(ratings, target, ids)
    n_items, n_random = int(ratable.sum()), int((drawn & ratable).sum())
    n_min = fewest_decided(promise.max_error, promise.delta)
    counts = pd.Series(models[ratable]).value_counts()
    have = pd.Series(models[ratable & drawn]).value_counts()
    by_model = [
        ModelPlan(str(name), int(n), int(have.get(name, 0)), n_min, draw_for_model(n_items, int(n), n_min))
        for name, n in sorted(counts.items())
    ]
    sides = [] if calibration is None else side_plans(calibration, promise, n_items, asking.price)
    aim = _aim(by_model, sides, calibration)
    more = 0 if aim is None else max(min(aim, n_items) - n_random - unfinished, 0)
    missing = 0 if progress is None else sum(progress.missing.values())
    n_ratings = ((more + unfinished) * asking.overlap + missing) * asking.dimensions
    # A new draw meets rated items too, so that it must be larger than what it brings.
    audit = min(more / max(n_items - n_random, 1), 1.0) if more else 0.0
    return RatingPlan(
        tuple(by_model), tuple(sides), n_items, n_random, aim, unfinished, missing,
        math.ceil(audit * 1000) / 1000, n_ratings, _seconds(ratings, target),
        None if asking.rating_cost is None else n_ratings * asking.rating_cost,
    )  # fmt: skip


def draw_for_model(n_items: int, of_model: int, needed: int) -> int | None:
    """Smallest uniform draw that holds ``needed`` items of a model with ``POWER``; None: it has not so many."""
    if of_model < needed:
        return None
    sizes = np.arange(needed, n_items + 1)
    enough = hypergeom.sf(needed - 1, n_items, of_model, sizes) >= POWER
    return int(sizes[np.argmax(enough)])


def side_plans(calibration: Calibration, promise: Promise, n_items: int, price: float | None) -> list[SidePlan]:
    """From the random ratings of a calibration, one entry a promised side; none without random ratings.

    Args:
        calibration: of the ratings so far.
        promise: what is to be promised.
        n_items: that can be rated: more than all of them cannot be drawn.
        price: of a call in ratings, where metrics and judge are promised together; None: the metrics alone.
    """
    rows = random_rows(calibration)
    if rows.empty:
        return []
    sample = risk_sample(rows)
    if price is None or sample.judge is None:
        sample, price = replace(sample, judge=None), None
    return [side_plan(sample, side, promise, n_items, price) for side in promise.sides]


def side_plan(sample: RiskSample, side: Side, promise: Promise, n_items: int, price: float | None = None) -> SidePlan:
    """How many random ratings show something, by resampling those that are there.

    Groups are drawn with replacement until there are as many ratings, and risk control runs as it would: what the
    groups, the start of the sequence and a split of the ratings cost is in it.
    """
    alpha, delta = promise.max_error, promise.delta
    rng = np.random.default_rng(0)
    codes = group_codes(sample.groups.tolist())
    members = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    n, n_start = len(sample.rank), fewest_decided(alpha, delta)

    def decides(size: int) -> bool:
        """Of one resample of about that many ratings."""
        chosen = rng.integers(len(members), size=max(round(size * len(members) / n), 2))
        rows = np.concatenate([members[one] for one in chosen])
        groups = np.repeat(np.arange(len(chosen)), [len(members[one]) for one in chosen])
        judge = None if sample.judge is None else sample.judge[rows]
        drawn = RiskSample(sample.rank[rows], sample.passed[rows], groups, judge)
        if price is None:
            return control_risk(drawn, side, alpha, delta).decides_something
        return control_policies(drawn, (side,), alpha, delta, price, 0)[side].decides_something

    limit = max(min(n_items, _MOST_TIMES * n), n_start)
    sizes = np.unique(np.geomspace(n_start, limit, _SIZES).round().astype(int)).tolist()
    enough = (size for size in sizes if np.mean([decides(size) for _ in range(_RESAMPLES)]) >= POWER)
    return SidePlan(side, next(enough, None), limit, lowest_errors(sample, side, n_start))


def _aim(models: Sequence[ModelPlan], sides: Sequence[SidePlan], calibration: Calibration | None) -> int | None:
    """Random ratings until the first decision: one model eligible, one side shown."""
    draws = [one.draw for one in models if one.draw is not None]
    if not draws:
        return None
    first = max(min(draws), MIN_ITEMS if calibration is None else 0)
    if not sides:
        return first
    shown = [one.draw for one in sides if one.draw is not None]
    return max(first, min(shown)) if shown else None


def _unfinished(ratings: Ratings, target: str, ids: Sequence[str]) -> int:
    """Drawn items of this table without an answer."""
    answered = ratings.answered(target)
    waiting = {name for draw in ratings.draws for name in draw.drawn if name not in draw.unratable} - answered
    return len(waiting & set(ids))


def _seconds(ratings: Ratings | None, target: str) -> float | None:
    if ratings is None or "seconds" not in ratings.frame:
        return None
    times = ratings.frame["seconds"][ratings.frame["dimension"] == target].dropna()
    return float(times.median()) if len(times) else None
