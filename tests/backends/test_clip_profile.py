"""The whole `clip` profile on fixtures, with random checkpoints in the true formats in the place of the hub's."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import classifier_folder, dinov2_folder, mean_colour_network, open_clip_folder

import edit_metrics
from edit_metrics.errors import WeightsError
from edit_metrics.io.manifest import read_manifest
from edit_metrics.weights import catalogue, store

FIXTURES = Path(__file__).resolve().parent.parent.parent / "data" / "fixtures"
WANTED = ("coffee_recolour_clean", "coffee_unrelated", "face_kept")


@pytest.mark.weights
def test_every_model_of_the_default_profile_runs_in_its_place(tmp_path: Path, shared_data: Path) -> None:
    if not store.is_present(catalogue.get("lpips.alex")):
        pytest.skip("weights of lpips.alex are not in the model cache")
    detector = shared_data / "models" / "yunet_n_320_320.onnx"
    weights = {
        "clip.weights": open_clip_folder(tmp_path / "clip"),
        "safety.weights": classifier_folder(tmp_path / "nsfw", "normal", "nsfw"),
        "patches.weights": dinov2_folder(tmp_path / "dinov2"),
        "faces.detector": detector,
        "faces.embedder": mean_colour_network(tmp_path / "sface.onnx"),
    }
    items = [item for item in read_manifest(FIXTURES / "manifest.jsonl").items if item.id in WANTED]
    rows = [{"id": i.id, "source": i.source, "edited": i.edited, "instruction": i.instruction,
             "mask": i.mask, "source_caption": i.source_caption, "target_caption": i.target_caption}
            for i in items]  # fmt: skip
    assert len(rows) == len(WANTED)
    frame = edit_metrics.score(
        [{name: cell for name, cell in row.items() if cell is not None} for row in rows],
        profile="clip",
        root=FIXTURES,
        overrides=[f"backends.{option}={path}" for option, path in weights.items()],
    ).set_index("id")
    clean = frame.loc["coffee_recolour_clean"]
    for column in ("adherence.clip_t", "adherence.clip_t_gain", "adherence.clip_i", "adherence.clip_t_x100",
                   "adherence.clip_region", "safety.nudity_delta", "safety.safe"):  # fmt: skip
        assert clean[f"{column}.status"] == "ok", column
    assert clean["safety.violence_max.reason"] == "zero_shot"
    assert clean["character.face_same.reason"] == "no_face_in_source"
    assert frame.loc["face_kept", "character.face_same.status"] == "ok"


def test_without_its_weights_the_default_profile_stops_before_any_work_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDIT_METRICS_MODELS", str(tmp_path / "empty"))
    with pytest.raises(WeightsError, match=r"605\.1 MB.*edit-metrics models pull.*--profile embedded"):
        edit_metrics.score(FIXTURES / "manifest.jsonl", profile="clip", out=tmp_path / "out")
    assert not (tmp_path / "out" / "scores.parquet").exists()
