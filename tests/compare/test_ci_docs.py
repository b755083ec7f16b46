"""Every shell command of docs/ci.md runs as written, on small score tables.

`pip`, `edit-metrics models` and `edit-metrics score` are stood in for: they need an index, weights and pictures. What
they are called with is still checked against the command line's own options.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from conftest_compare import score_frame
from typer.main import get_command

from edit_metrics.cli import app
from edit_metrics.types import DIMENSIONS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ci.md"

STAND_IN = """#!{python}
import shutil, sys
if sys.argv[1] == "score":
    shutil.copytree("prepared", sys.argv[sys.argv.index("--out") + 1], dirs_exist_ok=True)
elif sys.argv[1] != "models":
    from edit_metrics.cli import main
    main()
"""


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def _page(first_line: str) -> dict:
    return next(yaml.safe_load(block) for block in _blocks("yaml") if block.startswith(f"# {first_line}"))


def _github_steps() -> list[str]:
    return [step["run"] for step in _page(".github")["jobs"]["gate"]["steps"] if "run" in step]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the page's commands expect."""
    frames = {"base": score_frame(seed=1), "candidate": score_frame(seed=2)}
    for frame in frames.values():
        for name in DIMENSIONS:
            frame[f"{name}.score"] = frame.get(f"{name}.score", pd.Series(1.0, frame.index))
    for folder, name in {"prepared": "candidate", "runs/candidate": "candidate", "baselines/release": "base"}.items():
        (tmp_path / folder).mkdir(parents=True)
        frames[name].to_parquet(tmp_path / folder / "scores.parquet")
    for folder, seed in (("baselines", 1), ("runs", 2)):
        judged = 0.5 + 0.01 * np.random.default_rng(seed).random(60)
        table = pd.DataFrame({"id": range(60), "group": range(60), "judge_score": judged})
        table.to_csv(tmp_path / folder / "judge.csv", index=False)
    (tmp_path / "gate.yaml").write_text(next(block for block in _blocks("yaml") if block.startswith("# gate.yaml")))
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {"edit-metrics": STAND_IN.format(python=sys.executable), "pip": "#!/bin/sh\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755 | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(PAGE.parents[1]))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.setenv("CI_COMMIT_BRANCH", "main")
    monkeypatch.setenv("CI_DEFAULT_BRANCH", "main")
    return tmp_path


def _run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # The shells and flags that the two services use.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_github_job_runs_as_written(workplace) -> None:
    for script in _github_steps():
        done = _run(script, workplace)
        assert done.returncode == 0, (script, done.stderr)
    assert "Gate: pass" in (workplace / "summary.md").read_text()
    assert (workplace / "gate.xml").is_file()


def test_the_gitlab_job_runs_as_written(workplace) -> None:
    done = _run("\n".join(_page(".gitlab-ci")["gate"]["script"]), workplace)
    assert done.returncode == 0, done.stderr
    assert (workplace / "baselines/main/scores.parquet").is_file()
    assert (workplace / "gate.xml").is_file()


def test_the_gate_step_fails_on_a_worse_candidate_and_still_leaves_a_summary(workplace) -> None:
    frame = pd.read_parquet(workplace / "prepared/scores.parquet")
    (workplace / "baselines/main").mkdir()
    frame.to_parquet(workplace / "baselines/main/scores.parquet")
    frame["preservation.score"] -= 0.2
    frame.to_parquet(workplace / "prepared/scores.parquet")
    codes = {script: _run(script, workplace).returncode for script in _github_steps()[:-1] if "--accept" not in script}
    gate = next(script for script in codes if "--junit" in script)
    assert {script for script, code in codes.items() if code} == {gate}
    assert codes[gate] == 1
    assert "regression in preservation" in (workplace / "summary.md").read_text()


def test_the_other_shell_commands_run_as_written(workplace) -> None:
    scripts = _blocks("sh")
    assert len(scripts) == 5
    for script in scripts:
        done = _run(script, workplace)
        assert done.returncode == 0, (script, done.stderr)


def test_the_pytest_example_runs_as_written(workplace, monkeypatch) -> None:
    _run(_blocks("sh")[0], workplace)
    monkeypatch.chdir(workplace)
    names: dict = {}
    (example,) = _blocks("python")
    exec(compile(example, "docs/ci.md", "exec"), names)  # noqa: S102 - our page
    names["test_the_candidate_is_not_worse"]()


def test_stood_in_commands_use_options_that_exist() -> None:
    verbs = get_command(app).commands
    text = PAGE.read_text(encoding="utf-8")
    calls = re.findall(r"edit-metrics (score|models)((?: [^\n`;|]+)?)", text)
    assert {verb for verb, _ in calls} == {"score", "models"}
    for verb, rest in calls:
        command = verbs[verb]
        words = rest.split()
        if verb == "models":
            command = command.commands[words[0]]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
