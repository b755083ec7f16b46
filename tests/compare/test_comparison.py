"""Runs compared item by item."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from conftest_compare import lose, signed
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from edit_metrics.compare.comparison import CompareOptions, compare_runs
from edit_metrics.compare.headline import headlines, notes
from edit_metrics.compare.measures import Declared
from edit_metrics.compare.output import comparison_to_dict, comparison_to_markdown, write_comparison
from edit_metrics.compare.pairing import default_pair_by, split_by
from edit_metrics.errors import ConfigError, SignatureError, TableError
from edit_metrics.scores.table import ScoreTable


def _of(comparison, measure, run="b"):
    return next(f for f in comparison.differences if (f.measure, f.run) == (measure, run))


def test_means_differences_and_p_values_are_those_of_group_means(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2, shift={"adherence": -0.01})
    comparison = compare_runs([before, after], CompareOptions())
    names = ("adherence", "preservation", "character")
    means = [
        (after.frame[f"{n}.score"] - before.frame[f"{n}.score"]).groupby(before.frame["group"]).mean() for n in names
    ]
    adjusted = multipletests([ttest_1samp(m, 0).pvalue for m in means], method="holm")[1]
    found = [_of(comparison, name) for name in names]
    interval = ttest_1samp(means[0], 0).confidence_interval(0.95)
    assert [f.difference for f in found] == pytest.approx([m.mean() for m in means])
    assert [f.p_holm for f in found] == pytest.approx(adjusted)
    assert (found[0].low, found[0].high) == pytest.approx((interval.low, interval.high))


def test_wins_ties_and_losses_count_items_beyond_the_tie_width(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    after.frame.loc[:9, "adherence.score"] += 0.05
    after.frame.loc[10:14, "adherence.score"] -= 0.05
    after.frame.loc[15:40, "adherence.score"] += 0.01
    found = _of(compare_runs([before, after], CompareOptions()), "adherence")
    assert (found.wins, found.ties, found.losses) == (10, 165, 5)


def test_equal_runs_are_equivalent_and_noisy_small_ones_are_unclear(make_run) -> None:
    same = compare_runs([make_run("a", seed=1), make_run("b", seed=2)], CompareOptions())
    assert _of(same, "adherence").verdict == "equivalent"
    small = {"n_items": 12, "noise": 0.2}
    doubt = compare_runs([make_run("a", seed=1, **small), make_run("b", seed=2, **small)], CompareOptions())
    assert _of(doubt, "adherence").verdict == "unclear"


def test_direction_comes_from_the_user_for_unknown_columns(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    for run, extra in ((before, 0.0), (after, 1.0)):
        run.frame["distance"] = np.linspace(0, 1, len(run.frame)) + extra
        run.frame["mystery"] = run.frame["distance"]
    options = CompareOptions(declared=Declared(lower=("distance",), margins={"distance": 0.5}))
    comparison = compare_runs([before, after], options)
    assert (_of(comparison, "distance").verdict, _of(comparison, "distance").equivalent) == ("worse", False)
    mystery = _of(comparison, "mystery")
    assert (mystery.verdict, mystery.wins, mystery.equivalent) == ("changed", None, None)


def test_confidence_and_priority_are_not_compared(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    for run in (before, after):
        run.frame["priority"] = range(len(run.frame))
    names = {measure.column for measure in compare_runs([before, after], CompareOptions()).measures}
    assert names == {"adherence.score", "preservation.score", "character.score", "preservation.psnr"}


def test_slices_compare_within_each_value(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2)
    removals = after.frame["edit_type"] == "remove"
    after.frame.loc[removals, "adherence.score"] -= 0.1
    slices = {f.slice: f for f in compare_runs([before, after], CompareOptions()).slices if f.measure == "adherence"}
    assert slices["edit_type=remove"].verdict == "worse"
    assert slices["edit_type=recolour"].verdict == "equivalent"
    assert slices["edit_type=remove"].n_items == 90


def test_a_column_with_many_values_is_no_slice(make_run) -> None:
    with pytest.raises(TableError, match="at most 30 values"):
        compare_runs([make_run("a"), make_run("b")], CompareOptions(slices=("source",)))


def test_flips_are_listed_with_both_pictures_largest_first(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    before.frame["adherence.score"], after.frame["adherence.score"] = 0.6, 0.6
    after.frame.loc[3, "adherence.score"], after.frame.loc[5, "adherence.score"] = 0.45, 0.1
    flips = compare_runs([before, after], CompareOptions()).flips
    adherence = [flip for flip in flips if flip.measure == "adherence"]
    assert [(f.id, f.change) for f in adherence] == [("item005", "now_fails"), ("item003", "now_fails")]
    assert (adherence[0].source, adherence[0].reference_edited) == ("s1.png", "e0_5.png")


def test_items_on_one_side_and_lost_scores_are_listed(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    lose(after.frame, "character", slice(7, 9))
    comparison = compare_runs([before, ScoreTable("b", after.frame.iloc[:-2], after.path)], CompareOptions())
    assert comparison.unmatched[0].only_reference == ("item178", "item179")
    assert [(row.id, row.reason) for row in comparison.newly_missing] == [
        ("item007", "faces_lost"),
        ("item008", "faces_lost"),
    ]
    assert _of(comparison, "character").newly_missing == 2


def test_ranks_tie_where_the_data_does_not_separate(make_run) -> None:
    runs = [
        make_run(name, seed=i, shift={"adherence": s})
        for i, (name, s) in enumerate({"a": 0.0, "b": 0.001, "c": -0.1, "d": 0.1}.items())
    ]
    ranks = {r.run: r.rank for r in compare_runs(runs, CompareOptions()).ranking if r.measure == "adherence"}
    assert ranks == {"d": 1, "a": 2, "b": 2, "c": 4}


def test_ranking_means_speak_of_the_items_that_every_run_scored(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    # The hard items are missing in b: its own mean would rise.
    before.frame.loc[:89, "adherence.score"] = 0.1
    after.frame.loc[90:, "adherence.score"] = before.frame.loc[90:, "adherence.score"]
    lose(after.frame, "adherence", slice(0, 90))
    rows = [row for row in compare_runs([before, after], CompareOptions()).ranking if row.measure == "adherence"]
    assert rows[0].mean == pytest.approx(rows[1].mean)
    assert {row.n_items for row in rows} == {90}


def test_a_run_without_values_is_not_ranked(make_run) -> None:
    empty = make_run("c")
    lose(empty.frame, "adherence", slice(None))
    runs = [make_run("a", seed=1), make_run("b", seed=2), empty]
    rows = [row for row in compare_runs(runs, CompareOptions()).ranking if row.measure == "adherence"]
    assert [(row.run, row.rank) for row in rows][-1] == ("c", None)
    assert {row.n_items for row in rows[:2]} == {180}


def test_a_lower_is_better_column_ranks_the_smallest_first(make_run) -> None:
    runs = [make_run(name) for name in ("a", "b")]
    for run, level in zip(runs, (0.5, 0.4), strict=True):
        run.frame["distance"] = np.linspace(0, 0.1, len(run.frame)) + level
    options = CompareOptions(declared=Declared(lower=("distance",)))
    rows = [row for row in compare_runs(runs, options).ranking if row.measure == "distance"]
    assert [(row.run, row.rank) for row in rows] == [("b", 1), ("a", 2)]


def test_models_of_one_run_are_paired_by_source_and_instruction(make_run) -> None:
    first, second = make_run("a", seed=1), make_run("b", seed=2, shift={"adherence": -0.1})
    for frame in (first.frame, second.frame):
        frame["instruction"] = [f"task {i}" for i in range(len(frame))]
    both = pd.concat([first.frame.assign(model="m1"), second.frame.assign(model="m2", id="x" + second.frame["id"])])
    run = ScoreTable("both", both.reset_index(drop=True), first.path)
    options = CompareOptions(pair_by=default_pair_by(run))
    split = compare_runs(split_by(run, "model"), options)
    apart = compare_runs([first, second], CompareOptions())
    assert _of(split, "adherence", "m2").low == pytest.approx(_of(apart, "adherence").low)
    assert _of(split, "adherence", "m2").n_items == 180


def test_samples_of_one_task_are_averaged_before_pairing(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2)
    before.frame["task"] = after.frame["task"] = before.frame["id"]
    worse = after.frame.assign(id="s2" + after.frame["id"], **{"adherence.score": after.frame["adherence.score"] - 0.2})
    doubled = ScoreTable("b", pd.concat([after.frame, worse], ignore_index=True), after.path)
    found = _of(compare_runs([before, doubled], CompareOptions(pair_by=("task",))), "adherence")
    plain = _of(compare_runs([before, after], CompareOptions()), "adherence")
    assert found.n_items == 180
    assert found.difference == pytest.approx(plain.difference - 0.1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (CompareOptions(pair_by=("nothing",)), TableError, "nothing"),
        (CompareOptions(slices=("nothing",)), TableError, "slice"),
        (CompareOptions(declared=Declared(higher=("adherance.score",))), ConfigError, r"adherence\.score"),
        (CompareOptions(declared=Declared(("preservation.psnr",), ("preservation.psnr",))), ConfigError, "both"),
    ],
)
def test_columns_that_do_not_exist_are_refused(make_run, options, error, message) -> None:
    with pytest.raises(error, match=message):
        compare_runs([make_run("a"), make_run("b")], options)


def test_words_where_the_other_table_has_numbers_are_refused(make_run) -> None:
    after = make_run("b")
    after.frame["preservation.psnr"] = "high"
    with pytest.raises(TableError, match=r"numbers in 'preservation\.psnr'"):
        compare_runs([make_run("a"), after], CompareOptions())


def test_groups_of_another_type_are_the_same_groups(make_run) -> None:
    before, after = make_run("a"), make_run("b")
    before.frame["group"], after.frame["group"] = range(180), [str(i) for i in range(180)]
    assert not any("another group" in warning for warning in compare_runs([before, after], CompareOptions()).warnings)


def test_different_definitions_are_refused(make_run) -> None:
    with pytest.raises(SignatureError, match="preservation"):
        compare_runs([make_run("a", info=signed(1.0)), make_run("b", info=signed(2.0))], CompareOptions())


def test_a_table_without_groups_counts_items_as_independent_and_says_so(make_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2)
    del before.frame["group"], after.frame["group"]
    comparison = compare_runs([before, after], CompareOptions())
    assert any("no 'group' column" in warning for warning in comparison.warnings)
    assert _of(comparison, "adherence").n_groups == 180


def test_files_hold_what_was_found(make_run, tmp_path) -> None:
    comparison = compare_runs([make_run("a"), make_run("b", seed=1, shift={"preservation": -0.1})], CompareOptions())
    files = {file.name: file for file in write_comparison(comparison, tmp_path)}
    loaded = json.loads(files["comparison.json"].read_text())
    assert (loaded["format"], loaded["version"]) == ("edit-metrics/comparison", 1)
    assert loaded == json.loads(json.dumps(comparison_to_dict(comparison)))
    rows = pd.read_csv(files["differences.csv"])
    assert rows.set_index("measure").loc["preservation", "verdict"] == "worse"
    assert "| preservation | b |" in files["comparison.md"].read_text()


def test_markdown_names_what_changed(make_run) -> None:
    after = make_run("b", seed=1, shift={"preservation": -0.2})
    lose(after.frame, "character", slice(0, 3), reason="a|b <i>")
    text = comparison_to_markdown(compare_runs([make_run("a"), after, make_run("c", seed=3)], CompareOptions()))
    for heading in ("## Ranking", "## Slices that differ", "now fail", "newly missing (3)"):
        assert heading in text
    assert "a\\|b &lt;i&gt;" in text.replace("\\&", "&")


def test_ranks_have_intervals_that_hold_at_once(make_run) -> None:
    shifts = (0.0, 0.0, -0.2, -0.1)
    runs = [make_run(n, seed=i, shift={"adherence": s}) for i, (n, s) in enumerate(zip("abcd", shifts, strict=True))]
    rows = {
        r.run: (r.rank, r.rank_high) for r in compare_runs(runs, CompareOptions()).ranking if r.measure == "adherence"
    }
    assert rows == {"a": (1, 2), "b": (1, 2), "c": (4, 4), "d": (3, 3)}


def test_the_headline_names_what_a_run_is_alone_first_in(make_run) -> None:
    runs = [make_run("a"), make_run("b", seed=1, shift={"adherence": 0.1}), make_run("c", seed=2)]
    said = headlines(compare_runs(runs, CompareOptions()))
    assert said[0].startswith("b against a: better in adherence (+0.")
    assert (
        said[-1] == "Of 3 runs: b is first alone in adherence; first place is not separated in preservation, character."
    )


def _small_drop(make_run, drop: float, noise: float):
    """A drop of one dimension whose p-value follows by hand: each group's difference is ±noise around it."""
    before, after = make_run("a", n_items=40, per_group=1), make_run("b", n_items=40, per_group=1)
    after.frame["adherence.score"] = before.frame["adherence.score"] - drop + noise * np.tile([1, -1], 20)
    return before, after


def test_where_the_gate_asks_another_question_the_comparison_says_so(make_run) -> None:
    from edit_metrics.compare.gate import run_gate
    from edit_metrics.compare.gate_config import GateConfig

    # t = 2.4 on 39 degrees of freedom: two-sided .064 after Holm over three, one-sided .032.
    sides = _small_drop(make_run, 0.02, 0.02 / 2.4 * np.sqrt(39))
    found = compare_runs(sides, CompareOptions(metrics=False))
    assert next(one for one in found.differences if one.measure == "adherence").verdict == "unclear"
    assert "adherence of b is unclear here (two-sided p 0.064) and a regression to the gate" in notes(found)[0]
    assert run_gate(*sides, GateConfig()).outcome == "regression"


def test_a_certain_drop_below_the_gates_minimum_effect_is_explained_and_a_large_one_needs_no_words(make_run) -> None:
    small, large = (_small_drop(make_run, drop, 0.001) for drop in (0.005, 0.2))
    assert "less than the gate's minimum effect" in notes(compare_runs(small, CompareOptions()))[0]
    assert notes(compare_runs(large, CompareOptions())) == ()
