"""Style: kept where it must stay, moved where it was asked to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import pytest
from scipy.stats import wasserstein_distance
from skimage import data

from edit_metrics.backends.base import PerceptualPair
from edit_metrics.backends.stub import StubEncoder, StubPerceptual
from edit_metrics.features.style import cover, kept_embedding, reference_gram_distances, style_embedding
from edit_metrics.metrics.style import (
    _half_sphere,
    clip_i_kept,
    colour_emd,
    gram_distance,
    reference_gram_distance,
    sliced_emd,
    style_prompt_gain,
)
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import Missing, Noted, Result, not_applicable, unavailable, undefined

CAT = data.chelsea()
KEPT = np.ones(CAT.shape[:2], bool)
KEPT[60:220, 100:300] = False
FULL = np.ones(CAT.shape[:2], bool)


@dataclass(frozen=True, slots=True)
class Parsed:
    edit_type: str
    new_object: str | None = None


@dataclass(frozen=True, slots=True)
class Labs:
    source: np.ndarray
    edited: np.ndarray


def labs(source: np.ndarray, edited: np.ndarray) -> Labs:
    return Labs(rgb_to_lab(source), rgb_to_lab(edited))


def value(result: Result) -> float:
    assert not isinstance(result, Missing)
    return result.value if isinstance(result, Noted) else result


def test_sliced_emd_is_the_mean_of_scipys_distances(rng: np.random.Generator) -> None:
    first = rng.normal(size=(400, 3)).astype(np.float32)
    second = (rng.normal(size=(400, 3)) * [1, 2, 0.5] + [0.3, 0, -1]).astype(np.float32)
    expected = np.mean([wasserstein_distance(first @ axis, second @ axis) for axis in _half_sphere(32)])
    assert sliced_emd(first, second) == pytest.approx(2 * expected, abs=1e-3)


def test_the_directions_are_unit_vectors_spread_evenly() -> None:
    axes = _half_sphere(32)
    assert np.linalg.norm(axes, axis=1) == pytest.approx(np.ones(32))
    assert axes.T @ axes / 32 == pytest.approx(np.eye(3) / 3, abs=0.02)


@pytest.mark.parametrize("shift", [(10, 0, 0), (0, -7, 0), (3, 4, 12), (-5, 5, 5)])
def test_a_uniform_shift_reads_its_own_length(shift: tuple[int, int, int], rng: np.random.Generator) -> None:
    colours = rng.normal(0, 20, (2000, 3)).astype(np.float32)
    assert sliced_emd(colours, colours + np.float32(shift)) == pytest.approx(np.linalg.norm(shift), rel=0.04)


def test_the_distance_is_symmetric_and_blind_to_order(rng: np.random.Generator) -> None:
    first, second = (rng.normal(size=(500, 3)).astype(np.float32) for _ in range(2))
    assert sliced_emd(first, second) == pytest.approx(sliced_emd(second, first))
    assert sliced_emd(first, rng.permutation(first)) == pytest.approx(0.0, abs=1e-6)


def test_the_same_colours_have_no_distance() -> None:
    assert value(colour_emd(labs(CAT, CAT), KEPT)) == 0.0


def test_colours_inside_the_mask_do_not_matter(rng: np.random.Generator) -> None:
    edited = cv2.convertScaleAbs(CAT, alpha=0.9)
    other = edited.copy()
    other[~KEPT] = rng.integers(0, 256, (np.count_nonzero(~KEPT), 3), dtype=np.uint8)
    assert value(colour_emd(labs(CAT, other), KEPT)) == value(colour_emd(labs(CAT, edited), KEPT))


def test_colour_emd_grows_with_a_tint_and_with_lost_colour() -> None:
    tints = [cv2.add(CAT, (step, 0, 0, 0)) for step in (0, 10, 20, 40)]
    grey = np.repeat(cv2.cvtColor(CAT, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    faded = [cv2.addWeighted(CAT, 1 - share, grey, share, 0) for share in (0, 0.3, 0.6, 1)]
    for series in (tints, faded):
        values = [value(colour_emd(labs(CAT, edited), KEPT)) for edited in series]
        assert all(a < b for a, b in pairwise(values)), values


def test_reading_fewer_pixels_gives_nearly_the_same() -> None:
    pair = labs(CAT, cv2.convertScaleAbs(CAT, alpha=0.8))
    every = value(colour_emd(pair, KEPT, max_pixels=10**9))
    assert value(colour_emd(pair, KEPT)) == pytest.approx(every, rel=0.02)


@pytest.mark.parametrize("kind", ["style", "tone", "background", "recolour"])
def test_without_a_mask_colours_are_not_asked_to_stay_where_the_edit_changes_them(kind: str) -> None:
    found = colour_emd(labs(CAT, CAT), parsed_instruction=Parsed(kind))
    assert found == not_applicable("edit_changes_colours")
    assert value(colour_emd(labs(CAT, CAT), KEPT, Parsed(kind))) == 0.0


def test_without_a_mask_the_whole_frame_is_read_with_a_caution() -> None:
    found = colour_emd(labs(CAT, CAT), parsed_instruction=Parsed("remove"))
    assert found == Noted(0.0, ("whole_frame",))


PAIR = PerceptualPair((), (0.1, 0.2, 0.6))


def test_gram_distance_is_the_mean_over_layers() -> None:
    assert value(gram_distance(PAIR, KEPT)) == pytest.approx(0.3)
    assert gram_distance(PAIR, parsed_instruction=Parsed("add")).cautions == ("whole_frame",)


@pytest.mark.parametrize("measure", [lambda **k: gram_distance(PAIR, **k), lambda **k: colour_emd(labs(CAT, CAT), **k)])
def test_keeping_is_not_asked_for_where_nothing_is_kept(measure) -> None:
    assert measure(mask=FULL) == not_applicable("full_mask")
    almost = FULL.copy()
    almost[0, 0] = False
    assert measure(mask=almost) == undefined("kept_area_too_small")
    assert measure() == not_applicable("edit_type_unknown")


@pytest.mark.parametrize("kind", ["style", "tone", "background"])
def test_without_a_mask_texture_is_not_asked_to_stay_where_the_edit_changes_it(kind: str) -> None:
    assert gram_distance(PAIR, parsed_instruction=Parsed(kind)) == not_applicable("edit_changes_style")


def unit(*numbers: float) -> np.ndarray:
    vector = np.array(numbers, np.float32)
    return vector / np.linalg.norm(vector)


def test_the_gain_is_the_difference_of_two_cosines() -> None:
    found = style_prompt_gain(unit(1, 0), unit(3, 4), unit(0, 1))
    assert value(found) == pytest.approx(0.8)
    assert value(style_prompt_gain(unit(3, 4), unit(1, 0), unit(0, 1))) == pytest.approx(-0.8)
    assert value(style_prompt_gain(unit(1, 2), unit(1, 2), unit(0, 1))) == 0.0


def test_a_gain_below_the_encoders_noise_says_so() -> None:
    assert style_prompt_gain(unit(1, 0), unit(1, 0.01), unit(0, 1), 0.1).cautions == ("encoder_blind",)
    assert isinstance(style_prompt_gain(unit(1, 0), unit(1, 1), unit(0, 1), 0.1), float)


def test_clip_i_of_what_must_stay_ignores_the_inside_of_the_mask() -> None:
    encoder = StubEncoder()
    edited = CAT.copy()
    edited[~KEPT] = 0
    filled = np.where(KEPT[..., None], edited, CAT)
    before, after = encoder.encode_images([CAT])[0], kept_embedding([filled], encoder)[0]
    assert clip_i_kept(before, after) == pytest.approx(1.0)


class Listening(StubEncoder):
    """Keeps the texts that it was asked to encode."""

    def __init__(self) -> None:
        self.heard: list[list[str]] = []

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        self.heard.append(list(texts))
        return super().encode_texts(texts)


def test_only_style_edits_with_a_named_style_are_encoded_in_one_batch() -> None:
    encoder = Listening()
    items = [Parsed("add", "a hat"), Parsed("style", "van gogh"), Parsed("style"), Parsed("style", "a woodcut")]
    first, second, third, fourth = style_embedding(items, encoder)
    assert first == not_applicable("not_a_style_edit")
    assert third == unavailable("no_style_named")
    prompts = ["a picture in the style of van gogh", "a picture in the style of a woodcut"]
    assert encoder.heard == [prompts]
    assert np.array_equal([second, fourth], StubEncoder().encode_texts(prompts))


def test_no_style_edit_means_no_call() -> None:
    encoder = Listening()
    assert style_embedding([Parsed("add")], encoder) == [not_applicable("not_a_style_edit")]
    assert encoder.heard == []


def test_references_are_compared_with_the_edit_at_its_own_size() -> None:
    small, large = cv2.resize(CAT, (100, 70)), cv2.resize(CAT, (900, 800))
    distances, none = reference_gram_distances(
        [CAT, CAT],
        [(small, large, 255 - CAT), (CAT,)],
        StubPerceptual(),
        [Parsed("style"), Parsed("add")],
    )
    assert none == not_applicable("not_a_style_edit")
    assert len(distances) == 3
    assert max(distances[:2]) < 0.1 < distances[2]
    assert reference_gram_distance(distances) == pytest.approx(np.mean(distances))
    assert reference_gram_distances([CAT], [(CAT,)], StubPerceptual()) == [(0.0,)]


@pytest.mark.parametrize("size", [(100, 100), (900, 200), (451, 300), (37, 600)])
def test_cover_fills_the_frame_and_keeps_the_aspect(size: tuple[int, int]) -> None:
    covered = cover(CAT, *size)
    assert covered.shape == (size[1], size[0], 3)
    if size == (451, 300):
        assert np.array_equal(covered, CAT)
    assert np.abs(covered.mean() - CAT.mean()) < 25
