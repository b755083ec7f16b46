from __future__ import annotations

import numpy as np
import pytest
from asking import gap, noted

from edit_metrics.instruction.check_area import check_change_area
from edit_metrics.instruction.instruction import understand
from edit_metrics.types import Mask, Result


def spot(top: int, left: int, size: int = 30, frame: int = 200) -> Mask:
    changed = np.zeros((frame, frame), np.bool_)
    changed[top : top + size, left : left + size] = True
    return changed


def ask(text: str, changed: Mask | None, mask: Mask | None = None) -> Result:
    return check_change_area(understand(text), changed_pixels=changed, mask=mask)


def score(text: str, changed: Mask, mask: Mask | None = None) -> float:
    return noted(ask(text, changed, mask)).value


def test_a_change_inside_the_mask_is_a_full_score() -> None:
    assert score("remove the car", spot(50, 50), spot(45, 45, 40)) == 1.0


def test_a_change_elsewhere_than_the_mask_is_zero() -> None:
    assert score("remove the car", spot(50, 50), spot(140, 140)) == 0.0


def test_a_change_of_a_sliver_of_the_mask_is_no_removal() -> None:
    assert score("remove the car", spot(50, 50, 6), spot(40, 40, 100)) == 0.0


def test_the_named_corner_is_where_the_change_must_be() -> None:
    assert score("add a bird in the top left corner", spot(10, 10)) == 1.0
    assert score("add a bird in the top left corner", spot(160, 160)) == 0.0
    assert score("add a tree on the right", spot(90, 160)) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "add a bird to the left of the house", "add a goat looking to the left", "add a cake with a cherry on top",
        "add a boat sailing to the left", "add a man in front of the tree on the left",
    ],
)  # fmt: skip
def test_a_place_that_belongs_to_something_else_is_not_held_against_the_frame(text: str) -> None:
    assert score(text, spot(160, 160)) == 1.0


def test_the_left_one_of_two_may_stand_over_the_middle_and_one_that_comes_may_not() -> None:
    over_the_middle = spot(90, 115, 20)
    assert score("remove the man on the left", over_the_middle) == 1.0
    assert score("remove the man on the left", spot(90, 170, 20)) == 0.0
    assert score("add a man on the left", over_the_middle) < 0.5


def test_nothing_changed_is_zero_and_says_so() -> None:
    found = noted(ask("add a bird", np.zeros((50, 50), np.bool_)))
    assert (found.value, found.evidence) == (0.0, "area: nothing changed")


def test_a_change_without_a_place_says_nothing_of_a_thing(rng: np.random.Generator) -> None:
    assert gap(ask("add a bird", rng.random((200, 200)) < 0.02)) == "scattered_change"
    assert gap(ask("add a bird", np.ones((60, 60), np.bool_))) == "change_is_everywhere"


def test_without_a_mask_the_verdict_is_cautious_and_says_where_it_looked() -> None:
    found = noted(ask("add a bird", spot(20, 20)))
    assert found.cautions == ("derived_region",)
    assert "17% from the left" in found.evidence


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("make it brighter", "edit_type_is_tone"), ("remove the hat and add a scarf", "compound_instruction"),
        ("remove everyone except the woman on the left", "exclusion"), ("remove the dog save it", "not_read:it"),
        ("remove all the cups except the red cup", "exclusion"), ("do not add a bird", "only_a_prohibition"),
    ],
)  # fmt: skip
def test_what_it_cannot_judge_is_not_applicable(text: str, reason: str) -> None:
    changed = np.zeros((200, 200), np.bool_) if "not" in text.split() else spot(20, 20)
    assert gap(ask(text, changed)) == reason


def test_what_must_not_happen_is_zero_where_it_did() -> None:
    assert score("do not add a bird", spot(20, 20)) == 0.0


def test_a_label_alone_is_no_reading() -> None:
    assert gap(check_change_area(understand("", "remove"), changed_pixels=spot(20, 20))) == "not_read:<empty>"


def test_a_blank_picture_is_zero() -> None:
    found = noted(check_change_area(understand("add a bird"), blank=True, changed_pixels=spot(20, 20)))
    assert (found.value, found.cautions) == (0.0, ("blank_edited",))


def test_a_misspelt_word_is_a_caution() -> None:
    assert "spelling_corrected" in noted(ask("remov the car", spot(20, 20))).cautions
