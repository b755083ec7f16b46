"""The tutorials, the page on Python and the notebook are executed as they stand, on the real weights."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*(DOCS / "start").glob("*.md"), DOCS / "python.md"])
EXECUTED = ("bash", "python")
pytestmark = pytest.mark.weights


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of the page's blocks; a block without a language is not run, and its page says why."""
    return re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    for picture in (ROOT / "data" / "fixtures" / "images").glob("coffee*.png"):
        shutil.copy(picture, tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    entry = programs / "edit-metrics"
    entry.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m edit_metrics "$@"\n', encoding="utf-8")
    entry.chmod(0o755)
    paths = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    found = blocks(page)
    assert found
    assert {language for language, _ in found} <= set(EXECUTED)
    for language, text in found:
        command = ["bash", "-euo", "pipefail", "-c", text] if language == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ | paths, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


def test_the_notebook_says_which_edit_is_worst_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(DOCS / "start" / "worst_and_why.ipynb", as_version=4)
    resources = {"metadata": {"path": str(ROOT / "data" / "fixtures")}}
    nbclient.NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len([line for line in code[-1].source.splitlines() if line.strip()]) == 5
    outputs = code[-1].outputs
    text = "".join(one.get("text", "") for one in outputs)
    assert "confidence" in text
    shown = [one["data"] for one in outputs if one.output_type == "execute_result"]
    assert '<img src="data:image/webp' in shown[0]["text/html"]
