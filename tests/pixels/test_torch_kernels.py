"""The torch kernels are the OpenCV ones: same definitions, to what float32 costs; a GPU's card is not needed for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edit_metrics.io.manifest import read_manifest
from edit_metrics.metrics.ssim import mean_ssim, ssim_map
from edit_metrics.metrics.structure import gmsd, ms_ssim
from edit_metrics.pixels import placement, torch_kernels
from edit_metrics.pixels.change import change_reference, find_changes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.pixels.placement import kernel_device, place_pixels, torch_kernels_on
from edit_metrics.types import RGB, Mask, Missing

ROOT = Path(__file__).resolve().parents[2]


def fixture_pair(name: str) -> tuple[RGB, RGB]:
    from PIL import Image

    item = next(i for i in read_manifest(ROOT / "data/fixtures/manifest.jsonl").items if i.id == name)
    first, second = (np.asarray(Image.open(path).convert("RGB")) for path in (item.source, item.edited))
    return first, second


@pytest.fixture(params=["coffee_recolour_blurred", "face_warped"])
def pair(request: pytest.FixtureRequest) -> tuple[RGB, RGB]:
    return fixture_pair(request.param)


@pytest.fixture
def kept(pair: tuple[RGB, RGB]) -> Mask:
    area = np.ones(pair[0].shape[:2], np.bool_)
    area[40:150, 60:200] = False
    return area


def both(call: object, *arguments: object) -> tuple[object, object]:
    assert callable(call)
    here = call(*arguments)
    with torch_kernels_on("cpu"):
        return here, call(*arguments)


@pytest.mark.parametrize("masked", [False, True])
def test_ssim(pair: tuple[RGB, RGB], kept: Mask, masked: bool) -> None:
    area = kept if masked else None
    here, there = both(ssim_map, *pair, area)
    np.testing.assert_allclose(there.values, here.values, atol=4e-4)
    np.testing.assert_allclose(there.weights, here.weights, atol=1e-6)
    means = [mean_ssim(found, kept) for found in (here, there)]
    assert means[0] == pytest.approx(means[1], abs=2e-5)
    assert not np.array_equal(there.values, here.values)


def test_cielab(pair: tuple[RGB, RGB]) -> None:
    here, there = both(rgb_to_lab, pair[0])
    np.testing.assert_allclose(there, here, atol=2e-3)


@pytest.mark.parametrize("masked", [False, True])
def test_change_map(pair: tuple[RGB, RGB], kept: Mask, masked: bool) -> None:
    labs = [rgb_to_lab(image) for image in pair]
    if masked:
        labs[1] = np.where(kept[..., None], labs[1], labs[0])

    def changes() -> object:
        return find_changes(change_reference(labs[0]), labs[1], kept if masked else None)

    here, there = both(changes)
    assert abs(here.changed.mean() - there.changed.mean()) <= 1e-4
    assert there.floor == pytest.approx(here.floor, abs=0.02)
    assert there.saturated == pytest.approx(here.saturated, abs=1e-3)
    sure = here.difference > 2
    # Where hues are opposite CIEDE2000 itself jumps, and a neighbour that is as near may be another one.
    assert np.quantile(np.abs(here.difference - there.difference)[sure], 0.999, method="higher") < 0.01


@pytest.mark.parametrize("masked", [False, True])
def test_structure(pair: tuple[RGB, RGB], kept: Mask, masked: bool) -> None:
    area = kept if masked else np.ones_like(kept)
    for measure, tolerance in ((gmsd, 2e-5), (ms_ssim, 2e-5)):
        here, there = both(measure, *pair, area)
        assert not isinstance(here, Missing)
        assert there == pytest.approx(here, abs=tolerance)


def test_missing_stays_missing(pair: tuple[RGB, RGB]) -> None:
    nothing = np.zeros(pair[0].shape[:2], np.bool_)
    for measure in (gmsd, ms_ssim):
        here, there = both(measure, *pair, nothing)
        assert isinstance(here, Missing)
        assert here == there


def test_identical_pictures(pair: tuple[RGB, RGB]) -> None:
    same = pair[0]
    everywhere = np.ones(same.shape[:2], np.bool_)
    with torch_kernels_on("cpu"):
        lab = rgb_to_lab(same)
        assert not find_changes(change_reference(lab), lab).changed.any()
        assert mean_ssim(ssim_map(same, same), everywhere) == pytest.approx(1, abs=2e-5)
        assert ms_ssim(same, same, everywhere) == pytest.approx(1, abs=1e-5)
        assert gmsd(same, same, everywhere) == pytest.approx(0, abs=1e-6)


def test_a_small_picture_is_measured_with_opencv(pair: tuple[RGB, RGB]) -> None:
    side = placement.SMALLEST_SIDE - 1
    small = [image[:side, :side] for image in pair]
    here, there = both(ssim_map, *small)
    np.testing.assert_array_equal(there.values, here.values)


def test_only_a_gpu_moves_the_pixels() -> None:
    place_pixels("cpu")
    assert kernel_device(512, 512) is None
    place_pixels("cuda:0")
    try:
        assert str(kernel_device(512, 512)) == "cuda:0"
    finally:
        place_pixels("cpu")


def test_pictures_that_may_not_be_written_to_are_copied() -> None:
    frozen = np.zeros((3, 4), np.uint8)
    frozen.flags.writeable = False
    tensor = torch_kernels._on(kernel_test_device(), frozen)
    tensor += 1
    assert not frozen.any()


def kernel_test_device() -> object:
    import torch

    return torch.device("cpu")
