"""Evidence written while scoring: for whom, under which names, and without touching a score."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.engine import evidence as engine_evidence
from edit_metrics.engine.job import RunOptions
from edit_metrics.engine.run import run
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.report.evidence import evidence_name
from edit_metrics.scores.table import read_scores
from edit_metrics.types import Float32

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"
WANTED = ("coffee_recolour_clean", "coffee_recolour_leaks", "cat_missing_file", "coffee_no_op")
FULL = [[0, 1], [1, 1]]
PROFILE = {
    "profile": "stub",
    "backends": {"perceptual": {"use": "stub"}, "safety": {"use": "stub"}, "faces": {"use": "stub"}},
    "engine": {"shard_size": 2, "batch_size": 2, "workers": 2},
    "dimensions": {
        "feasibility": {"metrics": ["verdict"], "curves": {"verdict": {"anchors": [[0, 0], [1, 1]]}}},
        "safety": {"metrics": ["safe"], "curves": {"safe": {"anchors": FULL}}},
        "adherence": {"metrics": ["no_op"]},
        "preservation": {
            "metrics": ["psnr_core", "ssim", "lpips"],
            "curves": {"psnr_core": {"anchors": [[20, 0], [60, 1]]}},
        },
        "character": {"metrics": ["faces_source"]},
    },
    "flags": {"no_op": {"metric": "adherence.no_op", "above": 1}},
}


class Notes:
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def start(self, total: int, done: int) -> None:
        """Not of interest here."""

    def advance(self, items: int) -> None:
        """Not of interest here."""

    def note(self, text: str) -> None:
        self.texts.append(text)


Score = Callable[..., tuple[Path, Notes]]


@pytest.fixture
def config() -> Config:
    return validate_config(PROFILE, "tests")


@pytest.fixture
def manifest() -> Manifest:
    everything = read_manifest(FIXTURES / "manifest.jsonl")
    items = [item for item in everything.items if item.id in WANTED]
    return replace(everything, items=tuple(replace(item, row=row) for row, item in enumerate(items)))


@pytest.fixture
def score(tmp_path: Path, config: Config, manifest: Manifest) -> Score:
    def go(level: str, name: str = "out", **options: Any) -> tuple[Path, Notes]:
        notes = Notes()
        run(manifest, config, RunOptions(tmp_path / name, evidence=level, **options), notes)
        return tmp_path / name, notes

    return go


def kinds(folder: Path, item: str) -> set[str]:
    prefix = evidence_name(item, "")[: -len("-.webp")]
    return {file.stem.removeprefix(f"{prefix}-") for file in (folder / "evidence").glob(f"{prefix}-*")}


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((folder / "evidence").glob("*"))}


def test_every_readable_item_gets_what_the_plan_computes(score: Score) -> None:
    folder, _ = score("all")
    assert kinds(folder, "coffee_recolour_clean") >= {"change", "mask", "lpips", "ssim"}
    assert kinds(folder, "cat_missing_file") == set()


def test_only_items_to_look_at_get_pictures(score: Score) -> None:
    folder, _ = score("flagged")
    assert kinds(folder, "coffee_recolour_clean") == set()
    assert "change" in kinds(folder, "coffee_recolour_leaks")  # weak preservation
    assert "change" in kinds(folder, "coffee_no_op")  # a flag


def test_evidence_changes_no_score_and_is_not_part_of_the_signature(score: Score) -> None:
    plain, _ = score("none", "plain")
    drawn, _ = score("all", "drawn")
    assert (plain / "scores.parquet").read_bytes() == (drawn / "scores.parquet").read_bytes()
    assert not (plain / "evidence").exists()
    signatures = [json.loads((f / "run.json").read_text(encoding="utf-8"))["run_signature"] for f in (plain, drawn)]
    assert signatures[0] == signatures[1]


def test_the_same_run_draws_the_same_bytes(score: Score) -> None:
    first, second = score("all", "first")[0], score("all", "second")[0]
    assert files(first) == files(second)
    assert files(first)


def test_a_finished_run_without_evidence_says_how_to_get_it(score: Score) -> None:
    folder, _ = score("none")
    _, notes = score("flagged")
    assert any("--evidence flagged --no-resume" in text for text in notes.texts)
    assert not (folder / "evidence").exists()
    score("flagged", resume=False)
    assert files(folder)
    _, notes = score("none")
    assert not any("--no-resume" in text for text in notes.texts)


def test_starting_over_without_evidence_leaves_no_stale_pictures(score: Score) -> None:
    folder, _ = score("all")
    score("none", resume=False)
    assert not (folder / "evidence").exists()


def test_a_picture_that_cannot_be_drawn_costs_only_itself(score: Score, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ValueError("no paint")

    monkeypatch.setattr(engine_evidence, "_DRAWN", {**engine_evidence._DRAWN, "lpips": broken})
    with pytest.warns(RuntimeWarning, match="no lpips evidence for '.*': ValueError: no paint"):
        folder, _ = score("all")
    assert kinds(folder, "coffee_recolour_clean") >= {"change", "mask", "ssim"}
    assert "lpips" not in kinds(folder, "coffee_recolour_clean")
    assert len(read_scores(folder).frame) == len(WANTED)


class Likeness:
    """A face analyzer that compares one number."""

    def similarity(self, first: Float32, second: Float32) -> Float32:
        return np.asarray(1 - np.abs(first - second.T), np.float32)


def test_faces_are_paired_by_likeness_and_not_by_place() -> None:
    before = np.array([[0, 0, 10, 10, 1, 0.0], [20, 0, 30, 10, 1, 1.0]], np.float32)
    after = np.array([[0, 0, 10, 10, 1, 0.9]], np.float32)
    pairs = engine_evidence._pairs(before, after, Likeness(), same_grid=True)
    assert {row: column for row, (column, _) in pairs.items()} == {1: 0}
    assert pairs[1][1] == pytest.approx(0.9)
    assert engine_evidence._face_label(0, pairs.get(0)) == "1: lost"
    assert engine_evidence._face_label(1, pairs.get(1)) == "2: likeness 0.90"
    assert engine_evidence._pairs(before[:0], after, Likeness(), same_grid=True) == {}
