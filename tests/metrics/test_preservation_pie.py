"""PIE-Bench's numbers against torchmetrics on blackened pictures, and the arithmetic between the conventions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from resolving import Resolver, blob_mask
from skimage import data
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from edit_metrics.metrics.pie import brushnet_psnr, pie_kept, pie_mse, pie_psnr, pie_ssim
from edit_metrics.metrics.preservation import masked_psnr
from edit_metrics.types import RGB, Mask


@pytest.fixture
def pair() -> tuple[RGB, RGB]:
    source = np.ascontiguousarray(data.astronaut()[:200, :240])
    return source, np.asarray(cv2.GaussianBlur(source, (0, 0), 1.2), np.uint8)


@pytest.fixture
def mask(rng: np.random.Generator) -> Mask:
    return blob_mask(rng, (200, 240), 0.4)


def as_pie_reads(image: RGB, mask: Mask) -> torch.Tensor:
    edited = mask.copy()
    edited[0], edited[-1], edited[:, 0], edited[:, -1] = True, True, True, True
    pixels = np.asarray(image).astype(np.float32) / 255 * (1 - edited[..., None].astype(np.float32))
    return torch.tensor(pixels).permute(2, 0, 1).unsqueeze(0)


def test_mse_and_psnr_equal_torchmetrics_on_the_multiplied_pictures(pair: tuple[RGB, RGB], mask: Mask) -> None:
    S, E = (as_pie_reads(picture, mask) for picture in pair)
    assert pie_mse(*pair, mask) == pytest.approx(float(((S - E) ** 2).mean()), abs=1e-7)
    expected = float(peak_signal_noise_ratio(E, S, data_range=1.0))
    assert pie_psnr(*pair, mask) == pytest.approx(expected, abs=1e-5 * expected)


def test_ssim_equals_torchmetrics_before_and_after_it_changed_its_border(pair: tuple[RGB, RGB], mask: Mask) -> None:
    S, E = (as_pie_reads(picture, mask) for picture in pair)
    value, full = structural_similarity_index_measure(E, S, data_range=1.0, return_full_image=True)
    assert pie_ssim(*pair, mask, crop_border=False) == pytest.approx(float(value), abs=1e-5)
    assert pie_ssim(*pair, mask) == pytest.approx(float(full[..., 5:-5, 5:-5].mean()), abs=1e-5)


def test_half_a_mask_inflates_psnr_by_three_decibels_and_brushnet_lowers_it_by_five(pair: tuple[RGB, RGB]) -> None:
    source = np.full((102, 102, 3), 100, np.uint8)
    edited = source + np.uint8(10)
    mask = np.zeros((102, 102), np.bool_)
    mask[:51] = True
    kept = pie_kept(mask)
    honest = masked_psnr(source, edited, kept)
    assert honest is not None
    u = kept.mean()
    assert pie_psnr(source, edited, mask) == pytest.approx(honest + 10 * np.log10(1 / u), abs=1e-9)
    assert 10 * np.log10(1 / 0.5) == pytest.approx(3.01, abs=0.001)
    assert brushnet_psnr(source, edited, kept) == pytest.approx(honest - 10 * np.log10(3), abs=1e-9)


def test_the_two_published_conventions_differ_by_eight_decibels_at_half(pair: tuple[RGB, RGB]) -> None:
    mask = np.zeros(pair[0].shape[:2], np.bool_)
    mask[:100] = True
    pie, brushnet = pie_psnr(*pair, mask), brushnet_psnr(*pair, pie_kept(mask))
    assert pie is not None
    assert brushnet is not None
    u = pie_kept(mask).mean()
    assert pie - brushnet == pytest.approx(10 * np.log10(3 / u), abs=1e-9)
    assert 10 * np.log10(3 / 0.5) == pytest.approx(7.78, abs=0.005)


def test_pixels_inside_the_mask_do_not_matter_there_either(
    pair: tuple[RGB, RGB], mask: Mask, rng: np.random.Generator
) -> None:
    other = pair[1].copy()
    other[mask] = rng.integers(0, 256, (np.count_nonzero(mask), 3))
    for name in ("pie_mse", "pie_psnr", "pie_ssim", "pie_lpips", "brushnet_psnr"):
        first, second = (Resolver(pair[0], E, mask).measure(f"preservation.{name}") for E in (pair[1], other))
        assert first == second
        assert first.value is not None
