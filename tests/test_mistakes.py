"""docs/mistakes.md: each line is typed, ends with exit code 2, and says in one paragraph what the page says it does."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from edit_metrics.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "mistakes.md").read_text(encoding="utf-8")
ROWS = [
    tuple(cell.strip() for cell in line.strip("| ").split(" | ", 1)) for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| after")
]  # fmt: skip
GOOD = {
    "id": "a",
    "source": "coffee.png",
    "edited": "coffee_recolour_clean.png",
    "instruction": "make the saucer green",
}
FILES = {
    "m.jsonl": json.dumps(GOOD),
    "list.json": json.dumps([GOOD]),
    "list.jsonl": json.dumps([GOOD]),
    "empty.jsonl": "",
    "semicolons.csv": "id;source;edited;instruction\na;coffee.png;coffee.png;x\n",
    "comma.csv": "id,source,edited,instruction\na,coffee.png,coffee.png,make it red, then blue\n",
    "names.csv": "name,image,output,prompt\na,coffee.png,coffee.png,x\n",
    "names.jsonl": '{"id": "a", "image": "coffee.png", "output": "coffee.png", "prompt": "x"}',
    "noid.jsonl": '{"source": "coffee.png", "edited": "coffee.png", "instruction": "x"}',
    "outside.jsonl": '{"id": "a", "source": "../x.png", "edited": "coffee.png", "instruction": "x"}',
    "white.jsonl": json.dumps(GOOD | {"mask": "coffee.png", "mask_white_means": "white"}),
    "scores.csv": "id,quality.score\na,0.5\nb,0.7\n",
    "noid.csv": "uid,score\na,1\n",
    "twice.csv": "id,quality.score\na,1\na,2\n",
    "ratings.csv": "id,rater,dimension,rating\na,r,quality,3\nb,r,quality,9\n",
    "text.csv": "id,rater,dimension,rating\na,r,quality,good\n",
    "norater.csv": "id,dimension,rating\na,quality,3\n",
    "bad.yaml": "extends: embedded\nengin: {}\n",
    "tab.yaml": "a:\n\t- b\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mistakes")
    for name, text in FILES.items():
        (path / name).write_text(f"{text}\n" if text else "", encoding="utf-8")
    (path / "utf16.csv").write_bytes("id,source\n".encode("utf-16"))
    (path / "folder").mkdir()
    for name in ("coffee.png", "coffee_recolour_clean.png"):
        shutil.copy(ROOT / "data" / "fixtures" / "images" / name, path / name)
    return path


def test_the_page_lists_at_least_thirty_five() -> None:
    assert len(ROWS) >= 35
    assert f"The\n{len(ROWS)} below" in PAGE


@pytest.mark.parametrize(("arguments", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_a_mistake_is_one_paragraph_that_says_what_the_page_says(
    arguments: str, words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["edit-metrics", *arguments.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("warning: ")]
    assert len(lines) == 1
    assert lines[0].startswith("edit-metrics: Expected ")
    assert words in lines[0]
