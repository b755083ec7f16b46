from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.evidence.pictures import checked, region
from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.looked_at import looked_at
from edit_metrics.types import Mask


def spot(top: int) -> Mask:
    area = np.zeros((60, 60), np.bool_)
    area[top : top + 20, 10:30] = True
    return area


CHANGED, GIVEN = spot(10), spot(20)


@pytest.mark.parametrize(
    "text", ["make the cup red", "make the cup a darker red", "add a bird", "make the cup brighter"]
)
def test_without_a_mask_it_is_what_changed(text: str) -> None:
    found = looked_at(understand(text), CHANGED)
    assert found is not None
    assert (found == CHANGED).all()


def test_with_a_mask_it_is_what_the_check_read() -> None:
    colour, tone = (looked_at(understand(text), CHANGED, GIVEN) for text in ("make the cup red", "make it brighter"))
    assert colour is not None
    assert tone is not None
    assert (colour == (CHANGED & GIVEN)).all()
    assert (tone == GIVEN).all()


@pytest.mark.parametrize(
    "text",
    ["make it brighter", "flip the photo", 'make the word "EXIT" red', "frobnicate it", "turn the dog into a cat"],
)
def test_without_a_place_there_is_nothing_to_show(text: str) -> None:
    assert looked_at(understand(text), CHANGED) is None


def test_what_is_everywhere_or_nowhere_is_not_shown() -> None:
    assert looked_at(understand("make the cup red"), np.ones((60, 60), np.bool_)) is None
    assert looked_at(understand("make the cup red"), CHANGED & False) is None


def test_the_picture_is_dark_beside_the_region_on_both_sides() -> None:
    grey = np.full((60, 60, 3), 200, np.uint8)
    picture = checked(grey, grey, understand("make the cup red"), CHANGED)
    assert picture is not None
    left, right = picture[:60, :60], picture[:60, -60:]
    for side in (left, right):
        assert side[20, 20].min() == 200
        assert side[50, 50].max() < 100
    assert checked(grey, grey, understand("flip it"), CHANGED) is None


def test_the_viewers_picture_is_the_edited_one_dark_beside_the_region() -> None:
    edited = np.full((60, 60, 3), 200, np.uint8)
    picture = region(edited, understand("make the cup red"), CHANGED)
    assert picture is not None
    assert picture.shape == edited.shape
    assert picture[20, 20].min() == 200
    assert picture[50, 50].max() < 100
    assert region(edited, understand("flip it"), CHANGED) is None
