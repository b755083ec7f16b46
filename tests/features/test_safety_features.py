"""Features of safety, with a classifier and an encoder of which every number is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edit_metrics.backends.base import EncoderTraits, Fingerprint
from edit_metrics.features import safety
from edit_metrics.metrics.safety import ZERO_SHOT_CATEGORIES
from edit_metrics.registry import get_feature
from edit_metrics.types import RGB, Float32


class Redness:
    """The probability of nudity is the red channel's mean."""

    fingerprint = Fingerprint("redness", {}, "none")
    categories = ("nudity",)

    def probabilities(self, images: Sequence[RGB]) -> Float32:
        return np.array([[image[..., 0].mean() / 255] for image in images], dtype=np.float32)


class PromptCounter:
    """An encoder that puts each category's prompts on an axis of their own, and counts how often it is asked."""

    fingerprint = Fingerprint("prompts", {}, "none")
    traits = EncoderTraits("prompts", "center", 77, 0.1)

    def __init__(self) -> None:
        self.calls = 0

    def encode_images(self, images: Sequence[RGB]) -> Float32:
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        self.calls += 1
        names = (*ZERO_SHOT_CATEGORIES, "harmless")
        index = next(i for i, name in enumerate(names) if texts[0] in safety.PROMPTS[name])
        return np.tile(np.eye(5, dtype=np.float32)[index], (len(texts), 1))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [1 for _ in texts]


def test_each_picture_gets_its_own_probabilities_and_the_source_is_kept_on_disk() -> None:
    red = np.full((4, 6, 3), (255, 0, 0), dtype=np.uint8)
    first, second = safety.source_probabilities([red, red * 0], Redness())
    assert (first.tolist(), second.tolist()) == ([1.0], [0.0])
    assert get_feature("safety_source").cache
    assert not get_feature("safety_edited").cache
    assert get_feature("safety_second_edited").backend == "safety_second"


def test_zero_shot_scores_read_the_embedding_and_encode_the_prompts_once() -> None:
    encoder = PromptCounter()
    images = list(np.eye(5, dtype=np.float32))
    scores = safety.zero_shot_edited(images, encoder)
    again = safety.zero_shot_source(images[:1], encoder)
    assert encoder.calls == len(safety.PROMPTS)
    assert [int(np.argmax(row)) for row in scores[:4]] == [0, 1, 2, 3]
    assert (scores[4] < 0.01).all()
    np.testing.assert_array_equal(again[0], scores[0])


def test_every_zero_shot_category_has_prompts() -> None:
    assert set(safety.PROMPTS) == {*ZERO_SHOT_CATEGORIES, "harmless"}
