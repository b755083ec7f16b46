"""The displacement map: what moved is seen where it moved, by as much; what was replaced, or stood, is not."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from edit_metrics.evidence.arrows import displacement_picture, has_moved
from edit_metrics.evidence.pictures import displacement
from edit_metrics.metrics.reframing import Frame
from edit_metrics.pixels.displacement import Displacement, find_displacement
from edit_metrics.types import RGB, Float32, Missing


def coffee() -> RGB:
    return np.ascontiguousarray(data.coffee())  # 400×600


def bulge(shape: tuple[int, ...], centre: tuple[int, int], push: float) -> Float32:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return np.asarray(push * np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / (2 * 50**2)), np.float32)


def warped(picture: RGB, dx: Float32 | float, dy: Float32 | float = 0.0) -> RGB:
    height, width = picture.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = np.asarray(x - dx, np.float32), np.asarray(y - dy, np.float32)
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), np.uint8)


def found(source: RGB, edited: RGB, **options: object) -> Displacement:
    one = find_displacement(source, edited, **options)  # type: ignore[arg-type]
    assert isinstance(one, Displacement)
    return one


def test_a_local_warp_is_seen_where_it_is_and_by_as_much() -> None:
    source = coffee()
    dy = bulge(source.shape, (420, 240), 7.0)
    one = found(source, warped(source, 0.0, dy))
    assert has_moved(one)
    true = cv2.resize(dy, one.seen.shape[::-1], interpolation=cv2.INTER_AREA)
    off = np.hypot(one.field[..., 0], one.field[..., 1] + one.shift[1] - true)[one.seen]
    assert np.median(off) < 0.2
    assert np.quantile(off, 0.9) < 0.6  # S's px
    assert one.length[one.seen & (true > 4)].mean() == pytest.approx(true[one.seen & (true > 4)].mean(), rel=0.15)
    assert one.seen.mean() > 0.5


def test_a_picture_saved_again_has_not_moved() -> None:
    source = coffee()
    _, code = cv2.imencode(".jpg", source, [cv2.IMWRITE_JPEG_QUALITY, 70])
    again = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    assert not has_moved(found(source, again))
    assert displacement(source, again) is None


def test_a_shift_of_the_whole_is_taken_off_and_said() -> None:
    source = coffee()
    one = found(source, warped(source, 9.0, -4.0))
    assert one.shift == pytest.approx((9, -4), abs=0.3)
    assert not has_moved(one)


def test_what_was_replaced_did_not_move() -> None:
    source = coffee()
    edited = source.copy()
    edited[100:300, 200:420] = data.astronaut()[100:300, 100:320]
    one = found(source, edited)
    y, x = (int(1.0 * place / one.scale) for place in (200, 310))
    assert one.seen[y - 40 : y + 40, x - 40 : x + 40].mean() < 0.1
    assert not has_moved(one)


def test_of_two_pictures_of_different_things_nothing_is_said() -> None:
    other = cv2.resize(np.ascontiguousarray(data.astronaut()), (600, 400))
    one = find_displacement(coffee(), np.asarray(other, np.uint8))
    assert isinstance(one, Missing)
    assert one.reason == "nothing_correlates"
    assert displacement(coffee(), np.asarray(other, np.uint8)) is None


def test_inside_the_mask_nothing_is_looked_at() -> None:
    source = coffee()
    edited = warped(source, 0.0, bulge(source.shape, (420, 240), 7.0))
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[60:400, 260:580] = True
    assert displacement(source, edited) is not None
    assert displacement(source, edited, mask=mask) is None


def test_another_frame_has_a_picture_of_its_own() -> None:
    source = coffee()
    edited = warped(source, 0.0, bulge(source.shape, (420, 240), 7.0))
    frame = Frame(1.1, 1.1, 0.0, 0.0, (600, 400), (600, 400), 0.9, 50)
    assert displacement(source, edited, frame) is None


def test_large_pictures_are_told_in_their_own_pixels() -> None:
    source = np.asarray(cv2.resize(coffee(), (1500, 1000), interpolation=cv2.INTER_CUBIC), np.uint8)
    one = found(source, warped(source, 20.0))
    assert one.scale == pytest.approx(1500 / 512, abs=0.01)
    assert one.shift[0] == pytest.approx(20, abs=0.6)


def test_the_picture_has_a_legend_below_and_arrows_that_point_to_where_things_are() -> None:
    source = np.full((300, 300, 3), 60, np.uint8)
    field = np.zeros((300, 300, 2), np.float32)
    field[100:200, 100:200, 0] = 12.0
    seen = np.ones((300, 300), np.bool_)
    seen[:, 250:] = False
    picture = displacement_picture(source, source, Displacement(field, seen, (0.0, 0.0), 1.0))
    assert picture.shape[1] == 608
    assert picture.shape[0] > 300
    assert picture[150, 280].mean() < picture[50, 50].mean()  # not seen: darker
    white = np.argwhere((picture[:300, :300] > 250).all(axis=2))
    assert white.size
    rows, columns = white.T
    assert rows.min() > 90
    assert columns.max() > 200  # the last arrows lead over the area's right border,
    assert columns.min() > 100  # none over its left
