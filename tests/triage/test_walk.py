"""The walk of docs/triage.md: every line is run, on the rated edits, with a server that replays a judge's answers."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from edit_metrics.cli import main

ROOT = Path(__file__).resolve().parents[2]


def lines_of_the_walk() -> list[str]:
    section = (ROOT / "docs" / "triage.md").read_text(encoding="utf-8").split("## A walk with two batches")[1]
    block = section.split("```")[1]
    return [line for line in block.strip().splitlines() if not line.startswith("R=")]


def filled(line: str, places: dict[str, object]) -> str:
    for name, value in places.items():
        line = line.replace(name, str(value))
    return line


def exit_code() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_walk_with_two_batches(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tests" / "judge"))
    monkeypatch.setenv("EDIT_METRICS_JUDGE_CACHE", str(tmp_path / "answers"))
    monkeypatch.chdir(ROOT)
    from oracle import canary_numbers
    from replay import ReplayServer, recorded_book, serving

    edits = shared_data / "rated_edits"
    said: list[str] = []
    with serving(ReplayServer(recorded_book(edits), rest=canary_numbers)) as url:
        for line in lines_of_the_walk():
            words = shlex.split(filled(line, {"$R": edits, "$URL": url, "out/walk": tmp_path}))
            if words[0] == "python":
                subprocess.run([sys.executable, *words[1:]], check=True, env={"PYTHONPATH": str(ROOT)})
                continue
            monkeypatch.setattr(sys, "argv", words)
            code = exit_code()
            printed = capsys.readouterr()
            assert code == 0, (line, printed.err)
            said.append(" ".join((printed.out + printed.err).split()))
    check(tmp_path, edits, said)


def check(folder: Path, edits: Path, said: list[str]) -> None:
    ratings = pd.read_csv(edits / "ratings.csv", dtype={"id": str})
    truth = ratings[ratings["dimension"] == "overall"].groupby("id")["rating"].mean()
    # Both draws are complete: what the second one met again brought its old rating.
    assert "160 of 160 rated" in said[3]
    fresh = pd.read_csv(folder / "r2.csv")["id"].nunique()
    assert 0 < fresh < 50
    lanes = pd.read_csv(folder / "t2" / "lanes.csv", dtype={"id": str})
    assert lanes["inclusion_prob"].notna().sum() == 50
    # The metrics know nothing here, so that every decision is the judge's; it keeps the promise.
    (waiting,) = (text for text in said if "the judge decides nothing of these models' items" in text)
    assert "90 still to make" in waiting
    statement = json.loads((folder / "t2" / "triage.json").read_text())["automatic_decisions"]
    assert statement["judge"]["calls_left"] == 0
    passed = lanes[lanes["lane"] == "auto-pass"]
    assert len(passed) > 20
    assert passed["reasons"].str.contains("decided_by_judge").all()
    assert (truth[passed["id"]] < 5).mean() <= 0.15
    # The judge's help makes the interval of the mean shorter.
    by_judge = said[-1]
    assert "prediction-powered" in by_judge
    assert "0 of 250 items" not in by_judge
