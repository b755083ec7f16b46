"""SSIM: against scikit-image, against the written formula, and blind to what is inside the mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from resolving import blob_mask
from scipy.ndimage import gaussian_filter
from skimage import data
from skimage.metrics import structural_similarity

from edit_metrics.metrics.ssim import masked_ssim, mean_ssim, mean_ssim_core, ssim_map, ssim_map_float64
from edit_metrics.types import RGB, Mask, Status

EVERYWHERE = np.ones((256, 256), np.bool_)


@pytest.fixture
def source() -> RGB:
    return np.ascontiguousarray(data.astronaut()[:256, :256])


def degraded(image: RGB, kind: str) -> RGB:
    if kind == "jpeg":
        return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], 1))
    if kind == "blur":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), 2))
    noise = np.random.default_rng(3).normal(0, 20, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", ["jpeg", "blur", "noise"])
def test_without_a_mask_it_is_scikit_images_value(source: RGB, kind: str) -> None:
    edited = degraded(source, kind)
    expected, full = structural_similarity(
        source, edited, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    inner = (slice(5, -5), slice(5, -5))
    assert masked_ssim(source, edited) == pytest.approx(expected, abs=1e-9)
    assert mean_ssim(ssim_map(source, edited), EVERYWHERE) == pytest.approx(expected, abs=2e-5)
    assert np.abs(ssim_map_float64(source, edited).values - full.mean(axis=2))[inner].max() < 1e-9
    assert np.abs(ssim_map(source, edited).values - full.mean(axis=2))[inner].max() < 4e-4


def test_the_fast_path_holds_its_tolerance_on_bright_flat_pictures() -> None:
    source = np.full((128, 128, 3), 250, np.uint8)
    edited = source.copy()
    edited[::7, ::5] = 252
    exact, fast = ssim_map_float64(source, edited), ssim_map(source, edited)
    assert np.abs(exact.values - fast.values).max() < 4e-4


def formula(x: np.ndarray, y: np.ndarray, kept: Mask) -> tuple[np.ndarray, np.ndarray]:
    def blur(plane: np.ndarray) -> np.ndarray:
        return gaussian_filter(plane, 1.5, radius=5, mode="constant")

    W = np.maximum(blur(kept.astype(float)), 1e-12)
    mx, my = blur(kept * x) / W, blur(kept * y) / W
    vx, vy = blur(kept * x * x) / W - mx**2, blur(kept * y * y) / W - my**2
    cov = blur(kept * x * y) / W - mx * my
    return (2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx**2 + my**2 + 1e-4) * (vx + vy + 9e-4)), W


def test_under_a_mask_it_is_the_written_formula(source: RGB, rng: np.random.Generator) -> None:
    edited, kept = degraded(source, "jpeg"), ~blob_mask(rng, (256, 256))
    planes = [formula(source[..., c] / 255, edited[..., c] / 255, kept) for c in range(3)]
    W = planes[0][1]
    inside = np.zeros_like(kept)
    inside[5:-5, 5:-5] = True
    expected = np.mean([plane for plane, _ in planes], axis=0)[kept & inside & (W >= 0.5)].mean()
    assert masked_ssim(source, edited, kept) == pytest.approx(expected, abs=1e-9)
    assert mean_ssim(ssim_map(source, edited, kept), kept) == pytest.approx(expected, abs=2e-5)


def test_the_core_equals_the_ordinary_map_where_the_whole_window_is_kept(source: RGB, rng: np.random.Generator) -> None:
    edited, kept = degraded(source, "jpeg"), ~blob_mask(rng, (256, 256))
    core = np.asarray(cv2.erode(kept.view(np.uint8), np.ones((11, 11), np.uint8))).view(np.bool_)
    core[:5], core[-5:], core[:, :5], core[:, -5:] = False, False, False, False
    expected = ssim_map_float64(source, edited).values[core].mean()
    assert mean_ssim_core(ssim_map_float64(source, edited, kept), kept) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("precise", [True, False])
def test_pixels_inside_the_mask_do_not_matter(source: RGB, rng: np.random.Generator, precise: bool) -> None:
    edited, kept = degraded(source, "jpeg"), ~blob_mask(rng, (256, 256))
    other = edited.copy()
    other[~kept] = rng.integers(0, 256, (np.count_nonzero(~kept), 3))
    compute = ssim_map_float64 if precise else ssim_map
    assert np.array_equal(compute(source, edited, kept).values, compute(source, other, kept).values)


def test_a_black_inside_does_not_raise_the_value(source: RGB) -> None:
    edited, kept = degraded(source, "noise"), EVERYWHERE.copy()
    kept[64:192, 64:192] = False
    multiplied = structural_similarity(
        source * kept[..., None],
        edited * kept[..., None],
        channel_axis=2,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    honest = masked_ssim(source, edited, kept)
    assert honest is not None
    assert honest < multiplied - 0.05


def test_equal_pictures_have_one_and_damage_lowers_it_step_by_step(source: RGB) -> None:
    values = [masked_ssim(source, source)]
    values += [masked_ssim(source, np.asarray(cv2.GaussianBlur(source, (0, 0), s))) for s in (0.7, 1.5, 3, 6)]
    assert values[0] == pytest.approx(1.0, abs=1e-12)
    assert values == sorted(values, key=lambda value: -(value or 0))


def test_equal_pictures_have_exactly_one_in_float32(source: RGB, rng: np.random.Generator) -> None:
    kept = ~blob_mask(rng, (256, 256))
    assert (ssim_map(source, source.copy()).values == 1).all()
    found = ssim_map(source, source.copy(), kept)
    assert (found.values[found.weights > 0] == 1).all()
    assert (found.values[found.weights == 0] == 0).all()


def test_a_hole_elsewhere_does_not_matter_in_float32(source: RGB) -> None:
    edited, kept = degraded(source, "jpeg"), EVERYWHERE.copy()
    kept[100:104, 200:] = False  # rows 95 to 108 are weighted, their bands too
    found, whole = ssim_map(source, edited, kept), ssim_map(source, edited)
    far = np.ones_like(kept)
    far[95:109, 195:] = False
    np.testing.assert_allclose(found.values[far], whole.values[far], atol=4e-4)
    np.testing.assert_allclose(found.weights[far], whole.weights[far], atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 7), (7, 300), (3, 3), (66, 64), (130, 11)])
def test_every_size_is_the_reference_at_its_borders(source: RGB, shape: tuple[int, int]) -> None:
    pair = [np.resize(image, (*shape, 3)) for image in (source, degraded(source, "noise"))]
    fast, exact = ssim_map(*pair), ssim_map_float64(*pair)
    np.testing.assert_allclose(fast.values, exact.values, atol=4e-4)
    np.testing.assert_allclose(fast.weights, exact.weights, atol=1e-6)


def test_a_picture_without_a_whole_window_is_undefined() -> None:
    tiny = np.zeros((9, 40, 3), np.uint8)
    result = masked_ssim(tiny, tiny)
    assert (result.status, result.reason) == (Status.UNDEFINED, "too_small")
