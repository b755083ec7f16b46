"""Blur that an edit added: not hidden by noise, and not read off other things."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from resolving import Resolver
from skimage import data

from edit_metrics.types import RGB, Measurement, Status


@pytest.fixture(scope="module")
def source() -> RGB:
    return np.ascontiguousarray(data.astronaut()[:400, :400])


def blurred(picture: RGB, sigma: float, noise: float = 0.0) -> RGB:
    soft = cv2.GaussianBlur(picture, (0, 0), sigma).astype(np.float64)
    return np.clip(soft + np.random.default_rng(0).normal(0, noise, soft.shape), 0, 255).astype(np.uint8)


def added(source: RGB, edited: RGB) -> float:
    value = Resolver(source, edited).measure("quality.blur_added").value
    assert value is not None
    return value


def test_more_blur_reads_more_with_noise_on_top_as_without(source: RGB) -> None:
    for noise in (0.0, 10.0):
        readings = [added(source, blurred(source, sigma, noise)) for sigma in (1, 2, 4)]
        assert readings == sorted(readings), noise
        assert readings[-1] > 0.2, noise


def test_noise_alone_and_a_re_encode_are_no_blur(source: RGB) -> None:
    noisy = blurred(source, 0.01, 10.0)
    encoded = cv2.imdecode(cv2.imencode(".jpg", source, [cv2.IMWRITE_JPEG_QUALITY, 75])[1], cv2.IMREAD_COLOR)
    assert added(source, noisy) < 0.02
    assert abs(added(source, encoded)) < 0.02


def test_a_soft_new_thing_in_a_sharp_picture_is_no_blur_of_the_picture(source: RGB) -> None:
    edited = source.copy()
    edited[50:250, 50:250] = np.linspace(60, 220, 200)[None, :, None].astype(np.uint8)
    assert abs(added(source, edited)) < 0.02


def test_where_hardly_anything_is_the_same_there_is_nothing_to_compare(source: RGB) -> None:
    other = np.ascontiguousarray(data.coffee()[:400, :400])
    assert Resolver(source, other).measure("quality.blur_added") == Measurement(
        None, Status.NOT_APPLICABLE, "content_changed"
    )


def test_nothing_done_adds_nothing(source: RGB) -> None:
    assert added(source, source) == pytest.approx(0, abs=1e-6)
