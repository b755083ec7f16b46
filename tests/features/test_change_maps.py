"""The change map of what had to stay, beside that of the whole frame."""

from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.features.alignment import SteadiedLabs, change_map, source_change_reference, whole_change_map
from edit_metrics.features.pixels import Compared
from edit_metrics.pixels.lab import LabPair, rgb_to_lab
from edit_metrics.types import RGB


@pytest.fixture
def pair(rng: np.random.Generator) -> tuple[RGB, RGB]:
    source = rng.integers(90, 130, (120, 140, 3), dtype=np.uint8)
    edited = source.copy()
    edited[30:80, 40:90] = (200, 40, 40)
    return source, edited


@pytest.mark.parametrize("dx", [0, 2])
def test_a_mask_that_keeps_everything_has_the_whole_frames_map(pair: tuple[RGB, RGB], dx: int) -> None:
    labs = LabPair(*(rgb_to_lab(picture) for picture in pair))
    steadied, reference = SteadiedLabs(labs, dx, 0), source_change_reference(labs)
    whole = whole_change_map(steadied, reference)
    almost = np.ones(whole.changed.shape, np.bool_)
    almost[0, 0] = False
    everything = change_map(steadied, reference, Compared(pair[1], np.ones_like(almost)), whole)
    computed = change_map(steadied, reference, Compared(pair[1], almost), whole)
    assert everything is whole
    assert whole.changed[35:75, 45:85].all()
    assert computed is not whole
    assert np.array_equal(computed.changed, whole.changed)
