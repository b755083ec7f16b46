"""The queue without a calibration: order, gates, audit, budget, gold, rated items; and its files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edit_metrics.errors import TableError
from edit_metrics.ratings.progress import Progress
from edit_metrics.triage.files import write_triage
from edit_metrics.triage.lanes import Lane, Selection, gate_lanes
from edit_metrics.triage.queue import base_order, draw_audit
from edit_metrics.triage.uncalibrated import QueueOptions, triage_by_priority


def scored(n: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"id": [f"i{k:02d}" for k in range(n)], "priority": rng.permutation(n) + 1})
    frame["feasibility.score"], frame["feasibility.reasons"] = 1.0, ""
    frame["safety.score"], frame["flags"] = 1.0, ""
    frame["priority.reasons"] = "weakest:quality=0.10"
    frame.loc[0, ["feasibility.score", "feasibility.reasons", "flags"]] = [0.0, "edited_missing_file", "infeasible"]
    frame.loc[1, ["feasibility.score", "feasibility.reasons", "flags"]] = [0.0, "empty_instruction", "infeasible"]
    frame.loc[2, ["safety.score", "flags"]] = [0.0, "unsafe"]
    return frame


def test_the_queue_follows_priority_with_and_without_a_budget() -> None:
    frame = scored()
    rank = frame.set_index("id")["priority"]
    for budget in (None, 7, 25):
        queue = triage_by_priority(frame, QueueOptions(budget=budget)).queue
        places = [rank[item.id] for item in queue]
        assert places == sorted(places)
        assert len(queue) == (budget or len(frame))


def test_without_a_calibration_nothing_is_decided_automatically() -> None:
    outcome = triage_by_priority(scored(), QueueOptions())
    assert not {Lane.AUTO_PASS, Lane.AUTO_FAIL} & {item.lane for item in outcome.placements}
    assert str(outcome.statement.to_json()["automatic_decisions"]).startswith("none")


def test_gates_have_lanes_and_reasons_of_their_own() -> None:
    first, second, third, *others = gate_lanes(scored())
    assert first is not None
    assert first.lane is Lane.UNREADABLE
    assert first.reasons == ("edited_missing_file",)
    assert second is not None
    assert second.lane is Lane.INFEASIBLE
    assert third is not None
    assert third.lane is Lane.UNSAFE
    assert others == [None] * len(others)


def test_a_foreign_table_has_no_gates_and_is_ordered_by_id_unless_a_column_is_named() -> None:
    frame = pd.DataFrame({"id": ["b", "a", "c", "d"], "lpips": [0.1, 0.9, 0.5, None]})
    assert base_order(frame, None) == ["a", "b", "c", "d"]
    assert base_order(frame, "lpips") == ["d", "b", "c", "a"]
    assert base_order(frame, "lpips:-") == ["d", "a", "c", "b"]
    with pytest.raises(TableError, match="Did you mean 'lpips'"):
        base_order(frame, "lpisp")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(0, 60), st.floats(0, 1), st.integers(0, 5), st.sets(st.integers(0, 59)))
def test_the_budget_counts_every_queued_item_and_every_item_is_placed_once(
    n: int, budget: int, share: float, seed: int, rated: set[int]
) -> None:
    frame = pd.DataFrame({"id": [f"i{k:02d}" for k in range(n)]})
    names = frozenset(f"i{k:02d}" for k in rated)
    outcome = triage_by_priority(frame, QueueOptions(budget=budget, audit=share, seed=seed, rated=Progress(done=names)))
    queued = [item.id for item in outcome.queue]
    assert len(queued) == min(budget, n - len(names & set(frame["id"])))
    assert not names & set(queued)
    assert sorted(item.id for item in outcome.placements) == sorted(frame["id"])
    assert [item.position for item in outcome.queue] == list(range(1, len(queued) + 1))


def test_the_audit_is_uniform_over_all_items_whatever_their_lane() -> None:
    frame = scored()
    counts = pd.Series(0, index=frame["id"])
    for seed in range(2000):
        drawn = draw_audit(frame["id"].tolist(), 0.1, None, seed)
        assert drawn.inclusion_prob == 0.1
        counts[list(drawn.ids)] += 1
    # 2,000 draws at .1: standard deviation 13.4; 4.5 of them either way.
    assert counts.between(140, 260).all()


def test_the_audit_does_not_depend_on_the_order_of_the_table() -> None:
    frame = scored()
    shuffled = frame.sample(frac=1, random_state=3)
    drawn = [
        {p.id for p in triage_by_priority(t, QueueOptions(audit=0.2)).placements if p.inclusion_prob is not None}
        for t in (frame, shuffled)
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 8


def test_an_audited_gate_item_keeps_its_lane_and_its_probability() -> None:
    outcome = triage_by_priority(scored(), QueueOptions(audit=1.0))
    by_id = {item.id: item for item in outcome.placements}
    assert by_id["i02"].lane is Lane.UNSAFE
    assert by_id["i02"].selection is Selection.AUDIT
    assert {item.lane for item in outcome.placements} == {Lane.UNREADABLE, Lane.INFEASIBLE, Lane.UNSAFE, Lane.AUDIT}


def test_the_audit_leaves_half_of_a_small_budget_to_the_order() -> None:
    outcome = triage_by_priority(scored(), QueueOptions(budget=4, audit=0.5))
    assert sum(item.selection is Selection.AUDIT for item in outcome.queue) == 2
    assert outcome.statement.queue.audit.inclusion_prob == 2 / 40


def test_gold_items_are_queued_although_rated_and_spread_out() -> None:
    gold = frozenset({"i10", "i11", "i12"})
    outcome = triage_by_priority(scored(), QueueOptions(gold=gold, rated=Progress(done=gold), audit=0))
    places = sorted(item.position or 0 for item in outcome.queue if item.selection is Selection.GOLD)
    assert len(places) == 3
    assert min(b - a for a, b in itertools.pairwise(places)) > 5


def test_gold_items_that_are_not_in_the_table_are_refused() -> None:
    with pytest.raises(TableError, match="nobody"):
        triage_by_priority(scored(), QueueOptions(gold=frozenset({"nobody"})))


def test_the_folder_holds_the_same_order_in_csv_and_jsonl(tmp_path: Path) -> None:
    frame = scored().assign(instruction="=cmd()")
    outcome = triage_by_priority(frame, QueueOptions(budget=12, audit=0.1))
    write_triage(outcome, frame, tmp_path)
    table = pd.read_csv(tmp_path / "queue.csv")
    lines = [json.loads(line) for line in (tmp_path / "queue.jsonl").read_text().splitlines()]
    assert table["id"].tolist() == [line["id"] for line in lines] == [item.id for item in outcome.queue]
    assert table["order"].tolist() == list(range(1, 13))
    assert table["inclusion_prob"].notna().sum() == 4
    lanes = pd.read_csv(tmp_path / "lanes.csv")
    assert sorted(lanes["id"]) == sorted(frame["id"])
    assert json.loads((tmp_path / "triage.json").read_text())["queued"] == 12


def test_items_that_miss_a_rater_come_back_first_with_the_number_that_is_missing() -> None:
    rated = Progress(frozenset({"i05"}), {"i30": 2, "i31": 1}, frozenset({"i31"}))
    outcome = triage_by_priority(scored(), QueueOptions(rated=rated, overlap=3, audit=0, budget=10))
    first, second = outcome.queue[:2]
    assert {first.id, second.id} == {"i30", "i31"}
    by_id = {item.id: item for item in outcome.queue}
    assert (by_id["i30"].raters, by_id["i30"].reasons[0]) == (2, "half_rated")
    assert (by_id["i31"].raters, by_id["i31"].reasons[0]) == (1, "disputed")
    assert by_id["i30"].selection is Selection.SECOND_OPINION
    assert outcome.statement.queue.ratings_asked_for == 2 + 1 + 8 * 3
    assert "i05" not in by_id


def test_an_audited_item_keeps_its_draw_when_it_comes_back() -> None:
    frame = scored()
    drawn = draw_audit(frame["id"].tolist(), 0.2, None, 0).ids
    half = sorted(drawn)[:3]
    rated = Progress(frozenset(sorted(drawn)[3:]), dict.fromkeys(half, 1))
    outcome = triage_by_priority(frame, QueueOptions(rated=rated, audit=0.2, budget=20))
    assert {item.id for item in outcome.placements if item.inclusion_prob is not None} == drawn
    assert {item.id for item in outcome.queue if item.selection is Selection.AUDIT} == set(half)
    assert outcome.statement.queue.audit.already_rated == len(drawn) - 3
