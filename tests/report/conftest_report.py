"""Small run folders with real pictures, as the engine would leave them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from edit_metrics.io.tables import write_json, write_parquet
from edit_metrics.types import DIMENSIONS

SECTION = {"metrics": ["m"], "gates": {}, "curves": {"m": {"anchors": [[0, 0], [1, 1]], "trust": 0.8}}, "cap": 1.0}

MakeRun = Callable[..., Path]


def run_info(root: Path) -> dict[str, Any]:
    """A ``run.json`` with everything that a page reads."""
    signature = {
        "sha256": "ab" * 32,
        "parts": {"backends": {"clip": {"name": "model/x", "weights": {"model": "cd" * 32}}}},
    }
    return {
        "edit_metrics": "0.1.0",
        "finished": "2025-01-02T03:04:05+00:00",
        "profile": "tests",
        "config": {
            "description": "a profile for tests",
            "cannot_see": ["anatomy"],
            "dimensions": dict.fromkeys(DIMENSIONS, SECTION),
        },
        "run_signature": {"sha256": "ef" * 32},
        "score_signature": dict.fromkeys(DIMENSIONS, signature),
        "manifest": {"path": "manifest.jsonl", "sha256": "12" * 32, "root": str(root)},
        "counts": {"rows": 2, "scored": 2, "rejected": 0},
        "engine": "local",
        "device": "cpu",
        "seconds": {"total": 1.5, "stages": {}},
        "peak_memory_mib": 100,
        "versions": {"numpy": "2"},
    }


def score_rows(n: int, **changed: Any) -> list[dict[str, Any]]:
    """Rows of a score table; scores fall with the row so that the last one is the worst."""
    rows: list[dict[str, Any]] = []
    for index in range(n):
        score = round(1 - index / max(n - 1, 1), 4)
        row: dict[str, Any] = {
            "id": f"item-{index:04d}",
            "source": "source.png",
            "edited": "edited.png",
            "instruction": f"make it {('red', 'blue', 'green')[index % 3]}",
            "mask": "mask.png",
            "mask_white_means": "edited",
            "edit_type": ("recolour", "tone")[index % 2],
            "model": ("ours", "theirs")[index % 2],
            "group": f"g{index % 5}",
            "flags": "no_op" if index % 7 == 0 else "",
            "overall.min": score,
            "overall.geomean": score,
            "priority": n - index,
            "priority.reasons": f"weakest:adherence={score:.2f}",
            "adherence.check_evidence": None,
        }
        for dimension in DIMENSIONS:
            row[f"{dimension}.score"] = score
            row[f"{dimension}.confidence"] = 0.8
            row[f"{dimension}.status"] = "ok"
            row[f"{dimension}.reasons"] = "no_mask;near_threshold" if score < 0.5 else ""
        row |= {"character.score": None, "character.confidence": None}
        row |= {"character.status": "not_applicable", "character.reasons": "no_face_in_source"}
        row |= {"adherence.m": score, "adherence.m.status": "ok", "adherence.m.reason": ""}
        rows.append(row | changed)
    return rows


def write_pictures(folder: Path) -> None:
    """Source, edited picture and mask, 96×64."""
    source = np.random.default_rng(3).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    edited = source.copy()
    edited[16:48, 24:72] = (200, 30, 30)
    mask = np.zeros((64, 96), np.uint8)
    mask[16:48, 24:72] = 255
    for name, picture in (("source", source), ("edited", edited), ("mask", mask)):
        Image.fromarray(picture).save(folder / f"{name}.png")


def write_run(folder: Path, rows: list[dict[str, Any]], *, signed: bool = True) -> Path:
    """Write a run folder from rows, its pictures beside it; ``signed=False`` leaves ``run.json`` out."""
    pictures = folder.parent / "pictures"
    pictures.mkdir(exist_ok=True)
    folder.mkdir()
    write_pictures(pictures)
    write_parquet(pd.DataFrame(rows), folder / "scores.parquet")
    (folder / "rejected.jsonl").write_text("", encoding="utf-8")
    if signed:
        write_json(run_info(pictures), folder / "run.json")
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run folder of a name from rows."""

    def make(rows: list[dict[str, Any]], name: str = "run", *, signed: bool = True) -> Path:
        return write_run(tmp_path / name, rows, signed=signed)

    return make


def embedded_table(page: str) -> dict[str, Any]:
    """The JSON that the page's script reads."""
    _, _, rest = page.partition('<script type="application/json" id="table-data">')
    table: dict[str, Any] = json.loads(rest.partition("</script>")[0])
    return table
