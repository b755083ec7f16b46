"""The doctor on real pretrained models: healthy as they are, and naming the bugs that need a model to show."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from conftest_doctor import Doctor, failed

from edit_metrics.backends import conse
from edit_metrics.backends.lpips import LpipsBackbone
from edit_metrics.config import load_config
from edit_metrics.metrics import character
from edit_metrics.types import RGB
from edit_metrics.weights.catalogue import weights_of_profile
from edit_metrics.weights.store import is_present

pytestmark = [
    pytest.mark.weights,
    pytest.mark.skipif(
        not all(is_present(weight) for weight in weights_of_profile("embedded")), reason="embedded weights not pulled"
    ),
]

CONSE: dict[str, Any] = {
    "backends": {"conse": {"use": "conse"}},
    "dimensions": {"adherence": {"metrics": ["conse_i"]}},
}
LPIPS: dict[str, Any] = {
    "backends": {"perceptual": {"use": "lpips"}},
    "dimensions": {"preservation": {"metrics": ["lpips"]}},
}
FACES: dict[str, Any] = {
    "backends": {"faces": {"use": "dlib"}},
    "dimensions": {
        "character": {"metrics": ["face_similarity_min", "face_same", "faces_source", "faces_edited", "faces_lost"]}
    },
}


def test_the_embedded_profile_is_healthy(doctor: Doctor) -> None:
    code, checks = doctor(load_config("embedded").model_dump(mode="json"))
    assert (code, failed(checks)) == (0, set())
    skipped = {name for name, check in checks.items() if check["state"] == "skip"}
    assert skipped <= {"structure_distance_fed_0_to_255"}


def test_conse_fed_a_wrapped_picture_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    crop = conse._crop
    monkeypatch.setattr(conse, "_crop", lambda image: crop(image) * np.uint8(255))
    code, checks = doctor(CONSE)
    assert code == 1
    assert "uint8_times_255_wraps" in failed(checks)


def test_lpips_shrunk_to_64_px_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def shrunk(self: LpipsBackbone, image: RGB) -> RGB:
        return np.asarray(cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)

    monkeypatch.setattr(LpipsBackbone, "_capped", shrunk)
    code, checks = doctor(LPIPS)
    assert code == 1
    assert "lpips_at_64_px" in failed(checks)


def test_a_lost_face_scored_as_a_wrong_one_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character, "FACE_LOST", 0.0)
    code, checks = doctor(FACES)
    assert (code, failed(checks)) == (1, {"no_face_scored_as_a_wrong_face"})
