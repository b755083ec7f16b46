"""The stubs: deterministic, in range, and named as stubs wherever a number of theirs could be read."""

from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.backends.factory import build_backend, describe_backend
from edit_metrics.backends.stub import StubEncoder, StubFaces, StubPerceptual, StubSafety
from edit_metrics.types import RGB


def picture(rng: np.random.Generator, height: int = 40, width: int = 56) -> RGB:
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("role", ["clip", "conse", "perceptual", "safety", "faces"])
def test_a_stub_says_that_it_is_one(role: str) -> None:
    described = describe_backend(role, {"use": "stub"})
    assert "stub" in described.name
    assert "unit tests only" in described.name
    assert build_backend(role, {"use": "stub"}).fingerprint == described


def test_embeddings_have_unit_norm_and_tell_pictures_and_texts_apart(rng: np.random.Generator) -> None:
    stub = StubEncoder()
    pictures = [picture(rng), np.full((9, 3, 3), 200, np.uint8), np.zeros((2, 2, 3), np.uint8)]
    for vectors in (stub.encode_images(pictures), stub.encode_texts(["a cat", "a dog", ""])):
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
        assert len(np.unique(vectors.round(4), axis=0)) == 3
    assert stub.count_tokens(["three little words"]) == [5]


def test_the_same_input_gives_the_same_value_in_any_batch(rng: np.random.Generator) -> None:
    pictures = [picture(rng) for _ in range(7)]
    stub = StubEncoder()
    alone = np.concatenate([stub.encode_images([image]) for image in pictures])
    np.testing.assert_array_equal(stub.encode_images(pictures), alone)
    np.testing.assert_array_equal(stub.encode_texts(["x", "y"])[1], stub.encode_texts(["y"])[0])


def test_perceptual_maps_are_zero_exactly_for_equal_pictures(rng: np.random.Generator) -> None:
    source = picture(rng)
    changed = source.copy()
    changed[8:16, 8:16] = 255 - changed[8:16, 8:16]
    same, different = StubPerceptual().compare([source, source], [source, changed], [None, None])
    assert all(not layer.any() for layer in same.layer_maps)
    assert same.gram_distances == (0.0, 0.0)
    assert different.layer_maps[0][4:8, 4:8].min() >= 0
    assert different.layer_maps[0][:4].max() == 0
    assert different.layer_maps[0].max() > 0


def test_nudity_is_the_share_of_red() -> None:
    image = np.zeros((10, 10, 3), np.uint8)
    image[:3, :, 0] = 255
    np.testing.assert_allclose(StubSafety().probabilities([image]), [[0.3]], atol=1e-6)
    assert StubSafety().probabilities([]).shape == (0, 1)


def test_a_face_is_found_in_any_picture_that_is_not_flat(rng: np.random.Generator) -> None:
    stub = StubFaces()
    (found,), none = stub.find_faces([picture(rng), np.full((40, 40, 3), 7, np.uint8)])
    assert none == ()
    embeddings = found.embedding[None]
    np.testing.assert_allclose(stub.similarity(embeddings, embeddings), [[1]], atol=1e-6)
