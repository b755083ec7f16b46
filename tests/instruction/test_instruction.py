"""An instruction for the rest of the program: its type, a benchmark's label, and whether a person may go."""

from __future__ import annotations

import json
import tomllib
import warnings
from importlib import resources
from pathlib import Path

import pytest

from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.kinds import EditType
from edit_metrics.instruction.labels import UnknownLabelWarning, label_table, label_to_type
from edit_metrics.instruction.people import mentions_person

LABELLED = [
    json.loads(line) for line in Path(__file__).with_name("instructions.jsonl").read_text(encoding="utf-8").splitlines()
]


@pytest.mark.parametrize(("split", "share"), [("tuned", 0.9), ("held_out", 0.86)])
def test_edit_types_agree_with_the_labels(split: str, share: float) -> None:
    rows = [row for row in LABELLED if row["split"] == split]
    wrong = [row["text"] for row in rows if understand(row["text"]).edit_type != row["edit_type"]]
    assert len(wrong) <= (1 - share) * len(rows), wrong


def test_a_full_reading_is_of_the_right_type_nearly_always() -> None:
    read = [row for row in LABELLED if understand(row["text"]).read]
    assert len(read) >= 0.75 * len(LABELLED)
    wrong = [row["text"] for row in read if understand(row["text"]).edit_type != row["edit_type"]]
    assert len(wrong) <= 0.015 * len(read), wrong


def test_a_label_is_mapped_whole_and_never_by_a_part() -> None:
    assert label_to_type("subject-remove") is EditType.REMOVE
    assert label_to_type("6_change_attribute_color_40") is EditType.RECOLOUR
    assert label_to_type("BGReplacement") is EditType.BACKGROUND
    assert label_to_type("texture_change") is EditType.OTHER
    assert label_to_type("Object Removal") is EditType.REMOVE
    assert label_to_type("counting") is EditType.OTHER


def test_an_unknown_label_is_named_once_with_the_nearest_one() -> None:
    label_to_type.cache_clear()
    with pytest.warns(UnknownLabelWarning, match=r"'stile_change'.*style_change"):
        assert label_to_type("stile_change") is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert label_to_type("stile_change") is None


def test_every_table_of_labels_names_its_source() -> None:
    file = resources.files("edit_metrics.instruction").joinpath("labels.toml")
    for name, labels in tomllib.loads(file.read_text(encoding="utf-8")).items():
        assert len(labels["source"]) > 10, name
        assert {kind for key, kind in labels.items() if key != "source"} <= {str(kind) for kind in EditType}
    assert len(label_table()) > 150


def test_a_label_decides_where_the_words_were_not_read_and_never_where_they_were() -> None:
    assert understand("make the car red", "style").edit_type is EditType.RECOLOUR
    assert understand("make the car frobnicate", "style_change").edit_type is EditType.STYLE
    assert understand("make the car frobnicate").guessed


@pytest.mark.parametrize(
    ("text", "loses"),
    [
        ("remove the astronaut", True), ("delete all tourists", True), ("get rid of grandma", True),
        ("remove the man indoors", True), ("replace the woman with a robot", True), ("turn the boy into a girl", True),
        ("make the man look away", True), ("zoom in", True), ("crop the photo", True), ("remove everyone", True),
        ("cover her eyes", True), ("把图中的行人删除", True), ("take out the nurse, whoever she is", True),
        ("remove the man's hat", False), ("make the car red", False), ("add a dog next to the woman", False),
        ("look to the left", False), ("make the photo brighter", False), ("remove the police car", False),
        ("make the woman smile", False), ("change the girl's dress to red", False),
    ],
)  # fmt: skip
def test_whether_a_person_may_go(text: str, loses: bool) -> None:
    assert understand(text).loses_person is loses


@pytest.mark.parametrize(
    ("text", "takes"),
    [
        ("remove the astronaut", True), ("replace the woman with a robot", True), ("turn the boy into a girl", True),
        ("take out the nurse, whoever she is", True), ("把图中的行人删除", True), ("换脸", True),
        ("the two tourists should disappear, please, like magic", True),
        ("swap the grandmother for a robot, somehow", True),
        ("turn him, as it were, into nothing; make her a pirate who laughs", True),
        ("leave only the dog", True), ("let it be a cake on the plate", False),
        ("crop the photo", False), ("zoom in", False), ("cover her eyes", False), ("make the man look away", False),
        ("Replace the background with a lake. The woman smiles, her hair in a bun.", False),
        ("Close-up shot, change her posture to sitting; remove the wreath from her hair", False),
        ("change the man's clothes to a dark suit, turning his head a bit", False),
        ("Replace the man's hat, whatever it is, with a cap", False),
        ("make the girl, by all means, a bit taller", False),
        ("替换背景为樱花；更换衣服为黑色西装，为人物添加书包", False), ("移除所有竹叶；将人物姿态改为趴着", False),
    ],
)  # fmt: skip
def test_only_what_a_verb_takes_is_taken_and_not_what_stands_beside_it(text: str, takes: bool) -> None:
    assert understand(text).takes_person is takes


def test_people_are_found_by_any_noun() -> None:
    assert mentions_person("two old ladies in the sun")
    assert mentions_person("leave him there")
    assert not mentions_person("a house by the lake")


def test_slots_for_other_dimensions() -> None:
    reading = understand("replace the fox with a wolf")
    assert (reading.object, reading.new_object) == ("fox", "wolf")
    reading = understand('change the text "OLD" to "NEW"')
    assert (reading.old_text, reading.new_text) == ("OLD", "NEW")
    assert understand("transfer the photo into an ukiyo-e style").new_object == "ukiyo e style"
