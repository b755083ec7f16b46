"""The evidence script runs in every part, and says so when the ratings are absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "triage_evidence.py"


def output(folder: Path, *words: str) -> tuple[str, str]:
    environment = {**os.environ, "EDIT_METRICS_SHARED": str(folder), "PYTHONPATH": str(SCRIPT.parent.parent)}
    command = [sys.executable, str(SCRIPT), *words]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return found.stdout, found.stderr


def test_it_skips_where_the_ratings_are_absent(tmp_path: Path) -> None:
    out, said = output(tmp_path)
    assert out == ""
    assert said.startswith("skipped")


def test_every_part_runs_on_a_few_draws_and_a_new_model_is_promised_nothing(shared_data: Path) -> None:
    out, said = output(shared_data, "--quick")
    parts = ["agreement", "risk", "new-model", "cost", "estimate"]
    assert [line.split(":")[0] for line in said.splitlines()] == parts
    section = out[out.index("Leave one model out") : out.index("Decision cost")]
    rows = [line.split() for line in section.splitlines() if line.strip().startswith(("CycleDiffusion", "DiffEdit"))]
    assert [row[-2] for row in rows] == ["0", "0"]
    assert all(int(row[-1]) > 500 for row in rows)
