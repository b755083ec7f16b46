"""The order for people."""

from __future__ import annotations

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


def test_lanes_come_in_order_unsafe_infeasible_missing_uncertain_weak() -> None:
    rows = [
        row(0.1),
        row(0.9, confidence=0.2),
        row(0.9, broken=("preservation.lpips",)),
        row(0.9, flags=("infeasible",)),
        row(1.0, flags=("unsafe", "infeasible")),
        row(0.8),
    ]
    assert ranks(rows) == [5, 4, 3, 2, 1, 6]


def test_inside_a_lane_the_more_broken_the_less_certain_and_the_weaker_come_first() -> None:
    assert ranks([row(0.9, broken=("x",)), row(0.9, broken=("x", "y"))]) == [2, 1]
    assert ranks([row(0.9, confidence=0.3), row(0.9, confidence=0.1)]) == [2, 1]
    assert ranks([row(0.7), row(0.2)]) == [2, 1]


def test_ties_are_spread_over_groups_and_keep_the_manifests_order() -> None:
    rows = [row(0.5, group="a"), row(0.5, group="a"), row(0.5, group="b"), row(0.5, group="a"), row(0.5, group="b")]
    assert ranks(rows) == [1, 3, 2, 5, 4]


def test_reasons_say_why_an_item_stands_where_it_stands() -> None:
    (first,) = to_priorities([row(0.25, confidence=0.1, flags=("unsafe",), broken=("missing:preservation",))], config())
    assert first.reasons == (
        "unsafe",
        "missing:preservation",
        "low_confidence:preservation",
        "weakest:preservation=0.25",
    )


def test_uncertainty_is_read_against_what_the_profile_can_reach() -> None:
    capped = validate_config(
        {
            "profile": "x",
            "dimensions": {
                "adherence": {
                    "metrics": ["a"],
                    "curves": {"a": {"anchors": [[0, 0], [1, 1]], "trust": 0.2}},
                }
            },
        },
        "test",
    )
    weak_encoder = PriorityRow((), (), {"adherence": PreScore(0.9, 0.2, Status.OK)}, "g")
    (place,) = to_priorities([weak_encoder], capped)
    assert place.reasons == ("weakest:adherence=0.90",)
