"""YuNet on real faces, and a stand-in for SFace in its true format: a network whose embedding is the chip's colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import mean_colour_network

from edit_metrics.backends.yunet_sface import YunetSface
from edit_metrics.types import RGB


@pytest.fixture
def analyzer(shared_data: Path, tmp_path: Path) -> YunetSface:
    detector = shared_data / "models" / "yunet_n_320_320.onnx"
    if not detector.is_file():
        pytest.skip("YuNet is not among the shared data")
    return YunetSface(detector=str(detector), embedder=str(mean_colour_network(tmp_path / "sface.onnx")))


def read(path: Path) -> RGB:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def test_a_portrait_has_one_face_where_the_face_is(analyzer: YunetSface, shared_data: Path) -> None:
    image = read(shared_data / "faces/face_recognition/obama-720p.jpg")
    ((face,),) = analyzer.find_faces([image])
    left, top, right, bottom = face.box
    assert left < 660 < right
    assert top < 190 < bottom
    assert 0.7 <= face.detection_score <= 1.0


def test_every_labelled_picture_shows_its_face_and_largest_comes_first(analyzer: YunetSface, shared_data: Path) -> None:
    pictures = [read(path) for path in sorted((shared_data / "faces/face_recognition").glob("*.jpg"))]
    for found in analyzer.find_faces(pictures):
        areas = [(face.box[2] - face.box[0]) * (face.box[3] - face.box[1]) for face in found]
        assert areas
        assert areas == sorted(areas, reverse=True)


def test_a_large_picture_is_searched_small_and_its_boxes_are_in_its_own_pixels(
    analyzer: YunetSface, shared_data: Path
) -> None:
    image = read(shared_data / "faces/face_recognition/obama-720p.jpg")
    doubled = image.repeat(2, axis=0).repeat(2, axis=1)
    ((small,), (large,)) = analyzer.find_faces([image, doubled])
    np.testing.assert_allclose(np.array(large.box) / 2, small.box, atol=4)


def test_a_face_that_reaches_over_the_frame_is_embedded(analyzer: YunetSface, shared_data: Path) -> None:
    ((face,),) = analyzer.find_faces([read(shared_data / "faces/face_recognition/obama_partial_face.jpg")])
    assert face.box[0] < 0
    assert np.isfinite(face.embedding).all()


def test_the_chip_is_cut_from_the_face(analyzer: YunetSface, shared_data: Path) -> None:
    image = read(shared_data / "faces/face_recognition/obama-720p.jpg")
    tinted = image.copy()
    tinted[60:320, 540:780, 2] = 0
    ((plain,), (without_blue,)) = analyzer.find_faces([image, tinted])
    assert without_blue.embedding.min() < 0.2 * plain.embedding.min()


def test_gates_leave_out_small_faces_and_a_wall_has_none(analyzer: YunetSface, shared_data: Path) -> None:
    assert analyzer.find_faces([np.full((200, 300, 3), 128, np.uint8)]) == [()]
    image = read(shared_data / "faces/face_recognition/obama-240p.jpg")
    analyzer._min_side = 500.0
    assert analyzer.find_faces([image]) == [()]


def test_similarity_is_half_at_the_published_cosine_and_linear_on_both_sides(analyzer: YunetSface) -> None:
    cosines = np.array([-1.0, (0.363 - 1) / 2, 0.363, (1 + 0.363) / 2, 1.0])
    others = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)
    similarity = analyzer.similarity(np.array([[2.0, 0.0]], np.float32), others)
    np.testing.assert_allclose(similarity, [[0.0, 0.25, 0.5, 0.75, 1.0]], atol=1e-6)


def test_the_fingerprint_names_both_files(analyzer: YunetSface) -> None:
    assert set(analyzer.fingerprint.weights) == {"detector", "embedder"}
    assert all(len(digest) == 64 for digest in analyzer.fingerprint.weights.values())
