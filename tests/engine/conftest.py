"""A small manifest and a stub profile: the engine is tested without weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run
from edit_metrics.io.manifest import Manifest, read_manifest

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"

ONE_OF_EACH_KIND = frozenset(
    {
        "coffee_recolour_clean", "coffee_recolour_reencoded", "coffee_no_op", "coffee_no_op_reencoded",
        "coffee_larger", "coffee_other_shape", "coffee_full_mask", "coffee_empty_mask", "rocket_flipped",
        "cat_alpha_mask", "cat_unreadable", "cat_missing_file", "face_kept",
    }
)  # fmt: skip

STUB_PROFILE = {
    "profile": "stub",
    "backends": {"perceptual": {"use": "stub"}, "safety": {"use": "stub"}, "conse": {"use": "stub"}},
    "engine": {"shard_size": 4, "batch_size": 2, "workers": 2},
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


def read_fixtures(folder: Path) -> Manifest:
    """13 items, of every kind that the engine treats in its own way: four shards."""
    manifest = read_manifest(folder / "manifest.jsonl")
    return replace(manifest, items=tuple(item for item in manifest.items if item.id in ONE_OF_EACH_KIND))


@pytest.fixture
def stub_config() -> Config:
    return validate_config(STUB_PROFILE, "tests")


@pytest.fixture
def fixtures_manifest() -> Manifest:
    return read_fixtures(FIXTURES)


@pytest.fixture
def fixtures_in() -> Callable[[Path], Manifest]:
    """The same of a copy of the fixtures."""
    return read_fixtures


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the stub profile over the fixtures, to be read or copied."""
    out = tmp_path_factory.mktemp("undisturbed") / "run"
    run(read_fixtures(FIXTURES), validate_config(STUB_PROFILE, "tests"), RunOptions(out=out), Silent())
    return out
