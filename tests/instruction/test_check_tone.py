from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from asking import gap, noted
from skimage import data

from edit_metrics.instruction.check_tone import check_tone
from edit_metrics.instruction.instruction import understand
from edit_metrics.types import RGB, Mask, Result

Edit = Callable[[RGB], RGB]


def clipped(values: np.ndarray) -> RGB:
    return np.round(np.clip(values, 0, 255)).astype(np.uint8)


def grey(image: RGB) -> RGB:
    return np.repeat(clipped(image @ np.array([0.299, 0.587, 0.114]))[..., None], 3, axis=2)


def sepia(image: RGB) -> RGB:
    return clipped(image @ np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]).T)


def blurred(image: RGB) -> RGB:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1.5), np.uint8)


def more_contrast(image: RGB, factor: float = 1.2) -> RGB:
    return clipped(image.mean() + (image - image.mean()) * factor)


def saturated(image: RGB, factor: float) -> RGB:
    return clipped(grey(image) + (image - grey(image).astype(np.float64)) * factor)


@pytest.fixture(scope="module")
def source() -> RGB:
    return np.ascontiguousarray(data.astronaut()[:256, 100:356])


def ask(text: str, source: RGB, edited: RGB, mask: Mask | None = None) -> Result:
    return check_tone(understand(text), source, edited, mask, (source != edited).any(axis=2))


def score(text: str, source: RGB, edited: RGB) -> float:
    return noted(ask(text, source, edited)).value


DONE: tuple[tuple[str, str, Edit], ...] = (
    ("make it brighter", "make it darker", lambda image: clipped(image * 1.15)),
    ("make it darker", "make it brighter", lambda image: clipped(image * 0.85)),
    ("increase the contrast", "reduce the contrast", more_contrast),
    ("reduce the contrast", "increase the contrast", lambda image: more_contrast(image, 0.8)),
    ("increase the saturation", "desaturate the image", lambda image: saturated(image, 1.2)),
    ("make it less vibrant", "make it more vibrant", lambda image: saturated(image, 0.8)),
    ("make it warmer", "make the colors cooler", lambda image: clipped(image * np.array([1.1, 1.0, 0.9]))),
    ("make the colors cooler", "make it warmer", lambda image: clipped(image * np.array([0.9, 1.0, 1.1]))),
    ("blur the image", "sharpen the image", blurred),
    ("make it black and white", "increase the saturation", grey),
    ("apply a sepia tone", "make it black and white", sepia),
)


@pytest.mark.parametrize(("asked", "opposite", "edit"), DONE)
def test_what_was_asked_is_a_yes_and_its_opposite_a_no(asked: str, opposite: str, edit: Edit, source: RGB) -> None:
    edited = edit(source)
    assert score(asked, source, edited) >= 0.9
    assert score(opposite, source, edited) <= 0.1


@pytest.mark.parametrize("asked", [asked for asked, _, _ in DONE])
def test_an_identical_picture_is_zero(asked: str, source: RGB) -> None:
    assert score(asked, source, source) == 0.0


def test_a_plain_gain_is_neither_contrast_nor_saturation(source: RGB) -> None:
    edited = clipped(source * 0.8)
    assert score("reduce the contrast", source, edited) < 0.5
    assert score("desaturate the image", source, edited) < 0.5


def test_the_score_rises_with_the_strength_of_the_change(source: RGB) -> None:
    scores = [score("make it brighter", source, clipped(source * (1 + gain))) for gain in (0.0, 0.01, 0.02, 0.04, 0.2)]
    assert scores == sorted(scores)
    assert 0.0 == scores[0] < scores[2] < scores[-1] == 1.0


def test_of_several_changes_the_weakest_counts(source: RGB) -> None:
    verdict = noted(ask("make the image brighter and increase the contrast", source, more_contrast(source)))
    assert "contrast_up" in verdict.evidence
    assert "brighter" in verdict.evidence
    assert verdict.value < 0.5


def test_the_mask_says_where_tone_is_read(source: RGB) -> None:
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[60:200, 60:200] = True
    edited = np.where(mask[..., None], clipped(source * 1.2), source)
    inside = noted(ask("make the face brighter", source, edited, mask))
    outside = noted(ask("make the face brighter", source, edited, ~mask))
    assert (inside.value, outside.value) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("remove the man", "edit_type_is_remove"),
        ("make it night", "no_measurable_tone"),
        ("invert the image", "not_read:invert"),
        ("don't make it darker", "only_a_prohibition"),
        ("make it cooler", "not_read:<no meaning>"),
        ("color the image", "source_has_colour"),
        ("make it brighter and remove the man", "compound_instruction"),
    ],
)
def test_what_it_cannot_judge_is_not_applicable(source: RGB, text: str, reason: str) -> None:
    assert gap(ask(text, source, clipped(source * 1.2))) == reason


def test_a_change_that_the_source_leaves_no_room_for_is_not_applicable(source: RGB) -> None:
    flat = np.full_like(source, 128)
    cases = {
        "make it black and white": (grey(source), "source_is_grey"),
        "apply a sepia tone": (sepia(source), "source_is_sepia"),
        "increase the contrast": (flat, "source_is_flat"),
        "make it brighter": (np.full_like(source, 254), "no_room_for_the_change"),
    }
    for text, (picture, reason) in cases.items():
        assert gap(ask(text, picture, picture)) == reason, text


def test_another_picture_is_undefined(source: RGB) -> None:
    other = np.ascontiguousarray(data.coffee()[:256, :256])
    assert gap(ask("make it brighter", source, other)) == "not_the_same_scene"


@pytest.mark.parametrize(
    ("complaint", "edit"),
    [
        ("it is too dark", lambda image: clipped(image * 1.2)),
        ("the photo is overexposed", lambda image: clipped(image * 0.8)),
        ("the picture looks too warm", lambda image: clipped(image * np.array([0.9, 1.0, 1.1]))),
        ("the image is oversaturated, fix it", lambda image: saturated(image, 0.8)),
    ],
)  # fmt: skip
def test_a_complaint_asks_for_the_opposite(complaint: str, edit: Edit, source: RGB) -> None:
    assert score(complaint, source, edit(source)) >= 0.9
    assert score(complaint, edit(source), source) <= 0.1


def test_a_blurred_picture_that_is_complained_of_must_get_sharper(source: RGB) -> None:
    assert score("this photo is blurry, fix it", blurred(source), source) == 1.0
    assert score("this photo is blurry, fix it", source, blurred(source)) == 0.0


def test_what_must_not_happen_is_zero_where_it_did(source: RGB) -> None:
    assert score("don't make it darker", source, clipped(source * 0.7)) == 0.0


def test_a_grey_picture_gets_colours_or_not(source: RGB) -> None:
    assert score("colorize the black and white photo", grey(source), source) == 1.0
    assert score("colorize the black and white photo", grey(source), grey(source)) == 0.0
    assert score("colorize the black and white photo", grey(source), sepia(source)) < 0.5


def test_all_but_one_thing_is_a_no_where_nothing_or_everything_is_toned_and_else_not_told(source: RGB) -> None:
    asked = "turn everything grayscale except the helmet"
    assert score(asked, source, saturated(source, 1.5)) == 0.0
    spared = grey(source)
    spared[60:160, 60:160] = source[60:160, 60:160]
    assert gap(ask(asked, source, spared)) == "exclusion"
    mask = np.ones(source.shape[:2], np.bool_)
    mask[60:160, 60:160] = False
    assert noted(ask(asked, source, spared, mask)).value == 1.0
    dark = "darken everything except the helmet"
    assert score(dark, source, clipped(source * 0.6 + 1)) == 0.0


def test_a_named_part_is_what_changed_and_the_caution_says_so(source: RGB) -> None:
    edited = source.copy()
    edited[60:200, 60:200] = clipped(source[60:200, 60:200] * 1.2)
    assert noted(ask("make the face brighter", source, edited)).cautions == ("derived_region",)
    assert gap(check_tone(understand("make the face brighter"), source, edited)) == "no_region"


def test_a_blank_picture_is_zero(source: RGB) -> None:
    found = noted(check_tone(understand("make the photo black and white"), source, source * 0, blank=True))
    assert (found.value, found.cautions) == (0.0, ("blank_edited",))


def test_a_little_sharper_is_not_told_from_an_encoder(source: RGB) -> None:
    soft = np.asarray(cv2.GaussianBlur(source, (0, 0), 0.35), np.uint8)
    assert gap(ask("blur the image", source, soft)) == "change_too_small"
    assert score("sharpen the image", source, soft) == 0.0
