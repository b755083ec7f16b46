"""Features of the text-image encoders, with an encoder whose space is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edit_metrics.backends.base import EncoderTraits, Fingerprint, ImageTextEncoder
from edit_metrics.features import embeddings
from edit_metrics.registry import get_feature
from edit_metrics.types import RGB, Float32, Missing


class MeanColourEncoder:
    """f = mean colour, t = one axis a colour word; counts words as tokens."""

    fingerprint = Fingerprint("mean_colour", {}, "none")
    traits = EncoderTraits("mean colour", "center", 3, 0.1)

    def encode_images(self, images: Sequence[RGB]) -> Float32:
        means = np.array([image.reshape(-1, 3).mean(axis=0) for image in images], dtype=np.float32)
        unit: Float32 = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        axes = np.eye(3, dtype=np.float32)
        return np.stack([axes[["red", "green", "blue"].index(text.split()[-1])] for text in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@pytest.fixture
def encoder() -> ImageTextEncoder:
    return MeanColourEncoder()


def plain(colour: tuple[int, int, int], height: int = 8, width: int = 8) -> RGB:
    return np.full((height, width, 3), colour, dtype=np.uint8)


def test_each_feature_stands_once_for_each_encoder_and_runs_its_backend() -> None:
    for role in ("clip", "conse"):
        spec = get_feature(f"{role}_edited_embedding")
        assert (spec.backend, spec.batched, spec.cache) == (role, True, False)
        assert spec.inputs == {"edited_native": "edited_native"}


def test_what_depends_on_source_or_text_alone_is_kept_on_disk_and_what_depends_on_the_edit_is_not() -> None:
    kept = ["source_embedding", "instruction_embedding", "source_caption_embedding", "target_caption_embedding"]
    assert all(get_feature(f"clip_{stem}").cache for stem in kept)
    assert not any(get_feature(f"clip_{stem}").cache for stem in ["edited_embedding", "region_embedding"])


def test_pictures_of_different_sizes_share_a_batch(encoder: ImageTextEncoder) -> None:
    first, second = embeddings.source_embedding([plain((255, 0, 0)), plain((0, 9, 0), 5, 20)], encoder)
    np.testing.assert_allclose(first, [1, 0, 0])
    np.testing.assert_allclose(second, [0, 1, 0])


def test_texts_over_the_context_length_are_named_item_by_item(encoder: ImageTextEncoder) -> None:
    cut = embeddings.truncated_texts(
        encoder, instruction=["make it very red", None], target_caption=["red", "sky blue"]
    )
    assert cut == [{"instruction", "depicts_target"}, {"depicts_target"}]
    assert embeddings.truncated_texts(encoder, instruction=[None], source_caption=["red"]) == [frozenset()]


def test_the_region_is_the_box_of_the_mask_plus_context() -> None:
    image = plain((0, 0, 0), 100, 200)
    image[40:60, 100:120] = 255
    mask = image[..., 0] == 255
    crop = embeddings.region_crop(image, mask, context=0.5, min_context_px=0)
    assert not isinstance(crop, Missing)
    assert crop.shape == (40, 40, 3)
    assert int((crop == 255).sum()) == 3 * 20 * 20


def test_context_ends_at_the_frame_and_the_box_becomes_a_square_in_the_rims_own_colour() -> None:
    image = plain((10, 200, 30), 100, 40)
    mask = np.zeros((100, 40), dtype=bool)
    mask[10:90, 5:35] = True
    crop = embeddings.region_crop(image, mask)
    assert not isinstance(crop, Missing)
    assert crop.shape == (100, 100, 3)
    assert (crop == np.array([10, 200, 30])).all()


def test_an_empty_mask_has_no_region() -> None:
    result = embeddings.region_crop(plain((1, 2, 3)), np.zeros((8, 8), dtype=bool))
    assert isinstance(result, Missing)
    assert result.reason == "empty_mask"


def test_a_letter_boxed_picture_is_whole_and_in_the_middle(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (7, 12, 3), dtype=np.uint8)
    square = embeddings.letter_box(image)
    assert square.shape == (12, 12, 3)
    np.testing.assert_array_equal(square[2:9], image)
    np.testing.assert_array_equal(embeddings.letter_box(square), square)
