"""Completion as a shell asks for it: verbs, options, and what an option may be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = "_EDIT_METRICS_COMPLETE"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """The entry point under its own name, which completion goes by."""
    file = tmp_path / "edit-metrics"
    file.write_text(f"#!{sys.executable}\nfrom edit_metrics.cli import main\n\nmain()\n", encoding="utf-8")
    file.chmod(0o755)
    return file


def ask(program: Path, *arguments: str, **environment: str) -> str:
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    done = subprocess.run([str(program), *arguments], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("edit-metrics sc", ["score"]),
        ("edit-metrics ratings ", ["agreement", "import", "plan"]),
        ("edit-metrics score m.jsonl --engine ", ["local", "ray"]),
        ("edit-metrics score m.jsonl --evid", ["--evidence"]),
    ],
)
def test_bash_is_told_what_may_come_next(program: Path, words: str, expected: list[str]) -> None:
    place = len(words.split(" ")) - 1
    found = ask(program, **{COMPLETE: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)})
    assert sorted(found.split()) == expected


def test_zsh_is_told_with_a_word_of_help(program: Path) -> None:
    found = ask(program, **{COMPLETE: "complete_zsh", "_TYPER_COMPLETE_ARGS": "edit-metrics rat"})
    assert '"rate"' in found
    assert '"ratings"' in found
    assert '"score"' not in found


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_script_calls_the_program_by_that_variable(program: Path, shell: str) -> None:
    assert COMPLETE in ask(program, "--show-completion", shell)
