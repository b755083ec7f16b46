"""What the gate says about candidates that a person can judge."""

from __future__ import annotations

import numpy as np
import pytest
from conftest_compare import lose, signed
from scipy.stats import binomtest, ttest_1samp
from statsmodels.stats.multitest import multipletests

from edit_metrics.compare.gate import run_gate
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge import judge
from edit_metrics.compare.measures import Declared
from edit_metrics.compare.verdict import Outcome, PairedDimension
from edit_metrics.errors import ConfigError, SignatureError, TableError


def _found(result):
    return {found.name: found for found in result.dimensions}


def test_a_run_passes_against_itself(make_run) -> None:
    result = run_gate(make_run("a"), make_run("b"), GateConfig())
    assert result.outcome is Outcome.PASS
    assert [found.difference for found in result.dimensions if found.difference is not None] == [0.0] * 3


def test_a_repeat_with_measurement_noise_passes(make_run) -> None:
    assert run_gate(make_run("a", seed=1), make_run("b", seed=2), GateConfig()).outcome is Outcome.PASS


def test_a_drop_is_a_regression_of_that_dimension_alone(make_run) -> None:
    result = run_gate(make_run("a"), make_run("b", seed=1, shift={"preservation": -0.05}), GateConfig())
    assert result.outcome is Outcome.REGRESSION
    outcomes = {name: found.outcome for name, found in _found(result).items()}
    assert outcomes == {"adherence": "pass", "preservation": "regression", "character": "pass"}
    assert _found(result)["preservation"].reasons == ("score_dropped",)


def test_an_improvement_passes(make_run) -> None:
    assert run_gate(make_run("a"), make_run("b", shift={"adherence": 0.1}), GateConfig()).outcome is Outcome.PASS


def test_a_drop_below_the_minimum_effect_is_no_regression_however_certain(make_run) -> None:
    found = _found(run_gate(make_run("a"), make_run("b", shift={"adherence": -0.009}), GateConfig()))["adherence"]
    assert found.p_adjusted == 0.0
    assert found.outcome is Outcome.PASS


def test_p_values_and_bounds_are_those_of_the_t_test_on_group_means(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2, shift={"character": -0.004})
    result = run_gate(before, after, GateConfig())
    means = [
        (after.frame[f"{name}.score"] - before.frame[f"{name}.score"]).groupby(before.frame["group"]).mean()
        for name in ("adherence", "preservation", "character")
    ]
    tests = [ttest_1samp(values, 0, alternative="less") for values in means]
    adjusted = multipletests([test.pvalue for test in tests], method="holm")[1]
    bounds = [ttest_1samp(values, 0, alternative="greater").confidence_interval(0.95).low for values in means]
    found = [f for f in result.dimensions if f.difference is not None]
    assert [f.p_value for f in found] == pytest.approx([test.pvalue for test in tests])
    assert [f.p_adjusted for f in found] == pytest.approx(adjusted)
    assert [f.lower_bound for f in found] == pytest.approx(bounds)


def test_too_little_data_is_inconclusive_and_says_how_much_would_do(make_run) -> None:
    before = make_run("a", seed=1, n_items=36, noise=0.1)
    result = run_gate(before, make_run("b", seed=2, n_items=36, noise=0.1), GateConfig())
    assert result.outcome is Outcome.INCONCLUSIVE
    undecided = [found for found in result.dimensions if found.outcome is Outcome.INCONCLUSIVE]
    assert undecided
    assert all(found.more_data and found.more_data.items >= 3 for found in undecided)


def _pair(draws):
    zero = np.zeros(len(draws))
    return PairedDimension("x", zero, draws, np.arange(len(draws)), zero, zero, zero)


def _exactly(rng, n_groups: int, mean: float, spread: float):
    draws = rng.normal(size=n_groups)
    return _pair((draws - draws.mean()) / draws.std(ddof=1) * spread + mean)


@pytest.mark.parametrize("seen", [-0.015, -0.002, 0.004])
def test_the_plan_looks_at_the_spread_and_not_at_the_difference_that_happened(rng, seen) -> None:
    (found,) = judge([_exactly(rng, 30, seen, 0.1)], GateConfig())
    (at_zero,) = judge([_exactly(rng, 30, 0.0, 0.1)], GateConfig())
    assert found.more_data == at_zero.more_data
    assert found.more_data.towards == "pass"


def test_the_plan_for_a_pass_passes_an_unchanged_candidate_four_times_in_five(rng) -> None:
    (found,) = judge([_exactly(rng, 30, -0.004, 0.1)], GateConfig())
    total = 30 + found.more_data.groups
    passes = sum(judge([_pair(rng.normal(0, 0.1, total))], GateConfig())[0].outcome is Outcome.PASS for _ in range(600))
    assert passes / 600 == pytest.approx(0.8, abs=0.05)


def test_the_plan_for_a_regression_finds_a_drop_of_the_margin_four_times_in_five(rng) -> None:
    (found,) = judge([_exactly(rng, 30, -0.004, 0.1)], GateConfig())
    total, config = 30 + found.more_data.regression_groups, GateConfig()
    outcomes = [judge([_pair(rng.normal(-0.02, 0.1, total))], config)[0].outcome for _ in range(600)]
    assert outcomes.count(Outcome.REGRESSION) / 600 == pytest.approx(0.8, abs=0.05)


def test_the_way_to_a_regression_is_longer_when_more_dimensions_are_tested(make_run) -> None:
    before, after = make_run("a", seed=1, n_items=60), make_run("b", seed=2, n_items=60, noise=0.15)
    after.frame["adherence.score"] = before.frame["adherence.score"] - 0.02 + 0.2 * (np.arange(60) // 3 % 9 - 4) / 4
    all_three = _found(run_gate(before, after, GateConfig()))["adherence"].more_data
    alone = _found(run_gate(before, after, GateConfig(dimensions=("adherence",))))["adherence"].more_data
    assert all_three.regression_groups > alone.regression_groups
    assert all_three.groups == alone.groups


def test_a_candidate_whose_faces_are_gone_does_not_pass_by_having_fewer_numbers(make_run) -> None:
    after = make_run("b", seed=1)
    lose(after.frame, "character", slice(0, 60))
    # The scores that are left are even better than before.
    after.frame["character.score"] += 0.05
    result = run_gate(make_run("a"), after, GateConfig())
    found = _found(result)["character"]
    assert result.outcome is Outcome.REGRESSION
    assert found.reasons == ("newly_missing",)
    assert found.missingness.worse_groups == 20
    assert found.missingness.p_value == pytest.approx(binomtest(20, 20, 0.5, "greater").pvalue)
    assert len(result.newly_missing) == 60
    assert result.newly_missing[0].reason == "faces_lost"


def test_a_few_lost_values_are_doubt_not_a_pass(make_run) -> None:
    after = make_run("b", seed=1)
    # Four items of four groups: no test could reach α with so few.
    for item in (0, 3, 6, 9):
        lose(after.frame, "character", slice(item, item + 1))
    found = _found(run_gate(make_run("a"), after, GateConfig()))["character"]
    assert (found.outcome, found.reasons) == (Outcome.INCONCLUSIVE, ("newly_missing_above_margin",))


@pytest.mark.parametrize("per_group", [1, 4])
def test_lost_values_are_caught_in_four_groups_as_in_twelve(make_run, per_group) -> None:
    kw = {"n_items": 800, "per_group": 4}
    after = make_run("b", seed=1, **kw)
    lost = [4 * group + item for group in range(12 // per_group if per_group == 1 else 4) for item in range(per_group)][
        :12
    ]
    for item in lost:
        lose(after.frame, "character", slice(item, item + 1))
    found = _found(run_gate(make_run("a", **kw), after, GateConfig()))["character"]
    assert (found.outcome, found.reasons) == (Outcome.REGRESSION, ("newly_missing",))
    assert found.missingness.unit == ("groups" if per_group == 1 else "items")


def test_a_loss_in_few_groups_that_is_too_small_to_matter_passes(make_run) -> None:
    kw = {"n_items": 4000, "per_group": 10}
    after = make_run("b", seed=1, **kw)
    lose(after.frame, "character", slice(0, 20))
    found = _found(run_gate(make_run("a", **kw), after, GateConfig()))["character"]
    assert found.outcome is Outcome.PASS
    assert (found.missingness.unit, found.missingness.net_share) == ("items", pytest.approx(0.005))
    assert found.missingness.p_adjusted < 0.001


def test_one_lost_value_of_many_passes_and_is_listed(make_run) -> None:
    after = make_run("b", seed=1)
    lose(after.frame, "character", slice(0, 1))
    result = run_gate(make_run("a"), after, GateConfig())
    assert result.outcome is Outcome.PASS
    assert [row.id for row in result.newly_missing] == ["item000"]


def test_more_lost_values_than_allowed_are_a_regression(make_run) -> None:
    after = make_run("b", seed=1)
    lose(after.frame, "character", slice(0, 1))
    result = run_gate(make_run("a"), after, GateConfig(allowed_newly_missing=0))
    assert _found(result)["character"].reasons == ("more_newly_missing_than_allowed",)
    assert run_gate(make_run("a"), after, GateConfig(allowed_newly_missing=1)).outcome is Outcome.PASS


def test_a_rare_failure_is_a_regression_where_none_is_allowed(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    before.frame["adherence.score"] = after.frame["adherence.score"] = 1.0
    after.frame.loc[4, "adherence.score"] = 0.0
    assert run_gate(before, after, GateConfig()).outcome is Outcome.PASS
    strict = GateConfig(per_dimension={"adherence": {"allowed_newly_failing": 0}})
    assert _found(run_gate(before, after, strict))["adherence"].reasons == ("more_newly_failing_than_allowed",)


def test_items_that_newly_fail_are_never_set_against_others_that_newly_pass(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    before.frame["adherence.score"] = 1.0
    before.frame.loc[10:14, "adherence.score"] = 0.0
    after.frame["adherence.score"] = 1.0
    after.frame.loc[20:24, "adherence.score"] = 0.0
    strict = GateConfig(per_dimension={"adherence": {"allowed_newly_failing": 4}})
    assert _found(run_gate(before, after, strict))["adherence"].reasons == ("more_newly_failing_than_allowed",)
    lenient = GateConfig(per_dimension={"adherence": {"allowed_newly_failing": 5}})
    assert _found(run_gate(before, after, lenient))["adherence"].outcome is not Outcome.REGRESSION


def test_values_that_are_lost_are_never_set_against_gained_ones_where_a_number_is_allowed(make_run) -> None:
    before, after = make_run("a"), make_run("b", seed=1)
    lose(before.frame, "character", slice(0, 30))
    lose(after.frame, "character", slice(30, 60))
    found = _found(run_gate(before, after, GateConfig(allowed_newly_missing=29)))["character"]
    assert found.reasons == ("more_newly_missing_than_allowed",)


def test_values_lost_and_gained_in_equal_number_are_no_regression(make_run) -> None:
    before, after = make_run("a"), make_run("b", seed=1)
    lose(before.frame, "character", slice(0, 30))
    lose(after.frame, "character", slice(30, 60))
    found = _found(run_gate(before, after, GateConfig()))["character"]
    assert found.outcome is Outcome.PASS
    assert (found.missingness.worse_groups, found.missingness.better_groups) == (10, 10)


def test_items_that_the_candidate_lacks_count_as_lost(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    result = run_gate(before, type(after)("b", after.frame.iloc[60:], after.path), GateConfig())
    assert result.outcome is Outcome.REGRESSION
    assert {found.reasons for found in result.dimensions if found.n_items} == {("newly_missing",)}
    assert len(result.unmatched.only_reference) == 60
    assert result.newly_missing[0].reason == "item_not_in_run"


def test_items_that_only_the_candidate_has_change_nothing(make_run) -> None:
    before, after = make_run("a"), make_run("b", seed=1)
    fewer = type(before)("a", before.frame.iloc[:150], before.path)
    result = run_gate(fewer, after, GateConfig())
    assert result.outcome is Outcome.PASS
    assert len(result.unmatched.only_run) == 30


@pytest.mark.parametrize("how", ["column_dropped", "all_null"])
def test_a_dimension_absent_from_the_candidate_alone_is_a_regression(make_run, how) -> None:
    after = make_run("b")
    if how == "column_dropped":
        del after.frame["character.score"]
    else:
        lose(after.frame, "character", slice(None))
    found = _found(run_gate(make_run("a"), after, GateConfig()))["character"]
    assert found.outcome is Outcome.REGRESSION
    assert "absent_from_candidate" in found.reasons


def test_values_lost_to_exceptions_are_broken_not_worse(make_run) -> None:
    after = make_run("b")
    lose(after.frame, "character", slice(0, 90), "failed", "RuntimeError: out of memory")
    result = run_gate(make_run("a"), after, GateConfig())
    assert result.outcome is Outcome.BROKEN
    assert _found(result)["character"].reasons == ("measurement_failed", "newly_missing")


def test_items_that_newly_fail_are_a_regression_beside_failed_measurements(make_run) -> None:
    after = make_run("b")
    lose(after.frame, "character", slice(0, 90), "failed", "RuntimeError: out of memory")
    after.frame.loc[100:110, "character.score"] = 0.1
    strict = GateConfig(per_dimension={"character": {"allowed_newly_failing": 0}})
    assert _found(run_gate(make_run("a"), after, strict))["character"].outcome is Outcome.REGRESSION


def test_a_dimension_that_is_new_costs_the_others_no_power(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2)
    with_all = _found(run_gate(before, after, GateConfig(dimensions=("adherence", "preservation"))))
    lose(before.frame, "character", slice(None))
    with_new = _found(run_gate(before, after, GateConfig()))
    assert with_new["adherence"].p_adjusted == pytest.approx(with_all["adherence"].p_adjusted)


def test_a_regression_elsewhere_outweighs_a_broken_measurement(make_run) -> None:
    after = make_run("b", shift={"adherence": -0.1})
    lose(after.frame, "character", slice(0, 90), "failed", "RuntimeError: out of memory")
    assert run_gate(make_run("a"), after, GateConfig()).outcome is Outcome.REGRESSION


def test_a_dimension_without_values_on_either_side_is_ignored_unless_required(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    for run in (before, after):
        lose(run.frame, "character", slice(None), "not_applicable", "no_face")
    result = run_gate(before, after, GateConfig())
    assert result.outcome is Outcome.PASS
    assert _found(result)["character"].outcome is Outcome.IGNORED
    required = run_gate(before, after, GateConfig(dimensions=("adherence", "character")))
    assert required.outcome is Outcome.INCONCLUSIVE
    assert _found(required)["character"].reasons == ("no_baseline_values",)


def test_a_dimension_new_in_the_candidate_is_ignored(make_run) -> None:
    before = make_run("a")
    lose(before.frame, "character", slice(None))
    found = _found(run_gate(before, make_run("b"), GateConfig()))["character"]
    assert (found.outcome, found.reasons) == (Outcome.IGNORED, ("new_in_candidate",))


def test_missingness_tests_that_cannot_reach_alpha_cost_the_others_no_power(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2, shift={"adherence": -0.01})
    without = _found(run_gate(before, after, GateConfig()))["adherence"].p_adjusted
    # Four items cannot reach α in groups or one by one; fifteen in five groups can, one by one.
    for item in (0, 3, 6, 9):
        lose(after.frame, "character", slice(item, item + 1))
    few = _found(run_gate(before, after, GateConfig()))["adherence"].p_adjusted
    lose(after.frame, "character", slice(0, 15))
    five = _found(run_gate(before, after, GateConfig()))["adherence"].p_adjusted
    assert few == pytest.approx(without)
    assert five == pytest.approx(without * 4 / 3)


def test_only_the_dimensions_asked_for_are_judged(make_run) -> None:
    after = make_run("b", shift={"preservation": -0.1})
    assert run_gate(make_run("a"), after, GateConfig(dimensions=("adherence",))).outcome is Outcome.PASS


def test_a_dimension_can_have_tolerances_of_its_own(make_run) -> None:
    config = GateConfig(per_dimension={"preservation": {"margin": 0.2, "minimum_effect": 0.15}})
    assert run_gate(make_run("a"), make_run("b", shift={"preservation": -0.1}), config).outcome is Outcome.PASS


@pytest.mark.parametrize("settings", [{"dimensions": ("caracter",)}, {"per_dimension": {"caracter": {"margin": 0.1}}}])
def test_a_dimension_that_no_table_has_is_refused_with_the_nearest(make_run, settings) -> None:
    with pytest.raises(ConfigError, match="'character'"):
        run_gate(make_run("a"), make_run("b"), GateConfig(**settings))


def test_different_definitions_are_refused_and_the_difference_is_shown(make_run) -> None:
    with pytest.raises(SignatureError, match=r"preservation.*section\.curves\.psnr: 4\.0 → 5\.0"):
        run_gate(make_run("a", info=signed(4.0)), make_run("b", info=signed(5.0)), GateConfig())


def test_equal_definitions_are_compared_without_a_warning(make_run) -> None:
    result = run_gate(make_run("a", info=signed()), make_run("b", info=signed()), GateConfig())
    assert (result.outcome, result.warnings) == (Outcome.PASS, ())


def test_definitions_of_a_dimension_that_nobody_scored_do_not_matter(make_run) -> None:
    before, after = make_run("a", info=signed(4.0)), make_run("b", info=signed(5.0))
    for run in (before, after):
        lose(run.frame, "preservation", slice(None))
    assert run_gate(before, after, GateConfig()).outcome is Outcome.PASS


def test_an_unsigned_table_is_judged_with_a_warning(make_run) -> None:
    result = run_gate(make_run("a", info=signed()), make_run("b"), GateConfig())
    assert result.outcome is Outcome.PASS
    assert result.warnings == ("unsigned, so nothing shows that the scores mean the same: b (no run.json)",)


def test_another_programs_table_is_judged_by_the_columns_named(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    for run, penalty in ((before, 0.0), (after, 0.1)):
        for column in [name for name in run.frame.columns if "." in name]:
            del run.frame[column]
        run.frame["distance"] = np.linspace(0.2, 0.4, len(run.frame)) + penalty
    with pytest.raises(TableError, match="--higher"):
        run_gate(before, after, GateConfig())
    result = run_gate(before, after, GateConfig(), Declared(lower=("distance",)))
    found = _found(result)["distance"]
    assert found.outcome is Outcome.REGRESSION
    assert found.candidate_mean == pytest.approx(0.4)
    assert found.difference == pytest.approx(-0.1)


def test_nothing_in_common_is_a_wrong_call(make_run) -> None:
    after = make_run("b")
    after.frame["id"] = "other-" + after.frame["id"]
    with pytest.raises(TableError, match="in common"):
        run_gate(make_run("a"), after, GateConfig())


def test_samples_of_one_item_are_averaged_first(make_run) -> None:
    import pandas as pd

    before, after = make_run("a", seed=1), make_run("b", seed=2)
    after.frame["task"] = before.frame["task"] = before.frame["id"]
    twice = pd.concat([after.frame, after.frame.assign(id="second-" + after.frame["id"])], ignore_index=True)
    once = run_gate(before, after, GateConfig(), pair_by=("task",))
    doubled = run_gate(before, type(after)("b", twice, after.path), GateConfig(), pair_by=("task",))
    for one, two in zip(once.dimensions, doubled.dimensions, strict=True):
        assert two.lower_bound == pytest.approx(one.lower_bound)


def test_another_group_for_the_same_item_is_pointed_out(make_run) -> None:
    after = make_run("b")
    after.frame["group"] = "moved-" + after.frame["group"]
    assert "180 items have another group" in " ".join(run_gate(make_run("a"), after, GateConfig()).warnings)


def test_what_the_gate_reads_gives_the_verdict_of_the_whole_table(make_run, write_run) -> None:
    from edit_metrics.compare.gate import is_read
    from edit_metrics.scores.table import read_runs

    after = make_run("b", seed=2, n_items=1800, shift={"preservation": -0.05})
    lose(after.frame, "character", slice(0, 90), "failed", "RuntimeError: out of memory")
    for run in (before := make_run("a", seed=1, n_items=1800), after):
        run.frame["flags"] = ""
    after.frame.loc[3, "flags"] = "unsafe"
    folders = [write_run(run) for run in (before, after)]
    whole, part = read_runs(folders), read_runs(folders, is_read)
    assert {"preservation.psnr", "adherence.confidence"}.isdisjoint(part[0].frame.columns)
    assert "category" in {str(dtype) for dtype in part[0].frame.dtypes}
    assert run_gate(*part, GateConfig()) == run_gate(*whole, GateConfig())


def test_keys_are_looked_up_once_however_many_dimensions_there_are(make_run, monkeypatch) -> None:
    import pandas as pd

    calls = []
    looked_up = pd.Index.get_indexer
    monkeypatch.setattr(pd.Index, "get_indexer", lambda self, *a, **k: calls.append(1) or looked_up(self, *a, **k))
    monkeypatch.setattr(pd.Index, "isin", lambda *a, **k: pytest.fail("presence is known from the look-up"))
    before, after = make_run("a", seed=1), make_run("b", seed=2)
    shuffled = type(after)("b", after.frame.sample(frac=1, random_state=0).reset_index(drop=True), after.path)
    result = run_gate(before, shuffled, GateConfig())
    assert len(calls) == 1
    assert result.dimensions == run_gate(before, after, GateConfig()).dimensions


def test_the_lists_are_cut_and_the_largest_changes_kept(make_run, monkeypatch) -> None:
    monkeypatch.setattr("edit_metrics.compare.gate.MOST_LISTED", 5)
    before, after = make_run("a", seed=1), make_run("b", seed=2, shift={"adherence": -0.2})
    lose(after.frame, "character", slice(0, 60))
    result = run_gate(before, after, GateConfig())
    failing = [flip for flip in result.flips if (flip.measure, flip.change) == ("adherence", "now_fails")]
    drops = (before.frame["adherence.score"] - after.frame["adherence.score"])[
        (before.frame["adherence.score"] >= 0.5) & (after.frame["adherence.score"] < 0.5)
    ]
    assert [flip.reference_score - flip.score for flip in failing] == pytest.approx(sorted(drops, reverse=True)[:5])
    assert len(result.newly_missing) == 5
