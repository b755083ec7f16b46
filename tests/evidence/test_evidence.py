"""Evidence written while scoring: for whom, under which names, and without touching a score."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edit_metrics.backends.base import TextLine
from edit_metrics.config import Config, validate_config
from edit_metrics.engine.job import RunOptions
from edit_metrics.engine.run import run
from edit_metrics.evidence import pictures, registry
from edit_metrics.evidence.drawing import marks_record
from edit_metrics.evidence.files import evidence_name
from edit_metrics.evidence.registry import all_evidence
from edit_metrics.evidence.writer import is_worth_a_look
from edit_metrics.features.faces import face_matches
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.scores.table import read_scores
from edit_metrics.types import (
    DIMENSIONS,
    EditItem,
    Float32,
    ItemScores,
    Measurement,
    Overall,
    PreScore,
    Status,
    failed,
    undefined,
)

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


PSNR = "preservation.psnr_core"


def scored(psnr_core: Measurement) -> ScoredItem:
    """An item that nothing is to be said of."""
    sure = {name: PreScore(0.9, 1.0, Status.OK) for name in DIMENSIONS}
    sure |= {name: PreScore(1.0, 1.0, Status.OK) for name in ("feasibility", "safety")}
    item = EditItem("a", "s.png", "e.png", row=0)
    return ScoredItem(item, "g", None, None, {PSNR: psnr_core}, {}, ItemScores(sure, Overall(0.9, 0.9), ()))


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
    def broken(**_: Any) -> None:
        raise ValueError("no paint")

    monkeypatch.setitem(registry._EVIDENCE, "lpips", replace(all_evidence()["lpips"], function=broken))
    with pytest.warns(RuntimeWarning, match="no lpips evidence for '.*': ValueError: no paint"):
        folder, _ = score("all")
    assert kinds(folder, "coffee_recolour_clean") >= {"change", "mask", "ssim"}
    assert "lpips" not in kinds(folder, "coffee_recolour_clean")
    assert len(read_scores(folder).frame) == len(WANTED)


def test_a_measurement_that_broke_is_worth_a_look(config: Config) -> None:
    fine = scored(Measurement.of(50.0))
    assert not is_worth_a_look(fine, config)
    assert is_worth_a_look(replace(fine, measurements={PSNR: Measurement.of(failed(ValueError("x")))}), config)
    flat = replace(fine, measurements={PSNR: Measurement.of(undefined("nothing_kept"))})
    assert not is_worth_a_look(flat, config)  # one degenerate metric beside others lowers the confidence
    silent = {**fine.scores.prescores, "preservation": PreScore(None, None, Status.UNDEFINED, ("nothing_kept",))}
    assert is_worth_a_look(replace(flat, scores=replace(fine.scores, prescores=silent)), config)


@pytest.mark.parametrize(
    ("dimension", "odd"),
    [
        ("preservation", PreScore(0.9, 0.1, Status.OK)),  # uncertain
        ("quality", PreScore(0.4, 1.0, Status.OK)),  # weak
        ("safety", PreScore(0.9, 1.0, Status.OK)),  # gated
    ],
)
def test_what_is_uncertain_weak_or_gated_is_worth_a_look(config: Config, dimension: str, odd: PreScore) -> None:
    fine = scored(Measurement.of(50.0))
    found = replace(fine.scores, prescores={**fine.scores.prescores, dimension: odd})
    assert is_worth_a_look(replace(fine, scores=found), config)


class Likeness:
    """A face analyzer that compares one number."""

    def similarity(self, first: Float32, second: Float32) -> Float32:
        return np.asarray(1 - np.abs(first - second.T), np.float32)


ANALYZER: Any = Likeness()
BEFORE = np.array([[0, 0, 10, 10, 1, 0.0], [20, 0, 30, 10, 1, 1.0]], np.float32)
AFTER = np.array([[0, 0, 10, 10, 1, 0.9]], np.float32)
PICTURE = np.full((40, 60, 3), 90, np.uint8)


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Arguments with which pairs of pictures with boxes are drawn."""
    drawn: list[Any] = []
    monkeypatch.setattr(pictures, "boxes_picture", lambda *given: drawn.append(given))
    return drawn


def test_faces_are_drawn_as_they_were_matched(boxes: list[Any]) -> None:
    matches = face_matches(BEFORE, AFTER, False, ANALYZER, PICTURE)
    assert matches.pairs == ((1, 0),)  # by likeness, not by place
    assert matches.similarities == pytest.approx((0.9,))
    pictures.faces(PICTURE, PICTURE, BEFORE, AFTER, matches)
    ((_, _, left, right),) = boxes
    assert [box.label for box in left] == ["1: lost", "2: likeness 0.90"]
    assert [(box.label, box.matched) for box in right] == [("2", True)]
    # The assignment is the metrics' own, with their option: place alone can be made to decide.
    assert face_matches(BEFORE, AFTER, False, ANALYZER, PICTURE, overlap_weight=9.0).pairs == ((0, 0),)


def test_a_face_that_the_instruction_replaces_is_neither_matched_nor_lost(boxes: list[Any]) -> None:
    mask = np.zeros((40, 60), bool)
    mask[:, :15] = True  # over the first of both faces, and the only one of E
    pictures.faces(PICTURE, PICTURE, BEFORE, AFTER, face_matches(BEFORE, AFTER, True, ANALYZER, PICTURE, mask))
    ((_, _, left, right),) = boxes
    assert [box.label for box in left] == ["1: not compared", "2: lost"]
    assert [box.label for box in right] == ["new"]


def test_without_faces_or_text_there_is_nothing_to_draw() -> None:
    none = BEFORE[:0]
    assert pictures.faces(PICTURE, PICTURE, none, none, face_matches(none, none, False, ANALYZER)) is None
    assert pictures.text(PICTURE, PICTURE) is None
    assert pictures.text(PICTURE, PICTURE, (), ()) is None
    assert pictures.text(PICTURE, PICTURE, (TextLine("OPEN", (1, 1, 20, 9), 0.9),)) is not None


def test_a_picture_is_drawn_only_where_the_plan_computes_what_it_needs() -> None:
    spec = all_evidence()["change"]
    assert spec.can_be_drawn({"working_source", "whole_change_map"})
    assert not spec.can_be_drawn({"source", "mask"})
    assert spec.draw({"working_source": PICTURE, "whole_change_map": undefined("size_mismatch")}) is None
    assert spec.draw({"working_source": PICTURE}) is None


def test_what_is_drawn_is_also_told_as_shares_of_the_pictures() -> None:
    matches = face_matches(BEFORE, AFTER, False, ANALYZER, PICTURE)
    marks = pictures.face_marks(PICTURE, PICTURE, BEFORE, AFTER, matches)
    assert marks is not None
    record = marks_record({"faces": marks})
    assert record["source"][0] == {"kind": "faces", "label": "1: lost", "box": [0, 0, 0.1667, 0.25], "matched": False}
    assert [one["label"] for one in record["edited"]] == ["2"]
    none = np.zeros((0, 6), np.float32)
    assert pictures.face_marks(PICTURE, PICTURE, none, none, matches) is None
