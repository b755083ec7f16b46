from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edit_metrics.instruction.check_text import best_error, check_text, plain
from edit_metrics.instruction.parser import parse_instruction
from edit_metrics.instruction.verdict import Verdict
from edit_metrics.types import Missing


@dataclass(frozen=True)
class Line:
    text: str


def ask(text: str, before: list[str], after: list[str]) -> Verdict | Missing:
    return check_text(parse_instruction(text), [Line(t) for t in before], [Line(t) for t in after])


def score(text: str, before: list[str], after: list[str]) -> float:
    verdict = ask(text, before, after)
    assert isinstance(verdict, Verdict), verdict
    return verdict.score


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
    verdict = ask('change "OPEN" to "CLOSED"', [], ["CLOSED"])
    assert isinstance(verdict, Verdict)
    assert verdict.cautions == ("old_text_not_read",)
    answer = ask('remove the text "OPEN"', [], [])
    assert isinstance(answer, Missing)
    assert answer.reason == "old_text_not_read"


def test_a_removal_is_done_when_the_text_is_gone() -> None:
    assert score('remove the word "OPEN"', ["OPEN"], []) == 1.0
    assert score('remove the word "OPEN"', ["OPEN"], ["OPEN"]) == 0.0


def test_text_that_the_source_has_already_is_undefined() -> None:
    answer = ask('write "OPEN"', ["OPEN"], ["OPEN"])
    assert isinstance(answer, Missing)
    assert answer.reason == "text_already_in_source"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("make the wall red", "edit_type_is_recolour"),
        ("write hello on the wall", "no_quoted_text"),
        ('write "Привет"', "script_not_read"),
        ('write "A"', "text_too_short"),
    ],
)
def test_what_it_cannot_judge_is_not_applicable(text: str, reason: str) -> None:
    answer = ask(text, [], ["anything"])
    assert isinstance(answer, Missing)
    assert answer.reason == reason


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
    answer = ask('replace "the dog" with "a cat"', ["Bakery"], ["Bakery"])
    assert isinstance(answer, Missing)
    assert answer.reason == "old_text_not_read"
