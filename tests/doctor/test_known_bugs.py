"""Each bug that published code has shipped is planted in our pipeline; the doctor must name it and exit 1.

Stub backends and tiny random networks in the true formats; ``test_doctor_weights.py`` does the same to real models.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import open_clip
import pytest
from conftest_doctor import Doctor, failed
from tiny_models import dinov2_folder, open_clip_folder

from edit_metrics import registry
from edit_metrics.backends.base import PerceptualPair
from edit_metrics.backends.dino import DinoPatches
from edit_metrics.backends.open_clip import OpenClipEncoder
from edit_metrics.backends.stub import StubPerceptual
from edit_metrics.engine.inputs import DecodedItem
from edit_metrics.metrics import character, preservation, ssim
from edit_metrics.registry import get_metric
from edit_metrics.types import RGB, Mask, Measurement, Missing

STUBS = {role: {"use": "stub"} for role in ("perceptual", "faces", "conse")}
PSNR = {"dimensions": {"preservation": {"metrics": ["psnr", "psnr_core"]}}}
MAE = {"dimensions": {"preservation": {"metrics": ["mae", "mse"]}}}
SSIM = {"dimensions": {"preservation": {"metrics": ["ssim"]}}}
LPIPS = {"backends": STUBS, "dimensions": {"preservation": {"metrics": ["lpips"]}}}
FACES = {
    "backends": STUBS,
    "dimensions": {"character": {"metrics": ["face_similarity_min", "face_same", "faces_source", "faces_edited"]}},
}
TEXTS = {"backends": STUBS, "dimensions": {"adherence": {"metrics": ["conse_t", "conse_instruction_gain"]}}}
CHECKS = {"dimensions": {"adherence": {"metrics": ["check_text", "check_tone", "check_geometry", "check_colour"]}}}


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A CLIP and a DINOv2 of a few thousand random weights, as a profile."""
    clip = open_clip_folder(tmp_path_factory.mktemp("clip"))
    dino = dinov2_folder(tmp_path_factory.mktemp("dino"))
    return {
        "backends": {
            "clip": {"use": "open_clip", "weights": str(clip)},
            "patches": {"use": "dino", "weights": str(dino), "size": 56},
        },
        "dimensions": {
            "adherence": {"metrics": ["clip_i", "clip_t"]},
            "structure": {"metrics": ["structure_distance"]},
        },
    }


def test_without_a_bug_nothing_fails(doctor: Doctor) -> None:
    merged: dict[str, dict[str, list[str]]] = {}
    for profile in (PSNR, MAE, SSIM, LPIPS, FACES, TEXTS, CHECKS):
        for dimension, section in profile["dimensions"].items():
            merged.setdefault(dimension, {"metrics": []})["metrics"] += section["metrics"]
    code, checks = doctor({"backends": STUBS, "dimensions": merged})
    assert (code, failed(checks)) == (0, set())


def test_without_a_bug_networks_see_normalised_pictures(networks: dict[str, Any], doctor: Doctor) -> None:
    code, checks = doctor(networks)
    assert (code, failed(checks)) == (0, set())
    for name in (
        "uint8_times_255_wraps",
        "signed_range_fed_to_an_encoder",
        "structure_distance_fed_0_to_255",
        "cached_by_pair_id_only",
    ):
        assert checks[name]["state"] == "pass", checks[name]


def test_a_photographic_negative_that_reaches_the_encoder_is_named(
    networks: dict[str, Any], doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = OpenClipEncoder.encode_images
    monkeypatch.setattr(
        OpenClipEncoder, "encode_images", lambda self, images: encode(self, [i * np.uint8(255) for i in images])
    )
    code, checks = doctor(networks)
    assert code == 1
    assert "uint8_times_255_wraps" in failed(checks)


def test_signed_pictures_fed_to_an_encoder_are_named(
    networks: dict[str, Any], doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    transform_for = open_clip.transform.image_transform_v2

    def signed(*arguments: Any, **options: Any) -> Callable[[Any], Any]:
        transform = transform_for(*arguments, **options)
        return lambda image: 2 * transform(image) - 1  # ((2x − 1) − ½) / ½ for x in [0, 1]

    monkeypatch.setattr(open_clip.transform, "image_transform_v2", signed)
    code, checks = doctor(networks)
    assert code == 1
    assert failed(checks) == {"signed_range_fed_to_an_encoder"}


def test_channels_in_the_wrong_order_are_named(
    networks: dict[str, Any], doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = OpenClipEncoder.encode_images
    swapped = lambda self, images: encode(self, [np.ascontiguousarray(i[..., ::-1]) for i in images])  # noqa: E731
    monkeypatch.setattr(OpenClipEncoder, "encode_images", swapped)
    code, checks = doctor(networks)
    assert (code, failed(checks)) == (1, {"signed_range_fed_to_an_encoder"})


def test_a_structure_distance_fed_0_to_255_is_named(
    networks: dict[str, Any], doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = DinoPatches._preprocessed
    deviation = np.array([0.229, 0.224, 0.225], np.float32)[:, None, None]
    mean = np.array([0.485, 0.456, 0.406], np.float32)[:, None, None]

    def bytes_in(self: DinoPatches, image: RGB) -> Any:
        return ((prepare(self, image) * deviation + mean) * 255 - mean) / deviation

    monkeypatch.setattr(DinoPatches, "_preprocessed", bytes_in)
    code, checks = doctor(networks)
    assert code == 1
    assert "structure_distance_fed_0_to_255" in failed(checks)


def test_a_fill_of_255_averaged_over_the_whole_frame_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def filled(source: RGB, edited: RGB, kept: Mask) -> float:
        pictures = [np.where(kept[..., None], picture / 255, 255.0) for picture in (source, edited)]
        return float(np.abs(pictures[0] - pictures[1]).mean())

    bugged = replace(get_metric("preservation.mae"), function=filled)
    monkeypatch.setitem(registry._METRICS, "preservation.mae", bugged)
    code, checks = doctor(MAE)
    assert code == 1
    assert "filled_with_255_and_averaged_over_the_frame" in failed(checks)


def test_no_face_scored_as_a_wrong_face_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(character, "FACE_LOST", 0.0)
    code, checks = doctor(FACES)
    assert (code, failed(checks)) == (1, {"no_face_scored_as_a_wrong_face"})


def test_a_nan_that_becomes_a_number_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    of = Measurement.of.__func__  # type: ignore[attr-defined]

    def guessed(cls: type[Measurement], result: Any, cautions: Any = ()) -> Measurement:
        return cls(-1e8) if isinstance(result, float) and not np.isfinite(result) else of(cls, result, cautions)

    monkeypatch.setattr(Measurement, "of", classmethod(guessed))
    code, checks = doctor(PSNR)
    assert (code, failed(checks)) == (1, {"nan_turned_into_a_number"})


def test_a_cache_keyed_by_the_pairs_id_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DecodedItem, "content_hash", lambda self, inputs: self.item.id)
    code, checks = doctor(TEXTS)
    assert (code, failed(checks)) == (1, {"cached_by_pair_id_only"})
    assert "another prompt" in checks["cached_by_pair_id_only"]["detail"]


def test_another_border_crop_of_ssim_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    def uncropped(values: Any, area: Mask) -> float:
        return float(values[area].mean())

    monkeypatch.setattr(ssim, "_mean_over", uncropped)
    code, checks = doctor(SSIM)
    assert (code, failed(checks) & {"ssim_border_crop_changed"}) == (1, {"ssim_border_crop_changed"})


def test_lpips_at_64_px_is_named(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = StubPerceptual.compare

    def small(images: Sequence[RGB]) -> list[RGB]:
        return [np.asarray(cv2.resize(i, (64, 64), interpolation=cv2.INTER_AREA), np.uint8) for i in images]

    def shrunk(
        self: StubPerceptual, sources: Any, edited: Any, kept: Any, *, gram: bool = True
    ) -> list[PerceptualPair]:
        return compare(self, small(sources), small(edited), [None] * len(kept))

    monkeypatch.setattr(StubPerceptual, "compare", shrunk)
    code, checks = doctor(LPIPS)
    assert code == 1
    assert "lpips_at_64_px" in failed(checks)


@pytest.mark.parametrize("factor", ["share of the frame", "channels"])
def test_a_published_normalisation_of_psnr_is_named(
    factor: str, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = preservation.masked_mse

    def biased(source: RGB, edited: RGB, kept: Mask) -> float | Missing:
        mse = honest(source, edited, kept)
        scale = float(kept.mean()) if factor == "share of the frame" else 3.0
        return mse if isinstance(mse, Missing) else mse * scale

    monkeypatch.setattr(preservation, "masked_mse", biased)
    code, checks = doctor(PSNR)
    assert code == 1
    assert "pie_and_brushnet_normalisation" in failed(checks)
