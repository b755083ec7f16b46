"""LPIPS from layer maps: the standard value at U = 1, weights by area, and its missing cases."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from resolving import Resolver, blob_mask
from skimage import data

from edit_metrics.backends.base import PerceptualPair
from edit_metrics.io.images import decode_image
from edit_metrics.metrics.perceptual import (
    lpips_over_kept,
    masked_lpips_from_maps,
    spatial_map,
    worst_tile_lpips,
)
from edit_metrics.types import RGB, Float32, Status


@pytest.fixture
def maps(rng: np.random.Generator) -> tuple[Float32, ...]:
    return tuple(rng.random((n, n), dtype=np.float32) for n in (63, 31, 15, 15, 15))


def test_with_everything_kept_it_is_the_sum_of_the_layers_means(maps: tuple[Float32, ...]) -> None:
    kept = np.ones((256, 256), np.bool_)
    expected = sum(layer.mean(dtype=np.float64) for layer in maps)
    assert masked_lpips_from_maps(maps, kept) == pytest.approx(expected, abs=1e-9)


def test_weights_are_the_kept_share_of_each_cell() -> None:
    layer = np.array([[1.0, 2.0], [4.0, 8.0]], np.float32)
    kept = np.zeros((64, 64), np.bool_)
    kept[:32, :32] = True
    kept[32:, :16] = True
    assert masked_lpips_from_maps([layer], kept) == pytest.approx((1 + 0.5 * 4) / 1.5, abs=1e-9)


def test_a_band_too_thin_for_the_receptive_field_is_undefined(maps: tuple[Float32, ...]) -> None:
    band = np.zeros((256, 256), np.bool_)
    band[100:125] = True
    result = masked_lpips_from_maps(maps, band)
    assert (result.status, result.reason) == (Status.UNDEFINED, "u_too_thin")


def test_a_side_under_64_px_is_undefined(maps: tuple[Float32, ...]) -> None:
    result = masked_lpips_from_maps(maps, np.ones((63, 300), np.bool_))
    assert (result.status, result.reason) == (Status.UNDEFINED, "too_small")


def test_the_worst_tile_stands_out_and_an_even_map_has_none() -> None:
    kept = np.ones((256, 256), np.bool_)
    even = np.full((64, 64), 0.1, np.float32)
    spot = even.copy()
    spot[40:56, 8:24] += 0.5
    assert worst_tile_lpips(PerceptualPair((even,), ()), kept) == pytest.approx(0, abs=1e-6)
    assert worst_tile_lpips(PerceptualPair((spot,), ()), kept) == pytest.approx(0.5, abs=0.06)
    assert spatial_map((even, even), (256, 256)).mean() == pytest.approx(0.2, abs=1e-6)


def test_lpips_is_never_reported_as_preservation_without_a_mask(rng: np.random.Generator) -> None:
    source = np.ascontiguousarray(data.chelsea()[:128, :192])
    edited = source[::-1].copy()
    bare, masked = Resolver(source, edited), Resolver(source, edited, blob_mask(rng, (128, 192)))
    assert bare.measure("preservation.lpips").reason == "no_mask"
    assert bare.measure("adherence.lpips_change").status is Status.OK
    assert masked.measure("preservation.lpips").status is Status.OK
    assert masked.measure("adherence.lpips_change").reason == "mask_given"


@pytest.mark.weights
def test_real_alexnet_gives_the_published_values_with_an_empty_mask(shared_data: Path) -> None:
    from edit_metrics.backends.factory import build_backend

    backend = build_backend("perceptual", {"use": "lpips", "net": "alex"})
    folder = shared_data / "reference_metrics" / "lpips_official"
    pictures: dict[str, RGB] = {n: decode_image(str(folder / f"ex_{n}.png")).pixels for n in ("ref", "p0", "p1")}
    kept = np.ones(pictures["ref"].shape[:2], np.bool_)
    for name, expected in (("p0", 0.72188), ("p1", 0.13757)):
        pair = backend.compare([pictures["ref"]], [pictures[name]], [kept])[0]
        assert lpips_over_kept(pair, kept) == pytest.approx(expected, abs=5e-4)
