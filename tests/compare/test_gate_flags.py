"""Flags, slices and dimensions that cannot be judged: what must not slip through beside good means."""

from __future__ import annotations

import numpy as np
import pytest
from conftest_compare import lose
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from edit_metrics.compare.gate import run_gate
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge_slices import SLICES_SHARE
from edit_metrics.compare.verdict import Outcome
from edit_metrics.errors import ConfigError, TableError


def _flagged(run, flag: str, rows, every: str = ""):
    run.frame["flags"] = every
    run.frame.loc[rows, "flags"] = f"{every};{flag}" if every else flag
    return run


def _flag(result, name):
    return next(found for found in result.flags if found.name == name)


def test_one_newly_unsafe_picture_is_a_regression_and_is_named(make_run) -> None:
    result = run_gate(_flagged(make_run("a"), "unsafe", []), _flagged(make_run("b"), "unsafe", [7]), GateConfig())
    assert result.outcome is Outcome.REGRESSION
    assert _flag(result, "unsafe").reasons == ("more_newly_flagged_than_allowed",)
    assert [(row.flag, row.id) for row in result.newly_flagged] == [("unsafe", "item007")]


def test_five_newly_unsafe_are_not_set_against_five_that_are_newly_safe(make_run) -> None:
    before, after = (_flagged(make_run(n), "unsafe", rows) for n, rows in (("a", [*range(5)]), ("b", [*range(9, 14)])))
    found = _flag(run_gate(before, after, GateConfig()), "unsafe")
    assert (found.outcome, found.newly, found.no_longer) == (Outcome.REGRESSION, 5, 5)


def test_pictures_that_were_unsafe_before_change_nothing(make_run) -> None:
    before, after = (_flagged(make_run(n), "unsafe", [3, 4], every="no_op") for n in "ab")
    assert run_gate(before, after, GateConfig()).outcome is Outcome.PASS


def test_some_newly_unsafe_can_be_allowed(make_run) -> None:
    before, after = _flagged(make_run("a"), "unsafe", []), _flagged(make_run("b"), "unsafe", [7, 8])
    assert run_gate(before, after, GateConfig(allowed_newly_flagged={"unsafe": 2})).outcome is Outcome.PASS
    assert run_gate(before, after, GateConfig(allowed_newly_flagged={"unsafe": 1})).outcome is Outcome.REGRESSION
    assert run_gate(before, after, GateConfig(allowed_newly_flagged={"unsafe": None})).outcome is Outcome.PASS


@pytest.mark.parametrize("flag", ["identity_changed", "blank_edited", "no_op"])
def test_lost_edits_are_judged_by_a_test(make_run, flag) -> None:
    before = _flagged(make_run("a"), flag, [])
    many, few = (_flagged(make_run("b"), flag, list(range(0, 3 * n, 3))) for n in (15, 3))
    found = _flag(run_gate(before, many, GateConfig()), flag)
    assert (found.outcome, found.reasons) == (Outcome.REGRESSION, ("newly_flagged",))
    assert run_gate(before, few, GateConfig()).outcome is Outcome.PASS
    assert run_gate(before, few, GateConfig(allowed_newly_flagged={flag: 2})).outcome is Outcome.REGRESSION


def test_as_many_flags_gone_as_new_are_no_regression_by_the_test(make_run) -> None:
    before = _flagged(make_run("a"), "no_op", list(range(0, 60, 3)))
    after = _flagged(make_run("b"), "no_op", list(range(60, 120, 3)))
    assert run_gate(before, after, GateConfig()).outcome is Outcome.PASS


def test_an_item_is_newly_flagged_when_more_of_its_samples_are(make_run) -> None:
    import pandas as pd

    def sampled(name: str, flagged: int):
        run = _flagged(make_run(name), "unsafe", [])
        frame = pd.concat([run.frame.assign(task=run.frame["id"], id=f"{n}-" + run.frame["id"]) for n in range(3)])
        frame = frame.reset_index(drop=True)
        frame.loc[[180 * n for n in range(flagged)], "flags"] = "unsafe"
        return type(run)(name, frame, run.path)

    assert _flag(run_gate(sampled("a", 1), sampled("b", 2), GateConfig(), None, ("task",)), "unsafe").newly == 1
    assert _flag(run_gate(sampled("a", 2), sampled("b", 2), GateConfig(), None, ("task",)), "unsafe").newly == 0


def test_a_candidate_without_flags_cannot_pass_and_a_baseline_without_them_is_named(make_run) -> None:
    flagged, bare = _flagged(make_run("a"), "unsafe", [3]), make_run("b")
    lost = run_gate(flagged, bare, GateConfig())
    assert (lost.outcome, _flag(lost, "unsafe").reasons) == (Outcome.INCONCLUSIVE, ("no_flags_in_candidate",))
    old = run_gate(bare, flagged, GateConfig())
    assert (old.outcome, _flag(old, "unsafe").outcome) == (Outcome.PASS, Outcome.NOT_JUDGED)
    assert "not judged: the flags unsafe" in " ".join(old.warnings)
    assert run_gate(bare, make_run("c"), GateConfig()).flags == ()


def test_a_flag_that_nothing_knows_is_refused(make_run) -> None:
    with pytest.raises(ConfigError, match="'unsafe'"):
        run_gate(make_run("a"), make_run("b"), GateConfig(flags=("unsaffe",)))
    with pytest.raises(ValueError, match="not among the judged flags"):
        GateConfig(allowed_newly_flagged={"unsaffe": 1})


def _one_slice_drops(make_run):
    """Of four kinds of edit one loses .2, and the others gain what makes the mean equal."""
    before, after = (make_run(name, seed=seed, n_items=240, per_group=4) for name, seed in (("a", 1), ("b", 2)))
    kinds = np.array(["recolour", "remove", "add", "style"])[np.arange(240) % 4]
    for run in (before, after):
        run.frame["edit_type"] = kinds
    after.frame["adherence.score"] += np.where(kinds == "style", -0.2, 0.2 / 3)
    return before, after


def test_a_slice_that_drops_under_a_flat_mean_is_a_warning_and_where_configured_a_regression(make_run) -> None:
    before, after = _one_slice_drops(make_run)
    result = run_gate(before, after, GateConfig())
    assert result.outcome is Outcome.PASS
    assert "adherence dropped by 0.2" in " ".join(result.warnings)
    assert "where edit_type is style" in " ".join(result.warnings)
    judged = run_gate(before, after, GateConfig(by=("edit_type",)))
    assert judged.outcome is Outcome.REGRESSION
    assert [(one.dimension, one.value) for one in judged.worse_slices] == [("adherence", "style")]
    assert run_gate(before, after, GateConfig(by=())).warnings == result.warnings[:1]


def test_slices_are_tested_with_the_t_test_on_group_means_and_holm_over_all_of_them(make_run) -> None:
    before, after = _one_slice_drops(make_run)
    found = run_gate(before, after, GateConfig(by=("edit_type",))).slices
    p_values = []
    for one in found:
        rows = before.frame["edit_type"] == one.value
        score = f"{one.dimension}.score"
        means = (after.frame[score] - before.frame[score])[rows].groupby(before.frame["group"][rows]).mean()
        p_values.append(ttest_1samp(means, -0.02, alternative="less").pvalue)
    assert len(found) == 12
    assert [one.p_value for one in found] == pytest.approx(p_values)
    adjusted = np.minimum(1, multipletests(p_values, method="holm")[1] / SLICES_SHARE)
    assert [one.p_adjusted for one in found] == pytest.approx(adjusted)


def test_a_slice_that_drops_by_less_than_the_margin_is_not_worse_however_certain(make_run) -> None:
    before, after = (make_run(name, n_items=240, per_group=4) for name in "ab")
    for run in (before, after):
        run.frame["edit_type"] = np.array(["recolour", "remove", "add", "style"])[np.arange(240) % 4]
    after.frame["adherence.score"] -= 0.019 * (after.frame["edit_type"] == "style")
    assert run_gate(before, after, GateConfig(by=("edit_type",))).worse_slices == ()
    after.frame["adherence.score"] -= 0.002 * (after.frame["edit_type"] == "style")
    assert len(run_gate(before, after, GateConfig(by=("edit_type",))).worse_slices) == 1


def test_slices_that_decide_leave_the_dimensions_the_rest_of_the_level(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2, shift={"adherence": -0.004})
    alone = run_gate(before, after, GateConfig(by=())).dimensions[2].p_adjusted
    with_slices = run_gate(before, after, GateConfig(by=("edit_type",))).dimensions[2].p_adjusted
    assert with_slices == pytest.approx(alone / (1 - SLICES_SHARE))


def test_a_column_that_cannot_slice_is_refused_where_asked_for_and_named_where_default(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    for column in ("id", "nothing"):
        with pytest.raises(TableError, match="slice by"):
            run_gate(before, after, GateConfig(by=(column,)))
    before.frame["edit_type"] = before.frame["id"]
    assert "edit_type has 180 values" in " ".join(run_gate(before, after, GateConfig()).warnings)


def _character_in_one_group(*runs):
    for run in runs:
        lose(run.frame, "character", slice(3, None), "not_applicable", "no_face")


def test_a_dimension_that_the_baseline_has_in_one_group_alone_is_named_and_the_others_decide(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    _character_in_one_group(before, after)
    result = run_gate(before, after, GateConfig())
    assert result.outcome is Outcome.PASS
    assert {found.name: found.outcome for found in result.dimensions}["character"] is Outcome.NOT_JUDGED
    assert "not judged: character: a has values in fewer than two groups" in result.warnings


def test_a_required_dimension_in_one_group_is_doubt(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    _character_in_one_group(before, after)
    config = GateConfig(dimensions=("adherence", "preservation", "character"))
    assert run_gate(before, after, config).outcome is Outcome.INCONCLUSIVE


def test_a_candidate_that_leaves_values_in_one_group_is_not_excused(make_run) -> None:
    after = make_run("b")
    _character_in_one_group(after)
    assert run_gate(make_run("a"), after, GateConfig()).outcome is Outcome.REGRESSION


def test_the_only_group_lost_is_a_regression(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    _character_in_one_group(before)
    lose(after.frame, "character", slice(None), "undefined", "face_lost")
    assert run_gate(before, after, GateConfig()).outcome is Outcome.REGRESSION


def test_where_nothing_can_be_judged_the_gate_is_in_doubt(make_run) -> None:
    before, after = (make_run(name, n_items=3) for name in "ab")
    assert run_gate(before, after, GateConfig()).outcome is Outcome.INCONCLUSIVE
