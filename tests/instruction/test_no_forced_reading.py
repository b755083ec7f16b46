"""Words that fit a form only by force are not read: nouns as verbs, slips, exceptions from one thing."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edit_metrics.instruction.edits import Add, Alter, Remove, Retone
from edit_metrics.instruction.grammar.reader import Reading, Unread, read_instruction
from edit_metrics.instruction.grammar.spelling import known_words
from edit_metrics.instruction.instruction import Instruction, understand

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def acting_check() -> Callable[[Instruction], str | None]:
    spec = importlib.util.spec_from_file_location("acting_checks", BENCHMARKS / "acting_checks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    found: Callable[[Instruction], str | None] = module.acting_check
    return found


@pytest.mark.parametrize(
    "text",
    ["let the cat table", "make the girl roof", "have the goat bent over a stone wall", "the horse should bucket"],
)
def test_a_noun_is_no_deed(text: str) -> None:
    assert isinstance(read_instruction(text), Unread)


@pytest.mark.parametrize("text", ["let the cat jump", "make the girl laugh", "the horse should gallop", "let him eat"])
def test_a_deed_is_one(text: str) -> None:
    read = read_instruction(text)
    assert isinstance(read, Reading)
    assert isinstance(read.edits[0], Alter)


@pytest.mark.parametrize(("text", "word"), [("make the wnie glass sing", "glass"), ("let the stop sing glow", "sing")])
def test_swapped_letters_that_make_another_word_are_a_slip(text: str, word: str) -> None:
    read = read_instruction(text)
    assert isinstance(read, Unread) or ("wnie", "wine") in read.corrected
    if isinstance(read, Unread):
        assert read.word == word


def test_another_letter_than_swapped_ones_is_no_slip() -> None:
    assert isinstance(read_instruction("remove the pink tree"), Reading)  # "pine tree" is a compound


@pytest.mark.parametrize("text", ["remove the cup except the dog", "delete the football except goal"])
def test_nothing_can_be_excepted_from_one_thing(text: str) -> None:
    assert isinstance(read_instruction(text), Unread)


@pytest.mark.parametrize(
    "text",
    [
        "remove every cup except the blue cup", "remove the men except the man on the left",
        "remove all the luggage except the suitcase", "remove the group of birds except the gull",
    ],
)  # fmt: skip
def test_of_several_one_can_be_excepted(text: str) -> None:
    read = read_instruction(text)
    assert isinstance(read, Reading)
    assert isinstance(read.edits[0], Remove)
    assert read.edits[0].excepted is not None


@pytest.mark.parametrize(
    "text",
    [
        "add old wooden garden bench chair", "remove benches chair", "blur kettles table lamp",
        "add indochina", "remove the mcphersons", "add kitchen wooden chairs",
    ],
)  # fmt: skip
def test_a_list_of_words_is_no_thing(text: str) -> None:
    assert isinstance(read_instruction(text), Unread)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("add an old wooden garden bench", Add), ("add white geese", Add), ("remove sports cars", Remove),
        ("remove the christmas tree", Remove), ("add a japan flag", Add), ("blur the bench", Retone),
    ],
)  # fmt: skip
def test_things_are_still_read(text: str, kind: type) -> None:
    read = read_instruction(text)
    assert isinstance(read, Reading), read
    assert isinstance(read.edits[0], kind)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("make the chair green", "colour"), ("make it brighter", "tone"), ("colorize the photo", "tone"),
        ('write "HELLO"', "text"), ("rotate the image by 90 degrees", "geometry"), ("add a kite", "change area"),
        ("remove everything except the kite", None), ("make it winter", None), ("make the word bigger", None),
        ("move the kite to the left", None), ("replace the kite with a ball", None), ("blorf the kite", None),
    ],
)  # fmt: skip
def test_a_check_acts_where_only_pictures_are_missing(
    acting_check: Callable[[Instruction], str | None], text: str, check: str | None
) -> None:
    assert acting_check(understand(text)) == check


def test_no_check_acts_on_a_salad_of_words(acting_check: Callable[[Instruction], str | None]) -> None:
    draw = random.Random(7)
    words = sorted(known_words())
    salads = [" ".join(draw.choices(words, k=draw.randint(3, 12))) for _ in range(1500)]
    assert [text for text in salads if acting_check(understand(text)) is not None] == []


@pytest.mark.parametrize("text", ["close eyes", "open window", "peel a banana"])
def test_what_something_is_done_to_does_not_come(text: str) -> None:
    read = read_instruction(text)
    assert isinstance(read, Reading)
    assert isinstance(read.edits[0], Alter)


@pytest.mark.parametrize("text", ["hide-bound", "break-ups sucker", "shut-downs"])
def test_the_first_part_of_a_hyphenated_word_is_no_verb(text: str) -> None:
    assert isinstance(read_instruction(text), Unread)


@pytest.mark.parametrize("text", ["re-color the car red", "remove the t-shirt", "put-in a red balloon"])
def test_a_hyphen_inside_a_verb_or_a_noun_does_no_harm(text: str) -> None:
    assert isinstance(read_instruction(text), Reading)


@pytest.mark.parametrize("text", ["clear the table", "clean up the desk", "strip the bed", "cut out the woman"])
def test_a_verb_that_takes_away_what_is_on_a_thing_is_no_removal_of_it(text: str) -> None:
    assert isinstance(read_instruction(text), Unread)


def test_the_light_of_nothing_in_particular_is_not_changed() -> None:
    assert isinstance(read_instruction("darken brochure"), Unread)
    for text in ("darken sky", "darken the brochure", "blur background"):
        assert isinstance(read_instruction(text), Reading), text


def test_no_real_instruction_is_read_wrongly_and_the_judgements_are_of_these_readings(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import judge_readings

    judge_readings.show_counts(shared_data)
    printed = capsys.readouterr().out
    assert "is read now" not in printed
    rows = {line.split("|")[1].strip(): line.split("|") for line in printed.splitlines() if line.startswith("| ")}
    assert int(rows["colour"][2]) >= 17
    assert [int(cells[3]) for name, cells in rows.items() if name != "check"] == [0] * 6
