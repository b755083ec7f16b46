"""Pictures that show nothing."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from resolving import Resolver
from skimage import data

from edit_metrics.metrics.blank import is_blank
from edit_metrics.types import RGB


def plain(colour: tuple[int, int, int], noise: float = 0.0, quality: int | None = None) -> RGB:
    rng = np.random.default_rng(0)
    picture = np.clip(np.array(colour) + rng.normal(0, noise, (300, 400, 3)), 0, 255).astype(np.uint8)
    if quality is None:
        return picture
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 60, 200), (10, 10, 10)])
@pytest.mark.parametrize(("noise", "quality"), [(0, None), (8, None), (8, 60)])
def test_one_colour_is_blank_with_noise_and_after_a_codec_too(
    colour: tuple[int, int, int], noise: float, quality: int | None
) -> None:
    assert is_blank(plain(colour, noise, quality))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_real_pictures_are_not_blank_however_dark(name: str) -> None:
    picture = getattr(data, name)()
    assert not is_blank(picture)
    assert not is_blank((picture * 0.2).astype(np.uint8))


def test_one_thing_before_a_plain_wall_is_a_picture() -> None:
    wall = plain((200, 200, 200))
    wall[100:150, 200:260] = (30, 30, 30)
    assert not is_blank(wall)


def test_the_flag_is_raised_for_a_blank_edit_of_a_picture_alone() -> None:
    source, black = np.ascontiguousarray(data.astronaut()), plain((0, 0, 0))
    assert Resolver(source, black).measure("quality.blank_edited").value == 1
    assert Resolver(source, black).measure("adherence.blank_edited").value == 1
    assert Resolver(black, black).measure("quality.blank_edited").value == 0
    assert Resolver(source, source).measure("quality.blank_edited").value == 0
