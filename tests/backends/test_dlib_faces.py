"""dlib on real faces: the labelled pairs, boxes over the frame, gates, and the mapped similarity."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from edit_metrics.backends.base import FaceAnalyzer
from edit_metrics.backends.dlib_faces import DlibFaces
from edit_metrics.backends.dlib_resnet import DlibResNet
from edit_metrics.errors import WeightsError
from edit_metrics.features import faces
from edit_metrics.metrics import character
from edit_metrics.types import RGB
from edit_metrics.weights import catalogue, store

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def analyzer() -> FaceAnalyzer:
    for name in ("dlib.landmarks5", "dlib.face_resnet"):
        if not store.is_present(catalogue.get(name)):
            pytest.skip(f"weights of {name} are not in the model cache")
    return DlibFaces()


def read(path: Path) -> RGB:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def test_all_twelve_labelled_pairs_are_decided_right(analyzer: FaceAnalyzer, shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "face_pairs.jsonl").read_text().splitlines()]
    paths = sorted({row[side] for row in rows for side in "ab"})
    found = dict(zip(paths, faces.source_faces([read(shared_data / p) for p in paths], analyzer), strict=True))
    decided = [
        character.face_same(faces.face_matches(found[row["a"]], found[row["b"]], False, analyzer)) for row in rows
    ]
    assert decided == [float(row["same_person"]) for row in rows]


def test_a_face_that_reaches_over_the_frame_is_found_and_embedded(analyzer: FaceAnalyzer, shared_data: Path) -> None:
    image = read(shared_data / "faces/face_recognition/obama_partial_face.jpg")
    ((face, *_),) = analyzer.find_faces([image])
    assert face.box[0] < 0
    assert np.isfinite(face.embedding).all()


def test_a_blurred_face_drifts_away_and_the_same_picture_is_exactly_the_same(
    analyzer: FaceAnalyzer, shared_data: Path
) -> None:
    import cv2

    image = read(shared_data / "faces/face_recognition/obama-720p.jpg")
    pictures = [image, image.copy(), *(cv2.GaussianBlur(image, (0, 0), sigma) for sigma in (4, 12))]
    embeddings = np.stack([found[0].embedding for found in analyzer.find_faces(pictures)])
    same, blurred, more = analyzer.similarity(embeddings[:1], embeddings[1:])[0]
    assert same == 1.0
    assert 1.0 > blurred > more


def test_gates_leave_out_small_and_faint_faces_and_an_empty_wall_has_none(
    analyzer: FaceAnalyzer, shared_data: Path
) -> None:
    image = read(shared_data / "faces/face_recognition/obama-240p.jpg")
    assert len(analyzer.find_faces([image])[0]) == 1
    assert DlibFaces(min_side=100).find_faces([image]) == [()]
    assert DlibFaces(min_score=5.0).find_faces([image]) == [()]
    assert analyzer.find_faces([np.full((200, 300, 3), 128, np.uint8)]) == [()]


@pytest.fixture
def own_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
def test_pictures_in_one_batch_do_not_change_each_other(
    analyzer: FaceAnalyzer, shared_data: Path, own_threads: None, threads: int
) -> None:
    torch.set_num_threads(threads)
    folder = shared_data / "faces/face_recognition"
    pictures = [read(folder / name) for name in ("obama-240p.jpg", "biden2.jpg")]
    together = analyzer.find_faces(pictures)
    alone = [analyzer.find_faces([picture])[0] for picture in pictures]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one[0].embedding, other[0].embedding)


def test_similarity_is_half_at_the_threshold_and_clipped_at_both_ends(analyzer: FaceAnalyzer) -> None:
    origin = np.zeros((1, 128), dtype=np.float32)
    others = np.zeros((4, 128), dtype=np.float32)
    others[:, 0] = [0.0, 0.6, 1.2, 3.0]
    np.testing.assert_allclose(analyzer.similarity(origin, others), [[1.0, 0.5, 0.0, 0.0]], atol=1e-6)


def test_embeddings_are_those_of_dlib_itself(analyzer: FaceAnalyzer, shared_data: Path) -> None:
    dlib = pytest.importorskip("dlib")
    image = read(shared_data / "faces/face_recognition/obama-240p.jpg")
    landmarks = dlib.shape_predictor(str(store.locate("dlib.landmarks5")))
    reference = dlib.face_recognition_model_v1(str(store.locate("dlib.face_resnet")))
    (box,) = dlib.get_frontal_face_detector()(image, 0)
    expected = np.array(reference.compute_face_descriptor(image, landmarks(image, box)))
    ((face,),) = analyzer.find_faces([image])
    np.testing.assert_allclose(face.embedding, expected, atol=1e-5)


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.dat"
    path.write_bytes(b"\x01\x01\x05con_4\x01\x02\x01\x02\x01\x01\x01\x01\x01\x01" + bytes(8))
    with pytest.raises(WeightsError, match="dlib_face_recognition_resnet_model_v1"):
        DlibResNet(path)


def test_a_large_picture_is_searched_at_the_cap_and_its_faces_are_described_from_its_own_pixels(
    analyzer: FaceAnalyzer, shared_data: Path
) -> None:
    picture = read(shared_data / "faces/face_recognition/obama-720p.jpg")
    large = np.ascontiguousarray(np.kron(picture, np.ones((2, 2, 1), np.uint8)))
    capped = DlibFaces(max_side=picture.shape[1])
    ((found, *_),), ((own, *_),) = capped.find_faces([large]), analyzer.find_faces([picture])
    np.testing.assert_allclose(found.box, 2 * np.array(own.box), atol=1)
    assert found.detection_score == own.detection_score
    likeness = capped.similarity(found.embedding[None], own.embedding[None])
    assert likeness > 0.8  # .5 is the threshold, unrelated people are under it
    (unchanged,) = capped.find_faces([picture])
    assert (unchanged[0].embedding == own.embedding).all()
    assert capped.fingerprint != analyzer.fingerprint
