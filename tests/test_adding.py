"""What docs/adding-a-metric.md says is all there is to do: in a copy of the repository, followed to the letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n```(?:python|yaml)\n(.*?)```", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"```bash\n(.*?)```", re.DOTALL)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The repository without its history, its environment and what it has computed."""
    target = tmp_path / "repository"
    target.mkdir()
    for name in ("edit_metrics", "configs", "docs", "scripts", "tests"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, target / name)
    shutil.copytree(ROOT / "data" / "fixtures", target / "data" / "fixtures")
    return target


def run(copy: Path, command: str) -> str:
    """Run a command of the page in the copy; its output."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", command],  # noqa: S607 - as a person would
        cwd=copy,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", ".pytest_cache", "scored"} & set(path.parts)
    }


def test_a_metric_touches_its_file_its_test_and_one_config(copy: Path) -> None:
    page = (copy / "docs" / "adding-a-metric.md").read_text(encoding="utf-8")
    before = files_of(copy)
    blocks = dict(BLOCK.findall(page))
    for name, text in blocks.items():
        (copy / name).write_text(text, encoding="utf-8")
    (commands,) = COMMANDS.findall(page)
    for command in commands.splitlines():
        run(copy, command)
    after = files_of(copy)
    written = {name for name in after if after[name] != before.get(name)}
    assert written == {*blocks, "docs/metrics.md"}
    assert set(blocks) == {"edit_metrics/metrics/contrast.py", "tests/metrics/test_contrast.py", "mine.yaml"}
    scores = pd.read_parquet(copy / "scored" / "scores.parquet")
    assert (scores["quality.contrast_ratio.status"] == "ok").sum() > 10
    assert scores["quality.contrast_ratio"].max() < 100


def test_the_rules_of_the_repository_hold_for_the_new_metric(copy: Path) -> None:
    page = (copy / "docs" / "adding-a-metric.md").read_text(encoding="utf-8")
    for name, text in BLOCK.findall(page):
        (copy / name).write_text(text, encoding="utf-8")
    run(copy, "python scripts/make_metric_docs.py")
    rules = "tests/test_registry.py tests/test_metric_docs.py tests/doctor/test_claims.py tests/scores/test_words.py"
    run(copy, f"python -m pytest -q -p no:cacheprovider {rules}")
    new = " ".join(name for name, _ in BLOCK.findall(page) if name.endswith(".py"))
    run(copy, f"ruff check {new} && ruff format --check {new}")
