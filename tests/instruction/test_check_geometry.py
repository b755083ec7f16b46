from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from asking import noted
from skimage import data

from edit_metrics.instruction.check_geometry import Pose, check_geometry, find_pose, fit_of_pose
from edit_metrics.instruction.edits import TurnFrame
from edit_metrics.instruction.instruction import understand
from edit_metrics.types import RGB, Missing, Status

Edit = Callable[[RGB], RGB]


@pytest.fixture(scope="module")
def source() -> RGB:
    return np.ascontiguousarray(data.astronaut()[:300, 60:460])


def zoomed(image: RGB) -> RGB:
    height, width = image.shape[:2]
    middle = image[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
    return np.asarray(cv2.resize(middle, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def shrunk(image: RGB) -> RGB:
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    edge_y, edge_x = image.shape[0] // 4, image.shape[1] // 4
    return np.asarray(cv2.copyMakeBorder(small, edge_y, edge_y, edge_x, edge_x, cv2.BORDER_REPLICATE), np.uint8)


def frame(text: str) -> TurnFrame:
    edit = understand(text).edit
    assert isinstance(edit, TurnFrame)
    return edit


EDITS: dict[str, Edit] = {
    "flip the image horizontally": lambda image: image[:, ::-1],
    "flip the image vertically": lambda image: image[::-1],
    "rotate the image 90 degrees clockwise": lambda image: np.rot90(image, -1),
    "rotate the image 90 degrees counterclockwise": lambda image: np.rot90(image, 1),
    "rotate the image by 180 degrees": lambda image: np.rot90(image, 2),
    "zoom in": zoomed,
    "zoom out": shrunk,
}


@pytest.mark.parametrize("done", EDITS)
def test_each_operation_is_recognised_and_told_from_all_others(done: str, source: RGB) -> None:
    pose = find_pose(source, np.ascontiguousarray(EDITS[done](source)))
    assert isinstance(pose, Pose)
    for asked in EDITS:
        assert fit_of_pose(frame(asked), pose) == float(asked == done), (asked, pose)


def test_a_turn_without_a_way_may_go_either_way(source: RGB) -> None:
    for turns in (1, -1):
        edited = np.ascontiguousarray(np.rot90(source, turns))
        verdict = noted(check_geometry(understand("rotate the image by 90 degrees"), source, edited))
        assert verdict.value == 1.0


def test_upside_down_is_a_half_turn_or_a_flip(source: RGB) -> None:
    for edited in (np.rot90(source, 2), source[::-1]):
        verdict = noted(check_geometry(understand("turn the image upside down"), source, np.ascontiguousarray(edited)))
        assert verdict.value == 1.0


def test_a_crop_is_found_by_the_share_of_the_frame_that_is_left(source: RGB) -> None:
    pose = find_pose(source, np.ascontiguousarray(source[30:240, 40:320]))
    assert isinstance(pose, Pose)
    assert pose.share == pytest.approx(210 * 280 / (300 * 400), abs=0.02)
    assert (pose.mirrored, round(pose.angle)) == (False, 0)


def test_an_unchanged_picture_satisfies_nothing(source: RGB) -> None:
    verdict = noted(check_geometry(understand("flip the image"), source, source))
    assert verdict.value == 0.0
    pose = find_pose(source, source)
    assert isinstance(pose, Pose)
    assert [fit_of_pose(frame(asked), pose) for asked in EDITS] == [0.0] * len(EDITS)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("remove the man", "edit_type_is_remove"),
        ("move the cup to the left", "object_geometry"),
        ("flip the pancake", "object_geometry"),
        ('rotate the word "EXIT" by 90 degrees', "edit_type_is_text"),
        ("rotate the image", "no_angle"),
    ],
)
def test_what_it_cannot_judge_is_not_applicable(source: RGB, text: str, reason: str) -> None:
    answer = check_geometry(understand(text), source, source)
    assert isinstance(answer, Missing)
    assert (answer.status, answer.reason) == (Status.NOT_APPLICABLE, reason)


def test_flat_symmetric_and_unrelated_pictures_are_undefined(source: RGB) -> None:
    flat = np.full_like(source, 90)
    symmetric = np.concatenate([source, source[:, ::-1]], axis=1)
    other = np.ascontiguousarray(data.coffee()[:300, :400])
    reasons = [find_pose(*pair) for pair in ((flat, flat), (symmetric, symmetric), (source, other))]
    assert [r.reason for r in reasons if isinstance(r, Missing)] == [
        "no_registration",
        "symmetric_picture",
        "no_registration",
    ]
