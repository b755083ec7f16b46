"""The same inputs give the same bytes: in another process, with other memory beneath."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from edit_metrics.metrics.structure import edge_f1, gmsd, ms_ssim

ROOT = Path(__file__).resolve().parents[2]
FILES = ("scores.parquet", "scores.csv", "rejected.jsonl")
ITEMS = frozenset(
    {
        "coffee_recolour_clean", "coffee_recolour_reencoded", "coffee_no_op", "coffee_larger", "coffee_other_shape",
        "coffee_text", "rocket_balloon_no_mask", "rocket_black_and_white", "rocket_flipped", "cat_alpha_mask",
        "cat_missing_file", "face_kept", "face_removed",
    }
)  # fmt: skip
"""One of each kind: with and without a mask, another frame, text, tone, a turn, faces, a file that is not there."""


def score(manifest: Path, out: Path, perturb: int) -> dict[str, bytes]:
    # glibc fills memory with this byte when it is freed: what reads stale memory, or picks another code path for
    # another address, differs between the runs.
    environment = {**os.environ, "MALLOC_PERTURB_": str(perturb)}
    command = [sys.executable, "-c", "from edit_metrics.cli import main; main()", "score"]
    arguments = [str(manifest), "--root", str(ROOT / "data/fixtures"), "--out", str(out), "--profile", "embedded"]
    subprocess.run([*command, *arguments], check=True, env=environment, capture_output=True)
    return {name: (out / name).read_bytes() for name in FILES}


def columns_that_differ(first: Path, second: Path) -> list[str]:
    tables = [pd.read_parquet(folder / "scores.parquet").astype(str) for folder in (first, second)]
    return [name for name in tables[0] if not tables[0][name].equals(tables[1][name])]


@pytest.mark.weights
def test_fixtures_scored_twice_without_a_cache_give_equal_files(tmp_path: Path) -> None:
    lines = (ROOT / "data/fixtures/manifest.jsonl").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if json.loads(line)["id"] in ITEMS]
    assert len(kept) == len(ITEMS)
    (tmp_path / "manifest.jsonl").write_text("\n".join(kept) + "\n", encoding="utf-8")
    first, second = (score(tmp_path / "manifest.jsonl", tmp_path / f"run{n}", n) for n in (0, 170))
    for name in FILES:
        assert first[name] == second[name], (name, columns_that_differ(tmp_path / "run0", tmp_path / "run170"))


@pytest.mark.parametrize("metric", [gmsd, ms_ssim, edge_f1])
def test_where_an_array_lies_in_memory_does_not_matter(metric: object, rng: np.random.Generator) -> None:
    # cv2.magnitude took another path when its output was aligned to 16 bytes instead of 32: gmsd of two equal
    # pictures was 9e-19 in half of the runs, 0 in the others.
    assert callable(metric)
    picture = np.asarray(Image.open(ROOT / "data/fixtures/images/coffee.png").convert("RGB"))
    edited = np.clip(picture.astype(int) + rng.integers(-3, 4, picture.shape), 0, 255).astype(np.uint8)
    everywhere = np.ones(picture.shape[:2], np.bool_)
    held, values = [], set()
    for _ in range(100):
        held.append(np.empty(int(rng.integers(1, 200_000)), np.uint8))
        if len(held) > 20:
            held.pop(int(rng.integers(20)))
        values |= {metric(picture, picture, everywhere), metric(picture, edited, everywhere)}
    assert len(values) == 2
