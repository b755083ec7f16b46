"""The simulations of promises run, on a few draws; they say so when the ratings are absent."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def output(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """What a script prints, run in this process: the libraries it needs take seconds to load."""
    monkeypatch.setenv("EDIT_METRICS_SHARED", str(shared_data))

    def run(script: str, *words: str) -> str:
        monkeypatch.setattr(sys, "argv", [script, *words])
        monkeypatch.syspath_prepend(str(BENCHMARKS))
        runpy.run_path(str(BENCHMARKS / script), run_name="__main__")
        return capsys.readouterr().out

    return run


def cells(out: str, row: str) -> list[float]:
    """The first number of every cell of a printed row."""
    (line,) = (line for line in out.splitlines() if line.strip().startswith(row))
    return [float(part.split()[0]) for part in line.replace(row, "", 1).split("  ") if part.strip()]


def test_they_skip_where_the_ratings_are_absent(tmp_path: Path) -> None:
    environment = {**os.environ, "EDIT_METRICS_SHARED": str(tmp_path), "PYTHONPATH": str(BENCHMARKS.parent)}
    command = [sys.executable, str(BENCHMARKS / "simulate_batches.py")]
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert found.stdout == ""
    assert found.stderr.startswith("skipped")


def test_a_second_batch_biased_the_mean_and_does_no_longer(output: Callable[..., str]) -> None:
    out = output("simulate_batches.py", "--draws", "20", "--part", "batches")
    before, after = cells(out, "mean of the ratings-only means")
    truth = float(out.split("truth ")[1].split(",")[0])
    assert before > after + 0.01
    assert after == pytest.approx(truth, abs=0.03)


def test_unreadable_items_void_no_audit(output: Callable[..., str]) -> None:
    out = output("simulate_batches.py", "--quick", "--part", "unreadable")
    before, after = cells(out, "refused")
    assert before > 0.5
    assert after == 0


def test_a_run_of_another_mix_breaks_no_promise_on_a_few_draws(output: Callable[..., str]) -> None:
    out = output("simulate_mix.py", "--quick", "--part", "mix")
    rows = [line.split() for line in out.splitlines() if "90.0%" in line]
    assert [row[0] for row in rows] == ["judge", "both"]
    # features, share, then share and interval before, failed before, share and interval after, failed after.
    assert all(float(row[6]) == 0 for row in rows)


def test_the_audit_s_simulation_prints_both_rules(output: Callable[..., str]) -> None:
    out = output("simulate_audit.py", "--quick", "--part", "power")
    assert "before (p < .01)" in out
    assert sum(line.strip().startswith(("72", "150", "300", "450")) for line in out.splitlines()) == 16


def test_policies_keep_what_the_untested_choice_breaks(output: Callable[..., str]) -> None:
    out = output("simulate_policy.py", "--draws", "30", "--part", "promise")
    rows = [line.split() for line in out.splitlines() if " before " in line or " after " in line]
    broken = {(row[0], row[1]): int(row[2]) for row in rows}
    assert broken["5%", "before"] > 5
    assert broken["5%", "after"] <= 3
    assert broken["10%", "after"] <= 3


def test_the_planners_simulation_names_numbers_and_says_what_they_bring(output: Callable[..., str]) -> None:
    out = output("simulate_planner.py", "--draws", "6")
    rows = [line.split() for line in out.splitlines() if line.split()[:1] in (["gpt4o_sc"], ["lpips:-"])]
    assert [row[1] for row in rows] == ["5%", "10%", "10%"]
    for row in rows:
        assert int(row[3]) <= int(row[2]) <= 6
    judge = rows[1]  # at 10 % the judge decides something with few ratings
    assert int(judge[3]) >= 5
    assert float(judge[-3]) >= 0.6
