"""The closed world: what is read has one meaning, and one word too many stops it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_forms import FORMS, OTHER_FORMS, PlainForm, plain_forms

from edit_metrics.instruction.edits import (
    Add,
    Alter,
    Atmosphere,
    Forbid,
    LookOfText,
    MoveThing,
    Recolour,
    Remove,
    Replace,
    Restyle,
    Retone,
    SetBackground,
    Shade,
    TurnFrame,
    WriteText,
)
from edit_metrics.instruction.grammar.lexicon import load_lexicon
from edit_metrics.instruction.grammar.nouns import open_words
from edit_metrics.instruction.grammar.reader import Reading, Unread, read_instruction
from edit_metrics.instruction.grammar.spelling import correct, known_words
from edit_metrics.instruction.grammar.tokens import tokenise
from edit_metrics.instruction.kinds import GeometryKind, ToneKind


def only(text: str) -> Any:
    """The one edit of an instruction that must be read."""
    read = read_instruction(text)
    assert isinstance(read, Reading), f"{text}: {read}"
    assert len(read.edits) == 1, read.edits
    return read.edits[0]


def stopped(text: str) -> str:
    read = read_instruction(text)
    assert isinstance(read, Unread), f"{text}: {read}"
    return read.word


# --- plain forms ------------------------------------------------------------------------------------------------------

FAMILIES: dict[str, tuple[type, ...]] = {
    "recolour": (Recolour,), "recolour_wish": (Recolour,), "shade": (Shade,), "tone": (Retone,), "tone_part": (Retone,),
    "complaint": (Retone,), "text_replace": (WriteText,), "text_add": (WriteText,), "text_remove": (WriteText,),
    "geometry": (TurnFrame,), "object_geometry": (MoveThing,), "add": (Add,), "remove": (Remove,),
    "replace": (Replace,), "background": (SetBackground,), "background_colour": (SetBackground,),
    "style": (Restyle,), "weather": (Atmosphere,),
}  # fmt: skip


def holds(form: PlainForm, edit: Any) -> bool:
    """Whether a reading holds what the form was filled with."""
    return isinstance(edit, FAMILIES[form.family]) and CHECKS.get(type(edit), lambda form, edit: True)(form, edit)


def holds_colour(form: PlainForm, edit: Any) -> bool:
    becomes_other = "{other_colour}" in form.form and "instead of" not in form.form
    wanted = form.slots["other_colour"] if becomes_other else form.slots["colour"]
    return "colour" not in form.family or [colour.name for colour in edit.colours] == [wanted]


def holds_shade(form: PlainForm, edit: Any) -> bool:
    way = ToneKind.DARKER if "darker" in form.form else ToneKind.BRIGHTER
    return edit.way is way and (edit.colour is None or edit.colour.name == form.slots["colour"])


def holds_tone(form: PlainForm, edit: Any) -> bool:
    tones = [str(tone) for tone in edit.tones]
    return tones == [form.expected] and (edit.target is not None) == (form.family == "tone_part")


def holds_text(form: PlainForm, edit: Any) -> bool:
    old = form.slots["word"] if form.family != "text_add" else None
    new = {"text_replace": form.slots["other"], "text_add": form.slots["word"], "text_remove": None}[form.family]
    return edit.pairs == ((old, new),)


def holds_replacement(form: PlainForm, edit: Any) -> bool:
    return form.slots["new"] in edit.new.text and edit.old is not None and form.slots["old"] in edit.old.text


def holds_removal(form: PlainForm, edit: Any) -> bool:
    return edit.thing is not None and form.slots["old"] in edit.thing.text and edit.excepted is None


CHECKS: dict[type, Callable[[PlainForm, Any], bool]] = {
    Recolour: holds_colour, SetBackground: holds_colour, Shade: holds_shade, Retone: holds_tone,
    WriteText: holds_text, Replace: holds_replacement, Remove: holds_removal,
    TurnFrame: lambda form, edit: edit.kind == form.expected,
}  # fmt: skip


@pytest.mark.parametrize("file", [FORMS, OTHER_FORMS], ids=lambda file: file.stem)
@pytest.mark.parametrize("seed", [0, 1])
def test_nine_of_ten_plain_forms_are_read_and_none_wrongly(file: Path, seed: int) -> None:
    forms = plain_forms(seed, file=file)
    assert len(forms) >= 300
    outcomes = Counter[str]()
    for form in forms:
        read = read_instruction(form.text)
        if isinstance(read, Unread):
            outcomes["unread"] += 1
        else:
            assert len(read.edits) == 1, (form.text, read.edits)
            assert holds(form, read.edits[0]), (form.text, read.edits[0])
            outcomes["read"] += 1
    assert outcomes["read"] >= 0.9 * len(forms), outcomes


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "target", "colour"),
    [
        ("turn the red-coloured lamp into a green-coloured lamp", "red coloured lamp", "green"),
        ("dye her coat teal", "her coat", "teal"),
        ("repaint the fence white", "fence", "white"),
        ("What if the bench were yellow?", "bench", "yellow"),
        ("make the lid blue, not green", "lid", "blue"),
        ("change the black door to a white door", "black door", "white"),
        ("can you make the boy's shoes and socks red please?", "boy's shoes and socks", "red"),
    ],
)
def test_recolouring_is_read_as_people_write_it(text: str, target: str, colour: str) -> None:
    edit = only(text)
    assert isinstance(edit, Recolour)
    assert edit.target is not None
    assert edit.target.text == target
    assert [named.name for named in edit.colours] == [colour]


def test_a_colour_and_what_it_must_not_be() -> None:
    assert only("paint the gate green instead of blue").instead_of.name == "blue"


@pytest.mark.parametrize(
    ("text", "way", "colour"),
    [
        ("make the chair a darker blue", ToneKind.DARKER, "blue"),
        ("change the wall colour to a lighter shade of yellow", ToneKind.BRIGHTER, "yellow"),
        ("change the skin tone to a lighter shade", None, None),
        ("change the sofa's color to a deeper shade", ToneKind.DARKER, None),
    ],
)
def test_a_comparison_of_shades_is_a_direction(text: str, way: ToneKind | None, colour: str | None) -> None:
    if way is None:
        stopped(text)  # the tone of skin is neither its colour nor the light
        return
    edit = only(text)
    assert isinstance(edit, Shade)
    assert edit.way is way
    assert (edit.colour.name if edit.colour else None) == colour


@pytest.mark.parametrize(
    ("text", "tone"),
    [
        ("this picture came out underexposed", ToneKind.BRIGHTER),
        ("the photo is too bright, please fix it", ToneKind.DARKER),
        ("the picture is blurred and fix it", ToneKind.SHARPEN),
        ("it looks too cold", ToneKind.WARMER),
        ("fix the overexposed photo", ToneKind.DARKER),
        ("the image is oversaturated", ToneKind.SATURATION_DOWN),
    ],
)
def test_a_complaint_asks_for_the_opposite(text: str, tone: ToneKind) -> None:
    assert only(text) == Retone(None, (tone,), complaint=True)


def test_what_is_forbidden_is_not_asked_for() -> None:
    assert only("please don't make the photo brighter") == Forbid(Retone(None, (ToneKind.BRIGHTER,)))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("make the image brighter but not too bright", "not"),
        ("make the mug darker than the plate", "than"),
        ("remove every chair save the red one", "the"),
        ("make the house less red", "less"),
        ("the wall is red", "red"),
        ("why is the sky green", "the"),
        ("make the hat the same colour as the shoes", "colour"),
        ("crop his ear", "ear"),
        ("make the photo cooler", "<no meaning>"),
        ("invert the photo", "invert"),
        ("make the lamp blue and the table red", "<end>"),
        ("add nothing", "nothing"),
        ("remove the red tint on her face and nothing else", "face"),
    ],
)
def test_what_is_not_understood_in_full_is_not_read(text: str, word: str) -> None:
    assert stopped(text) == word


def test_an_exception_belongs_to_what_it_is_an_exception_from() -> None:
    edit = only("delete everyone except the man on the right")
    assert isinstance(edit, Remove)
    assert edit.thing is None
    assert edit.excepted is not None
    assert edit.excepted.text == "man on the right"
    edit = only("blur everything except the child")
    assert isinstance(edit, Retone)
    assert edit.excepted is not None
    assert edit.excepted.person


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("add a kite on the left", "left"),
        ("add a kite in the top right corner of the photo", "top right"),
        ("add a man looking to the left", None),
        ("add a kite next to the tree on the left", None),
        ("add a cake with a cherry on top", None),
        ("add a goat walking on the road to the right of the barn", None),
        ("add a kite to the right of the barn", None),
    ],
)
def test_a_place_belongs_to_the_noun_it_stands_by(text: str, place: str | None) -> None:
    edit = only(text)
    assert isinstance(edit, Add)
    assert edit.thing.place == place


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("replace “Old Town” with ‘New Town’", (("Old Town", "New Town"),)),
        ("change the text 'it's late' to 'we're early'", (("it's late", "we're early"),)),
        ("change «Lundi» to «Mardi»", (("Lundi", "Mardi"),)),
        ('replace "A1" with "B2" and "C3" with "D4"', (("A1", "B2"), ("C3", "D4"))),
        ('write "Hello there" on the wall', ((None, "Hello there"),)),
        ('delete the word "DRAFT" from the page', (("DRAFT", None),)),
    ],
)
def test_strings_in_quotes_of_every_kind(text: str, pairs: tuple[tuple[str | None, str | None], ...]) -> None:
    assert only(text).pairs == pairs


@pytest.mark.parametrize(
    "text",
    [
        'make the word "EXIT" bigger', 'change the font of the text "EXIT"', 'rotate the word "EXIT" by 45 degrees',
        'move the text "EXIT" to the left', "remove the text", 'make the text "EXIT" glow',
    ],
)  # fmt: skip
def test_what_letters_look_like_is_no_question_of_presence(text: str) -> None:
    assert isinstance(only(text), LookOfText)


def test_letters_get_a_colour_in_their_own_box() -> None:
    assert only('make the word "EXIT" green').text == "EXIT"
    assert only('change the colour of the text "EXIT" to green').text == "EXIT"


def test_text_that_must_stay_is_kept_in_mind() -> None:
    edit = only('keep the text "TOP" but delete the text "BOTTOM"')
    assert edit == WriteText((("BOTTOM", None),), kept=("TOP",))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("put the lamp behind the sofa", MoveThing), ("put a lamp behind the sofa", Add),
        ("turn the photo into a mosaic", Restyle), ("turn the mosaic into a door", Replace),
        ("What if the goat wears a scarf?", Add), ("let the tub be made of steel", Alter),
        ("make the girl smile", Alter), ("make it winter", Atmosphere), ("could she be in the forest?", SetBackground),
        ("remove the haze from the photo", Atmosphere),
    ],
)  # fmt: skip
def test_neighbouring_kinds_are_told_apart(text: str, kind: type) -> None:
    assert isinstance(only(text), kind)


@pytest.mark.parametrize(
    ("text", "degrees", "way"),
    [
        ("rotate the photo 90 degrees clockwise", 90, "clockwise"),
        ("turn the picture 180°", 180, None),
        ("rotate it to the left by 90 degrees", 90, "counterclockwise"),
        ("rotate the image by a quarter turn", 90, None),
    ],
)
def test_rotations(text: str, degrees: float, way: str | None) -> None:
    assert only(text) == TurnFrame(GeometryKind.ROTATE, degrees, way)  # type: ignore[arg-type]


def test_upside_down_may_be_a_flip_or_a_half_turn() -> None:
    assert only("turn the photo upside down") == TurnFrame(GeometryKind.FLIP, None, "vertical", either=True)


def test_several_edits_stay_several_and_tones_of_one_picture_are_one() -> None:
    read = read_instruction("remove the tent and add a bench")
    assert isinstance(read, Reading)
    assert [type(edit) for edit in read.edits] == [Remove, Add]
    assert only("make the photo brighter and warmer").tones == (ToneKind.BRIGHTER, ToneKind.WARMER)


def test_readings_that_differ_in_nothing_a_check_reads_are_one() -> None:
    assert only("remove 1 green-orange magnifying glass from the scene").thing.text.startswith(
        "1 green orange magnifying"
    )
    assert only("have there be a digital display on the wall").thing.heads == ("display",)


# --- spelling, names, languages ---------------------------------------------------------------------------------------


def test_a_letter_too_many_is_forgiven_and_said() -> None:
    read = read_instruction("chnage the colr of the bench to gren")
    assert isinstance(read, Unread)  # "colr" has two known neighbours
    read = read_instruction("remov the bencch")
    assert isinstance(read, Reading)
    assert read.corrected == (("remov", "remove"), ("bencch", "bench"))


def test_a_capital_makes_an_unknown_word_a_name_and_nothing_else_does() -> None:
    assert only("add Gandalf").thing.text == "gandalf"
    assert stopped("add gandalf") == "gandalf"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("把背景换成海滩", SetBackground), ("将汽车的颜色改成红色", Recolour), ("请删除图中的行人", Remove),
        ("把图片变亮一点", Retone), ("提高对比度", Retone), ("把文字“春天”改成“秋天”", WriteText),
        ("在左上角添加一只小鸟", Add), ("把照片变成黑白", Retone), ("将图片顺时针旋转90度", TurnFrame),
        ("将照片转换为油画风格", Restyle), ("把狗替换成猫", Replace),
    ],
)  # fmt: skip
def test_plain_chinese_is_read(text: str, kind: type) -> None:
    assert isinstance(only(text), kind)


@pytest.mark.parametrize(
    "text", ["不要把图片变亮", "除了狗以外把所有东西变成黑白", "rends le ciel plus bleu", "сделай ярче"]
)
def test_negated_chinese_and_other_languages_are_not_read(text: str) -> None:
    stopped(text)


@pytest.mark.parametrize("text", ["", "   ", "?!", "a" * 700])
def test_what_is_no_instruction_is_not_read(text: str) -> None:
    assert stopped(text) in {"<empty>", "<too long>"}


@pytest.mark.parametrize("word", sorted(load_lexicon("en").never["corrected"]))
def test_a_function_word_is_never_taken_for_a_misspelt_one(word: str) -> None:
    assert correct(tokenise(f"remove the {word} dog")).corrected == ()


# --- people -----------------------------------------------------------------------------------------------------------


def test_the_lexicon_knows_hundreds_of_people() -> None:
    assert len(open_words().persons) >= 500
    for phrase in (
        "the astronaut",
        "tourists",
        "grandma",
        "two old ladies",
        "police officers",
        "firemen",
        "bystanders",
    ):
        assert open_words().is_person(phrase), phrase
    for phrase in ("the man's hat", "horse", "police car", "doll house", "fan", "king's crown"):
        assert not open_words().is_person(phrase), phrase


def test_a_group_is_what_it_is_a_group_of() -> None:
    assert only("remove the group of tourists").thing.person
    assert not only("remove the couple of birds").thing.person
    assert only("remove the man indoors").thing.person
    assert not only("remove the man's hat").thing.person


# --- fuzz -------------------------------------------------------------------------------------------------------------

WORDS = sorted(known_words())


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=12))
def test_word_salad_raises_nothing(words: list[str]) -> None:
    assert isinstance(read_instruction(" ".join(words)), Reading | Unread)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=120))
def test_any_text_raises_nothing(text: str) -> None:
    assert isinstance(read_instruction(text), Reading | Unread)


@pytest.mark.parametrize("strange", ["blorfing", "except", "than", "not", "xq7", "nothing", "unless"])
def test_one_strange_word_stops_every_reading(strange: str) -> None:
    draw = random.Random(strange)
    for form in draw.sample(plain_forms(), 60):
        words = form.text.split()
        place = draw.randrange(len(words) + 1)
        if '"' in form.text or "'" in form.text or "“" in form.text:
            continue  # inside a quotation any word may stand
        text = " ".join([*words[:place], strange, *words[place:]])
        assert isinstance(read_instruction(text), Unread), text
