"""Readings without a reference, against scikit-image, hand-worked values and known degradations."""

from __future__ import annotations

import io
from itertools import pairwise

import cv2
import numpy as np
import pytest
import pywt
from PIL import Image
from scipy.stats import norm
from skimage import data
from skimage.measure import blur_effect
from skimage.restoration import estimate_sigma

from edit_metrics.backends.pyiqa_quality import LearnedQuality, PyiqaQuality, _build_musiq, _build_topiq, _with_weights
from edit_metrics.errors import ConfigError, WeightsError
from edit_metrics.features.quality import clip_iqa, edited_iqa, edited_readings, source_iqa, source_readings
from edit_metrics.metrics.artefacts import banding, blockiness
from edit_metrics.metrics.no_reference import (
    blur,
    clipped_highlights,
    clipped_shadows,
    colourfulness,
    noise_sigma,
    read_quality,
    resolution_loss,
)
from edit_metrics.metrics.quality import (
    antonym_probability,
    musiq_delta,
    musiq_edited,
    topiq_delta,
    topiq_edited,
)
from edit_metrics.metrics.readings import READINGS, edited_reading, reading_delta
from edit_metrics.registry import get_metric
from edit_metrics.types import Noted, unavailable, undefined

ASTRONAUT = data.astronaut()
CAT = data.chelsea()


def flat(value: int, size: int = 64) -> np.ndarray:
    return np.full((size, size, 3), value, np.uint8)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def enlarged_from(image: np.ndarray, factor: float) -> np.ndarray:
    picture = Image.fromarray(image)
    small = picture.resize((round(picture.width / factor), round(picture.height / factor)), Image.Resampling.LANCZOS)
    return np.array(small.resize(picture.size, Image.Resampling.BICUBIC))


def noisy(image: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(7).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("image", [ASTRONAUT, CAT, CAT[:97, :131], noisy(flat(90, 40), 12)])
def test_blur_equals_skimage(image: np.ndarray) -> None:
    assert blur(image) == pytest.approx(blur_effect(image, h_size=11, channel_axis=-1), abs=1e-6)


@pytest.mark.parametrize("size", [(300, 451), (97, 131), (64, 33)])
def test_noise_equals_skimage_where_no_coefficient_is_zero(size: tuple[int, int]) -> None:
    image = noisy(ASTRONAUT[100 : 100 + size[0], : size[1]], 6)
    image = np.clip(image, 8, 247) + np.random.default_rng(2).integers(-8, 9, image.shape)
    expected = estimate_sigma(image.astype(np.float64), channel_axis=-1, average_sigmas=True)
    assert noise_sigma(image.astype(np.uint8)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("image", [CAT, CAT[:97, :131], ASTRONAUT])
def test_noise_is_the_median_diagonal_detail_of_pywavelets(image: np.ndarray) -> None:
    details = [pywt.dwt2(image[..., channel].astype(np.float64), "db2")[1][2] for channel in range(3)]
    expected = np.mean([np.median(np.abs(detail)) / norm.ppf(0.75) for detail in details])
    assert noise_sigma(image) == pytest.approx(expected, rel=1e-4)


def test_noise_finds_the_sigma_that_was_added() -> None:
    for sigma in (2, 5, 10, 20):
        assert noise_sigma(noisy(flat(128, 256), sigma)) == pytest.approx(sigma, rel=0.03)


def test_an_even_ramp_has_no_noise() -> None:
    ramp = np.repeat(np.add.outer(np.arange(64), np.arange(64))[..., None], 3, axis=2).astype(np.uint8)
    assert noise_sigma(ramp) == undefined("flat") or noise_sigma(ramp) == pytest.approx(0.0)


@pytest.mark.parametrize("reading", [blur, noise_sigma, blockiness, resolution_loss])
def test_a_flat_picture_has_no_reading(reading) -> None:
    assert reading(flat(128)) == undefined("flat")
    assert reading(flat(255)) == undefined("flat")


@pytest.mark.parametrize("reading", [blur, noise_sigma, blockiness, banding, resolution_loss])
def test_a_tiny_picture_has_no_reading(reading) -> None:
    assert reading(CAT[:31, :200]) == undefined("too_small")


def test_colourfulness_of_hand_worked_pictures() -> None:
    assert colourfulness(flat(77)) == pytest.approx(0.0, abs=1e-9)
    # Pure red: rg = 255, yb = 127.5 everywhere; no deviation, so .3 · √(255² + 127.5²).
    red = flat(0)
    red[..., 0] = 255
    assert colourfulness(red) == pytest.approx(0.3 * np.hypot(255, 127.5))
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    r, g, b = (image[..., c].astype(np.float64) for c in range(3))
    rg, yb = r - g, (r + g) / 2 - b
    expected = np.sqrt(rg.var() + yb.var()) + 0.3 * np.sqrt(rg.mean() ** 2 + yb.mean() ** 2)
    assert colourfulness(image) == pytest.approx(expected, rel=1e-6)


def test_colourfulness_falls_as_colour_is_taken_away() -> None:
    grey = np.repeat(cv2.cvtColor(ASTRONAUT, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    values = [colourfulness(cv2.addWeighted(ASTRONAUT, 1 - a, grey, a, 0)) for a in (0, 0.25, 0.5, 0.75, 1)]
    assert all(a > b for a, b in pairwise(values))
    assert values[-1] == pytest.approx(0.0, abs=1e-9)


def test_clipping_counts_pixels_whose_three_channels_are_clipped() -> None:
    image = flat(128, 40)
    image[:4] = 255
    image[4:6] = 0
    image[6:16, :, 0] = 255  # one channel alone is a saturated colour, not a blown highlight
    assert clipped_highlights(image) == pytest.approx(0.1)
    assert clipped_shadows(image) == pytest.approx(0.05)


def test_more_exposure_clips_more() -> None:
    brighter = [clipped_highlights(cv2.convertScaleAbs(CAT, alpha=gain)) for gain in (1, 1.5, 2, 3)]
    darker = [clipped_shadows(cv2.subtract(CAT, (level, level, level, 0))) for level in (0, 60, 120, 180)]
    assert all(a < b for a, b in pairwise(brighter))
    assert all(a < b for a, b in pairwise(darker))


def test_blur_rises_with_a_wider_gaussian() -> None:
    values = [blur(cv2.GaussianBlur(ASTRONAUT, (0, 0), sigma) if sigma else ASTRONAUT) for sigma in (0, 1, 2, 4)]
    assert all(a < b for a, b in pairwise(values))


@pytest.mark.parametrize("image", [ASTRONAUT, CAT])
def test_blockiness_rises_as_jpeg_quality_falls(image: np.ndarray) -> None:
    clean = enlarged_from(image, 1.5)  # washes out the grid of the file that the picture comes from
    values = [blockiness(clean), *(blockiness(jpeg(clean, quality)) for quality in (90, 70, 50, 30, 10))]
    assert all(a < b for a, b in pairwise(values))
    assert values[0] < 0.05
    assert values[-1] > 1


def test_blockiness_does_not_care_where_the_grid_begins() -> None:
    blocks = jpeg(enlarged_from(ASTRONAUT, 1.5), 30)
    assert blockiness(blocks[3:, 5:]) == pytest.approx(blockiness(blocks), rel=0.1)


def test_enlarging_by_two_is_not_taken_for_a_codec_grid() -> None:
    assert blockiness(enlarged_from(ASTRONAUT, 2)) < 0.05


def test_banding_counts_the_steps_of_a_posterised_ramp() -> None:
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    assert banding(ramp) == 0.0
    # 16 levels in 256 columns: 15 steps a row.
    assert banding(ramp // 16 * 16) == pytest.approx(15 / 256)
    assert banding((ramp // 16 * 16).transpose(1, 0, 2)) == pytest.approx(15 / 256)


def test_banding_rises_when_a_photograph_is_posterised() -> None:
    for levels in (8, 16):
        assert banding(ASTRONAUT // levels * levels) > 5 * banding(ASTRONAUT)


def test_banding_leaves_hard_edges_alone() -> None:
    squares = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((16, 16))) * 200
    assert banding(np.repeat(squares[..., None], 3, axis=2).astype(np.uint8)) == 0.0


@pytest.mark.parametrize("image", [ASTRONAUT, CAT])
def test_resolution_loss_rises_with_the_factor_of_enlarging(image: np.ndarray) -> None:
    factors = (1, 1.5, 2, 4, 8)
    values = [resolution_loss(enlarged_from(image, factor)) for factor in factors]
    assert all(a < b for a, b in pairwise(values))
    # Enlarging by k leaves at most 1/k of the range, up to the interpolation's leakage.
    assert all(value > 0.6 * (1 - 1 / factor) for value, factor in zip(values, factors, strict=True))


def test_white_noise_fills_the_spectrum() -> None:
    # The gradient energy of white noise within radius f grows as f⁴, so that f95 = .95^¼ of Nyquist's frequency.
    noise = np.repeat(noisy(flat(128, 256), 20)[..., :1], 3, axis=2)
    assert resolution_loss(noise) == pytest.approx(1 - 0.95**0.25, abs=5e-3)


def test_a_single_frequency_is_where_it_is() -> None:
    columns = 128 + 100 * np.sin(2 * np.pi * 0.125 * np.arange(256))
    wave = np.repeat(np.tile(columns, (256, 1))[..., None], 3, axis=2).round().astype(np.uint8)
    assert resolution_loss(wave) == pytest.approx(1 - 0.125 / 0.5, abs=0.02)


@pytest.mark.parametrize("mirror", [np.s_[:, ::-1], np.s_[::-1]])
def test_mirroring_changes_no_reading(mirror) -> None:
    straight, mirrored = read_quality(ASTRONAUT), read_quality(np.ascontiguousarray(ASTRONAUT[mirror]))
    for name in READINGS:
        tolerance = 0.02 if name == "noise_sigma" else 1e-3  # the wavelet grid is not symmetric
        assert getattr(mirrored, name) == pytest.approx(getattr(straight, name), rel=tolerance, abs=1e-3), name


def test_all_readings_are_what_each_function_returns() -> None:
    together = read_quality(CAT)
    functions = (blur, noise_sigma, blockiness, clipped_highlights, clipped_shadows, banding, colourfulness)
    for function in (*functions, resolution_loss):
        assert getattr(together, function.__name__) == function(CAT)


def test_an_unchanged_picture_has_a_delta_of_zero() -> None:
    readings = source_readings(CAT)
    for name in READINGS:
        assert reading_delta(readings, edited_readings(CAT, CAT), name) == 0.0


def test_deltas_have_the_sign_of_the_damage() -> None:
    before = source_readings(ASTRONAUT)
    damages = {"blur": cv2.GaussianBlur(ASTRONAUT, (0, 0), 2), "noise_sigma": noisy(ASTRONAUT, 10)}
    damages |= {"resolution_loss": enlarged_from(ASTRONAUT, 3), "banding": ASTRONAUT // 16 * 16}
    for name, damaged in damages.items():
        delta = reading_delta(before, edited_readings(damaged, damaged), name)
        assert isinstance(delta, float)
        assert delta > 0, name


def test_a_missing_reading_makes_the_delta_missing() -> None:
    delta = reading_delta(source_readings(CAT), edited_readings(flat(9), flat(9)), "blur")
    assert delta == undefined("flat")


def test_an_edit_without_a_place_on_the_sources_grid_is_read_on_its_own_with_a_caution() -> None:
    readings = edited_readings(ASTRONAUT, None)
    value = edited_reading(readings, "blur")
    assert isinstance(value, Noted)
    assert value.cautions == ("other_grid",)
    assert value.value == blur(ASTRONAUT)


def test_every_reading_has_its_two_columns_within_their_bounds() -> None:
    before, after = source_readings(CAT), edited_readings(jpeg(CAT, 20), jpeg(CAT, 20))
    for name in READINGS:
        edited, delta = get_metric(f"quality.{name}_edited"), get_metric(f"quality.{name}_delta")
        for spec, value in (
            (edited, edited.function(after)),
            (delta, delta.function(source_readings=before, edited_readings=after)),
        ):
            assert isinstance(value, float)
            lower, upper = spec.bounds
            assert (-np.inf if lower is None else lower) <= value
            assert value <= (np.inf if upper is None else upper)
        assert set(delta.needs) == {"source_readings", "edited_readings"}


class Brightness:
    """Stands in for a learned assessor: TOPIQ is the mean level, MUSIQ has no weights."""

    def assess(self, images: list[np.ndarray]) -> list[LearnedQuality]:
        return [LearnedQuality(None, float(image.mean() / 255)) for image in images]


def test_learned_quality_is_read_on_the_sources_grid_where_there_is_one() -> None:
    small = CAT[::2, ::2]
    before = source_iqa([CAT, CAT], Brightness())
    after = edited_iqa([small, flat(255)], Brightness(), [CAT, None])
    assert [topiq_delta(*pair) for pair in zip(before, after, strict=True)] == [0.0, 1.0 - before[1].topiq]
    assert topiq_edited(after[1]) == 1.0
    assert edited_iqa([CAT], Brightness()) == before[:1]


def test_a_network_without_weights_says_so() -> None:
    (found,) = source_iqa([CAT], Brightness())
    assert musiq_edited(found) == unavailable("no_weights")
    assert musiq_delta(found, found) == unavailable("no_weights")


def test_the_learned_backend_wants_a_file_and_reads_no_code(tmp_path) -> None:
    with pytest.raises(ConfigError, match="musiq"):
        PyiqaQuality.describe({"musiq": "", "topiq": ""})
    path = tmp_path / "musiq.pth"
    path.write_bytes(b"not a state dict")
    described = PyiqaQuality.describe({"musiq": str(path), "topiq": ""})
    assert described.name == "pyiqa/musiq"
    assert PyiqaQuality.weights({"musiq": str(path), "topiq": ""}) == (str(path),)
    torch = pytest.importorskip("torch")
    with pytest.raises(WeightsError, match="state dict"):
        _with_weights(torch.nn.Linear(2, 1), path)


def test_a_state_dict_is_loaded_from_either_format(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    trained = torch.nn.Linear(3, 1)
    save_file(trained.state_dict(), tmp_path / "a.safetensors")
    torch.save({"params": trained.state_dict()}, tmp_path / "b.pth")
    for name in ("a.safetensors", "b.pth"):
        loaded = _with_weights(torch.nn.Linear(3, 1), tmp_path / name)
        assert not loaded.training
        assert torch.equal(loaded.weight, trained.weight)


def test_the_networks_of_pyiqa_score_a_picture(tmp_path) -> None:
    pytest.importorskip("pyiqa", reason="extra 'iqa' is not installed")
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    paths = {"musiq": tmp_path / "musiq.pth", "topiq": tmp_path / "topiq.pth"}
    torch.save(_build_musiq().state_dict(), paths["musiq"])
    torch.save({"params": _build_topiq().state_dict()}, paths["topiq"])
    backend = PyiqaQuality(**{name: str(path) for name, path in paths.items()}, device="cpu")
    first, second = backend.assess([CAT[:96, :128], ASTRONAUT[:128, :96]])
    assert np.isfinite([first.musiq, first.topiq, second.musiq, second.topiq]).all()
    assert backend.assess([CAT[:96, :128]]) == [first]


class TwoPrompts:
    """Stands in for an encoder: knows the two antonyms and nothing else."""

    calls = 0

    def encode_texts(self, texts: tuple[str, ...]) -> np.ndarray:
        assert texts == ("Good photo.", "Bad photo.")
        self.calls += 1
        return np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)


def test_antonym_probability_is_the_softmax_of_scaled_cosines() -> None:
    antonyms = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    diagonal = np.array([1.0, 1.0], np.float32) / np.sqrt(2)
    assert antonym_probability(diagonal, antonyms) == pytest.approx(0.5)
    assert antonym_probability(antonyms[0], antonyms) == pytest.approx(1.0)
    assert antonym_probability(antonyms[1], antonyms) == pytest.approx(0.0)
    tilted = np.array([0.8, 0.6], np.float32)
    assert antonym_probability(tilted, antonyms, logit_scale=10) == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-5)


def test_clip_iqa_encodes_its_prompts_once_a_batch() -> None:
    backend = TwoPrompts()
    pictures = [np.array([0.8, 0.6], np.float32), np.array([0.6, 0.8], np.float32)]
    first, second = clip_iqa(pictures, backend)
    assert first == pytest.approx(1 - second)
    assert first > 0.5
    assert backend.calls == 1
    assert clip_iqa(pictures[:1], backend) == [first]
