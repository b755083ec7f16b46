"""What is escaped before it is printed, and what is left as people write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edit_metrics.errors import UserError
from edit_metrics.printable import printable
from edit_metrics.types import failed


@pytest.mark.parametrize("text", ["plain", "für", "編集　モデル", "👩‍🚀 ok", "می‌خواهم", "a\u00a0b", ""])
def test_text_of_any_language_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", "\\x1b[2J"),
        ("a\nedit-metrics: fine", "a\\nedit-metrics: fine"),
        ("a\rb", "a\\rb"),
        ("\x9b1m", "\\x9b1m"),
        ("a\u2028b\u0085c", "a\\u2028b\\x85c"),
        ("\u202etxt", "\\u202etxt"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_moves_a_cursor_or_forges_a_line_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_any_text_comes_out_on_one_line_that_every_terminal_takes(text: str) -> None:
    shown = printable(text)
    assert len(shown.splitlines()) <= 1
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in shown)
    shown.encode("utf-8")


def test_an_error_is_one_line_whatever_its_parts_hold() -> None:
    assert str(UserError("x", "a\nb\x1b[2J", "c\rd")) == "Expected x, got a\\nb\\x1b[2J (c\\rd)."


def test_the_text_of_an_exception_can_be_written_to_a_table() -> None:
    class WordlessError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    assert failed(ValueError("a\ud800\x00b")).reason == "ValueError: a\\ud800\\x00b"
    assert failed(WordlessError()).reason == "WordlessError: (no text: ZeroDivisionError)"
