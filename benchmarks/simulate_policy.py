"""One promise for metrics, judge and people: is it kept, and what does it reach?

    python benchmarks/simulate_policy.py [--part promise|reached|models|rated-edits] [--draws 1000] [--quick]

* ``promise``: 1,432 edits of eight models with human ratings; metrics are LPIPS, the judge is GPT-4o's score. Groups
  are drawn with replacement, both tiers are fitted on the draw, the policy's error is counted on all edits. It is kept
  when at most 61 of 1,000 draws break it at δ = 5 % (the 95 % limit of a true .05). *Or a tier above*: one alone, too.
  *Before*: the policy of largest value whose error on the ratings themselves is at most the promised one.
  are drawn with replacement, policies are cuts on the two columns, the error is counted on all edits. It is kept
  rank lowest: what is decided without people and without a call, and what is impossible.
* ``models``: the same by model.
* ``rated-edits``: 250 edits of one model rated by 3 to 5 people, with a vision-language model's recorded answers;
  metrics are plain LPIPS, SSIM and PSNR.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from rated_edits_world import run_parts, share
from rated_sets import PLAIN, plain_metrics, read_sets, recorded_judge, shared_folder
from triage_evidence import ALPHA, DELTA, Evidence

from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.fitting import Fitter, RatedItems
from edit_metrics.calibration.folds import group_folds
from edit_metrics.calibration.predictor import Recipe, Sample
from edit_metrics.cli.console import say, table
from edit_metrics.triage.chain import NONE, Cuts, Keys, growing_chain
from edit_metrics.triage.policy import PolicyControl, TierDecisions
from edit_metrics.triage.policy_control import control_policies
from edit_metrics.triage.risk import RiskSample, Side, control_risk, fewest_decided
from edit_metrics.types import Float64

PRICE = 0.1
"""A call costs a tenth of a rating."""
SPLITS = 100
GROUPS = 90


@dataclass(frozen=True, slots=True)
class World:
    """Rated items with both tiers."""

    metrics: tuple[Fitter, RatedItems]
    judge: tuple[Fitter, RatedItems]

    @property
    def items(self) -> RatedItems:
        """The rated items, the same in both tiers."""
        return self.judge[1]

    def take(self, rows: np.ndarray) -> World:
        """The items at those places."""
        return World(*((fitter, rated.take(rows)) for fitter, rated in (self.metrics, self.judge)))

    def held_out(self, labels: np.ndarray, seed: int) -> RiskSample:
        """Both tiers' ranks by fits that have not seen the group; groups as labelled."""
        folds = group_folds(self.items.groups.tolist(), seed)
        rank, judge = (
            fitter.held_out(rated, folds)["rank"].to_numpy(np.float64) for fitter, rated in (self.metrics, self.judge)
        )
        return RiskSample(rank, self.items.sample.passed, labels, judge)

    def ranks(self, everything: World) -> tuple[Float64, Float64]:
        """Both tiers' ranks of other items, by fits on these."""
        found = []
        for (fitter, rated), (_, others) in zip(
            (self.metrics, self.judge), (everything.metrics, everything.judge), strict=True
        ):
            predictor, rank = fitter.fit_ranked(rated.sample)
            found.append(rank(predictor.predict(others.sample.features, others.sample.edit_type).p_pass))
        return found[0], found[1]


def human_world(evidence: Evidence) -> World:
    return World(evidence.fitter("lpips"), evidence.fitter("judge"))


def without_worst(world: World, n: int = 2) -> tuple[World, list[str]]:
    """Without the models that the metrics rank lowest: what the metrics tier knows best."""
    models, (rank, _) = world.items.models.astype(str), world.ranks(world)
    order = sorted(np.unique(models), key=lambda name: float(rank[models == name].mean()))
    return world.take(np.flatnonzero(~np.isin(models, order[:n]))), [str(name) for name in order[:n]]


def promise(evidence: Evidence, n_draws: int) -> None:
    world = human_world(evidence)
    passed = world.items.sample.passed
    # One column a tier: a fit would only change its scale, and a cut on the column is a cut on the fit.
    rank, judge = -world.metrics[1].sample.features[:, 0], world.judge[1].sample.features[:, 0]
    members = [np.flatnonzero(world.items.groups == name) for name in np.unique(world.items.groups.astype(str))]
    rng = np.random.default_rng(31)
    found: dict[tuple[float, str], list[Float64]] = {}
    for draw in range(n_draws):
        chosen = rng.integers(len(members), size=GROUPS)
        places = np.concatenate([members[one] for one in chosen])
        labels = np.repeat(np.arange(GROUPS), [len(members[one]) for one in chosen])
        sample = RiskSample(rank[places], passed[places], labels, judge[places])
        for alpha in (ALPHA, 0.10):
            control = control_policies(sample, (Side.FAIL,), alpha, DELTA, PRICE, draw)[Side.FAIL]
            rules = {"before": untested(sample, (rank, judge), alpha), "after": control.decides(rank, judge)}
            for rule, tiers in rules.items():
                found.setdefault((alpha, rule), []).append(outcome(tiers, passed))
    rows = []
    for (alpha, rule), outcomes in found.items():
        together, metrics, of_judge, by_metrics, by_judge = np.array(outcomes).T
        broken = together > alpha
        tier = np.maximum(np.maximum(metrics, of_judge), together) > alpha
        means = [float(one.mean()) for one in (together, by_metrics, by_judge)]
        rows.append([f"{alpha:.0%}", rule, int(broken.sum()), share(broken), share(tier), *means])
    title = f"Fail side at {1 - DELTA:.0%}, {GROUPS} groups, {n_draws} draws, a call costs {PRICE:g} ratings"
    columns = ["promise", "", "broken in", "share", "or a tier above", "mean error", "by metrics", "by judge"]
    table(title, columns, rows)


def untested(sample: RiskSample, everywhere: tuple[Float64, Float64], alpha: float) -> TierDecisions:
    """What one would do without a test: the policy of largest value whose error on all ratings is at most α."""
    judge = sample.rank if sample.judge is None else sample.judge
    chain = growing_chain(Keys(sample.rank, judge), sample.passed, alpha, PRICE, fewest_decided(alpha, DELTA))
    keys = Keys(sample.rank, judge)
    best = Cuts(NONE, NONE)
    for cuts in chain:
        if sample.passed[keys.by_metrics(cuts) | keys.by_judge(cuts)].mean() <= alpha:
            best = cuts
    new = Keys(*everywhere)
    return TierDecisions(new.by_metrics(best), new.by_judge(best))


def outcome(tiers: TierDecisions, passed: Float64) -> Float64:
    """Share of wrong fails together, by metrics, by judge; share of the items that metrics and judge decide."""
    parts = (tiers.together, tiers.metrics, tiers.judge)
    wrong = [float(passed[one].mean()) if one.any() else 0.0 for one in parts]
    return np.array([*wrong, tiers.metrics.mean(), tiers.judge.mean()])


def single_tier(world: World, rank: str, side: Side, alpha: float) -> float:
    """Share decided by one tier under the promise of one tier, all ratings."""
    sample = world.held_out(world.items.groups, 0)
    own = sample.judge if rank == "judge" and sample.judge is not None else sample.rank
    control = control_risk(replace(sample, rank=own), side, alpha, DELTA)
    everything = world.ranks(world)[0 if rank == "metrics" else 1]
    return float(control.decides(everything).mean())


def policies(world: World, side: Side, alpha: float, n_splits: int) -> list[PolicyControl]:
    """One control a split."""
    sample = world.held_out(world.items.groups, 0)
    return [control_policies(sample, (side,), alpha, DELTA, PRICE, seed)[side] for seed in range(n_splits)]


def describe(world: World, name: str, side: Side, alpha: float, n_splits: int) -> list[object]:
    """A row: what single tiers and the policy decide."""
    found = policies(world, side, alpha, n_splits)
    ranks = world.ranks(world)
    tiers = [one.decides(*ranks) for one in found]
    metrics, judge = (np.array([getattr(one, part).mean() for one in tiers]) for part in ("metrics", "judge"))
    some = np.array([one.decides_something for one in found])
    return [
        name, side.value, f"{alpha:.0%}", single_tier(world, "metrics", side, alpha),
        single_tier(world, "judge", side, alpha), f"{some.mean():.0%}", float(np.median(metrics + judge)),
        float((metrics + judge).mean()), float(np.median(metrics)), float(metrics.mean()),
    ]  # fmt: skip


COLUMNS = [
    "items", "side", "promise", "metrics alone", "judge alone", "splits that decide", "both, median", "mean",
    "without a call, median", "mean ",
]  # fmt: skip


def reached(evidence: Evidence, n_draws: int) -> None:
    n_splits = min(n_draws, SPLITS)
    world = human_world(evidence)
    fewer, named = without_worst(world)
    both = ((world, "all models"), (fewer, f"without {', '.join(named)}"))
    rows = [
        describe(one, name, side, alpha, n_splits)
        for one, name in both
        for side in (Side.FAIL, Side.PASS)
        for alpha in (ALPHA, 0.10)
    ]
    table(f"human ratings: share decided without people, {n_splits} splits", COLUMNS, rows)
    for one, name in both:
        impossible(one, name)
    rank, _ = world.ranks(world)
    kept = ~np.isin(world.items.models.astype(str), named)
    for alpha in (ALPHA, 0.10):
        cuts = [one.chosen.metrics for one in policies(world, Side.FAIL, alpha, n_splits) if one.chosen]
        middle = float(np.median([cut for cut in cuts if cut is not None]))
        wrong = world.items.sample.passed[kept & (rank <= middle)]
        say(
            f"{alpha:.0%}: what the metrics decide with all models (median cut), without {', '.join(named)}: "
            f"{len(wrong)} edits, of which people pass {wrong.mean():.1%}"
        )


def impossible(world: World, name: str) -> None:
    """The lowest error of each tier, whatever is promised."""
    for side in (Side.FAIL, Side.PASS):
        (control,) = policies(world, side, ALPHA, 1)
        for one in control.lowest:
            wrong = f"{one.n_wrong} of {one.n_decided} ({one.n_wrong / one.n_decided:.1%})"
            say(f"{name}: {side.value} by the {one.tier}: at best {wrong} wrong, of at least {control.n_start}")
    top = world.judge[1].sample.features[:, 0]
    best = top == top.max()
    wrong = 1 - world.items.sample.passed[best]
    say(f"{name}: {int(best.sum())} have the judge's highest score; people fail {wrong.mean():.1%} of them")


def models(evidence: Evidence, n_draws: int) -> None:
    n_splits = min(n_draws, SPLITS)
    world = human_world(evidence)
    by_model(world, "all models", n_splits)
    fewer, named = without_worst(world)
    by_model(fewer, f"without {', '.join(named)}", n_splits)


def by_model(world: World, name: str, n_splits: int) -> None:
    passed, names = world.items.sample.passed, world.items.models.astype(str)
    ranks = world.ranks(world)
    rows = []
    for alpha in (ALPHA, 0.10):
        tiers = [one.decides(*ranks) for one in policies(world, Side.FAIL, alpha, n_splits)]
        for model in np.unique(names):
            own = names == model
            decided = sum(int((one.together & own).sum()) for one in tiers)
            wrong = sum(float(passed[one.together & own].sum()) for one in tiers)
            rows.append(
                [f"{alpha:.0%}", str(model), f"{passed[own].mean():.0%}",
                 float(np.mean([one.metrics[own].mean() for one in tiers])),
                 float(np.mean([one.judge[own].mean() for one in tiers])),
                 f"{wrong / decided:.1%}" if decided else None]
            )  # fmt: skip
    columns = ["promise", "model", "people pass", "by metrics: no call", "by judge", "of these people pass"]
    table(f"human ratings, {name}: failed by model, mean of {n_splits} splits", columns, rows)


@cache
def rated_edits_world(target: str) -> World:
    shared = shared_folder()
    (rated,) = (one for one in read_sets(shared) if one.name == "rated_edits")
    plain = plain_metrics(rated, Path(__file__).resolve().parent.parent / "out" / "plain")
    judge = recorded_judge(shared / "rated_edits").loc[rated.items.index]
    rating = rated.items[target].to_numpy(np.float64)
    nothing = np.full(len(rating), "", dtype=object)

    def tier(specs: Sequence[ScoreColumn], features: Float64) -> tuple[Fitter, RatedItems]:
        sample = Sample(features, rating, (rating >= rated.bad_below).astype(float), nothing)
        items = RatedItems(
            rated.items.index.to_numpy(dtype=object), rated.items["group"].to_numpy(dtype=object),
            rated.items["model"].to_numpy(dtype=object), np.ones(len(rating)), sample,
        )  # fmt: skip
        isotonic = Recipe("isotonic", (specs[0].name,))
        return Fitter(tuple(specs), Recipe("ordinal") if len(specs) > 1 else isotonic, isotonic, (0.0, 10.0)), items

    metrics = tier([ScoreColumn(name, sign) for name, sign in PLAIN.items()], plain.to_numpy(np.float64))
    own = [target] if target == "overall" else [target, "overall"]
    return World(metrics, tier([ScoreColumn(name, 1) for name in own], judge[own].to_numpy(np.float64)))


def rated_edits(evidence: Evidence, n_draws: int) -> None:
    n_splits = min(n_draws, SPLITS)
    rows = [
        describe(rated_edits_world(target), target, side, alpha, n_splits)
        for target in ("alignment", "overall")
        for side in (Side.FAIL, Side.PASS)
        for alpha in (ALPHA, 0.10)
    ]
    table(f"rated_edits: share decided without people, {n_splits} splits", COLUMNS, rows)
    for target in ("alignment", "overall"):
        world = rated_edits_world(target)
        say(f"{target}: people pass {world.items.sample.passed.mean():.1%}")
        impossible(world, target)


PARTS: dict[str, Callable[[Evidence, int], None]] = {
    "promise": promise,
    "reached": reached,
    "models": models,
    "rated-edits": rated_edits,
}

if __name__ == "__main__":
    run_parts(__doc__, PARTS, 1000)
