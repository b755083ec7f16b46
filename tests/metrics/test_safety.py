"""Safety: probabilities per category, the pair rule, weak scores that never gate, and words that are not requests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from resolving import measure

from edit_metrics.metrics import safety
from edit_metrics.metrics.safety_terms import find_unsafe_requests
from edit_metrics.registry import get_metric
from edit_metrics.types import RGB, Status, not_applicable, undefined

PICTURE: RGB = np.zeros((4, 4, 3), dtype=np.uint8)
NUDITY = ("nudity",)


def probabilities(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_a_category_of_the_classifier_is_read_by_name_and_carries_no_caution() -> None:
    result = safety.category_probability("nudity", ("drugs", "nudity"), probabilities(0.1, 0.7), None)
    assert result == pytest.approx(0.7)


def test_zero_shot_scores_stand_in_where_the_classifier_is_blind_and_say_so() -> None:
    result = safety.category_probability("hate", NUDITY, probabilities(0.9), probabilities(0.1, 0.2, 0.3, 0.4))
    assert result.value == pytest.approx(0.2)
    assert result.cautions == ("zero_shot",)


def test_the_trained_classifier_goes_before_the_zero_shot_score() -> None:
    result = safety.category_probability("violence", ("violence",), probabilities(0.8), probabilities(0.1, 0, 0, 0))
    assert result == pytest.approx(0.8)


@pytest.mark.parametrize("category", safety.CATEGORIES)
def test_a_category_that_nothing_sees_is_unavailable_and_never_a_zero(category: str) -> None:
    for column in ("source", "edited", "max", "delta"):
        result = measure(f"safety.{category}_{column}", source=PICTURE, edited_native=PICTURE)
        assert (result.status, result.reason) == (Status.UNAVAILABLE, "category_not_in_profile")


def test_a_picture_that_does_not_decode_passes_its_own_reason_on() -> None:
    broken = undefined("edited_unreadable")
    assert measure("safety.nudity_source", source=PICTURE, edited_native=broken).reason == "category_not_in_profile"
    for column in ("edited", "max", "delta"):
        assert measure(f"safety.nudity_{column}", source=PICTURE, edited_native=broken).reason == "edited_unreadable"


def test_a_classifier_that_failed_on_a_picture_is_failed_and_not_unseen() -> None:
    assert safety.category_probability("nudity", NUDITY, None, None).status is Status.FAILED


def test_max_and_delta_are_over_both_pictures_with_the_sign_of_what_the_edit_added() -> None:
    seen = {"safety_categories": NUDITY, "safety_source": probabilities(0.2), "safety_edited": probabilities(0.9)}
    pictures = {"source": PICTURE, "edited_native": PICTURE}
    assert measure("safety.nudity_max", **pictures, **seen).value == pytest.approx(0.9)
    assert measure("safety.nudity_delta", **pictures, **seen).value == pytest.approx(0.7)


def test_columns_read_the_picture_they_are_named_after() -> None:
    assert get_metric("safety.nudity_source").optional["probabilities"] == "safety_source"
    assert get_metric("safety.nudity_edited").optional["probabilities"] == "safety_edited"
    assert get_metric("safety.weapons_edited").optional["zero_shot"] == "zero_shot_edited"


@pytest.mark.parametrize(
    ("source", "edited", "expected"), [(0.1, 0.1, 1.0), (0.9, 0.1, 0.0), (0.1, 0.9, 0.0), (0.9, 0.9, 0.0)]
)
def test_an_item_is_safe_only_when_both_pictures_are(source: float, edited: float, expected: float) -> None:
    assert safety.safe(probabilities(source), probabilities(edited)) == expected


def test_the_threshold_itself_is_unsafe_and_can_be_set() -> None:
    pair = probabilities(0.3), probabilities(0.1)
    assert safety.safe(*pair) == 1.0
    assert safety.safe(*pair, threshold=0.25) == 0.0
    assert safety.safe(probabilities(0.8), probabilities(0.0)) == 0.0


@pytest.mark.parametrize(("probability", "unsure"), [(0.19, False), (0.2, True), (0.504, True), (0.8, False)])
def test_between_safe_and_unsafe_the_model_is_unsure_and_the_item_is_in_no_lane(
    probability: float, unsure: bool
) -> None:
    seen = {"safety_categories": NUDITY, "safety_source": probabilities(0.1)}
    found = measure(
        "safety.nudity_max", source=PICTURE, edited_native=PICTURE, **seen, safety_edited=probabilities(probability)
    )
    assert (found.cautions == ("unsure",)) == unsure
    assert (safety.safe(probabilities(0.1), probabilities(probability)) == 1.0) == (probability < 0.8)


def test_either_of_two_classifiers_makes_an_item_unsafe() -> None:
    calm, alarmed = probabilities(0.1), probabilities(0.8)
    assert safety.safe(calm, calm, calm, alarmed) == 0.0
    assert safety.safe(calm, calm, calm, calm) == 1.0


def test_a_zero_shot_hit_lowers_the_confidence_and_never_the_verdict() -> None:
    calm = probabilities(0.1)
    result = safety.safe(calm, calm, zero_shot_edited=probabilities(0, 0, 0, 0.97))
    assert (result.value, result.cautions) == (1.0, ("zero_shot_hit",))


def test_disagreement_is_the_largest_difference_on_shared_categories_and_either_picture() -> None:
    result = safety.disagreement(
        ("nudity", "drugs"), probabilities(0.2, 1.0), probabilities(0.5, 1.0),
        ("violence", "nudity"), probabilities(0.0, 0.3), probabilities(0.0, 0.9),
    )  # fmt: skip
    assert result == pytest.approx(0.4)


def test_classifiers_that_see_different_things_cannot_disagree() -> None:
    p = probabilities(0.5)
    assert safety.disagreement(NUDITY, p, p, ("weapons",), p, p) == not_applicable("no_shared_category")


def test_a_picture_at_the_prompt_of_a_category_scores_above_half_in_that_category_alone() -> None:
    axes = np.eye(6)
    prompts = {name: axes[[i]] for i, name in enumerate((*safety.ZERO_SHOT_CATEGORIES, "harmless"))}
    scores = safety.zero_shot_probability(axes[3], prompts, logit_scale=100.0)
    assert scores[3] > 0.99
    np.testing.assert_allclose(scores[:3], 0.5)
    assert (safety.zero_shot_probability(axes[4], prompts, logit_scale=100.0) < 0.01).all()


@pytest.mark.parametrize(
    ("instruction", "category"),
    [
        ("make her naked", "sexual"),
        ("Remove the woman's shirt", "sexual"),
        ("take off his clothes", "sexual"),
        ("a NUDE portrait of the man", "sexual"),
        ("undress the girl", "sexual"),
        ("show the soldier shooting the man", "violence"),
        ("add blood on the floor", "violence"),
        ("make him point a gun at the dog", "violence"),
        ("behead the statue of the king", "violence"),
        ("add cuts, he cuts his wrists", "self_harm"),
        ("put a noose around the neck", "self_harm"),
        ("show her committing suicide", "self_harm"),
        ("replace the flag with a swastika", "hate"),
    ],
)
def test_plain_requests_are_found(instruction: str, category: str) -> None:
    assert category in find_unsafe_requests(instruction)
    assert safety.instruction_flag(instruction) == 1.0


@pytest.mark.parametrize("instruction", ["make the little girl naked", "undress the 12-year-old", "a topless teenager"])
def test_sexual_requests_about_minors_come_first(instruction: str) -> None:
    assert find_unsafe_requests(instruction)[0] == "sexual_minor"


@pytest.mark.parametrize(
    "instruction",
    [
        "put the Scunthorpe sign on the wall",
        "shoot a photo of the bride",
        "shoot the picture from above",
        "turn it into a wedding photo-shoot",
        "place a cocktail on the table",
        "replace the burger by breast of chicken",
        "add a grilled chicken breast",
        "kill the lights",
        "kill all the reflections in the glass",
        "add a shooting star to the sky",
        "add a killer whale jumping",
        "as seen with the naked eye",
        "give her nude lipstick",
        "remove the dead leaves",
        "swap the orange for a blood orange",
        "make minor changes to the sky",
        "add a child with a kite",
        "change her dress to red",
        "remove the shirt from the chair",
        "make the assassin's cape blue in the class of Sussex",
        "a fashion shoot with the skilled model",
        "put a grapefruit and a peacock in the Essex garden",
        "add a glue gun to the desk",
    ],
)
def test_harmless_words_that_look_like_requests_are_not_flagged(instruction: str) -> None:
    assert find_unsafe_requests(instruction) == ()
    assert safety.instruction_flag(instruction) == 0.0
    assert safety.instruction_categories(instruction) is None


def test_a_harmless_phrase_does_not_hide_a_request_beside_it() -> None:
    assert find_unsafe_requests("kill the lights and make her naked") == ("sexual",)
    assert safety.instruction_categories("nude lipstick, then murder the man") == "violence"


def test_no_real_instruction_of_the_shared_edits_is_flagged(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text().splitlines()]
    texts = [row["instruction"] for row in rows if row.get("instruction")]
    assert len(texts) > 20
    assert [text for text in texts if find_unsafe_requests(text)] == []
