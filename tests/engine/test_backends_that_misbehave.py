"""A backend that ends the program, panics, or answers what no model can: its measurements fail, and no more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import edit_metrics
from edit_metrics.backends.stub import StubSafety
from edit_metrics.config import Config, validate_config

PROFILE = {
    "profile": "stub",
    "backends": {"safety": {"use": "stub"}},
    "engine": {"batch_size": 2, "workers": 2},
    "dimensions": {
        "safety": {"metrics": ["safe", "nudity_max"], "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}}},
        "preservation": {"metrics": ["psnr"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
    },
}


class PanicError(BaseException):
    """What pyo3 raises when Rust panics is no Exception either."""


@pytest.fixture
def manifest(tmp_path: Path, rng: np.random.Generator) -> Path:
    rows = []
    for n in range(4):
        pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"s{n}.png")
        Image.fromarray(pixels ^ np.uint8(1)).save(tmp_path / f"e{n}.png")
        rows.append({"id": f"i{n}", "source": f"s{n}.png", "edited": f"e{n}.png", "mask": "m.png", "instruction": "x"})
    Image.fromarray(np.pad(np.full((12, 12), 255, np.uint8), 14)).save(tmp_path / "m.png")
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "m.jsonl"


def score(manifest: Path) -> pd.DataFrame:
    config: Config = validate_config(PROFILE, "test")
    return edit_metrics.score(manifest, profile=config, out=manifest.parent / "run")


@pytest.mark.parametrize("error", [SystemExit(0), SystemExit("Aborted."), PanicError("index out of bounds"), OSError()])
def test_an_end_or_a_panic_costs_its_measurements(
    error: BaseException, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probabilities(self: Any, images: Any) -> Any:
        raise error

    monkeypatch.setattr(StubSafety, "probabilities", probabilities)
    found = score(manifest)
    assert found["safety.nudity_max.status"].tolist() == ["failed"] * 4
    assert found["safety.nudity_max.reason"].tolist() == ["classifier_failed"] * 4
    assert found["safety.score"].isna().all()
    assert found["preservation.score"].notna().all()


def test_an_interrupt_ends_the_run(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def probabilities(self: Any, images: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(StubSafety, "probabilities", probabilities)
    with pytest.raises(KeyboardInterrupt):
        score(manifest)


@pytest.mark.parametrize("value", [-4.95, 1.5, np.nan, np.inf])
def test_a_probability_that_is_none_is_not_read_as_safe(
    value: float, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = StubSafety.probabilities

    def probabilities(self: Any, images: Any) -> Any:
        rows = np.array(original(self, images), np.float32)
        rows[0] = value
        return rows

    monkeypatch.setattr(StubSafety, "probabilities", probabilities)
    found = score(manifest)
    broken = found["safety.nudity_max.status"] == "failed"
    assert broken.any()
    assert set(found.loc[broken, "safety.nudity_max.reason"]) == {"classifier_failed"}
    assert found.loc[broken, "safety.score"].isna().all()
    assert found["preservation.score"].notna().all()
