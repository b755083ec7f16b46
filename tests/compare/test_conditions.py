"""Absolute conditions, and the plan of a benchmark."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binomtest, norm

from edit_metrics.compare.conditions import Condition, parse_condition
from edit_metrics.compare.gate import make_plan, run_conditions, run_gate
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge import judge
from edit_metrics.compare.sample_size import groups_needed, power_at
from edit_metrics.compare.verdict import Outcome, PairedDimension
from edit_metrics.errors import ConfigError


def _only(run, *texts: str, **settings):
    return run_conditions(run, GateConfig(require=texts, **settings)).conditions


def _psnr(make_run, low_items, n_items=1200, per_group=3, low=10.0):
    run = make_run("a", n_items=n_items, per_group=per_group)
    run.frame["preservation.psnr"] = 40.0
    run.frame.loc[low_items, "preservation.psnr"] = low
    return run


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("preservation.psnr >= 35 in 99 %", ("preservation.psnr", ">=", 35.0, 0.99)),
        ("x<1e-3", ("x", "<", 0.001, None)),
        (" x <= -.5 in 99.5%", ("x", "<=", -0.5, 0.995)),
        ("x > 0 in 100 %", ("x", ">", 0.0, None)),
    ],
)
def test_conditions_are_read(text, expected) -> None:
    found = parse_condition(text)
    assert (found.column, found.operator, found.value, found.share) == (*expected[:3], pytest.approx(expected[3]))


@pytest.mark.parametrize(
    "text", ["", "x", "x = 3", "x >= y", "x >= 3 in", "x >= 3 in 120 %", "x >= 3 in 0 %", "x >= 3 %"]
)
def test_what_is_no_condition_is_refused_in_words(text) -> None:
    with pytest.raises(ConfigError, match="--require"):
        parse_condition(text)


def test_every_item_has_to_hold_where_no_share_is_given(make_run) -> None:
    assert _only(_psnr(make_run, []), "preservation.psnr >= 35")[0].outcome is Outcome.PASS
    (found,) = _only(_psnr(make_run, [7]), "preservation.psnr >= 35")
    assert (found.outcome, found.failing_ids) == (Outcome.REGRESSION, ("item007",))


def test_a_share_is_bounded_as_a_binomial_of_groups(make_run) -> None:
    # Three whole groups of 400 fail.
    (found,) = _only(_psnr(make_run, list(range(9))), "preservation.psnr >= 35 in 97 %")
    reference = binomtest(397, 400).proportion_ci(0.90)
    assert (found.share, found.low, found.high) == pytest.approx((397 / 400, reference.low, reference.high))
    assert found.outcome is Outcome.PASS


def test_a_share_that_is_clearly_missed_is_a_regression_and_one_near_it_is_doubt(make_run) -> None:
    run = _psnr(make_run, list(range(36)))
    assert _only(run, "preservation.psnr >= 35 in 99.5 %")[0].outcome is Outcome.REGRESSION
    assert _only(run, "preservation.psnr >= 35 in 97 %")[0].outcome is Outcome.INCONCLUSIVE


def test_too_few_groups_for_the_share_are_doubt_and_the_number_is_said(make_run) -> None:
    (found,) = _only(_psnr(make_run, [], n_items=180), "preservation.psnr >= 35 in 99 %")
    assert (found.outcome, found.groups_needed) == (Outcome.INCONCLUSIVE, 299)
    enough = _psnr(make_run, [], n_items=299, per_group=1)
    assert _only(enough, "preservation.psnr >= 35 in 99 %")[0].outcome is Outcome.PASS
    assert _only(_psnr(make_run, [], 298, 1), "preservation.psnr >= 35 in 99 %")[0].outcome is Outcome.INCONCLUSIVE


def test_items_of_one_group_are_no_more_evidence_than_the_group(make_run) -> None:
    few, many = (_psnr(make_run, [], n_items=60 * n, per_group=n) for n in (1, 10))
    bounds = [_only(run, "preservation.psnr >= 35 in 99 %")[0].low for run in (few, many)]
    assert bounds[0] == pytest.approx(bounds[1])


def test_the_lower_bound_is_right_nineteen_times_in_twenty(rng) -> None:
    from edit_metrics.compare.conditions import _bound

    # Groups whose items share most of their luck; the mean share is .96.
    right = 0
    for _ in range(600):
        luck = beta(4.8, 0.2).rvs(80, random_state=rng)
        groups = np.repeat(np.arange(80), 4)
        right += _bound(rng.random(320) < luck[groups], groups, 0.05)[0] <= 0.96
    assert right / 600 >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 600)


def test_missing_values_stand_in_the_way_of_either_verdict(make_run) -> None:
    run = _psnr(make_run, list(range(18)), low=np.nan)
    assert _only(run, "preservation.psnr >= 35 in 99 %")[0].outcome is Outcome.INCONCLUSIVE
    assert _only(run, "preservation.psnr >= 35")[0].reasons == ("values_missing",)
    run.frame.loc[run.frame["preservation.psnr"].isna(), "preservation.psnr.status"] = "not_applicable"
    (found,) = _only(run, "preservation.psnr >= 35 in 99 %")
    assert (found.outcome, found.n_items, found.missing) == (Outcome.PASS, 1182, 0)


def test_an_infinite_psnr_holds(make_run) -> None:
    assert _only(_psnr(make_run, [3], low=np.inf), "preservation.psnr >= 35")[0].outcome is Outcome.PASS


def test_conditions_stand_beside_the_comparison(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2)
    config = GateConfig(require=("adherence.score >= 0.9",))
    assert run_gate(before, after, config).outcome is Outcome.REGRESSION
    assert run_gate(after, before, GateConfig()).outcome is Outcome.PASS
    with pytest.raises(ConfigError, match="condition"):
        run_conditions(before, GateConfig())


def test_power_and_size_are_those_of_the_textbook(rng) -> None:
    assert power_at(50, 0.1, 0.04, 0.05) == pytest.approx(_simulated_power(rng, 50, 0.1, 0.04), abs=0.02)
    n = groups_needed(0.1, 0.02, 0.05)
    assert power_at(n - 1, 0.1, 0.02, 0.05) < 0.8 <= power_at(n, 0.1, 0.02, 0.05)
    # With this many, t is the normal distribution.
    assert n == pytest.approx(((norm.ppf(0.95) + norm.ppf(0.8)) * 5) ** 2, abs=3)
    assert groups_needed(0.0, 0.02, 0.05) == 2


def _simulated_power(rng, n: int, spread: float, distance: float) -> float:
    draws = rng.normal(distance, spread, (4000, n))
    t = draws.mean(axis=1) / (draws.std(axis=1, ddof=1) / np.sqrt(n))
    return float((t > 1.6766).mean())


def test_a_plan_of_two_runs_says_how_often_an_unchanged_candidate_passes(make_run, rng) -> None:
    before, after = (make_run(n, seed=s, n_items=45, noise=0.02) for n, s in (("a", 1), ("b", 2)))
    after.frame["adherence.score"] -= 0.3
    plan = make_plan((before, after), GateConfig())
    one = plan.dimensions[0]
    assert (one.name, one.n_groups) == ("adherence", 15)
    zero = np.zeros(15)
    draws = [
        PairedDimension("x", zero, rng.normal(0, one.spread, 15), np.arange(15), zero, zero, zero) for _ in range(800)
    ]
    passes = sum(judge([draw], GateConfig())[0].outcome is Outcome.PASS for draw in draws)
    assert passes / 800 == pytest.approx(one.chance_to_pass, abs=0.05)
    at_smallest = power_at(15, one.spread, one.smallest_margin, 0.05)
    assert at_smallest == pytest.approx(0.8, abs=1e-6)
    assert plan.chance_to_pass == pytest.approx(np.prod([d.chance_to_pass for d in plan.dimensions]))


def test_a_plan_of_one_run_says_which_correlation_it_needs(make_run) -> None:
    run = make_run("a", n_items=90)
    one = make_plan((run,), GateConfig()).dimensions[0]
    spread = run.frame["adherence.score"].groupby(run.frame["group"]).mean().std()
    assert one.spread == pytest.approx(spread)
    apart = spread * np.sqrt(2 * (1 - one.correlation_needed))
    assert power_at(30, apart, 0.02, 0.05) == pytest.approx(0.8, abs=1e-6)
    assert [example.groups_to_pass for example in one.examples] == sorted(
        (example.groups_to_pass for example in one.examples), reverse=True
    )


def test_a_condition_is_a_value() -> None:
    assert parse_condition("x >= 1") == Condition("x >= 1", "x", ">=", 1.0, None)
