"""Policies of metrics and judge: what may be decided, that each tier holds the promise, and that it is kept."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from edit_metrics.triage.chain import NONE, Cuts, Keys, growing_chain
from edit_metrics.triage.policy import METRICS, PolicyControl
from edit_metrics.triage.policy_control import control_policies
from edit_metrics.triage.risk import RiskSample, Side, error_p_value, fewest_decided, risk_curve
from edit_metrics.triage.rules import Ranks, Rule, decide, judge_calls

BOTH = (Side.FAIL, Side.PASS)


def sample(seed: int, n_groups: int = 150, size: int = 6, weak: float = 1.5, strong: float = 0.5) -> RiskSample:
    """A quality that metrics see badly and a judge sees well; half of the items pass; groups rise and fall together."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_groups), size)
    quality = rng.normal(size=len(groups)) + 0.5 * rng.normal(size=n_groups)[groups]
    noise = rng.normal(size=(2, len(groups)))
    passed = (quality + 0.3 * rng.normal(size=len(groups)) > 0).astype(float)
    return RiskSample(quality + weak * noise[0], passed, groups, quality + strong * noise[1])


def one(
    found: RiskSample, side: Side = Side.FAIL, alpha: float = 0.1, price: float = 0.1, seed: int = 0
) -> PolicyControl:
    return control_policies(found, (side,), alpha, 0.05, price, seed)[side]


def test_a_chain_grows_and_never_asks_for_a_tier_too_small_to_be_tested() -> None:
    found = sample(1)
    assert found.judge is not None
    chain = growing_chain(Keys(found.rank, found.judge), found.passed, 0.1, 0.1, fewest=15)
    assert len(chain) > 3
    for before, after in itertools.pairwise(chain):
        assert after.metrics >= before.metrics
        assert after.judge >= before.judge
        assert after != before
    for cuts in chain:
        by_metrics = found.rank <= cuts.metrics
        by_judge = ~by_metrics & (found.judge <= cuts.judge)
        assert all(n == 0 or n >= 15 for n in (by_metrics.sum(), by_judge.sum()))
        assert found.passed[by_metrics | by_judge].mean() <= 0.15


def test_a_dear_judge_is_not_asked_and_a_free_one_is() -> None:
    found = sample(2, weak=0.6)
    assert found.judge is not None
    keys = Keys(found.rank, found.judge)
    dear = growing_chain(keys, found.passed, 0.1, 5.0, fewest=15)
    free = growing_chain(keys, found.passed, 0.1, 0.0, fewest=15)
    assert {cuts.judge for cuts in dear} == {NONE}
    assert free[-1].judge > NONE


def test_the_test_of_a_set_is_that_of_a_threshold() -> None:
    found = sample(3)
    for point in risk_curve(found, Side.FAIL, 0.1)[20::100]:
        decided = found.rank <= point.threshold
        assert error_p_value(decided, found.passed, found.groups, 150, 0.1) == pytest.approx(point.p_value)
    assert error_p_value(np.zeros(900, dtype=bool), found.passed, found.groups, 150, 0.1) == 1


def test_judge_and_metrics_decide_more_together_and_say_who_did() -> None:
    found = one(sample(4, n_groups=300))
    new = sample(5, n_groups=300)
    assert new.judge is not None
    tiers = found.decides(new.rank, new.judge)
    assert not (tiers.metrics & tiers.judge).any()
    assert tiers.judge.sum() > 200
    assert new.passed[tiers.together].mean() < 0.12
    assert found.chosen is not None
    assert {risk.tier for risk in found.chosen.risks} >= {"judge", "together"}
    assert all(risk.p_value <= 0.05 for risk in found.chosen.risks)


def test_a_bad_tier_does_not_hide_behind_a_good_one() -> None:
    # The metrics single out 150 items of which a fifth pass; the judge 1,200 others without an error.
    n = 3000
    rng = np.random.default_rng(6)
    rank, judge = rng.uniform(0.1, 1, n), rng.uniform(0.5, 1, n)
    rank[:150] = rng.uniform(0, 0.1, 150)
    judge[150:1350] = rng.uniform(0, 0.4, 1200)
    passed = np.ones(n)
    passed[:1350] = 0
    passed[:150:5] = 1
    found = control_policies(RiskSample(rank, passed, np.arange(n), judge), (Side.FAIL,), 0.05, 0.05, 1e-9, seed=0)[
        Side.FAIL
    ]
    tiers = found.decides(rank, judge)
    # Together the share would be 30 of 1,350, below 5 %.
    assert passed[:1350].mean() < 0.05
    assert not tiers.metrics.any()
    assert tiers.judge.sum() > 1000
    assert METRICS not in {risk.tier for point in found.tested for risk in point.risks if point.p_value <= 0.05}


def test_what_has_no_rank_is_never_decided_and_no_judge_means_metrics_alone() -> None:
    found = sample(7, weak=0.3)
    control = control_policies(RiskSample(found.rank, found.passed, found.groups), BOTH, 0.1, 0.05, 0.1, 0)
    for side in BOTH:
        assert control[side].decides_something
        assert not control[side].asks
        nothing = np.full(3, np.nan)
        assert not control[side].decides(nothing, nothing).together.any()


def test_nothing_is_decided_where_nothing_can_be_and_the_lowest_errors_are_said() -> None:
    rng = np.random.default_rng(8)
    n = 600
    noise = RiskSample(rng.normal(size=n), (rng.uniform(size=n) < 0.5).astype(float), np.arange(n), rng.normal(size=n))
    found = one(noise, alpha=0.05)
    assert not found.decides_something
    assert {best.tier for best in found.lowest} == {"metrics", "judge"}
    assert all(best.n_decided >= fewest_decided(0.05, 0.05) for best in found.lowest)
    assert "at best wrong are" in found.reason
    few = one(RiskSample(noise.rank[:30], noise.passed[:30], noise.groups[:30], np.full(30, np.nan)), alpha=0.05)
    assert few.reason.startswith("too_few_random_ratings")


def test_two_sides_decide_no_item_twice_and_metrics_take_no_call() -> None:
    found = sample(9, n_groups=400)
    controls = control_policies(found, BOTH, 0.1, 0.025, 0.1, 0)
    assert all(control.asks for control in controls.values())
    rules = [Rule(("m",), control) for control in controls.values()]
    assert found.judge is not None
    models = np.full(len(found.rank), "m", dtype=object)
    decisions = decide(rules, Ranks(found.rank, found.judge), models)
    assert not (decisions[Side.FAIL].together & decisions[Side.PASS].together).any()
    by_metrics = decisions[Side.FAIL].metrics | decisions[Side.PASS].metrics
    assert not (by_metrics & (decisions[Side.FAIL].judge | decisions[Side.PASS].judge)).any()
    everything = np.ones(len(models), dtype=bool)
    asked = judge_calls(rules, decisions, models, everything, ~everything)
    assert not asked.to_ask.any()
    assert not asked.held.any()
    assert (asked.needed | asked.saved).all()
    first = judge_calls(rules, decisions, models, everything, everything)
    assert (first.to_ask == ~by_metrics).all()
    assert first.held.all()


@pytest.mark.parametrize("sides", [(Side.FAIL,), BOTH])
def test_the_promise_of_a_policy_is_kept(sides: tuple[Side, ...]) -> None:
    n_draws, alpha, delta = 200, 0.1, 0.1
    truth = sample(100, n_groups=3000)
    assert truth.judge is not None
    models = np.full(len(truth.rank), "m", dtype=object)
    broken = decided = 0
    for draw in range(n_draws):
        rows = np.random.default_rng(draw).choice(3000, 80, replace=False)
        places = np.flatnonzero(np.isin(truth.groups, rows))
        drawn = RiskSample(truth.rank[places], truth.passed[places], truth.groups[places], truth.judge[places])
        controls = control_policies(drawn, sides, alpha, delta / len(sides), 0.1, draw)
        found = decide([Rule(("m",), one) for one in controls.values()], Ranks(truth.rank, truth.judge), models)
        shares = []
        for side in sides:
            wrong = truth.passed if side is Side.FAIL else 1 - truth.passed
            parts = (found[side].metrics, found[side].judge, found[side].together)
            shares += [wrong[part].mean() for part in parts if part.any()]
        decided += bool(shares)
        broken += bool(shares) and max(shares) > alpha
    assert decided > n_draws / 2
    # δ and two standard errors.
    assert broken <= n_draws * (delta + 2 * (delta * (1 - delta) / n_draws) ** 0.5)


def test_cuts_that_decide_nothing_decide_nothing() -> None:
    keys = Keys(np.array([-3.0, np.inf]), np.array([np.inf, -2.0]))
    assert not keys.by_metrics(Cuts(NONE, NONE)).any()
    assert keys.by_judge(Cuts(NONE, 0.0)).tolist() == [False, True]
