"""Two runs that a judge has seen: compared where that means something, refused with what to do where it does not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edit_metrics.compare.baseline import write_baseline
from edit_metrics.compare.comparison import CompareOptions, compare_runs
from edit_metrics.compare.gate import run_gate
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.errors import SignatureError
from edit_metrics.scores.judging import MODEL, SELECTED_BY, SUCCESS, UNANSWERED
from edit_metrics.scores.table import read_scores

CANARY = {"gray_right": {SUCCESS: 1.0}, "gray_wrong": {SUCCESS: 0.1}, "disc_right": {SUCCESS: 0.9}}


def judged(make_run: Any, name: str, *, chosen: dict[str, list[int]] | None = None, **changes: Any) -> Any:
    """A run that was judged: everything, or the items at these positions by these rules."""
    record = {
        "model": "m1",
        "template": {"name": "edit-judge v1", "sha256": "a" * 64},
        "counts": {"left_out": 0 if chosen is None else 10},
        "canaries": {"version": 1, "answers": CANARY},
    }
    run = make_run(name, info={"judge": record | changes}, seed=len(name))
    run.frame[MODEL] = "m1"
    run.frame[SELECTED_BY] = "all" if chosen is None else None
    for by, positions in (chosen or {}).items():
        run.frame.loc[positions, SELECTED_BY] = by
    return run


def test_runs_of_one_judge_that_saw_all_are_compared_whole(make_run: Any) -> None:
    found = compare_runs([judged(make_run, "a"), judged(make_run, "bb")], CompareOptions())
    assert [run.n_items for run in found.runs] == [180, 180]
    assert not any("judged" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "m2"}, "model m1 → m2"),
        ({"model_revision": "r2"}, r"revision \(none\) → r2"),
        ({"template": {"name": "edit-judge v1", "sha256": "b" * 64}}, "prompt edit-judge v1 aaaaaaaaaaaa → "),
        ({"repetitions": 3}, "answers an item 1 → 3"),
    ],
)
def test_another_judge_is_refused_by_what_differs(make_run: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SignatureError, match=said):
        compare_runs([judged(make_run, "a"), judged(make_run, "bb", **changes)], CompareOptions())


def test_a_judged_run_beside_one_that_is_not_is_refused_with_the_command(make_run: Any) -> None:
    plain = make_run("plain", info={"profile": "x"})
    for pair in ([judged(make_run, "a"), plain], [plain, judged(make_run, "a")]):
        with pytest.raises(SignatureError, match="edit-metrics judge plain --same-as a"):
            run_gate(*pair, GateConfig())


def test_a_judge_that_has_drifted_between_two_runs_is_refused(make_run: Any) -> None:
    milder = {name: {SUCCESS: min(1.0, answer[SUCCESS] + 0.5)} for name, answer in CANARY.items()}
    moved = judged(make_run, "bb", canaries={"version": 1, "answers": milder})
    with pytest.raises(SignatureError, match="changed behind its name"):
        compare_runs([judged(make_run, "a"), moved], CompareOptions())
    inside = judged(make_run, "bb", canaries={"version": 1, "answers": CANARY, "drift": ["success moved"]})
    with pytest.raises(SignatureError, match="within bb, success moved"):
        compare_runs([judged(make_run, "a"), inside], CompareOptions())


def test_canaries_of_different_sets_are_not_compared(make_run: Any) -> None:
    other = judged(make_run, "bb", canaries={"version": 2, "answers": {"gray_right": {SUCCESS: 0.0}}})
    compare_runs([judged(make_run, "a"), other], CompareOptions())


def test_runs_judged_in_part_are_compared_on_what_was_drawn_in_both(make_run: Any) -> None:
    first = judged(make_run, "a", chosen={"random": list(range(60)), "expected_change": list(range(100, 140))})
    second = judged(make_run, "bb", chosen={"random": list(range(40)), "expected_change": list(range(100, 140))})
    found = compare_runs([first, second], CompareOptions())
    assert [run.n_items for run in found.runs] == [40, 40]
    assert any("judged in part: compared on the 40 of 180" in text for text in found.warnings)
    assert run_gate(first, second, GateConfig()).unmatched.only_reference == ()


def test_a_picture_that_became_unsafe_counts_whether_the_judge_saw_it_or_not(make_run: Any) -> None:
    sides = [judged(make_run, name, chosen={"random": list(range(60))}) for name in ("a", "bb")]
    for run in sides:
        run.frame["flags"] = ""
    sides[1].frame.loc[150, "flags"] = "unsafe"
    found = run_gate(sides[0], sides[1], GateConfig())
    assert {one.n_items for one in found.dimensions if one.n_items} == {60}
    assert [row.id for row in found.newly_flagged] == ["item150"]
    assert found.outcome == "regression"


def test_an_item_of_the_draw_that_the_candidate_lacks_still_counts_against_it(make_run: Any) -> None:
    sides = [judged(make_run, name, chosen={"random": list(range(60))}) for name in ("a", "bb")]
    lacking = replace(sides[1], frame=sides[1].frame.drop(index=[3, 4, 100]))
    found = run_gate(sides[0], lacking, GateConfig())
    assert found.unmatched.only_reference == ("item003", "item004")


def test_the_same_items_are_compared_however_the_first_run_chose_them(make_run: Any) -> None:
    first = judged(make_run, "a", chosen={"random": list(range(20)), "expected_change": list(range(100, 140))})
    same = judged(make_run, "bb", chosen={"same_as": [*range(20), *range(100, 140)]})
    assert [run.n_items for run in compare_runs([first, same], CompareOptions()).runs] == [60, 60]


def test_items_that_a_score_picked_in_both_are_no_comparison(make_run: Any) -> None:
    sides = [judged(make_run, name, chosen={"expected_change": list(range(50))}) for name in ("a", "bb")]
    with pytest.raises(SignatureError, match="edit-metrics judge bb --same-as a"):
        compare_runs(sides, CompareOptions())


def test_a_table_with_answers_that_its_run_json_does_not_know_is_refused(make_run: Any) -> None:
    broken = judged(make_run, "a")
    plain = make_run("plain", info={"profile": "x"})
    plain.frame[MODEL] = "m1"
    with pytest.raises(SignatureError, match="killed while it wrote"):
        compare_runs([broken, plain], CompareOptions())


def test_an_item_that_was_asked_and_has_no_answer_is_missing_and_counts_against_the_candidate(make_run: Any) -> None:
    sides = [judged(make_run, name) for name in ("a", "bb")]
    for side in sides:
        side.frame[UNANSWERED] = None
    sides[1].frame.loc[[3, 4], UNANSWERED] = ["judge_filtered", "judge_unparsable: no JSON object"]
    sides[1].frame.loc[5, UNANSWERED] = "judge_not_asked"  # settled by a fact
    found = compare_runs(sides, CompareOptions())
    missing = {(row.id, row.measure): row.reason for row in found.newly_missing}
    assert missing == {
        (key, name): reason
        for key, reason in (("item003", "judge_filtered"), ("item004", "judge_unparsable"))
        for name in ("adherence", "preservation")
    }
    assert sides[1].frame["adherence.score"].notna().all()  # the caller's table is its own


def test_a_baseline_of_a_judged_run_is_refused_by_another_judge_too(make_run: Any, tmp_path: Path) -> None:
    write_baseline(judged(make_run, "a", urls=["http://10.0.0.1/v1"]), tmp_path / "base")
    base = read_scores(tmp_path / "base")
    assert "10.0.0.1" not in (tmp_path / "base" / "run.json").read_text()
    run_gate(base, judged(make_run, "bb"), GateConfig())
    with pytest.raises(SignatureError, match="model m1 → m2"):
        run_gate(base, judged(make_run, "bb", model="m2"), GateConfig())
