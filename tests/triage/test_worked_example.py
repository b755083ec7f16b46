"""The worked example of docs/triage.md: every line is run on the human ratings, and says what the page says."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pandas as pd
import pytest

from edit_metrics.cli import main

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "triage.md").read_text(encoding="utf-8")


def lines_of_the_example() -> list[str]:
    section = PAGE.split("## A worked example")[1].split("### Is the promise kept?")[0]
    blocks = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if not line.startswith("R=")]


def exit_code() -> int:
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_the_worked_example_decides_what_the_page_says(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = shared_data / "human_ratings"
    if not (ratings / "ratings.csv").is_file():
        pytest.skip(f"no human ratings at {ratings}")
    lines = lines_of_the_example()
    assert [shlex.split(line)[1] for line in lines] == ["ratings", "ratings", "calibrate", "triage"]
    said = []
    for line in lines:
        words = shlex.split(line.replace("$R", str(ratings)).replace("out/ratings", str(tmp_path)))
        monkeypatch.setattr(sys, "argv", words)
        code = exit_code()
        printed = capsys.readouterr()
        assert code == 0, (line, printed.err)
        said.append(printed.out)
    assert "0.716" in said[1]  # alpha of the page's first table
    lanes = pd.read_csv(tmp_path / "triage" / "lanes.csv")["lane"].value_counts()
    example = " ".join(PAGE.split("## A worked example")[1].split("### Is the promise kept?")[0].split())
    failed, audited = re.findall(r"(\d+) items are auto-failed, (\d+) are drawn for the audit", example)[0]
    assert lanes["auto-fail"] == int(failed)
    drawn = pd.read_csv(tmp_path / "triage" / "lanes.csv")["inclusion_prob"].notna().sum()
    assert drawn == int(audited)
