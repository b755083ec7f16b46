"""The README's own commands and its Python, run as they stand on two of the fixtures."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "data" / "fixtures"
README = (ROOT / "README.md").read_text(encoding="utf-8")
ITEMS = {"coffee_recolour_leaks": "item-16", "coffee_recolour_clean": "item-17"}
INCONCLUSIVE = 3
pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of the user's own, with its pictures."""
    folder = tmp_path_factory.mktemp("readme")
    rows = [json.loads(line) for line in (FIXTURES / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [row | {"id": ITEMS[row["id"]]} for row in rows if row["id"] in ITEMS]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    shutil.copytree(FIXTURES / "images", folder / "images")
    return folder


def run(folder: Path, words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *(word.replace("edit-metrics", "edit_metrics") for word in words[:1]), *words[1:]]
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=paths, capture_output=True, text=True, check=False)


def test_the_commands_follow_one_another(folder: Path) -> None:
    (block,) = re.findall(r"^```\n(edit-metrics score.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert [words[1] for words in lines] == ["score", "judge", "triage", "report", "accept", "gate"]
    for words in lines:
        if words[1] == "judge":
            continue  # it needs a server: tests/judge/test_judge_verb.py
        if words[1] == "gate":
            shutil.copytree(folder / "runs" / "a", folder / "runs" / "b")
        done = run(folder, words)
        # Two items cannot show that nothing got worse.
        assert done.returncode in ({0, INCONCLUSIVE} if words[1] == "gate" else {0}), (words, done.stderr)
    assert (folder / "runs" / "a" / "report.html").is_file()
    assert (folder / "runs" / "a" / "triage" / "queue.csv").is_file()
    assert (folder / "baselines" / "main" / "scores.parquet").is_file()


def test_the_python_runs(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    row = next(row for row in rows if row["id"] == "item-17")
    monkeypatch.chdir(folder)
    names = {name: Image.open(row[name]) for name in ("source", "edited", "mask")}
    exec(compile(block, "README.md", "exec"), names)  # noqa: S102 - our page
    printed = capsys.readouterr().out
    assert "item-17" in printed
    assert "preservation" in printed
