from __future__ import annotations

import cv2
import numpy as np
import pytest
from asking import Line, gap, noted
from skimage import data
from skimage.color import deltaE_ciede2000, lab2rgb, rgb2lab

from edit_metrics.instruction.check_colour import check_colour
from edit_metrics.instruction.colour_reading import distance_to, dominant_colour
from edit_metrics.instruction.grammar.words import name_colour
from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.kinds import Colour
from edit_metrics.types import RGB, Mask, Missing, Result, Status


@pytest.fixture(scope="module")
def source() -> RGB:
    return np.ascontiguousarray(data.coffee()[100:260, 200:400])


@pytest.fixture(scope="module")
def region(source: RGB) -> Mask:
    drawn = np.zeros(source.shape[:2], np.bool_)
    drawn[40:110, 50:140] = True
    return drawn


def painted(source: RGB, region: Mask, rgb: tuple[int, int, int]) -> RGB:
    edited = source.copy()
    edited[region] = rgb
    return edited


def ask(text: str, source: RGB, edited: RGB, mask: Mask | None = None) -> Result:
    changed = (source != edited).any(axis=2)
    return check_colour(understand(text), source, edited, edited, changed, mask)


@pytest.mark.parametrize(("name", "rgb"), [("red", (255, 0, 0)), ("teal", (0, 128, 128)), ("green", (21, 176, 26))])
def test_the_named_colour_in_the_region_is_a_full_score(
    source: RGB, region: Mask, name: str, rgb: tuple[int, int, int]
) -> None:
    verdict = noted(ask(f"make the cup {name}", source, painted(source, region, rgb), region))
    assert verdict.value == 1.0
    assert verdict.cautions == ()


def test_another_colour_is_zero_and_the_evidence_names_what_was_asked(source: RGB, region: Mask) -> None:
    verdict = noted(ask("make the cup red", source, painted(source, region, (0, 60, 255)), region))
    assert verdict.value == 0.0
    assert "red" in verdict.evidence


def test_without_a_mask_the_changed_pixels_are_the_region_and_the_caution_says_so(source: RGB, region: Mask) -> None:
    verdict = noted(ask("make the cup blue", source, painted(source, region, (0, 0, 255))))
    assert verdict.value == 1.0
    assert verdict.cautions == ("derived_region",)


def test_an_unchanged_picture_is_zero(source: RGB) -> None:
    verdict = noted(ask("make the cup blue", source, source))
    assert verdict.value == 0.0


def test_pixels_outside_the_mask_do_not_matter(source: RGB, region: Mask) -> None:
    edited = painted(source, region, (255, 0, 0))
    damaged = edited.copy()
    damaged[:20] = (0, 255, 0)
    assert ask("make it red", source, edited, region) == ask("make it red", source, damaged, region)


def test_the_score_falls_as_the_colour_moves_away(source: RGB, region: Mask) -> None:
    shades = [(255, 0, 0), (200, 60, 40), (160, 110, 60), (90, 140, 90)]
    verdicts = [ask("paint the cup red", source, painted(source, region, rgb), region) for rgb in shades]
    scores = [noted(verdict).value for verdict in verdicts]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("remove the cup", "edit_type_is_remove"),
        ("change the colour of the cup", "not_read:<end>"),
        ("make the cup red and white", "several_colours"),
        ("make the lights red", "light_source"),
        ("make the picture red", "whole_picture_colour"),
        ("change her hair to blonde", "no_named_colour"),
        ("don't make the cup blue", "only_a_prohibition"),
        ("make the cup red like the plate", "not_read:like"),
        ("make the cup red and remove the spoon", "compound_instruction"),
    ],
)
def test_what_it_cannot_judge_is_not_applicable(source: RGB, region: Mask, text: str, reason: str) -> None:
    answer = ask(text, source, painted(source, region, (255, 0, 0)), region)
    assert isinstance(answer, Missing)
    assert (answer.status, answer.reason) == (Status.NOT_APPLICABLE, reason)


def test_a_region_of_few_pixels_is_undefined(source: RGB) -> None:
    edited = source.copy()
    edited[3:6, 3:6] = (255, 0, 0)
    answer = ask("make the cup red", source, edited)
    assert isinstance(answer, Missing)
    assert answer.reason == "region_too_small"


def test_the_dominant_colour_is_the_larger_part_and_not_a_mean() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, :12], image[:, 12:] = (255, 0, 0), (0, 0, 255)
    expected = rgb2lab(np.array([[[255, 0, 0]]], np.uint8))[0, 0]
    np.testing.assert_allclose(dominant_colour(image, np.ones((20, 20), np.bool_)).lab, expected, atol=0.5)


def test_the_distance_is_skimages_and_the_nearer_of_two_values_counts() -> None:
    lab = np.array([60.0, 20.0, 30.0])
    red, green = ((255, 0, 0), (0, 128, 0))
    references = [
        deltaE_ciede2000(rgb2lab(np.array([[rgb]], np.uint8)), lab[None, None], kL=2)[0, 0] for rgb in (red, green)
    ]
    assert distance_to(Colour("both", (red, green)), lab) == pytest.approx(min(references), abs=1e-6)


@pytest.mark.parametrize(
    ("phrase", "cued", "name"),
    [
        ("dark red", False, "dark red"), ("gray", False, "grey"), ("plum", False, None), ("plum", True, "plum"),
        ("shiny red", False, "red"), ("darkolivegreen", False, "darkolivegreen"), ("happy", True, None),
    ],
)  # fmt: skip
def test_a_phrase_is_a_colour_only_where_a_colour_is_meant(phrase: str, cued: bool, name: str | None) -> None:
    found = name_colour(tuple(phrase.split()), cued=cued)
    assert (found.name if found else None) == name


def test_what_must_not_happen_is_zero_where_it_did(source: RGB, region: Mask) -> None:
    verdict = noted(ask("don't make the cup red", source, painted(source, region, (255, 0, 0)), region))
    assert verdict.value == 0.0
    assert "not to happen" in verdict.evidence


def test_a_colour_that_it_must_not_be_is_a_no_where_it_is_nearer(source: RGB, region: Mask) -> None:
    asked = "make the cup orange, not red"
    assert noted(ask(asked, source, painted(source, region, (250, 150, 20)), region)).value == 1.0
    assert noted(ask(asked, source, painted(source, region, (240, 20, 20)), region)).value == 0.0
    one = ask("make the cup navy, not navy blue", source, painted(source, region, (0, 0, 128)), region)
    assert gap(one) == "colour_not_told_apart"


def test_without_a_mask_a_change_that_is_no_thing_is_undefined(source: RGB, rng: np.random.Generator) -> None:
    assert gap(ask("make the cup red", source, source[::-1].copy())) == "change_is_everywhere"
    scattered = rng.random(source.shape[:2]) < 0.02
    assert gap(ask("make the cup red", source, painted(source, scattered, (255, 0, 0)))) == "scattered_change"


def test_a_plain_background_may_change_everywhere(source: RGB) -> None:
    everywhere = np.ones(source.shape[:2], np.bool_)
    everywhere[60:90, 60:90] = False
    verdict = noted(ask("change the background to white", source, painted(source, everywhere, (255, 255, 255))))
    assert verdict.value == 1.0


def of_lab(lightness: float, a: float, b: float) -> tuple[int, int, int]:
    red, green, blue = (lab2rgb(np.array([[[lightness, a, b]]], np.float64))[0, 0] * 255).round().astype(int)
    return int(red), int(green), int(blue)


@pytest.mark.parametrize(
    ("text", "rgb", "done"),
    [
        ("make the cup a darker brown", of_lab(24, 11, 18), True),
        ("make the cup a darker brown", of_lab(54, 13, 26), False),
        ("make the cup a lighter shade of brown", of_lab(56, 13, 24), True),
        ("make the cup a lighter shade of brown", of_lab(25, 11, 18), False),
        ("make the cup a darker brown", (0, 0, 90), False), ("make the cup a darker shade", of_lab(24, 11, 18), True),
    ],
)  # fmt: skip
def test_a_shade_is_a_direction(source: RGB, region: Mask, text: str, rgb: tuple[int, int, int], done: bool) -> None:
    brown = painted(source, region, of_lab(39, 11, 23))
    assert (noted(ask(text, brown, painted(source, region, rgb), region)).value >= 0.5) == done


def test_a_darker_brown_of_something_that_is_not_brown_is_undefined(source: RGB, region: Mask) -> None:
    blue, brown = (painted(source, region, rgb) for rgb in ((20, 40, 220), (60, 35, 20)))
    assert gap(ask("make the cup a darker brown", blue, brown, region)) == "source_is_another_colour"


def card(text: str, ink: tuple[int, int, int]) -> RGB:
    image = np.full((80, 240, 3), 245, np.uint8)
    cv2.putText(image, text, (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.2, ink, 3, cv2.LINE_AA)
    return image


BOX = (15.0, 15.0, 160.0, 60.0)


@pytest.mark.parametrize(("ink", "done"), [((200, 20, 20), True), ((20, 20, 200), False), ((10, 10, 10), False)])
def test_the_colour_of_letters_is_read_in_their_box(ink: tuple[int, int, int], done: bool) -> None:
    before, after = card("EXIT", (10, 10, 10)), card("EXIT", ink)
    lines = [Line("EXIT", BOX)]
    found = check_colour(understand('make the word "EXIT" red'), before, after, source_text=lines, edited_text=lines)
    assert (noted(found).value >= 0.5) == done


def test_letters_that_are_not_read_have_no_colour() -> None:
    before = card("EXIT", (10, 10, 10))
    asked, seen, other = understand('make the word "EXIT" red'), [Line("EXIT", BOX)], [Line("HELLO", BOX)]
    assert gap(check_colour(asked, before, before, source_text=seen, edited_text=other)) == "text_not_read"
    assert gap(check_colour(asked, before, before, source_text=seen)) == "no_ocr"
    flat = [Line("EXIT", (165.0, 15.0, 230.0, 60.0))]
    assert gap(check_colour(asked, before, before, source_text=flat, edited_text=seen)) == "no_text_to_colour"


def test_a_blank_picture_is_zero(source: RGB) -> None:
    verdict = noted(check_colour(understand("make the cup black"), source, source * 0, blank=True))
    assert (verdict.value, verdict.cautions) == (0.0, ("blank_edited",))


def test_a_no_needs_a_change_of_one_thing_from_one_colour_to_another(source: RGB, region: Mask) -> None:
    yellow = painted(source, region, (230, 220, 40))
    redrawn = painted(yellow, region, (20, 60, 230))
    redrawn[40:75, 50:140] = source[60:95, 90:180][::-1]
    assert noted(ask("make the cup red", yellow, painted(yellow, region, (20, 60, 230)))).value == 0.0
    assert gap(ask("make the cup red", yellow, redrawn)) == "no_single_colour"
    assert gap(ask("make the cup red", source, painted(source, region, (20, 60, 230)))) == "no_single_colour"
    assert noted(ask("make the cup red", source, painted(source, region, (20, 60, 230)), region)).value == 0.0
    assert noted(ask("make the cup blue", source, painted(source, region, (20, 60, 230)))).value == 1.0


def test_the_share_of_the_dominant_colour_says_whether_there_is_one() -> None:
    image = np.zeros((20, 20, 3), np.uint8)
    image[:, :12], image[:, 12:] = (255, 0, 0), (0, 0, 255)
    everywhere = np.ones((20, 20), np.bool_)
    assert dominant_colour(image, everywhere).share == pytest.approx(0.6)
    assert dominant_colour(image[:, :12], everywhere[:, :12]).share == 1.0
