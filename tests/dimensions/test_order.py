"""The order for people."""

from __future__ import annotations

import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.dimensions.order import to_priorities
from edit_metrics.scores.priority import PriorityRow
from edit_metrics.types import PreScore, Status


def config() -> Config:
    dimensions = {"preservation": {"metrics": ["a"], "curves": {"a": {"anchors": [[0, 0], [10, 1]]}}}}
    return validate_config({"profile": "x", "dimensions": dimensions}, "test")


def row(
    score: float,
    *,
    confidence: float = 1.0,
    flags: tuple[str, ...] = (),
    broken: tuple[str, ...] = (),
    group: str = "g",
) -> PriorityRow:
    return PriorityRow(flags, broken, {"preservation": PreScore(score, confidence, Status.OK)}, group)


def ranks(rows: list[PriorityRow]) -> list[int]:
    return [p.rank for p in to_priorities(rows, config())]


def test_lanes_come_in_order_unsafe_infeasible_lost_failed_and_the_rest() -> None:
    rows = [
        row(0.1),
        row(0.9, broken=("failed:preservation.lpips",)),
        row(0.9, flags=("identity_changed",)),
        row(0.9, flags=("infeasible",)),
        row(1.0, flags=("unsafe", "infeasible")),
        row(0.8),
    ]
    assert ranks(rows) == [5, 4, 3, 2, 1, 6]


@pytest.mark.parametrize("flag", ["blank_edited", "no_op", "identity_changed", "face_lost"])
def test_each_flag_of_a_lost_edit_comes_before_the_weakest_score(flag: str) -> None:
    assert ranks([row(0.0), row(1.0, flags=(flag,)), row(0.0, flags=("mask_polarity_suspect",))]) == [2, 1, 3]


def test_inside_a_lane_the_more_broken_and_the_weaker_come_first() -> None:
    assert ranks([row(0.9, broken=("failed:x",)), row(0.9, broken=("failed:x", "failed:y"))]) == [2, 1]
    assert ranks([row(0.9, flags=("no_op",)), row(0.9, flags=("no_op", "face_lost"))]) == [2, 1]
    assert ranks([row(0.7), row(0.2)]) == [2, 1]


def test_a_weak_score_counts_as_far_as_it_is_sure_of_itself() -> None:
    assert ranks([row(0.2, confidence=0.1), row(0.6, confidence=0.4)]) == [2, 1]
    assert ranks([row(0.9), row(0.0, confidence=0.0)]) == [1, 2]


def test_an_item_that_nothing_speaks_of_is_an_average_one_and_not_the_best() -> None:
    silent = PriorityRow((), (), {"preservation": PreScore(None, None, Status.NOT_APPLICABLE)}, "g")
    assert ranks([row(0.9), row(0.2), silent]) == [3, 1, 2]


def test_gates_alone_do_not_speak_of_an_item_and_their_doubt_still_counts() -> None:
    def gated(score: float) -> PriorityRow:
        scores = {"feasibility": PreScore(score, 1.0, Status.OK)}
        return PriorityRow((), (), scores | {"preservation": PreScore(0.1, 0.0, Status.OK)}, "g")

    assert ranks([row(0.9), row(0.4), gated(1.0), gated(0.5)]) == [4, 1, 3, 2]


def test_what_is_undefined_for_many_orders_nothing_and_for_a_few_is_a_reason_to_look() -> None:
    silent = [row(0.9, broken=("missing:quality",)), row(0.8, broken=("missing:quality",))]
    assert ranks([*silent, row(0.1)]) == [3, 2, 1]
    assert ranks([*silent, *(row(0.1) for _ in range(18))])[:2] == [2, 1]


def test_what_is_uncertain_for_all_items_of_a_kind_orders_nothing() -> None:
    unmasked = [row(0.9, confidence=0.1), row(0.8, confidence=0.1)]
    assert ranks([*unmasked, row(0.1, confidence=0.5)]) == [3, 2, 1]


def test_ties_are_spread_over_groups_and_keep_the_manifests_order() -> None:
    rows = [row(0.5, group="a"), row(0.5, group="a"), row(0.5, group="b"), row(0.5, group="a"), row(0.5, group="b")]
    assert ranks(rows) == [1, 3, 2, 5, 4]


def test_reasons_of_the_lane_come_first_then_the_rarest_and_none_that_most_items_carry() -> None:
    common = [row(0.5, confidence=0.1) for _ in range(6)]
    rows = [
        row(0.25, confidence=0.1, flags=("unsafe", "no_op"), broken=("failed:a.b", "missing:preservation")),
        row(0.5, broken=("missing:preservation",)),
        *common,
    ]
    first, second, third, *_ = to_priorities(rows, config())
    assert first.reasons == ("unsafe", "no_op", "failed:a.b", "missing:preservation", "weakest:preservation=0.25")
    assert second.reasons == ("missing:preservation", "weakest:preservation=0.50")
    assert third.reasons == ("weakest:preservation=0.50",)


def test_an_uncertain_score_among_certain_ones_says_so() -> None:
    rows = [row(0.5, confidence=0.1), row(0.5), row(0.5)]
    assert to_priorities(rows, config())[0].reasons == ("low_confidence:preservation", "weakest:preservation=0.50")


def test_uncertainty_is_read_against_what_the_profile_can_reach() -> None:
    def reasons(confidence: float) -> tuple[str, ...]:
        claims = {"check": {"low": 0.6, "items": 100, "groups": 50, "rated": "x"}}
        curves = {"a": {"anchors": [[0, 0], [1, 1]], "kind": "check"}}
        section = {"metrics": ["a"], "curves": curves, "claims": claims}
        capped = validate_config({"profile": "x", "dimensions": {"adherence": section}}, "test")
        scored = PriorityRow((), (), {"adherence": PreScore(0.9, confidence, Status.OK)}, "g")
        return to_priorities([scored], capped)[0].reasons

    assert reasons(0.2) == ("weakest:adherence=0.90",)
    assert reasons(0.1) == ("low_confidence:adherence", "weakest:adherence=0.90")
