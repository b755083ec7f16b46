"""Kept geometry, against independent implementations, hand-worked values and known damage."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import pytest
from PIL import Image
from resolving import measure
from scipy.signal import convolve2d
from skimage import data

from edit_metrics.features.structure import geometry_region, kept_patch_keys
from edit_metrics.metrics.grid import fit_to_grid
from edit_metrics.metrics.registration import Registration, register
from edit_metrics.metrics.seam import seam
from edit_metrics.metrics.structure import edge_f1, find_edges, gmsd, ms_ssim, structure_distance
from edit_metrics.metrics.warp import laid_over, warp_px
from edit_metrics.pixels.luma import bt601
from edit_metrics.registry import get_metric
from edit_metrics.types import Missing, Status, not_applicable, undefined

ASTRONAUT = data.astronaut()
CAT = data.chelsea()
WHOLE = np.ones((512, 512), bool)
STILL = Registration(dx=0.0, dy=0.0, consensus=1.0, tiles=9, scale=1.0)
ON_REGION = (gmsd, ms_ssim, edge_f1)


def value(result: float | Missing) -> float:
    assert not isinstance(result, Missing)
    return result


def outside_of_a_box(shape: tuple[int, int] = (512, 512)) -> np.ndarray:
    kept = np.ones(shape, bool)
    kept[150:330, 120:300] = False
    return kept


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def swirled(image: np.ndarray, strength: float) -> np.ndarray:
    """Displaced by up to ``strength`` px, smoothly, by another amount everywhere."""
    y, x = np.indices(image.shape[:2], np.float32)
    dx = strength * np.sin(2 * np.pi * y / 230)
    dy = strength * np.sin(2 * np.pi * x / 260)
    return cv2.remap(image, x + dx.astype(np.float32), y + dy.astype(np.float32), cv2.INTER_CUBIC, borderMode=4)


def gmsd_by_the_paper(source: np.ndarray, edited: np.ndarray) -> float:
    """Xue's published procedure in float64, with SciPy: conv2 'same', every second pixel."""
    halves = [convolve2d(image.astype(np.float64), np.full((2, 2), 0.25))[1::2, 1::2] for image in (source, edited)]
    prewitt = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]]) / 3
    strength = [np.hypot(convolve2d(h, prewitt, "same"), convolve2d(h, prewitt.T, "same")) for h in halves]
    similarity = (2 * strength[0] * strength[1] + 170) / (strength[0] ** 2 + strength[1] ** 2 + 170)
    return float(similarity.std())


@pytest.mark.parametrize("quality", [80, 20])
def test_gmsd_equals_the_published_procedure(quality: int) -> None:
    edited = jpeg(ASTRONAUT, quality)
    expected = gmsd_by_the_paper(bt601(ASTRONAUT), bt601(edited))
    assert value(gmsd(ASTRONAUT, edited, WHOLE)) == pytest.approx(expected, rel=1e-5)


def ms_ssim_by_the_paper(x: np.ndarray, y: np.ndarray) -> float:
    """Wang 2003 in float64, with SciPy: 'valid' convolutions, 2×2 means between the scales."""
    offsets = np.arange(-5, 6)
    taps = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    value = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        mx, my, xx, yy, xy = (convolve2d(a, window, "valid") for a in (x, y, x * x, y * y, x * y))
        similarity = (2 * (xy - mx * my) + 0.03**2) / (xx - mx**2 + yy - my**2 + 0.03**2)
        if scale == 4:
            similarity = similarity * (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        value *= max(similarity.mean(), 0.0) ** weight
        x, y = (a[: len(a) // 2 * 2, : a.shape[1] // 2 * 2] for a in (x, y))
        x, y = (a.reshape(len(a) // 2, 2, a.shape[1] // 2, 2).mean(axis=(1, 3)) for a in (x, y))
    return value


@pytest.mark.parametrize(("quality", "size"), [(15, 256), (60, 333)])
def test_ms_ssim_equals_the_published_procedure_and_nearly_torchmetrics(quality: int, size: int) -> None:
    pair = [image[:size, 100 : 100 + size] for image in (ASTRONAUT, jpeg(ASTRONAUT, quality))]
    found = value(ms_ssim(*pair, WHOLE[:size, :size]))
    lumas = [bt601(image) / 255.0 for image in pair]
    assert found == pytest.approx(ms_ssim_by_the_paper(*lumas), abs=1e-5)
    import torch
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as torch_ms_ssim

    # torchmetrics 1.9 counts windows over a mirrored border in, at the coarsest scale only.
    tensors = [torch.from_numpy(luma).float()[None, None] for luma in lumas]
    assert found == pytest.approx(float(torch_ms_ssim(*tensors, data_range=1.0, normalize="relu")), abs=2e-4)


def test_ms_ssim_reads_the_same_with_a_weight_and_without() -> None:
    region = WHOLE.copy()
    region[0, 0] = False
    edited = jpeg(ASTRONAUT, 20)
    assert value(ms_ssim(ASTRONAUT, edited, region)) == pytest.approx(
        value(ms_ssim(ASTRONAUT, edited, WHOLE)), abs=2e-4
    )


def test_ms_ssim_clamps_a_negative_to_zero() -> None:
    assert value(ms_ssim(ASTRONAUT, 255 - ASTRONAUT, WHOLE)) == 0.0


def test_ms_ssim_needs_176_pixels() -> None:
    assert ms_ssim(ASTRONAUT[:175], ASTRONAUT[:175], WHOLE[:175]) == undefined("too_small")
    assert value(ms_ssim(ASTRONAUT[:176], ASTRONAUT[:176], WHOLE[:176])) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", ON_REGION)
def test_an_identical_picture_is_perfect(metric) -> None:
    best = 0.0 if metric is gmsd else 1.0
    for region in (WHOLE, outside_of_a_box()):
        assert value(metric(ASTRONAUT, ASTRONAUT.copy(), region)) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("metric", ON_REGION)
def test_pixels_outside_the_region_do_not_matter_at_all(metric, rng: np.random.Generator) -> None:
    region = outside_of_a_box()
    edited = jpeg(ASTRONAUT, 30)
    before = value(metric(ASTRONAUT, edited, region))
    other = [image.copy() for image in (ASTRONAUT, edited)]
    for image in other:
        image[~region] = rng.integers(0, 256, (np.count_nonzero(~region), 3), dtype=np.uint8)
    assert value(metric(*other, region)) == before
    assert value(metric(ASTRONAUT, other[1], region)) == before


@pytest.mark.parametrize("metric", ON_REGION)
def test_damage_inside_the_region_is_seen(metric) -> None:
    region = outside_of_a_box()
    edited = ASTRONAUT.copy()
    edited[20:120, 330:500] = cv2.GaussianBlur(edited, (0, 0), 5)[20:120, 330:500]
    best = value(metric(ASTRONAUT, ASTRONAUT, region))
    assert abs(value(metric(ASTRONAUT, edited, region)) - best) > 0.005


@pytest.mark.parametrize("metric", ON_REGION)
@pytest.mark.parametrize("damage", ["blur", "swirl", "noise"])
def test_more_damage_is_worse(metric, damage: str) -> None:
    steps = {
        "blur": [cv2.GaussianBlur(ASTRONAUT, (0, 0), s) for s in (1, 2, 4)],
        "swirl": [swirled(ASTRONAUT, s) for s in (1, 3, 9)],
        "noise": [cv2.add(ASTRONAUT, noise(s), dtype=cv2.CV_8U) for s in (5, 15, 45)],
    }
    values = [value(metric(ASTRONAUT, edited, WHOLE)) for edited in (ASTRONAUT, *steps[damage])]
    worse = [(a < b) if metric is gmsd else (a > b) for a, b in pairwise(values)]
    assert all(worse), values


def noise(sigma: float) -> np.ndarray:
    return np.random.default_rng(3).normal(0, sigma, ASTRONAUT.shape)


@pytest.mark.parametrize("metric", ON_REGION)
def test_values_stay_within_their_bounds_on_unrelated_pictures(metric) -> None:
    lower, upper = get_metric(f"structure.{metric.__name__}").bounds
    other = np.ascontiguousarray(ASTRONAUT[::-1, ::-1])
    assert lower <= value(metric(ASTRONAUT, other, WHOLE)) <= upper


@pytest.mark.parametrize("metric", ON_REGION)
def test_cautions_go_with_the_value(metric) -> None:
    values = {"source": ASTRONAUT, "edited": ASTRONAUT, "geometry_region": WHOLE, "pixel_cautions": ("resized",)}
    assert measure(f"structure.{metric.__name__}", **values).cautions == ("resized",)


@pytest.mark.parametrize("metric", ON_REGION)
def test_a_region_that_is_too_thin_has_no_value(metric) -> None:
    thin = np.zeros((512, 512), bool)
    thin[100:103] = True
    assert metric(ASTRONAUT, ASTRONAUT, thin) == undefined("u_too_thin")


def test_edge_f1_is_symmetric() -> None:
    edited = swirled(ASTRONAUT, 4)
    assert value(edge_f1(ASTRONAUT, edited, WHOLE)) == pytest.approx(value(edge_f1(edited, ASTRONAUT, WHOLE)))


def square(left: int, size: int = 256) -> np.ndarray:
    image = np.full((size, size, 3), 60, np.uint8)
    image[64:192, left : left + 96] = 180
    return image


def test_edge_f1_forgives_two_pixels_and_no_more() -> None:
    region = np.ones((256, 256), bool)
    assert value(edge_f1(square(64), square(66), region)) == 1.0
    # Moved by 5 px, the vertical sides are lost (2·128 of 448 px), the horizontal ones are found but for their ends.
    moved = value(edge_f1(square(64), square(69), region))
    assert moved == pytest.approx(192 / 448, abs=0.03)


def test_edge_f1_ignores_exposure() -> None:
    darker = cv2.convertScaleAbs(ASTRONAUT, alpha=0.7)
    assert value(edge_f1(ASTRONAUT, darker, WHOLE)) > 0.93


def test_edge_f1_without_edges() -> None:
    grey = np.full((128, 128, 3), 90, np.uint8)
    region = np.ones((128, 128), bool)
    assert edge_f1(grey, grey, region) == undefined("no_edges")
    assert value(edge_f1(square(20, 256), np.full((256, 256, 3), 90, np.uint8), np.ones((256, 256), bool))) == 0.0


def test_edges_equal_cannys_away_from_the_frame() -> None:
    luma = bt601(ASTRONAUT)
    smooth = cv2.GaussianBlur(luma.astype(np.float32), (9, 9), 1.4, borderType=cv2.BORDER_REFLECT)
    gx, gy = (cv2.Sobel(smooth, cv2.CV_32F, dx, 1 - dx) / 8 for dx in (1, 0))
    found = find_edges(luma, WHOLE)
    strength = np.hypot(gx, gy)
    high = max(np.quantile(strength, 0.7), 4)
    assert strength[found].min() >= 0.39 * high
    assert 0.02 < found.mean() < 0.3


def masked(box: tuple[slice, slice], shape: tuple[int, int] = (300, 300)) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[box] = True
    return mask


def sky() -> np.ndarray:
    ramp = np.linspace(90, 140, 300)[:, None, None] * np.ones((1, 300, 3))
    return (ramp + np.random.default_rng(5).normal(0, 1, (300, 300, 3))).round().astype(np.uint8)


BOX = masked(np.s_[100:200, 80:220])


def test_a_seam_is_half_the_colour_step_over_a_smooth_border() -> None:
    source = np.full((300, 300, 3), 100, np.uint8)
    edited = source.copy()
    edited[BOX] = 120
    before, after = (cv2.cvtColor(np.float32([[[v / 255] * 3]]), cv2.COLOR_RGB2LAB)[0, 0, 0] for v in (100, 120))
    assert value(seam(source, source, BOX)) == pytest.approx(0.0, abs=1e-6)
    # Half of the step in L over 2 px, a little less at the four corners.
    assert value(seam(source, edited, BOX)) == pytest.approx((after - before) / 2, rel=0.03)


def test_a_stronger_step_is_a_stronger_seam_and_none_reads_zero() -> None:
    source = sky()
    values = []
    for step in (0, 4, 8, 16, 32):
        edited = source.copy()
        edited[BOX] += np.uint8(step)
        values.append(value(seam(source, edited, BOX)))
    assert abs(values[0]) < 0.1
    assert all(a < b for a, b in pairwise(values))


def test_a_feathered_border_is_less_of_a_seam() -> None:
    source = sky()
    soft = cv2.GaussianBlur(BOX.astype(np.float32), (0, 0), 5)[..., None]
    hard = np.clip(source + 24.0 * BOX[..., None], 0, 255).astype(np.uint8)
    feathered = np.clip(source + 24.0 * soft, 0, 255).astype(np.uint8)
    assert value(seam(source, feathered, BOX)) < 0.3 * value(seam(source, hard, BOX))


def test_a_step_elsewhere_is_no_seam() -> None:
    source, edited = sky(), sky()
    edited[130:170, 120:180] += np.uint8(40)  # well inside M
    assert abs(value(seam(source, edited, BOX))) < 0.1


def test_where_the_source_has_an_edge_of_its_own_there_is_no_seam_to_speak_of() -> None:
    source = sky()
    source[BOX] += np.uint8(60)
    assert seam(source, sky(), BOX) == not_applicable("source_not_smooth")


def test_a_mask_without_a_border_has_no_seam() -> None:
    source = sky()
    for mask in (np.ones((300, 300), bool), np.zeros((300, 300), bool)):
        assert seam(source, source, mask) == not_applicable("no_border")
    assert seam(source, source, masked(np.s_[150:153, 150:153])) == undefined("border_too_short")


def test_warp_reads_zero_where_nothing_bends() -> None:
    assert warp_px(ASTRONAUT, ASTRONAUT, WHOLE, STILL) == pytest.approx(0.0, abs=1e-3)
    for edited in (
        jpeg(ASTRONAUT, 30),
        cv2.GaussianBlur(ASTRONAUT, (0, 0), 1),
        cv2.convertScaleAbs(ASTRONAUT, alpha=0.8),
    ):
        assert warp_px(ASTRONAUT, edited, WHOLE, STILL) < 0.35


def test_a_shift_and_a_zoom_of_the_whole_are_no_warp() -> None:
    moved = np.roll(ASTRONAUT, (3, -5), axis=(0, 1))
    inner = np.zeros((512, 512), bool)
    inner[16:-16, 16:-16] = True
    found = register(ASTRONAUT, moved, inner)
    assert isinstance(found, Registration)
    assert warp_px(ASTRONAUT, moved, inner, found) < 0.3
    zoom = cv2.warpAffine(ASTRONAUT, np.array([[1.02, 0, -5.11], [0, 1.02, -5.11]]), (512, 512), flags=cv2.INTER_CUBIC)
    zoomed = Registration(dx=0.0, dy=0.0, consensus=1.0, tiles=9, scale=1.02)
    assert warp_px(ASTRONAUT, zoom, inner, zoomed) < 0.5
    assert warp_px(ASTRONAUT, zoom, inner, STILL) > 2


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.7), (-3.2, 4.9), (600.0, 0.0)])
def test_a_shift_is_laid_over_as_opencv_lays_it(shift: tuple[float, float]) -> None:
    region, matrix = outside_of_a_box(), np.eye(2, 3)
    matrix[:, 2] = shift
    found, moved = laid_over(ASTRONAUT, region, Registration(*shift, consensus=1.0, tiles=9, scale=1.0))
    flags = cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(ASTRONAUT, matrix, (512, 512), flags=flags | cv2.INTER_CUBIC)
    off = cv2.absdiff(found, expected)
    assert off.max() <= 1  # a tie in rounding
    assert np.count_nonzero(off) < 1e-3 * off.size
    assert (moved == cv2.warpAffine(region.view(np.uint8), matrix, (512, 512), flags=flags | cv2.INTER_NEAREST)).all()


def test_warp_grows_with_the_bend() -> None:
    values = [warp_px(ASTRONAUT, swirled(ASTRONAUT, s), WHOLE, STILL) for s in (0, 1, 2, 4)]
    assert all(a < b for a, b in pairwise(values)), values
    assert values[2] == pytest.approx(2.4, rel=0.25)


def test_a_bent_picture_needs_no_registration_to_be_found_bent() -> None:
    bent = swirled(ASTRONAUT, 4)
    assert isinstance(register(ASTRONAUT, bent), Missing)
    assert warp_px(ASTRONAUT, bent, WHOLE) == pytest.approx(4.8, rel=0.25)
    assert warp_px(ASTRONAUT, np.roll(ASTRONAUT, 3, axis=1), WHOLE) < 0.5


def test_another_picture_has_no_warp_to_read() -> None:
    other = np.ascontiguousarray(ASTRONAUT[::-1, ::-1])
    assert warp_px(ASTRONAUT, other, WHOLE) == undefined("nothing_correlates")


def test_warp_does_not_read_what_is_outside_the_region(rng: np.random.Generator) -> None:
    region = outside_of_a_box()
    edited = swirled(ASTRONAUT, 2)
    before = warp_px(ASTRONAUT, edited, region, STILL)
    other = edited.copy()
    other[~region] = rng.integers(0, 256, (np.count_nonzero(~region), 3), dtype=np.uint8)
    assert warp_px(ASTRONAUT, other, region, STILL) == before


def test_a_flat_picture_has_no_warp_to_read() -> None:
    flat = np.full((512, 512, 3), 90, np.uint8)
    assert warp_px(flat, flat, WHOLE, STILL) == undefined("too_few_tiles")


def test_structure_distance_of_hand_worked_keys() -> None:
    keys = np.array([[1.0, 0.0], [0.0, 2.0]], np.float32)
    turned = np.array([[3.0, 0.0], [4.0, 0.0]], np.float32)
    # Self-similarities: identity against all ones; two of four entries differ by 1.
    assert structure_distance(keys, turned) == pytest.approx(0.5)
    assert structure_distance(keys, 7 * keys) == pytest.approx(0.0)
    assert structure_distance(keys, -turned) == pytest.approx(0.5)
    assert structure_distance(keys, keys[:1]) == undefined("patch_grids_differ")


def test_structure_distance_equals_the_published_loss(rng: np.random.Generator) -> None:
    first, second = (rng.normal(size=(30, 8)).astype(np.float32) for _ in range(2))
    import torch

    tensors = [torch.from_numpy(keys).double() for keys in (first, second)]
    similarities = [torch.nn.functional.cosine_similarity(k[None], k[:, None], dim=2) for k in tensors]
    assert structure_distance(first, second) == pytest.approx(float(torch.nn.functional.mse_loss(*similarities)))


class MeanColours:
    """Stands in for a ViT: the mean colour of each quarter of the picture."""

    def encode_patches(self, images: list[np.ndarray]) -> list[np.ndarray]:
        return [cv2.resize(i, (2, 2), interpolation=cv2.INTER_AREA).reshape(4, 3).astype(np.float32) for i in images]


def test_the_patch_encoder_does_not_see_what_may_change() -> None:
    region = outside_of_a_box()
    edited = ASTRONAUT.copy()
    edited[~region] = 0
    first, second = kept_patch_keys([ASTRONAUT] * 2, [edited, ASTRONAUT], [region] * 2, MeanColours())
    assert np.array_equal(first, second)


@dataclass(frozen=True, slots=True)
class Parsed:
    edit_type: str


GRID = fit_to_grid(CAT, CAT, None)


def test_the_region_is_u_where_there_is_a_mask() -> None:
    kept = outside_of_a_box(CAT.shape[:2])
    assert geometry_region(GRID, mask=~kept, kept=kept, parsed_instruction=Parsed("add")) is kept


def test_the_region_is_the_frame_where_the_edit_keeps_geometry() -> None:
    for kind in ("recolour", "tone", "style"):
        assert geometry_region(GRID, parsed_instruction=Parsed(kind)).all()


def test_there_is_no_region_where_the_edit_moves_something() -> None:
    for kind in ("add", "remove", "replace", "background", "text", "geometry"):
        expected = not_applicable("edit_changes_geometry")
        assert geometry_region(GRID, parsed_instruction=Parsed(kind)) == expected
    assert geometry_region(GRID, parsed_instruction=Parsed("other")) == not_applicable("edit_type_unknown")
    assert geometry_region(GRID) == not_applicable("edit_type_unknown")


def test_a_mask_that_leaves_nothing_says_so() -> None:
    full = np.ones(CAT.shape[:2], bool)
    assert geometry_region(GRID, mask=full) == not_applicable("full_mask")
    full[0, :9] = False
    region = geometry_region(GRID, mask=full)
    assert isinstance(region, Missing)
    assert region.status is Status.UNDEFINED
