"""The change map: re-encodes are not changes, planted patches are, and each measure of extent is what it says."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from resolving import Resolver
from skimage import data

from edit_metrics.metrics.change import ChangeMap, change_reference, find_changes
from edit_metrics.metrics.extent import changed_share, locality, over_edit_share, under_edit_share, worst_tile
from edit_metrics.metrics.lab import rgb_to_lab
from edit_metrics.types import RGB, Mask, Missing, undefined


def jpeg(quality: int) -> Callable[[RGB], RGB]:
    def run(image: RGB) -> RGB:
        _, code = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        return np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])

    return run


def noise(image: RGB) -> RGB:
    return np.clip(image + np.random.default_rng(1).normal(0, 9, image.shape), 0, 255).astype(np.uint8)


def half_and_back(image: RGB) -> RGB:
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_CUBIC))


def brighter(image: RGB) -> RGB:
    return np.clip(image * 1.05, 0, 255).astype(np.uint8)


COPIES = {"jpeg95": jpeg(95), "jpeg30": jpeg(30), "noise": noise, "half": half_and_back, "gain": brighter}
PICTURES = ("astronaut", "chelsea", "coffee", "rocket", "immunohistochemistry")


def picture(name: str) -> RGB:
    return np.ascontiguousarray(getattr(data, name)()[:300, :400])


def changes(source: RGB, edited: RGB, mask: Mask | None = None) -> ChangeMap:
    found = Resolver(source, edited, mask).feature("change_map")
    assert isinstance(found, ChangeMap)
    return found


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("copy", COPIES)
def test_an_unedited_copy_is_not_a_change(name: str, copy: str) -> None:
    source = picture(name)
    assert changes(source, COPIES[copy](source)).changed.mean() <= 0.01


@pytest.mark.parametrize("pixels", [1, 2, 3])
@pytest.mark.parametrize("name", PICTURES)
def test_a_shift_of_the_whole_picture_is_not_a_change(name: str, pixels: int) -> None:
    whole = getattr(data, name)()
    source = np.ascontiguousarray(whole[pixels : 300 + pixels, pixels : 400 + pixels])
    assert changes(source, np.ascontiguousarray(whole[:300, :400])).changed.mean() <= 0.01


@pytest.mark.parametrize("copy", [None, "jpeg95", "jpeg30", "noise", "half"])
@pytest.mark.parametrize("size", [12, 24, 48])
def test_a_planted_patch_is_found_at_its_place(size: int, copy: str | None) -> None:
    source = picture("chelsea")
    edited = source.copy()
    edited[120 : 120 + size, 200 : 200 + size] = (40, 90, 220)
    if copy:
        edited = COPIES[copy](edited)
    truth = np.zeros(source.shape[:2], np.bool_)
    truth[120 : 120 + size, 200 : 200 + size] = True
    found = changes(source, edited).changed
    assert found[truth].mean() > 0.9
    assert not found[~np.asarray(cv2.dilate(truth.view(np.uint8), np.ones((25, 25))) > 0)].any()


def test_equal_pictures_have_no_change_and_the_lowest_floor() -> None:
    found = changes(picture("coffee"), picture("coffee"))
    assert not found.changed.any()
    assert (found.floor, found.saturated) == (3.0, 0.0)


def test_a_floor_that_follows_the_noise_says_so() -> None:
    source = picture("coffee")
    floors = [changes(source, jpeg(quality)(source)).floor for quality in (95, 60, 20)]
    assert floors == sorted(floors)
    other = np.ascontiguousarray(data.astronaut()[:300, :400])
    assert changes(source, other).saturated > 0.9
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[:100] = True
    assert "change_floor_saturated" in Resolver(source, other, mask).measure("preservation.changed_share").cautions


def test_a_flat_picture_and_a_tiny_kept_area_do_not_break_it() -> None:
    flat = np.full((80, 90, 3), 128, np.uint8)
    patched = flat.copy()
    patched[30:45, 30:45] = (200, 60, 60)
    assert changes(flat, patched).changed[30:45, 30:45].mean() > 0.9
    sliver = np.zeros((80, 90), np.bool_)
    sliver[:3] = True
    lab = rgb_to_lab(flat)
    reference = change_reference(lab)
    assert not find_changes(reference, lab, sliver).changed.any()
    assert not find_changes(reference, rgb_to_lab(patched), np.zeros_like(sliver)).changed.any()


def change_of(changed: Mask) -> ChangeMap:
    return ChangeMap(changed, changed.astype(np.float32) * 20, 3.0, 0.0)


def test_shares_are_counted_on_their_own_areas() -> None:
    changed = np.zeros((128, 128), np.bool_)
    changed[:32, :32] = True
    kept = np.ones_like(changed)
    kept[:, 64:] = False
    assert changed_share(change_of(changed), kept).value == pytest.approx(32 * 32 / (128 * 64))
    assert worst_tile(change_of(changed), kept).value == pytest.approx(0.25)
    assert over_edit_share(change_of(changed), ~kept).value == pytest.approx(32 * 32 / 128**2)
    unknown = over_edit_share(change_of(changed))
    assert unknown.cautions == ("expected_region_unknown",)


def test_damage_that_fills_one_tile_stands_out_of_the_mean() -> None:
    changed = np.zeros((512, 512), np.bool_)
    changed[64:128, 64:128] = True
    kept = np.ones_like(changed)
    assert worst_tile(change_of(changed), kept).value == 1.0
    assert changed_share(change_of(changed), kept).value == pytest.approx(1 / 64)


def test_under_edit_is_the_expected_region_that_stayed() -> None:
    expected = np.zeros((64, 64), np.bool_)
    expected[:10, :10] = True
    changed = np.zeros_like(expected)
    changed[:5, :10] = True
    assert under_edit_share(changed, expected) == pytest.approx(0.5)
    assert under_edit_share(changed, np.zeros_like(expected)) == undefined("no_expected_region")


def test_locality_is_high_for_a_spot_and_zero_for_an_even_smear(rng: np.random.Generator) -> None:
    spot = np.zeros((200, 300), np.bool_)
    spot[50:60, 50:60] = True
    smear = rng.random((200, 300)) < 0.1
    values = [locality(spot), locality(smear), locality(np.ones_like(spot))]
    assert values[0] == pytest.approx(0.96, abs=0.02)
    assert values[1] == pytest.approx(0, abs=0.02)
    assert values[2] == pytest.approx(0, abs=1e-6)
    assert isinstance(locality(np.zeros_like(spot)), Missing)
