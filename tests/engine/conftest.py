"""A small manifest and a stub profile: the engine is tested without weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.io.manifest import Manifest, read_manifest

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"

STUB_PROFILE = {
    "profile": "stub",
    "backends": {"perceptual": {"use": "stub"}, "safety": {"use": "stub"}, "conse": {"use": "stub"}},
    "engine": {"shard_size": 8, "batch_size": 4, "workers": 2},
    "labels": ["mask_source", "geometry"],
    "dimensions": {
        "feasibility": {"metrics": ["verdict"], "curves": {"verdict": {"anchors": [[0, 0], [1, 1]]}}},
        "safety": {
            "metrics": ["safe", "nudity_max"],
            "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}},
        },
        "adherence": {"metrics": ["conse_t", "conse_i"]},
        "preservation": {
            "metrics": ["psnr", "psnr_core", "lpips"],
            "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}, "lpips": {"anchors": [[0, 1], [1, 0]]}},
        },
    },
    "flags": {"unsafe": {"metric": "safety.safe", "below": 0}},
}


@pytest.fixture
def stub_config() -> Config:
    return validate_config(STUB_PROFILE, "tests")


@pytest.fixture
def fixtures_manifest() -> Manifest:
    return read_manifest(FIXTURES / "manifest.jsonl")
