"""CIELAB and CIEDE2000 against scikit-image, and the published test pairs of CIEDE2000."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from edit_metrics.pixels.lab import delta_e_2000, rgb_to_lab, shift_lab

# Sharma, Wu, Dalal 2005, table 1: Lab 1, Lab 2, ΔE00.
SHARMA = [
    (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
    (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0000),
    (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792),
    (50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065),
    (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
]


@pytest.mark.parametrize("row", SHARMA)
def test_ciede2000_gives_the_published_pairs(row: tuple[float, ...]) -> None:
    first, second = np.array([row[:3]], np.float32), np.array([row[3:6]], np.float32)
    assert delta_e_2000(first, second)[0] == pytest.approx(row[6], abs=2e-3)
    assert delta_e_2000(second, first)[0] == pytest.approx(row[6], abs=2e-3)


def test_lab_and_near_differences_equal_scikit_images(rng: np.random.Generator) -> None:
    first = rng.integers(0, 256, (150, 200, 3), dtype=np.uint8)
    second = np.clip(first.astype(int) + rng.integers(-25, 26, first.shape), 0, 255).astype(np.uint8)
    assert np.abs(rgb_to_lab(first) - rgb2lab(first)).max() < 2e-3
    expected = deltaE_ciede2000(rgb2lab(first), rgb2lab(second))
    assert np.abs(delta_e_2000(rgb_to_lab(first), rgb_to_lab(second)) - expected).max() < 0.01


def test_equal_colours_differ_by_nothing_and_greys_by_lightness_only() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    lab = rgb_to_lab(ramp)
    assert not delta_e_2000(lab, lab).any()
    assert np.abs(lab[..., 1:]).max() < 0.01


def test_a_whole_pixel_shift_moves_lab_exactly(rng: np.random.Generator) -> None:
    lab = rng.random((20, 30, 3), dtype=np.float32)
    assert np.array_equal(shift_lab(lab, 2, -1)[5:, :-5], lab[4:-1, 2:-3])
