"""Metrics that decide alone: over the others, under facts."""

from __future__ import annotations

from typing import Any

import pytest

from edit_metrics.config import DimensionConfig, validate_config
from edit_metrics.dimensions.prescores import to_prescore
from edit_metrics.errors import ConfigError
from edit_metrics.types import Measurement, PreScore, Status, unavailable

LINE = [[0, 0], [1, 1]]
SECTION: dict[str, Any] = {
    "metrics": ["fact", "opinion", "exact", "first", "second", "plain", "tile"],
    "gates": {"fact": {"above": 1, "score": 0}, "opinion": {"above": 1, "score": 0, "confidence": 0.6}},
    "curves": {
        "exact": {"anchors": LINE, "trust": 0.8},
        "first": {"anchors": LINE, "trust": 0.4},
        "second": {"anchors": LINE, "trust": 0.4},
        "plain": {"anchors": LINE},
        "tile": {"anchors": [[0, 1], [1, 0]], "trust": 0.9},
    },
    "cap": 0.3,
    "cap_reason": "blunt",
    "combine": "min",
    "decides": [["exact"], ["first", "second"]],
    "limits": ["tile"],
}


def scored(**values: float) -> PreScore:
    config = validate_config({"profile": "test", "dimensions": {"quality": SECTION}}, "test")
    absent = Measurement.of(unavailable("judge_not_asked"))
    measurements = {n: Measurement(values[n]) if n in values else absent for n in SECTION["metrics"]}
    return to_prescore(config.dimension("quality"), config.confidence, measurements)


def test_a_deciding_group_scores_alone_by_its_mean_and_without_the_cap() -> None:
    found = scored(first=0.9, second=0.7, plain=0.1)
    assert (found.score, found.confidence, found.reasons) == (pytest.approx(0.8), 0.4, ())


def test_the_first_group_with_a_value_decides() -> None:
    assert scored(exact=0.0, first=0.9, second=0.9).score == 0.0
    assert scored(first=0.9).score == 0.9


def test_a_value_with_a_caution_is_no_fact() -> None:
    config = validate_config({"profile": "test", "dimensions": {"quality": SECTION}}, "test")
    absent = Measurement.of(unavailable("judge_not_asked"))
    doubtful = {"exact": Measurement(0.0, Status.OK, "derived_region"), "first": Measurement(0.9)}
    found = to_prescore(
        config.dimension("quality"), config.confidence, dict.fromkeys(SECTION["metrics"], absent) | doubtful
    )
    assert found.score == 0.9


def test_without_a_deciding_value_the_others_speak_as_before() -> None:
    found = scored(plain=0.9, tile=0.2)
    assert (found.score, found.confidence) == (0.8, 0.3)
    assert scored().status is Status.UNAVAILABLE


def test_facts_go_before_and_opinions_give_way() -> None:
    assert scored(fact=1.0, first=0.9).score == 0.0
    assert scored(opinion=1.0, first=0.9).score == 0.9
    assert scored(opinion=1.0, plain=0.9).score == 0.0


def test_measured_damage_bounds_the_score_from_above_and_never_raises_it() -> None:
    found = scored(first=0.9, second=0.9, tile=0.8)
    assert (found.score, found.reasons[0]) == (pytest.approx(0.2), "low_tile")
    assert found.confidence == pytest.approx(0.9)
    assert scored(first=0.1, second=0.1, tile=0.0).score == pytest.approx(0.1)


def test_what_the_last_group_can_reach_is_what_certainty_is_measured_by() -> None:
    assert DimensionConfig.model_validate(SECTION).reachable_confidence == 0.4
    assert DimensionConfig.model_validate(SECTION | {"decides": []}).reachable_confidence == 0.3


@pytest.mark.parametrize("change", [{"decides": [["absent"]]}, {"limits": ["absent"]}])
def test_a_metric_without_a_curve_cannot_decide(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="has no curve"):
        validate_config({"profile": "test", "dimensions": {"quality": SECTION | change}}, "test")
