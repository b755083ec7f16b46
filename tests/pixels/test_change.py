"""The change map: re-encodes are not changes, planted patches are, and each measure of extent is what it says."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from resolving import Resolver
from scipy.ndimage import binary_closing, binary_opening, gaussian_filter, label
from skimage import data
from skimage.color import deltaE_ciede2000, rgb2lab

from edit_metrics.metrics.extent import changed_share, locality, over_edit_share, under_edit_share, worst_tile
from edit_metrics.pixels import change
from edit_metrics.pixels.change import ChangeMap, change_reference, find_changes
from edit_metrics.pixels.lab import delta_e_2000, rgb_to_lab
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
    found = Resolver(source, edited, mask)["change_map"]
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
    assert changed_share(change_of(changed), kept) == pytest.approx(32 * 32 / (128 * 64))
    assert worst_tile(change_of(changed), kept) == pytest.approx(0.25)
    assert over_edit_share(change_of(changed), ~kept) == pytest.approx(32 * 32 / 128**2)
    unknown = over_edit_share(change_of(changed))
    assert unknown.cautions == ("expected_region_unknown",)


def test_damage_that_fills_one_tile_stands_out_of_the_mean() -> None:
    changed = np.zeros((512, 512), np.bool_)
    changed[64:128, 64:128] = True
    kept = np.ones_like(changed)
    assert worst_tile(change_of(changed), kept) == 1.0
    assert changed_share(change_of(changed), kept) == pytest.approx(1 / 64)


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


def written_definition(source: RGB, edited: RGB) -> tuple[np.ndarray, np.ndarray]:
    """D and T of the definition, in float64, over every pixel."""
    S, E = (gaussian_filter(rgb2lab(picture), (1.5, 1.5, 0), mode="mirror") for picture in (source, edited))
    framed = np.pad(E, ((1, 1), (1, 1), (0, 0)), mode="edge")
    height, width = S.shape[:2]
    moved = [framed[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    D = np.min([deltaE_ciede2000(S, other) for other in moved], axis=0)
    L = rgb2lab(source)[..., 0]
    mean = gaussian_filter(L, 3, mode="mirror")
    activity = np.sqrt(np.maximum(gaussian_filter(L * L, 3, mode="mirror") - mean**2, 0))
    edges = np.quantile(activity, np.linspace(0, 1, 13)[1:-1])
    bins = np.searchsorted(edges, activity)
    floors = np.array([9 * np.quantile(D[bins == i], 0.25) for i in range(12)])
    return D, np.clip(np.minimum.accumulate(floors[::-1])[::-1], 3, 10)[bins]


@pytest.mark.parametrize("quality", [95, 40])
def test_it_agrees_with_the_written_definition(quality: int) -> None:
    source = np.ascontiguousarray(data.chelsea()[60:170, 100:240])
    edited = source.copy()
    edited[40:64, 50:80] = (60, 120, 200)
    edited = np.ascontiguousarray(jpeg(quality)(edited))
    D, T = written_definition(source, edited)
    found = find_changes(change_reference(rgb_to_lab(source)), rgb_to_lab(edited))
    above = found.difference > 0
    assert np.mean(found.changed ^ cv2_cleaned(D, T)) < 0.005
    assert found.floor == pytest.approx(np.median(T), rel=0.05)
    assert np.median(np.abs(found.difference[above] - D[above])) < 0.01
    assert (found.difference[above] >= D[above] - 0.05).mean() > 0.999


def cv2_cleaned(D: np.ndarray, T: np.ndarray) -> Mask:
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    framed = np.pad(binary_opening(D > T, np.ones((3, 3))), 9)
    labels, count = label(binary_closing(framed, ellipse)[9:-9, 9:-9], np.ones((3, 3)))
    kept = np.zeros_like(labels, dtype=np.bool_)
    for index in range(1, count + 1):
        part = labels == index
        kept |= part & (part.sum() >= 36) & ((D / T)[part].max() >= 1.5)
    return kept


def test_the_bound_that_saves_work_is_never_below_the_difference(rng: np.random.Generator) -> None:
    first = (rng.random((200_000, 3)) * (100, 200, 200) - (0, 100, 100)).astype(np.float32)
    second = (first + rng.normal(0, 12, first.shape)).astype(np.float32)
    bound = np.sqrt(((first - second) ** 2) @ np.array(change._BOUND))
    assert (delta_e_2000(first, second) <= bound + 1e-3).all()
