from __future__ import annotations

import pytest
from asking import CARD, Line, gap, noted
from hypothesis import given
from hypothesis import strategies as st

from edit_metrics.instruction.check_text import check_text
from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.letters import best_error, edit_distance, is_half_read, is_like, plain
from edit_metrics.types import Result


def ask(text: str, before: list[str], after: list[str]) -> Result:
    return check_text(understand(text), CARD, [Line(t) for t in before], [Line(t) for t in after])


def score(text: str, before: list[str], after: list[str]) -> float:
    return noted(ask(text, before, after)).value


def test_the_quoted_text_read_in_e_and_not_in_s_is_a_full_score() -> None:
    assert score('write "Hello World" on it', [], ["hello world"]) == 1.0
    assert score('write "Hello World" on it', [], ["HELLO", "WORLD!"]) == 1.0


def test_each_wrong_letter_costs_its_share_by_hand() -> None:
    assert score('write "SALE" on it', [], ["SOLE"]) == pytest.approx(0.5)
    assert score('write "SALE" on it', [], []) == 0.0


def test_a_replacement_needs_the_new_text_and_the_old_one_gone() -> None:
    asked = 'change "OPEN" to "CLOSED"'
    assert score(asked, ["OPEN"], ["CLOSED"]) == 1.0
    assert score(asked, ["OPEN"], ["OPEN", "CLOSED"]) == 0.0
    assert score(asked, ["OPEN"], ["OPEN"]) < 0.5


def test_a_new_text_that_holds_the_old_one_is_not_held_against_itself() -> None:
    assert score('change "CAFE" to "CAFETERIA"', ["CAFE"], ["CAFETERIA"]) == 1.0
    assert score('change "CAFE" to "CAFETERIA"', ["CAFE"], ["CAFETERIA", "CAFE"]) == 0.0


def test_an_old_text_that_was_never_read_is_a_caution_and_for_removals_undefined() -> None:
    verdict = noted(ask('change "OPEN" to "CLOSED"', [], ["CLOSED"]))
    assert verdict.cautions == ("old_text_not_read",)
    assert gap(ask('remove the text "OPEN"', [], [])) == "old_text_not_read"


def test_a_removal_is_done_when_the_text_is_gone() -> None:
    assert score('remove the word "OPEN"', ["OPEN"], []) == 1.0
    assert score('remove the word "OPEN"', ["OPEN"], ["OPEN"]) == 0.0


def test_text_that_the_source_has_already_is_undefined() -> None:
    assert gap(ask('write "OPEN"', ["OPEN"], ["OPEN"])) == "text_already_in_source"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("make the wall red", "edit_type_is_recolour"),
        ("write hello on the wall", "not_read:on"),
        ('write "Привет"', "script_not_read"),
        ('write "A"', "text_too_short"),
        ('change "Open" to "OPEN"', "same_letters"),
        ('make the word "OPEN" bigger', "look_of_text"),
        ('change the font of the text "OPEN"', "look_of_text"),
        ('rotate the word "OPEN" by 45 degrees', "look_of_text"),
        ('make the word "OPEN" red', "edit_type_is_recolour"),
        ('don\'t write "OPEN"', "not_read:write"),
    ],
)
def test_what_it_cannot_judge_is_not_applicable(text: str, reason: str) -> None:
    assert gap(ask(text, [], ["anything"])) == reason


def test_a_short_string_is_not_read_inside_a_word() -> None:
    assert best_error("go", ["mango"]) > 0.5
    assert best_error("go", ["let us go"]) == 0.0


def test_accents_case_and_punctuation_do_not_count() -> None:
    assert plain("Café, Nº 1!") == plain("cafe no1")


@given(st.text(alphabet="abcdef", min_size=4, max_size=8), st.text(alphabet="abcdef", max_size=12))
def test_a_string_is_always_found_in_what_contains_it_and_errors_stay_in_bounds(wanted: str, around: str) -> None:
    assert best_error(wanted, [around + wanted + around]) == 0.0
    assert 0.0 <= best_error(wanted, [around]) <= 1.0


def test_where_neither_string_is_read_quotation_marks_may_mean_things_and_it_does_not_guess() -> None:
    assert gap(ask('replace "the dog" with "a cat"', ["Bakery"], ["Bakery"])) == "old_text_not_read"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1999", "1998"), ("His Cat", "Her Cat"), ("March", "Marsh"), ("Gate 12", "Gate 13"), ("COLD", "GOLD"),
        ("10:30", "10:45"),
    ],
)  # fmt: skip
def test_strings_one_letter_apart_belong_to_the_nearer(old: str, new: str) -> None:
    asked = f'change the text "{old}" to "{new}"'
    assert score(asked, [old], [new]) >= 0.5
    assert score(asked, [old], [old]) < 0.5


def test_a_line_as_near_to_one_as_to_the_other_decides_nothing() -> None:
    assert gap(ask('change "SALE" to "SALT"', ["SALE"], ["SALF"])) == "neither_text_nearer"


def test_a_swap_of_neighbours_counts_once() -> None:
    assert edit_distance("trip", "tirp") == 1
    assert score('change "My Trip" to "Our Trip"', ["My Trip"], ["Our Tirp"]) >= 0.5


def test_old_text_in_two_places_that_is_changed_in_one() -> None:
    assert gap(ask('change "OPEN" to "SHUT"', ["OPEN", "OPEN"], ["SHUT", "OPEN"])) == "old_text_left_elsewhere"
    assert gap(ask('remove the word "OPEN"', ["OPEN", "OPEN"], ["OPEN"])) == "old_text_left_elsewhere"
    assert score('change "OPEN" to "SHUT"', ["OPEN", "OPEN"], ["SHUT", "SHUT"]) == 1.0


def test_every_one_of_several_strings_counts() -> None:
    asked = 'change "OPEN" to "SHUT" and "PUSH" to "PULL"'
    assert score(asked, ["OPEN", "PUSH"], ["SHUT", "PULL"]) == 1.0
    assert score(asked, ["OPEN", "PUSH"], ["SHUT", "PUSH"]) == 0.0


def test_what_was_to_stay_must_be_there() -> None:
    asked = 'keep the text "TOP" but delete the text "BOTTOM"'
    assert score(asked, ["TOP", "BOTTOM"], ["TOP"]) == 1.0
    assert score(asked, ["TOP", "BOTTOM"], []) == 0.0
    assert score(asked, ["TOP", "BOTTOM"], ["TOP", "BOTTOM"]) == 0.0
    assert gap(ask(asked, ["BOTTOM"], [])) == "text_not_read"


def test_a_string_half_read_is_neither_there_nor_absent() -> None:
    assert gap(ask('write "Chocolate"', [], ["Chocrrlute"])) == "text_not_read"


@pytest.mark.parametrize(
    ("line", "like"),
    [
        ("Since 2028", True),
        ("2023", True),
        ("Sirce", True),
        ("Open daily since 2023 here", True),
        ("Bakery", False),
        ("!", False),
    ],
)
def test_a_line_has_to_do_with_a_string_where_half_of_either_is_the_other(line: str, like: bool) -> None:
    assert is_like(line, ["", "Since 2023"]) == like
    assert not is_like(line, [])


def test_a_string_is_half_read_where_a_part_of_it_is_there_that_was_not() -> None:
    assert is_half_read("OPEN", [], ["EN"])
    assert not is_half_read("OPEN", [], ["OPEN"])
    assert not is_half_read("OPEN", [], ["Exit", "Bakery"])
    assert not is_half_read("Our Trip", ["My Trip"], ["My Trip"])  # nothing was done


def test_letters_that_must_look_in_some_way_can_be_absent_but_not_right() -> None:
    asked = 'add the red text "OPEN" to the picture'
    assert score(asked, [], []) == 0.0
    assert gap(ask(asked, [], ["OPEN"])) == "look_of_text"


@pytest.mark.parametrize(("left", "done"), [(5.0, True), (150.0, False)])
def test_the_named_corner_is_where_the_letters_must_be(left: float, done: bool) -> None:
    asked = understand('put the text "OPEN" in the top left corner')
    lines = [Line("OPEN", (left, 5.0, left + 40, 20.0))]
    assert (noted(check_text(asked, CARD, [], lines)).value >= 0.5) == done


def test_without_a_reader_nothing_is_said() -> None:
    assert gap(check_text(understand('write "OPEN"'), CARD)) == "no_ocr"
