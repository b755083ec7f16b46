"""Who is asked: settled items never, a slice that no score has touched, and the rest by what an answer can change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from edit_metrics.errors import TableError
from edit_metrics.judge.selection import Candidate, SelectionRule, expected_change, select
from edit_metrics.scores.judging import SelectedBy
from edit_metrics.types import PreScore, Status


def candidate(number: int, *, score: float | None = None, confidence: float = 0.5, **more: object) -> Candidate:
    known = PreScore(score, confidence, Status.OK) if score is not None else PreScore(None, None, Status.UNAVAILABLE)
    one = Candidate(f"i{number}", f"g{number}", "m", "", {"adherence": known})
    return replace(one, **more)  # type: ignore[arg-type]


def run(count: int, seed: int = 0) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [
        candidate(
            i,
            score=float(rng.random()),
            confidence=float(rng.random()),
            settled="no_op" if rng.random() < 0.1 else "",
            group=f"g{i // 2}",
            model=f"m{i % 3}",
        )
        for i in range(count)
    ]


def test_without_a_budget_every_open_item_is_asked_and_no_settled_one() -> None:
    items = run(200)
    chosen = select(items, SelectionRule())
    assert [items[i].settled for i in chosen.asked] == [""] * len(chosen.asked)
    assert len(chosen.asked) + chosen.settled["no_op"] == 200
    assert set(chosen.by.values()) == {SelectedBy.ALL}
    assert chosen.inclusion_prob is None


def test_a_budget_is_kept_and_settled_items_cost_none_of_it() -> None:
    items = run(200)
    chosen = select(items, SelectionRule(budget=50))
    assert len(chosen.asked) == 50
    assert not any(items[i].settled for i in chosen.asked)
    assert Counter(chosen.by.values())[SelectedBy.RANDOM] == 10
    assert chosen.inclusion_prob == 10 / 200
    assert chosen.left_out == sum(not one.settled for one in items) - 50


def test_the_random_slice_depends_on_ids_and_seed_alone() -> None:
    def slice_of(items: list[Candidate], seed: int = 0) -> set[str]:
        chosen = select(items, SelectionRule(budget=50, seed=seed))
        return {items[i].id for i, by in chosen.by.items() if by is SelectedBy.RANDOM}

    assert slice_of(run(200, seed=0)) == slice_of(run(200, seed=1)) == slice_of(run(200)[::-1])
    assert slice_of(run(200)) != slice_of(run(200), seed=1)


def test_a_larger_budget_asks_what_a_smaller_one_asked_of_the_slice() -> None:
    items = run(200)
    small, large = (select(items, SelectionRule(budget=b)) for b in (40, 80))
    drawn = [{i for i, by in one.by.items() if by is SelectedBy.RANDOM} for one in (small, large)]
    assert drawn[0] < drawn[1]


def test_the_slice_draws_every_item_with_the_stated_probability() -> None:
    items = run(100)
    counts = np.zeros(100)
    for seed in range(2000):
        chosen = select(items, SelectionRule(budget=50, seed=seed))
        counts[[i for i, by in chosen.by.items() if by is SelectedBy.RANDOM]] += 1
    # 2,000 draws at p = .1: standard deviation 13.4; five of them are exceeded once in 10⁴ for 100 items.
    assert np.abs(counts - 200).max() < 5 * 13.4


@pytest.mark.parametrize(("p_pass", "change"), [(0.5, 0.5), (0.1, 0.1), (0.9, 0.1), (0.0, 0.0)])
def test_a_calibrated_probability_decides_alone(p_pass: float, change: float) -> None:
    assert expected_change(candidate(0, score=0.9, p_pass=p_pass)) == pytest.approx(change)


def test_what_is_known_for_sure_has_nothing_to_change() -> None:
    sure = candidate(0, score=0.0, confidence=1.0)
    unsure = candidate(1, score=0.0, confidence=0.2)
    assert expected_change(sure) == 0
    # adherence ½ + .2·(0 − ½) = .4, preservation and quality unknown at ½, nothing else measured
    assert expected_change(replace(unsure, prescores=unsure.prescores)) == pytest.approx(0.4)
    both = {**unsure.prescores, "quality": PreScore(None, None, Status.UNAVAILABLE)}
    assert expected_change(replace(unsure, prescores=both)) == pytest.approx(0.2)


def test_an_item_that_fails_elsewhere_for_sure_is_not_worth_asking() -> None:
    lost = candidate(0, score=0.5)
    lost = replace(lost, prescores={**lost.prescores, "character": PreScore(0.0, 1.0, Status.OK)})
    assert expected_change(lost) == 0


def test_equal_items_are_spread_over_groups_and_models() -> None:
    items = [candidate(i, group=f"g{i // 4}", model=f"m{i % 4}") for i in range(80)]
    chosen = select(items, SelectionRule(budget=20, random_share=0))
    assert max(Counter(items[i].group for i in chosen.asked).values()) == 1
    assert set(Counter(items[i].model for i in chosen.asked).values()) == {5}


def test_a_dearer_item_is_asked_after_a_cheaper_one_of_equal_use() -> None:
    items = [candidate(0, cost=2.0), candidate(1, cost=1.0)]
    assert select(items, SelectionRule(budget=1, random_share=0)).asked == (1,)


def test_the_same_items_as_another_run_are_asked_but_for_settled_ones() -> None:
    items = [candidate(0), candidate(1, settled="no_op"), candidate(2)]
    chosen = select(items, SelectionRule(same_as="base"), same_ids={"i0", "i1", "i9"})
    assert chosen.asked == (0,)
    assert chosen.by == {0: SelectedBy.SAME_AS, 1: SelectedBy.SAME_AS}


def test_a_run_without_the_other_s_items_is_refused() -> None:
    with pytest.raises(TableError, match="--same-as"):
        select([candidate(0)], SelectionRule(same_as="base"), same_ids={"x"})


@pytest.mark.parametrize("rule", [{"budget": 0}, {"random_share": 1.5}])
def test_a_rule_that_makes_no_sense_is_refused(rule: dict[str, float]) -> None:
    with pytest.raises(TableError):
        SelectionRule(**rule)  # type: ignore[arg-type]


def test_a_large_run_is_selected_in_seconds_of_work_not_minutes() -> None:
    items = run(20_000)
    chosen = select(items, SelectionRule(budget=2_000))
    assert len(chosen.asked) == 2_000
