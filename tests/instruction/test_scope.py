"""Which instructions are about the picture as a whole."""

from __future__ import annotations

import pytest

from edit_metrics.instruction import scope
from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.scope import asks_for_everything, asks_for_letters

WHOLE = [
    "Change image to anime style.",
    "make it spring",
    "Change the season to autumn",
    "turn the day into night",
    "day to night",
    "Convert this photo to black and white",
    "Alter the background to a garden",
    "turn it into a mosaic",
    "outpaint the image to the left",
    "Zoom out",
]
PART = [
    "Put a cat on the seat.",
    "Remove the car in front of the bus.",
    "make the dog's fur darker",
    "transform the car into a red sports car",
    "Add a helicopter.",
    "Change the color of the frame to orange",
    "",
]


@pytest.mark.parametrize("text", WHOLE)
def test_styles_scenes_tones_and_frames_are_about_everything(text: str) -> None:
    assert asks_for_everything(understand(text))


@pytest.mark.parametrize("text", PART)
def test_things_are_not(text: str) -> None:
    assert not asks_for_everything(understand(text))


def test_a_benchmarks_label_counts_where_the_text_was_not_read() -> None:
    unread = "as a hand-woven thing of the nineties"
    assert not asks_for_everything(understand(unread))
    assert asks_for_everything(understand(unread, "style_change"))


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Replace the text 'eddie' with 'stobart'", True),
        ("Put 2nd Edition in small letters somewhere below the Python", True),
        ("在书本封面Python的下方，添加一行英文文字2nd Edition", True),
        ("Put a cat on the seat.", False),
        ("", False),
    ],
)
def test_letters_are_asked_for_by_reading_or_by_word(text: str, letters: bool) -> None:
    assert asks_for_letters(understand(text)) == letters


def test_the_strings_of_an_instruction_are_those_to_go_and_those_to_stand() -> None:
    several = understand('change the text "Open" to "Closed"')
    assert (scope.asked_strings(several), scope.strings_to_stand(several)) == (("Open", "Closed"), ("Closed",))
    keeping = understand('keep the text "LOGO" but remove the text "DEMO"')
    assert (scope.asked_strings(keeping), scope.strings_to_stand(keeping)) == (("DEMO", "LOGO"), ("LOGO",))
    assert scope.asked_strings(understand('make the word "SALE" red')) == ("SALE",)
    assert scope.asked_strings(understand("remove the car")) == ()
