"""Estimates over batches, before and after draws travelled with the ratings; on 1,432 edits with human ratings.

    python benchmarks/simulate_batches.py [--part batches|unreadable|design] [--draws 300] [--quick]

* ``batches``: of 480 items a first batch of 300 (68 drawn, the rest worst first by the judge), a second draw of 20 %
  of which only items without a rating are asked, then the mean rating of all items. *Before*: the fresh ratings of
  each draw, each weighted by its own draw. *After*: the union of both draws with every rating, old ones too.
* ``unreadable``: 30 of the worst items have no picture; an audit of 144. *Before*: refused unless none was drawn.
* ``design``: intervals from groups (*before*) and from the draw of items (*after*).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from rated_edits_world import run_parts, share
from triage_evidence import Evidence

from edit_metrics.calibration.estimate import Method, estimate_means
from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.predictor import Recipe
from edit_metrics.calibration.rated_table import RatedTable, rated_table
from edit_metrics.cli.console import table
from edit_metrics.errors import UserError
from edit_metrics.ratings.combining import combine_ratings
from edit_metrics.ratings.draws import Draw
from edit_metrics.ratings.progress import Progress
from edit_metrics.ratings.table import Ratings
from edit_metrics.triage.uncalibrated import QueueOptions, Triage, triage_by_priority

TARGET = "semantic_consistency"
SPECS = {"judge": ScoreColumn("gpt4o_sc", 1), "LPIPS": ScoreColumn("lpips", -1)}


@dataclass(frozen=True, slots=True)
class World:
    """The whole table, its ratings, and the answer."""

    frame: pd.DataFrame
    ratings: Ratings
    truth: float

    @classmethod
    def of(cls, evidence: Evidence) -> World:
        """The items of the eight models that have both scores."""
        known = set(evidence.rated.ids.tolist())
        frame = evidence.scores[evidence.scores["id"].isin(known)].reset_index(drop=True)
        rows = evidence.ratings.of(TARGET)
        rows = rows[rows["id"].isin(known)].reset_index(drop=True)
        return cls(frame, Ratings(rows, evidence.ratings.scale), float(evidence.rated.sample.rating.mean()))

    def part(self) -> World:
        """Every third source: 480 items, of which a first batch of 300 takes what is worst."""
        kept = self.frame["group"].isin(sorted(set(self.frame["group"]))[::3])
        frame = self.frame[kept].reset_index(drop=True)
        whole = replace(self, frame=frame)
        means = whole.of_items(set(frame["id"])).item_means(TARGET)["mean"]
        return replace(whole, truth=float(means.mean()))

    def of_items(self, ids: set[str], draws: tuple[Draw, ...] = ()) -> Ratings:
        """The ratings of those items, with those draws."""
        rows = self.ratings.frame
        return Ratings(rows[rows["id"].isin(ids)].reset_index(drop=True), self.ratings.scale, draws)


def drawn_by(outcome: Triage) -> Draw:
    """What `ratings import --queue` reads from the triage folder."""
    drawn = [item.id for item in outcome.placements if item.inclusion_prob is not None]
    return Draw.of([item.id for item in outcome.placements], drawn)


def estimates(prepared: RatedTable, column: str, seed: int) -> tuple[bool, bool, float] | None:
    """Does the ratings-only interval cover ``truth``, does the powered one, and the ratings-only mean."""
    try:
        (found,) = estimate_means(prepared, [SPECS[column]], Recipe("isotonic", (SPECS[column].name,)), seed=seed)
    except UserError:
        return None
    if found.estimate is None or found.ratings_only is None or found.method is Method.REFUSED:
        return None
    truth = TRUTH[0]
    covers = [one.interval.low <= truth <= one.interval.high for one in (found.ratings_only, found.estimate)]
    return covers[0], covers[1], found.ratings_only.value


TRUTH = [0.0]
"""Of the world at hand; a list, so that the parts can set it."""


def batches(evidence: Evidence, n_draws: int) -> None:
    world = World.of(evidence).part()
    TRUTH[0] = world.truth
    hits: dict[tuple[str, str], list[bool]] = {}
    means: dict[str, list[float]] = {"before": [], "after": []}
    for draw in range(n_draws):
        first = triage_by_priority(world.frame, QueueOptions(300, 0.14, 2 * draw, "gpt4o_sc:+"))
        rated = frozenset(item.id for item in first.queue)
        second = triage_by_priority(
            world.frame, QueueOptions(None, 0.2, 2 * draw + 1, "gpt4o_sc:+", rated=Progress(done=rated))
        )
        draws = (drawn_by(first), drawn_by(second))
        fresh = {item.id for item in second.queue if item.inclusion_prob is not None}
        for column in SPECS:
            for name, prepared in (
                ("before", fresh_only(world, draws, rated, column)),
                ("after", joint(world, draws, rated | fresh, column)),
            ):
                found = estimates(prepared, column, draw)
                if found is None:
                    continue
                hits.setdefault((name, f"predicted from {column}"), []).append(found[1])
                if column == "judge":
                    hits.setdefault((name, "ratings only"), []).append(found[0])
                    means[name].append(found[2])
    rows = [
        [method, *(share(hits[name, method]) for name in ("before", "after"))]
        for method in ("ratings only", "predicted from judge", "predicted from LPIPS")
    ]
    rows.append(["mean of the ratings-only means", *(f"{np.mean(means[name]):.3f}" for name in ("before", "after"))])
    title = f"Two batches, nominal 95 %, truth {world.truth:.3f}, {n_draws} draws: intervals that cover"
    table(title, ["", "before", "after"], rows)


def fresh_only(world: World, draws: tuple[Draw, Draw], rated: frozenset[str], column: str) -> RatedTable:
    """What the rules made of it: each draw's own ratings, each weighted by that draw alone, intervals from groups."""
    n = len(world.frame)
    second = set(draws[1].drawn) - rated
    chance = {name: len(draws[1].drawn) / n for name in second}
    chance |= {name: len(draws[0].drawn) / n for name in draws[0].drawn}
    ratings = world.of_items(set(chance))
    frame = ratings.frame.assign(inclusion_prob=ratings.frame["id"].map(chance))
    return rated_table(world.frame, replace(ratings, frame=frame), TARGET, [SPECS[column].name], random=False)


def joint(world: World, draws: tuple[Draw, Draw], rated: frozenset[str] | set[str], column: str) -> RatedTable:
    first = world.of_items(set(draws[0].drawn) | set(rated), draws[:1])
    second = world.of_items(set(draws[1].drawn), draws[1:])
    together = combine_ratings([first, second], ["first", "second"])
    return rated_table(world.frame, together, TARGET, [SPECS[column].name], random=False)


def unreadable(evidence: Evidence, n_draws: int) -> None:
    world = World.of(evidence)
    rng = np.random.default_rng(7)
    worst = world.frame["lpips"].sort_values(ascending=False).index[:300]
    broken = set(world.frame["id"].iloc[rng.choice(worst, 30, replace=False)])
    codes = np.where(world.frame["id"].isin(broken), "edited_missing_file", "")
    frame = world.frame.assign(**{"feasibility.reasons": codes})
    means = world.ratings.item_means(TARGET)["mean"]
    TRUTH[0] = float(means[~means.index.isin(broken)].mean())
    refused, covers = [], []
    for _ in range(n_draws):
        drawn = set(frame["id"].iloc[rng.choice(len(frame), 144, replace=False)])
        refused.append(bool(drawn & broken))
        ratings = world.of_items(drawn - broken, (Draw.of(frame["id"], drawn, broken),))
        found = estimates(rated_table(frame, ratings, TARGET, ["gpt4o_sc"], random=False), "judge", 0)
        covers.append(found is not None and found[0])
    rows = [["refused", share(refused), share([False] * n_draws)], ["ratings-only interval covers", "–", share(covers)]]
    title = f"An audit of 144 items of {len(frame)}, 30 of them unreadable, {n_draws} draws"
    table(title, ["", "before", "after"], rows)


def design(evidence: Evidence, n_draws: int) -> None:
    world = World.of(evidence)
    TRUTH[0] = world.truth
    rng = np.random.default_rng(11)
    rows = []
    for n in (100, 200, 400, 800):
        hits: dict[str, list[bool]] = {"groups": [], "groups, powered": [], "draw": [], "draw, powered": []}
        ratios = []
        for draw in range(n_draws):
            drawn = set(world.frame["id"].iloc[rng.choice(len(world.frame), n, replace=False)])
            by_draw = rated_table(world.frame, world.of_items(drawn), TARGET, ["gpt4o_sc"], random=True)
            by_group = replace(by_draw, stratum=None)
            widths = []
            for name, prepared in (("groups", by_group), ("draw", by_draw)):
                (found,) = estimate_means(prepared, [SPECS["judge"]], Recipe("isotonic", ("gpt4o_sc",)), seed=draw)
                for suffix, one in (("", found.ratings_only), (", powered", found.estimate)):
                    if one is not None:
                        hits[name + suffix].append(one.interval.low <= world.truth <= one.interval.high)
                if found.ratings_only is not None:
                    widths.append(found.ratings_only.interval.high - found.ratings_only.interval.low)
            ratios.append(widths[0] / widths[1])
        rows.append([n, *(share(values) for values in hits.values()), float(np.mean(ratios))])
    columns = ["rated", "before: covers", "powered", "after: covers", "powered ", "ratings only: before / after width"]
    table(f"Item draws from a finite table, nominal 95 %, {n_draws} draws", columns, rows)


if __name__ == "__main__":
    run_parts(__doc__, {"batches": batches, "unreadable": unreadable, "design": design}, 300)
