"""What a score rests on, what it may claim, and when nothing speaks."""

from __future__ import annotations

from typing import Any

import pytest

from edit_metrics.claims import UNVALIDATED
from edit_metrics.config import ConfidenceConfig, DimensionConfig, load_config
from edit_metrics.dimensions.prescores import kind_of_score, to_overall, to_prescore
from edit_metrics.types import Measurement, PreScore, Status, not_applicable, undefined

RULES = ConfidenceConfig(threshold_margin=0.0)
LINE = [[0, 0], [1, 1]]


def section(**more: Any) -> DimensionConfig:
    data = {
        "metrics": ["fact", "check", "area", "clip"],
        "gates": {"fact": {"above": 1, "score": 0}},
        "curves": {
            "check": {"anchors": LINE, "kind": "check", "silent": [0.3, 0.7]},
            "clip": {"anchors": LINE, "kind": "clip"},
            "area": {"anchors": LINE, "kind": "area", "silent": [0.5, 1]},
        },
        "decides": [["check"]],
        "limits": ["area"],
        "otherwise": "needs_clip_or_judge",
    }
    return DimensionConfig.model_validate(data | more)


def claim(low: float, items: int = 100, groups: int = 50) -> dict[str, Any]:
    return {"low": low, "items": items, "groups": groups, "rated": "a set"}


def scored(own: DimensionConfig, **values: float) -> PreScore:
    absent = Measurement.of(not_applicable("no_mask"))
    return to_prescore(own, RULES, {n: Measurement(values[n]) if n in values else absent for n in own.metrics})


def test_confidence_is_what_rated_edits_support() -> None:
    own = section(claims={"clip": claim(0.65), "check": claim(0.9, items=29)})
    assert scored(own, clip=0.8).confidence == pytest.approx(0.3)
    assert scored(own, check=0.9).confidence == UNVALIDATED
    assert scored(own, check=0.9).reasons == ("unvalidated",)
    assert scored(section(), clip=0.8).confidence == UNVALIDATED


def test_a_kind_that_puts_nothing_in_order_claims_nothing_and_takes_no_part_in_the_overall_score() -> None:
    found = scored(section(claims={"clip": claim(0.45)}), clip=0.1)
    assert (found.score, found.confidence, found.reasons) == (0.1, 0, ("low_clip", "no_order"))
    assert to_overall({"adherence": found, "quality": PreScore(0.6, 0.2, Status.OK)}).minimum == 0.6


def test_a_fact_claims_one_whatever_was_rated() -> None:
    found = scored(section(cap=0.3, cap_reason="blunt"), fact=1.0, clip=0.9)
    assert (found.score, found.confidence, found.reasons) == (0, 1, ("fact",))


def test_a_decided_check_decides_and_an_undecided_one_leaves_the_word_to_others() -> None:
    assert scored(section(), check=0.9, clip=0.2).score == 0.9
    assert scored(section(), check=0.5, clip=0.2).score == 0.2


def test_a_limit_lowers_a_score_and_never_raises_one() -> None:
    assert scored(section(), clip=0.8, area=0.1).score == 0.1
    assert scored(section(), clip=0.2, area=0.4).score == 0.2
    assert scored(section(), clip=0.2, area=1.0).score == 0.2
    assert scored(section(), area=0.1).score == 0.1
    assert scored(section(), area=1.0).score is None


def test_where_nothing_speaks_the_score_says_what_would() -> None:
    silent = scored(section(), area=1.0, check=0.5)
    assert (silent.status, silent.reasons) == (Status.UNAVAILABLE, ("needs_clip_or_judge",))
    degenerate = dict.fromkeys(section().metrics, Measurement.of(undefined("region_too_small")))
    assert to_prescore(section(), RULES, degenerate).status is Status.UNAVAILABLE
    broken = dict.fromkeys(section().metrics, Measurement(None, Status.FAILED, "ValueError: x"))
    assert to_prescore(section(), RULES, broken).status is Status.FAILED


def test_the_kind_of_a_score_is_that_of_the_evidence_that_carried_it() -> None:
    def kind(**values: float) -> str | None:
        absent = Measurement.of(not_applicable("no_mask"))
        own = section()
        return kind_of_score(own, {n: Measurement(values[n]) if n in values else absent for n in own.metrics})

    assert kind(fact=1.0, clip=0.5) == "fact"
    assert kind(check=0.9, clip=0.5) == "check"
    assert kind(check=0.5, clip=0.5) == "clip"
    assert kind(area=0.1) == "area"
    assert kind(area=0.9) is None


def test_that_an_instruction_says_it_is_an_opinion_on_feasibility_and_no_fact() -> None:
    """14 such edits stood among the first 16 of 250, and one of them was bad."""
    config = load_config("embedded")
    doubtful = {"verdict": Measurement.of(0.5, ("no_object",))}
    found = to_prescore(config.dimension("feasibility"), config.confidence, doubtful)
    assert found.score == 0.5
    assert found.confidence is not None
    assert found.confidence <= UNVALIDATED
