"""The checks as the engine calls them: features, metrics, labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edit_metrics.backends.base import Fingerprint, TextLine
from edit_metrics.features import instruction as features
from edit_metrics.instruction import checks
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.verdict import Verdict, ramp
from edit_metrics.registry import evidence_columns, get_label
from edit_metrics.types import RGB, Missing, Noted, Status

PICTURE = np.full((40, 50, 3), 100, np.uint8)


class Reader:
    """Reads "OPEN" off everything and counts what it was given."""

    fingerprint = Fingerprint("fake", {}, "none")

    def __init__(self) -> None:
        self.count = 0

    def read_text(self, images: Sequence[RGB]) -> list[tuple[TextLine, ...]]:
        self.count += len(images)
        return [(TextLine("OPEN", (0.0, 0.0, 9.0, 9.0), 0.9),) for _ in images]


def parsed(text: str) -> ParsedInstruction:
    reading = features.parsed_instruction(text)
    assert isinstance(reading, ParsedInstruction)
    return reading


def test_five_metrics_share_a_column_of_evidence_in_words() -> None:
    sharing = [metric.name for metric in evidence_columns()["adherence.check_evidence"]]
    assert sharing == [f"adherence.check_{what}" for what in ("colour", "tone", "text", "geometry", "change_area")]
    assert get_label("edit_type_parsed").inputs == {"parsed_instruction": "parsed_instruction"}


def test_the_manifests_edit_type_wins() -> None:
    reading = features.parsed_instruction("change the apple to orange", "object_replacement")
    assert isinstance(reading, ParsedInstruction)
    assert reading.edit_type is EditType.REPLACE


def test_an_edit_type_alone_is_enough_and_nothing_at_all_is_unavailable() -> None:
    reading = features.parsed_instruction(None, "style")
    assert isinstance(reading, ParsedInstruction)
    assert reading.edit_type is EditType.STYLE
    missing = features.parsed_instruction(None, "no such type")
    assert isinstance(missing, Missing)
    assert (missing.status, missing.reason) == (Status.UNAVAILABLE, "no_instruction")


def test_text_is_read_for_text_edits_only() -> None:
    reader = Reader()
    readings = [parsed('write "OPEN"'), parsed("remove the car")]
    lines = features.edited_text([PICTURE, PICTURE], readings, reader)
    assert reader.count == 1
    assert isinstance(lines[0], tuple)
    assert isinstance(lines[1], Missing)
    assert lines[1].reason == "edit_type_is_remove"


def test_without_a_reader_a_text_edit_is_unavailable_and_others_not_applicable() -> None:
    text, other = features.text_verdict(parsed('write "OPEN"')), features.text_verdict(parsed("remove the car"))
    assert isinstance(text, Missing)
    assert isinstance(other, Missing)
    assert (text.status, other.status) == (Status.UNAVAILABLE, Status.NOT_APPLICABLE)


@pytest.mark.parametrize("text", ["make the car red", "make it brighter", "add a bird"])
def test_a_pair_on_two_grids_is_undefined_only_for_the_check_that_would_apply(text: str) -> None:
    reading = parsed(text)
    answers = [
        features.colour_verdict(reading, PICTURE),
        features.tone_verdict(reading, PICTURE),
        features.area_verdict(reading),
    ]
    statuses = [answer.status for answer in answers if isinstance(answer, Missing)]
    assert sorted(statuses) == [Status.NOT_APPLICABLE, Status.NOT_APPLICABLE, Status.UNDEFINED]


def test_a_verdict_becomes_a_value_with_its_cautions_and_its_evidence() -> None:
    verdict = Verdict(0.25, "area: seen", ("derived_region",))
    assert checks.check_change_area(verdict) == Noted(0.25, ("derived_region",), verdict.evidence)


def test_a_doubtful_edit_type_carries_a_question_mark() -> None:
    assert checks.edit_type_parsed(parsed("remove the hat")) == "remove"
    assert checks.edit_type_parsed(parsed("remove the hat and add a scarf")) == "remove?"


def test_a_ramp_may_fall_or_rise() -> None:
    assert [ramp(value, 1.0, 3.0) for value in (0.0, 2.0, 9.0)] == [0.0, 0.5, 1.0]
    assert [ramp(value, 3.0, 1.0) for value in (0.0, 2.0, 9.0)] == [1.0, 0.5, 0.0]


def test_in_an_empty_mask_nothing_can_be_judged() -> None:
    empty = np.zeros(PICTURE.shape[:2], np.bool_)
    answers = [
        features.colour_verdict(parsed("make the car red"), PICTURE, PICTURE, ~empty, empty),
        features.tone_verdict(parsed("make it brighter"), PICTURE, PICTURE, empty, ~empty),
        features.area_verdict(parsed("add a bird"), ~empty, empty),
    ]
    assert [answer.reason for answer in answers if isinstance(answer, Missing)] == ["empty_mask"] * 3
