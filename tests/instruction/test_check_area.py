from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.instruction.check_area import check_area
from edit_metrics.instruction.parser import parse_instruction
from edit_metrics.instruction.verdict import Verdict
from edit_metrics.types import Mask, Missing


def spot(top: int, left: int, size: int = 30, frame: int = 200) -> Mask:
    changed = np.zeros((frame, frame), np.bool_)
    changed[top : top + size, left : left + size] = True
    return changed


def score(text: str, changed: Mask, mask: Mask | None = None) -> float:
    verdict = check_area(parse_instruction(text), changed, mask)
    assert isinstance(verdict, Verdict), verdict
    return verdict.score


def test_a_compact_change_inside_the_mask_is_a_full_score() -> None:
    assert score("remove the car", spot(50, 50), spot(45, 45, 40)) == 1.0


def test_a_change_elsewhere_than_the_mask_is_zero() -> None:
    assert score("remove the car", spot(50, 50), spot(140, 140)) == 0.0


def test_a_change_of_a_sliver_of_the_mask_is_no_removal() -> None:
    assert score("remove the car", spot(50, 50, 6), spot(40, 40, 100)) == 0.0


def test_the_named_corner_is_where_the_change_must_be() -> None:
    assert score("add a bird in the top left corner", spot(10, 10)) == 1.0
    assert score("add a bird in the top left corner", spot(160, 160)) == 0.0
    assert score("add a tree on the right", spot(90, 160)) == 1.0


def test_a_place_beside_a_thing_is_not_held_against_the_frame() -> None:
    assert score("add a bird to the left of the house", spot(160, 160)) == 1.0


def test_nothing_changed_is_zero_and_says_so() -> None:
    verdict = check_area(parse_instruction("add a bird"), np.zeros((50, 50), np.bool_))
    assert isinstance(verdict, Verdict)
    assert (verdict.score, verdict.evidence) == (0.0, "area: nothing changed")


def test_a_change_smeared_over_the_frame_is_not_compact(rng: np.random.Generator) -> None:
    assert score("add a bird", rng.random((200, 200)) < 0.02) < 0.1


def test_a_change_of_the_whole_frame_is_not_an_added_thing() -> None:
    assert score("add a bird", np.ones((60, 60), np.bool_)) == 0.0


def test_without_a_mask_the_verdict_is_cautious() -> None:
    verdict = check_area(parse_instruction("add a bird"), spot(20, 20))
    assert isinstance(verdict, Verdict)
    assert verdict.cautions == ("derived_region",)


@pytest.mark.parametrize(
    ("text", "reason"),
    [("make it brighter", "edit_type_is_tone"), ("remove the hat and add a scarf", "compound_instruction")],
)
def test_what_it_cannot_judge_is_not_applicable(text: str, reason: str) -> None:
    answer = check_area(parse_instruction(text), spot(20, 20))
    assert isinstance(answer, Missing)
    assert answer.reason == reason
