"""The search by a coarse pass finds what dlib's own search finds; the detector's file is read and written."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edit_metrics.errors import WeightsError
from edit_metrics.types import RGB

pytest.importorskip("dlib")

from edit_metrics.backends.dlib_search import FaceSearch
from edit_metrics.backends.dlib_state import DetectorState


@pytest.fixture(scope="module")
def state() -> bytes:
    return FaceSearch.state_of_dlib()


@pytest.fixture(scope="module")
def search(state: bytes) -> FaceSearch:
    return FaceSearch(state)


def portrait(side: int, top: int = 0, left: int = 0) -> RGB:
    """Skimage's astronaut; cut at the top and at the left, so that the face reaches over the frame."""
    import skimage.data

    picture = cv2.resize(skimage.data.astronaut(), (side, side), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(picture[top:, left:])


@pytest.mark.parametrize(
    "picture",
    [
        *[portrait(side) for side in (512, 401, 300, 222, 190)],
        np.ascontiguousarray(portrait(512)[:, ::-1]),
        portrait(512, top=70, left=170),
        np.concatenate([portrait(400), portrait(400)[:, ::-1]], axis=1),
    ],
    ids=["512", "401", "300", "222", "190", "mirrored", "over the frame", "two people"],
)
def test_it_finds_what_dlib_finds(search: FaceSearch, picture: RGB) -> None:
    expected = search.everywhere(picture, 1, 0.0)
    found = search.doubled(picture, 0.0)
    assert [box for box, _ in found] == [box for box, _ in expected]
    np.testing.assert_allclose([score for _, score in found], [score for _, score in expected], atol=1e-5)
    assert expected


def test_a_threshold_counts_from_dlibs_own(search: FaceSearch) -> None:
    picture = portrait(512)
    (best, *_) = search.everywhere(picture, 1, 0.0)
    assert search.doubled(picture, best[1] + 0.01) == []
    assert [box for box, _ in search.doubled(picture, best[1] - 0.01)] == [best[0]]


@pytest.mark.parametrize("size", [(1, 1), (40, 300), (64, 64), (700, 65)])
def test_a_picture_of_any_size_without_a_face_has_none(search: FaceSearch, size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    assert search.doubled(noise, 0.0) == search.everywhere(noise, 1, 0.0) == []


def test_a_detector_is_written_as_it_was_read(search: FaceSearch, state: bytes) -> None:
    import dlib

    known = DetectorState.read(state)
    again = dlib.fhog_object_detector.__new__(dlib.fhog_object_detector)
    again.__setstate__((known.written(levels=1000, suppress=True, keep=310),))
    boxes, scores, _ = again.run(portrait(300), 0, 0.0)
    expected = search.everywhere(portrait(300), 0, 0.0)
    assert [(box.left(), box.top(), box.right(), box.bottom()) for box in boxes] == [box for box, _ in expected]
    np.testing.assert_allclose(scores, [score for _, score in expected], atol=1e-5)


def test_another_detector_is_refused(state: bytes) -> None:
    with pytest.raises(WeightsError, match="frontal face detector"):
        DetectorState.read(state[:9] + b"\x04" + state[10:])
