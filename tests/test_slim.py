"""What reads tables alone runs where nothing that scores is installed: no torch, OpenCV, scikit-learn, transformers.

Each verb runs in a process in which these packages cannot be imported, and is looked at afterwards: an import that
somebody catches would still show.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import edit_metrics
from edit_metrics.cli.failing import missing_extra
from edit_metrics.config import validate_config
from edit_metrics.errors import EXTRAS
from edit_metrics.registry import all_metrics
from edit_metrics.scores.facts import metric_facts

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BLOCKED = sorted({*EXTRAS, "sklearn", "statsmodels", "numba", "tokenizers", "huggingface_hub"})

RUNNER = """
import importlib.abc, json, sys, traceback
blocked = set(json.loads(sys.argv[1]))
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
from edit_metrics.cli import main
found = []
for verb in json.loads(sys.argv[2]):
    sys.argv = ["edit-metrics", *verb]
    try:
        main()
    except SystemExit as stop:
        found.append(stop.code)
loaded = sorted(blocked & {name.partition(".")[0] for name in sys.modules})
sys.__stdout__.write("\\n" + json.dumps({"codes": found, "loaded": loaded}) + "\\n")
"""

STUB = {
    "profile": "stub",
    "backends": {"perceptual": {"use": "stub"}, "safety": {"use": "stub"}},
    "dimensions": {
        "safety": {"metrics": ["safe", "nudity_max"], "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}}},
        "preservation": {"metrics": ["psnr", "lpips"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
    },
}


def slim(folder: Path, *verbs: list[str]) -> tuple[dict[str, Any], str]:
    """Run the verbs in one process without the packages; their exit codes, what was imported, and stderr."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, json.dumps(BLOCKED), json.dumps(verbs)],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slim")
    rng = np.random.default_rng(3)
    rows = []
    for n in range(12):
        pixels = rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path / f"s{n}.png")
        Image.fromarray(pixels ^ np.uint8(n)).save(path / f"e{n}.png")
        rows.append({"id": f"i{n}", "source": f"s{n}.png", "edited": f"e{n}.png", "instruction": "make it red"})
    Image.fromarray(np.pad(np.full((20, 20), 255, np.uint8), 10)).save(path / "m.png")
    rows[0]["mask"] = "m.png"
    (path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config = validate_config(STUB, "test")
    for name in ("a", "b"):
        edit_metrics.score(path / "m.jsonl", profile=config, out=path / name)
    ratings = [
        {"id": f"i{n}", "rater": rater, "dimension": "preservation", "rating": 1 + (n + shift) % 5}
        for n in range(12)
        for shift, rater in enumerate(("ann", "bob"))
    ]
    pd.DataFrame(ratings).to_csv(path / "ratings.csv", index=False)
    return path


VERBS = [
    ["compare", "a", "b", "--out", "compared"],
    ["gate", "a", "b", "--junit", "j.xml", "--markdown", "g.md"],
    ["accept", "b", "--into", "baseline", "--reason", "first"],
    ["gate", "baseline", "b"],
    ["report", "a"],
    ["report", "compared"],
    ["lint", "m.jsonl", "--html", "lint.html"],
    ["show", "a"],
    ["show", "a", "i3"],
    ["show", "a", "--worst", "preservation"],
    ["triage", "a", "--out", "queue"],
    ["report", "queue"],
    ["ratings", "import", "ratings.csv", "--format", "csv", "--scale", "1,2,3,4,5", "--out", "r.parquet"],
    ["ratings", "agreement", "r.parquet", "--resamples", "200"],
    ["estimate", "a", "--ratings", "r.parquet", "--target", "preservation", "--feature", "preservation.psnr"],
]


def test_every_verb_that_reads_tables_runs_without_what_scoring_needs(folder: Path) -> None:
    found, printed = slim(folder, *VERBS)
    assert dict(zip(map(" ".join, VERBS), found["codes"], strict=True)) == dict.fromkeys(map(" ".join, VERBS), 0), (
        printed
    )
    assert found["loaded"] == []
    assert (folder / "a" / "report.html").stat().st_size > 20_000


def test_a_verb_that_scores_names_the_extra_that_it_lacks(folder: Path) -> None:
    found, printed = slim(
        folder,
        ["score", "m.jsonl", "--out", "x"],
        ["rate", "a", "--rater", "ann"],
        ["doctor"],
    )
    assert found["codes"] == [2, 2, 2], printed
    lines = [line for line in printed.splitlines() if line.startswith("edit-metrics: ")]
    assert [re.findall(r"edit-metrics\[(\w+)\]", line) for line in lines] == [["embedded"], ["rate"], ["embedded"]]


def test_python_names_the_extra_too() -> None:
    code = f"""
import sys
for name in {BLOCKED!r}: sys.modules[name] = None
import edit_metrics
try: edit_metrics.psnr
except edit_metrics.errors.MissingExtraError as error: print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install 'edit-metrics[embedded]'" in done.stdout


def test_what_a_report_knows_of_a_metric_is_what_the_registry_says() -> None:
    facts = metric_facts()
    for spec in all_metrics():
        assert (facts[spec.name].direction, facts[spec.name].unit) == (spec.direction, spec.unit)


def test_every_extra_that_an_error_names_is_one_of_the_package() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(EXTRAS.values()) <= set(extras)
    assert {"embedded", "clip", "judge", "rate", "ray", "human", "all"} <= set(extras)
    error = missing_extra(ModuleNotFoundError("No module named 'cv2.x'", name="cv2.x"), "this")
    assert error is not None
    assert "'edit-metrics[embedded]'" in str(error)
    assert missing_extra(ModuleNotFoundError("No module named 'mine'", name="mine"), "this") is None


def test_nothing_of_an_extra_is_a_dependency_of_all() -> None:
    named = {re.split(r"[<>=\[ ]", line)[0] for line in PROJECT["dependencies"]}
    heavy = {"torch", "torchvision", "opencv-python", "scikit-learn", "scikit-image", "transformers", "lpips"}
    assert not named & heavy
