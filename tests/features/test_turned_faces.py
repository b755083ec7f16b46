"""Small, turned and zoomed faces of a real portrait, with dlib's real weights."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edit_metrics.backends.dlib_faces import DlibFaces
from edit_metrics.features import faces
from edit_metrics.instruction.instruction import understand
from edit_metrics.io.images import decode_image
from edit_metrics.types import RGB

pytestmark = pytest.mark.weights
FACE: int = 130
"""px, the side of dlib's box in a quarter of NASA's portrait at 512 px; only the scale of what follows."""


@pytest.fixture(scope="module")
def analyzer() -> DlibFaces:
    return DlibFaces()


@pytest.fixture(scope="module")
def portrait(shared_data: Path) -> RGB:
    picture = decode_image(str(shared_data / "faces" / "nasa" / "astronaut_eileen_collins.png")).pixels
    return picture if picture.shape[0] <= 512 else np.asarray(cv2.resize(picture, (512, 512)))


def with_face_of(portrait: RGB, analyzer: DlibFaces, side: int) -> RGB:
    """The portrait so small that its face has that side, in the middle of a plain frame of 512 px."""
    (largest, *_) = analyzer.find_faces([portrait])[0]
    scale = side / (largest.box[2] - largest.box[0])
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    frame = np.full((512, 512, 3), 128, np.uint8)
    small = small[:512, :512]
    top, left = (512 - small.shape[0]) // 2, (512 - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def matched(source: RGB, edited: RGB, analyzer: DlibFaces, instruction: str = "") -> faces.FacePairs:
    known = faces.source_faces([source], analyzer)
    same_grid = edited if edited.shape == source.shape else None
    found = faces.edited_faces([edited], analyzer, [same_grid], known)
    read = understand(instruction)
    return faces.face_matches(
        known[0], found[0], faces.identity_edit(read), analyzer, same_grid, None, faces.head_turn(read), sure_score=0.5
    )


@pytest.mark.parametrize("side", [60, 45, 30])
@pytest.mark.parametrize(
    ("turn", "instruction"),
    [(0, "make it warmer"), (1, "rotate the picture by 90 degrees"), (2, "turn the picture upside down")],
)
def test_small_and_turned_faces_are_found_and_are_the_same(
    portrait: RGB, analyzer: DlibFaces, side: int, turn: int, instruction: str
) -> None:
    source = with_face_of(portrait, analyzer, side)
    found = matched(source, np.ascontiguousarray(np.rot90(source, turn)), analyzer, instruction)
    assert (found.known, found.lost) == (1, 0)
    assert found.similarities[0] >= 0.5


def test_zooming_out_loses_nobody(portrait: RGB, analyzer: DlibFaces) -> None:
    source, far = (with_face_of(portrait, analyzer, side) for side in (90, 40))
    found = matched(source, far, analyzer, "zoom out")
    assert (found.known, found.lost) == (1, 0)


def test_a_face_that_is_painted_over_is_lost_and_was_not_where_it_should_go(portrait: RGB, analyzer: DlibFaces) -> None:
    gone = np.full_like(portrait, 128)
    assert matched(portrait, gone, analyzer, "make it warmer").lost >= 1
    for instruction in ("remove the astronaut", "get rid of the woman indoors"):
        assert matched(portrait, gone, analyzer, instruction).known == 0


def test_boxes_of_a_turned_picture_lie_on_the_picture(portrait: RGB, analyzer: DlibFaces) -> None:
    upright = faces.pack_faces(analyzer.find_faces([portrait])[0])
    turned = np.ascontiguousarray(np.rot90(portrait, 1))
    (found,) = faces.edited_faces([turned], analyzer, None, [upright])
    left, top, right, bottom = upright[0, :4]
    height, width = portrait.shape[:2]
    expected = (top, width - right, bottom, width - left)
    np.testing.assert_allclose(found[0, :4], expected, atol=12)
    assert height == portrait.shape[0]
