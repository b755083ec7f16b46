"""Shift, zoom and gain: known ones are found, unrelated pictures are refused, masks are respected."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from resolving import Resolver
from skimage import data

from edit_metrics.metrics.registration import (
    Registration,
    channel_gains,
    comparable_after_shift,
    register,
    translate,
)
from edit_metrics.types import RGB, Missing, undefined


@pytest.fixture(params=["astronaut", "chelsea", "coffee", "rocket"])
def source(request: pytest.FixtureRequest) -> RGB:
    return np.ascontiguousarray(getattr(data, request.param)()[:300, :400])


def jpeg(image: RGB, quality: int = 75) -> RGB:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 1), np.uint8)


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0.5, 0.25), (2.3, -1.7), (7, -11)])
def test_a_known_shift_is_found_through_jpeg(source: RGB, shift: tuple[float, float]) -> None:
    found = register(source, jpeg(translate(source, -shift[0], -shift[1])))
    assert isinstance(found, Registration)
    assert (found.dx, found.dy) == pytest.approx(shift, abs=0.06)
    assert found.consensus > 0.7
    assert found.scale == 1.0


@pytest.mark.parametrize("zoom", [0.98, 1.01, 1.03])
def test_a_known_zoom_is_reported_as_one(zoom: float) -> None:
    source = data.astronaut()
    height, width = source.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, zoom)
    found = register(source, np.asarray(cv2.warpAffine(source, matrix, (width, height)), np.uint8))
    assert isinstance(found, Registration)
    assert found.scale == pytest.approx(zoom, abs=2e-3)


def test_unrelated_and_flat_pictures_do_not_register(rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (2, 300, 300, 3), dtype=np.uint8)
    flat = np.full((300, 300, 3), 120, np.uint8)
    for pair in (noise, (flat, flat), (data.astronaut()[:300, :300], data.chelsea()[:300, :300])):
        found = register(*pair)
        assert isinstance(found, Missing)
        assert found.reason == "no_registration"


def test_half_a_picture_replaced_does_not_move_the_shift() -> None:
    source = np.ascontiguousarray(data.astronaut())
    edited = translate(source, -2.0, 1.0)
    edited[:, 256:] = data.coffee()[:400, :256][np.arange(512) % 400]
    found = register(source, edited)
    assert isinstance(found, Registration)
    assert (found.dx, found.dy) == pytest.approx((2.0, -1.0), abs=0.06)


def test_the_fill_of_a_mask_does_not_pull_the_shift_to_zero() -> None:
    source = np.ascontiguousarray(data.astronaut())
    mask = np.zeros((512, 512), np.bool_)
    mask[:, :260] = True
    resolver = Resolver(source, translate(source, -3.0, 0.0), mask)
    assert resolver.measure("preservation.shift_px").value == pytest.approx(3.0, abs=0.05)


def test_aligned_values_are_better_and_absent_when_nothing_moved(source: RGB) -> None:
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[10:40, 10:40] = True
    moved = Resolver(source, translate(source, -1.4, 0.6), mask)
    for name in ("psnr", "ssim"):
        raw, aligned = moved.measure(f"preservation.{name}").value, moved.measure(f"preservation.{name}_aligned").value
        assert aligned is not None
        assert aligned > (raw or 0)
    still = Resolver(source, jpeg(source), mask)
    assert still.measure("preservation.psnr_aligned").reason == "already_aligned"


def test_a_shift_of_whole_pixels_is_undone_exactly_inside() -> None:
    source = np.ascontiguousarray(data.coffee()[:256, :320])
    kept = np.ones((256, 320), np.bool_)
    back = translate(np.roll(source, (4, -3), (0, 1)), -3.0, 4.0)
    area = comparable_after_shift(kept, -3.0, 4.0)
    assert area.mean() > 0.85
    assert np.array_equal(back[area], source[area])


def test_gain_is_the_ratio_of_the_kept_means() -> None:
    source = np.full((80, 80, 3), (100, 120, 200), np.uint8)
    edited = np.full((80, 80, 3), (80, 120, 220), np.uint8)
    edited[:40] = 0
    kept = np.zeros((80, 80), np.bool_)
    kept[40:] = True
    gains = channel_gains(source, edited, kept)
    assert not isinstance(gains, Missing)
    assert (gains.red, gains.green, gains.blue) == pytest.approx((0.8, 1.0, 1.1))
    assert channel_gains(source * 0, edited, kept) == undefined("black_source")


def test_windows_moved_by_parts_of_a_pixel_read_so_each_for_itself() -> None:
    from edit_metrics.metrics.phase_correlation import shifts_between, spectra

    rng = np.random.default_rng(3)
    picture = cv2.GaussianBlur(rng.normal(size=(160, 160)).astype(np.float32), (0, 0), 1.5)
    window = np.outer(np.hanning(64), np.hanning(64)).astype(np.float32)
    moves = [(0.0, 0.0), (3.0, -2.0), (0.5, 1.25)]
    moved = [cv2.warpAffine(picture, np.array([[1, 0, dx], [0, 1, dy]]), (160, 160)) for dx, dy in moves]
    tiles = np.stack([plane[48:112, 48:112] * window for plane in moved])
    own = np.stack([picture[48:112, 48:112] * window] * len(moves))
    np.testing.assert_allclose(shifts_between(spectra(own), spectra(tiles), 64), moves, atol=0.1)
