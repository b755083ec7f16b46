from __future__ import annotations

import numpy as np
import pytest
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab

from edit_metrics.instruction.check_colour import check_colour, distance_to, dominant_colour
from edit_metrics.instruction.colours import find_colour
from edit_metrics.instruction.parsed import Colour
from edit_metrics.instruction.parser import parse_instruction
from edit_metrics.instruction.verdict import Verdict
from edit_metrics.types import RGB, Mask, Missing, Status


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


def ask(text: str, source: RGB, edited: RGB, mask: Mask | None = None) -> Verdict | Missing:
    return check_colour(parse_instruction(text), source, edited, (source != edited).any(axis=2), mask)


@pytest.mark.parametrize(("name", "rgb"), [("red", (255, 0, 0)), ("teal", (0, 128, 128)), ("green", (21, 176, 26))])
def test_the_named_colour_in_the_region_is_a_full_score(
    source: RGB, region: Mask, name: str, rgb: tuple[int, int, int]
) -> None:
    verdict = ask(f"make the cup {name}", source, painted(source, region, rgb), region)
    assert isinstance(verdict, Verdict)
    assert verdict.score == 1.0
    assert verdict.cautions == ()


def test_another_colour_is_zero_and_the_evidence_names_what_was_asked(source: RGB, region: Mask) -> None:
    verdict = ask("make the cup red", source, painted(source, region, (0, 60, 255)), region)
    assert isinstance(verdict, Verdict)
    assert verdict.score == 0.0
    assert "red" in verdict.evidence


def test_without_a_mask_the_changed_pixels_are_the_region_and_the_caution_says_so(source: RGB, region: Mask) -> None:
    verdict = ask("make the cup blue", source, painted(source, region, (0, 0, 255)))
    assert isinstance(verdict, Verdict)
    assert verdict.score == 1.0
    assert verdict.cautions == ("derived_region",)


def test_an_unchanged_picture_is_zero(source: RGB) -> None:
    verdict = ask("make the cup blue", source, source)
    assert isinstance(verdict, Verdict)
    assert verdict.score == 0.0


def test_pixels_outside_the_mask_do_not_matter(source: RGB, region: Mask) -> None:
    edited = painted(source, region, (255, 0, 0))
    damaged = edited.copy()
    damaged[:20] = (0, 255, 0)
    assert ask("make it red", source, edited, region) == ask("make it red", source, damaged, region)


def test_the_score_falls_as_the_colour_moves_away(source: RGB, region: Mask) -> None:
    shades = [(255, 0, 0), (200, 60, 40), (160, 110, 60), (90, 140, 90)]
    verdicts = [ask("paint the cup red", source, painted(source, region, rgb), region) for rgb in shades]
    scores = [verdict.score for verdict in verdicts if isinstance(verdict, Verdict)]
    assert len(scores) == 4
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("remove the cup", "edit_type_is_remove"),
        ("change the colour of the cup", "no_named_colour"),
        ("make the cup red and white", "no_named_colour"),
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
    np.testing.assert_allclose(dominant_colour(image, np.ones((20, 20), np.bool_)), expected, atol=0.5)


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
        ("dark red", False, "dark red"),
        ("gray", False, "grey"),
        ("a plum", False, None),
        ("plum", False, None),
        ("plum", True, "plum"),
        ("the colour plum", False, "plum"),
        ("shiny red", False, "red"),
        ("an orange", False, None),
        ("darkolivegreen", False, "darkolivegreen"),
        ("happy", True, None),
    ],
)
def test_a_phrase_is_a_colour_only_where_a_colour_is_meant(phrase: str, cued: bool, name: str | None) -> None:
    found = find_colour(phrase, cued=cued)
    assert (found.name if found else None) == name
