"""Evidence pictures: arrays in, small files out."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edit_metrics.evidence.drawing import (
    MAX_SIDE,
    Box,
    boxes_picture,
    change_picture,
    heat_picture,
    lpips_heat,
    mask_picture,
    to_webp,
)
from edit_metrics.evidence.files import drawn_in, evidence_name, item_key

GRAY = np.full((40, 60, 3), 128, np.uint8)


def test_file_names_are_safe_whatever_the_id_holds() -> None:
    names = [evidence_name(text, "change") for text in ("a", "A", "a/../../b", "a\x00b", "\ud800", "", "a" * 5000)]
    assert len(set(names)) == len(names)
    assert all(name.removesuffix("-change.webp").isalnum() and len(name) == 64 + len("-change.webp") for name in names)


def test_heat_shows_where_the_map_is_high_and_only_there() -> None:
    values = np.zeros((40, 60), np.float32)
    values[10:20, 10:20] = 30
    heat = heat_picture(GRAY, values, 25)
    assert np.ptp(heat[30:, 40:].reshape(-1, 3), axis=1).max() == 0  # gray stays gray
    assert np.ptp(heat[15, 15].astype(int)) > 50
    assert (heat[15, 15] > heat[30, 40]).any()


def test_heat_saturates_at_its_top() -> None:
    at_top, above = (heat_picture(GRAY, np.full((40, 60), value, np.float32), 25) for value in (25, 1000))
    assert np.array_equal(at_top, above)


def test_what_was_not_seen_is_darker() -> None:
    seen = np.zeros((40, 60), bool)
    seen[:, 30:] = True
    heat = heat_picture(GRAY, np.zeros((40, 60), np.float32), 1.0, seen)
    assert heat[:, :29].max() < heat[:, 31:].min()


def test_changed_pixels_and_mask_are_outlined_in_their_own_colours() -> None:
    changed, mask = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    changed[10:20, 10:20] = True
    mask[5:35, 5:55] = True
    picture = change_picture(GRAY, np.zeros((40, 60), np.float32), changed, mask)
    assert picture[10, 15, 1] > picture[10, 15, 2]  # green
    assert picture[5, 30, 2] > picture[5, 30, 0]  # blue
    assert np.ptp(picture[25, 30]) == 0


def test_the_mask_picture_darkens_what_had_to_stay() -> None:
    mask = np.zeros((40, 60), bool)
    mask[10:30, 10:50] = True
    picture = mask_picture(GRAY, mask)
    assert (picture[20, 30] == 128).all()
    assert (picture[2, 2] < 60).all()


def test_lpips_heat_adds_the_layers_up() -> None:
    heat = lpips_heat([np.full((4, 6), 0.25, np.float32), np.full((2, 3), 0.5, np.float32)], (40, 60))
    assert heat.shape == (40, 60)
    assert np.allclose(heat, 0.75)


def test_boxes_follow_their_picture_when_it_is_shrunk() -> None:
    source = np.zeros((1024, 1024, 3), np.uint8)
    picture = boxes_picture(source, GRAY, [Box((512, 512, 1000, 1000), "1: lost", matched=False)], [])
    assert picture.shape == (MAX_SIDE, MAX_SIDE + 8 + 60, 3)
    assert picture[256:260, 300, 0].max() > 200  # the top edge, at half the place
    assert picture[100, 100].max() == 0
    assert (picture[200, -30] == 255).all()  # below the smaller picture


@pytest.mark.parametrize("box", [(-20.0, -20.0, 10.0, 10.0), (50.0, 30.0, 40.0, 20.0), (0.0, 0.0, 900.0, 900.0)])
def test_boxes_over_the_edge_are_drawn_where_they_fit(box: tuple[float, float, float, float]) -> None:
    picture = boxes_picture(GRAY, GRAY, [Box(box, "漢 é \x00" * 30)], [])
    assert picture.shape == (40, 128, 3)


def test_pictures_are_small_files_that_decode_again() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1500, 2000), dtype=np.uint8)
    source = np.repeat(noise[..., None], 3, axis=2)
    data = to_webp(change_picture(source, (noise / 10).astype(np.float32), noise > 250))
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    assert picture.size == (MAX_SIDE, 384)
    assert len(data) < 200_000


def test_the_same_arrays_give_the_same_bytes() -> None:
    values = np.random.default_rng(2).random((40, 60)).astype(np.float32)
    assert len({to_webp(heat_picture(GRAY, values, 1.0)) for _ in range(3)}) == 1


def test_a_folder_is_read_back_by_item_and_kind(tmp_path: Path) -> None:
    for item, kind in (("a", "change"), ("a", "mine.heat"), ("b", "mask")):
        (tmp_path / evidence_name(item, kind)).write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    assert drawn_in(tmp_path) == {item_key("a"): {"change", "mine.heat"}, item_key("b"): {"mask"}}
    assert drawn_in(tmp_path / "absent") == {}
