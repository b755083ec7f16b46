"""The checks as the engine calls them: features, labels, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from asking import CARD, gap, noted

from edit_metrics.backends.base import Fingerprint, TextLine
from edit_metrics.features import instruction as features
from edit_metrics.instruction.check_area import check_change_area
from edit_metrics.instruction.check_colour import check_colour
from edit_metrics.instruction.check_geometry import check_geometry
from edit_metrics.instruction.check_text import check_text
from edit_metrics.instruction.check_tone import check_tone
from edit_metrics.instruction.checking import ramp
from edit_metrics.instruction.instruction import Instruction, understand
from edit_metrics.instruction.kinds import EditType
from edit_metrics.registry import evidence_columns, get_label, get_metric
from edit_metrics.types import RGB, Missing, Result, Status

CHECKS: dict[str, Callable[..., Result]] = {
    "colour": check_colour, "tone": check_tone, "text": check_text, "geometry": check_geometry,
    "change_area": check_change_area,
}  # fmt: skip


class Reader:
    """Reads "OPEN" off everything and counts what it was given."""

    fingerprint = Fingerprint("fake", {}, "none")

    def __init__(self) -> None:
        self.count = 0

    def read_text(self, images: Sequence[RGB]) -> list[tuple[TextLine, ...]]:
        self.count += len(images)
        return [(TextLine("OPEN", (0.0, 0.0, 9.0, 9.0), 0.9),) for _ in images]


def ask_all(text: str, **features: Any) -> dict[str, Result]:
    """Every check's answer, each given the features that it reads."""
    given = {"source": CARD, "edited_native": CARD, **features}
    found = {}
    for name, check in CHECKS.items():
        spec = get_metric(f"adherence.check_{name}")
        inputs = {key: value for key, value in given.items() if key in {*spec.inputs, *spec.optional}}
        found[name] = check(parsed_instruction=understand(text), **inputs)
    return found


def test_five_metrics_share_a_column_of_evidence_in_words() -> None:
    sharing = {metric.name for metric in evidence_columns()["adherence.check_evidence"]}
    assert sharing == {f"adherence.check_{name}" for name in CHECKS}
    assert all(get_metric(name).version == 3 for name in sharing)
    assert get_label("edit_type_parsed").inputs == {"parsed_instruction": "parsed_instruction"}


@pytest.mark.parametrize("text", ["paint the fence except the gate", "frobnicate the dog", "", "rends le ciel bleu"])
def test_what_is_not_read_in_full_gets_no_verdict_from_any_check_and_the_word_that_stopped_it(text: str) -> None:
    nothing = np.zeros(CARD.shape[:2], np.bool_)
    answers = ask_all(text, edited=CARD, changed_pixels=nothing, source_text=(), edited_text=())
    assert {gap(answer) for answer in answers.values()} == {f"not_read:{understand(text).stopped}"}


def test_a_manifests_edit_type_never_overrides_a_full_reading() -> None:
    reading = features.parsed_instruction("change the apple to orange", "style")
    assert isinstance(reading, Instruction)
    assert reading.edit_type is not EditType.STYLE


def test_an_edit_type_alone_is_enough_and_nothing_at_all_is_unavailable() -> None:
    reading = features.parsed_instruction(None, "style")
    assert isinstance(reading, Instruction)
    assert reading.edit_type is EditType.STYLE
    with pytest.warns(UserWarning, match="no such type"):
        missing = features.parsed_instruction(None, "no such type")
    assert isinstance(missing, Missing)
    assert (missing.status, missing.reason) == (Status.UNAVAILABLE, "no_instruction")


def test_text_is_read_where_a_string_or_its_colour_is_asked_for() -> None:
    reader = Reader()
    texts = [
        'write "OPEN"',
        "remove the car",
        'make the word "OPEN" red',
        'make the word "OPEN" bigger',
        "erase",
    ]
    lines = features.edited_text([CARD] * len(texts), [CARD] * len(texts), [understand(text) for text in texts], reader)
    assert reader.count == 2
    assert [isinstance(found, tuple) for found in lines] == [True, False, True, False, False]


@pytest.mark.parametrize("text", ["make the car red", "make it brighter", "add a bird"])
def test_a_pair_on_two_grids_is_undefined_only_for_the_check_that_would_apply(text: str) -> None:
    answers = ask_all(text).values()
    assert sorted(answer.status for answer in answers if isinstance(answer, Missing)) == [
        *([Status.NOT_APPLICABLE] * 4), Status.UNDEFINED,
    ]  # fmt: skip


def test_the_edit_type_of_what_was_guessed_carries_a_question_mark() -> None:
    assert features.edit_type_parsed(understand("remove the hat")) == "remove"
    assert features.edit_type_parsed(understand("remove the hat frobnicate")) == "remove?"
    assert features.edit_type_parsed(understand("remove the hat frobnicate", "remove")) == "remove"


def test_a_ramp_may_fall_or_rise() -> None:
    assert [ramp(value, 1.0, 3.0) for value in (0.0, 2.0, 9.0)] == [0.0, 0.5, 1.0]
    assert [ramp(value, 3.0, 1.0) for value in (0.0, 2.0, 9.0)] == [1.0, 0.5, 0.0]


def test_in_an_empty_mask_nothing_can_be_judged() -> None:
    empty = np.zeros(CARD.shape[:2], np.bool_)
    shared = {"edited": CARD, "changed_pixels": ~empty, "mask": empty}
    answers = [
        ask_all(text, **shared)[name]
        for text, name in (("make the car red", "colour"), ("make it brighter", "tone"), ("add a bird", "change_area"))
    ]
    assert [gap(answer) for answer in answers] == ["empty_mask"] * 3


def test_a_blank_picture_fails_every_check_that_has_something_to_say_and_no_other() -> None:
    for text, name in (("make the car red", "colour"), ('write "OPEN"', "text"), ("flip the photo", "geometry")):
        answers = ask_all(text, blank=True)
        assert noted(answers.pop(name)).value == 0.0
        assert all(gap(answer).startswith("edit_type_is_") for answer in answers.values())
