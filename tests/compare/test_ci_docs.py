"""Every shell command of docs/ci.md runs as written, on small score tables.

`pip`, `edit-metrics models` and `edit-metrics score` are stood in for: they need an index, weights and pictures. What
they are called with is still checked against the command line's own options.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import forking
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
elif sys.argv[1] != "models":{call}"""
START = """
    from edit_metrics.cli import main
    main()
"""


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


def _page(first_line: str) -> dict:
    return next(yaml.safe_load(block) for block in _blocks("yaml") if block.startswith(f"# {first_line}"))


def _github_steps() -> list[dict]:
    return _page(".github")["jobs"]["gate"]["steps"]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the page's commands expect."""
    for folder, kind in {"prepared": "same", "runs/candidate": "same", "baselines/release": "base"}.items():
        (tmp_path / folder).mkdir(parents=True)
        _candidate(kind).to_parquet(tmp_path / folder / "scores.parquet")
    for folder, seed in (("baselines", 1), ("runs", 2)):
        judged = 0.5 + 0.01 * np.random.default_rng(seed).random(60)
        table = pd.DataFrame({"id": range(60), "group": range(60), "judge_score": judged})
        table.to_csv(tmp_path / folder / "judge.csv", index=False)
    (tmp_path / "gate.yaml").write_text(next(block for block in _blocks("yaml") if block.startswith("# gate.yaml")))
    _install_tools(tmp_path, monkeypatch)
    return tmp_path


def _install_tools(folder: Path, patch: pytest.MonkeyPatch, call: str = START) -> None:
    """`edit-metrics` and `pip` as the page calls them."""
    tools = folder / "bin"
    tools.mkdir()
    for name, text in {"edit-metrics": STAND_IN.format(python=sys.executable, call=call), "pip": "#!/bin/sh\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755 | stat.S_IXUSR)
    patch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    patch.setenv("PYTHONPATH", str(PAGE.parents[1]))


def _candidate(kind: str) -> pd.DataFrame:
    """``base``, the ``same`` with other noise, ``worse``, or too ``noisy`` to tell."""
    frame = score_frame(seed=1 if kind == "base" else 2, noise=0.3 if kind == "noisy" else 0.02)
    for name in DIMENSIONS:
        frame[f"{name}.score"] = frame.get(f"{name}.score", pd.Series(1.0, frame.index))
    frame["preservation.score"] -= 0.2 * (kind == "worse")
    return frame


def _run(script: str, folder: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    # The shells and flags that the two services use.
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    env = os.environ | (env or {})
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=env)


@dataclass
class Job:
    """What a service shows of a job."""

    succeeded: bool
    code: int
    log: str
    summary: str


class Service:
    """Runs the page's job in a fresh checkout each time; its cache lies outside and can be lost."""

    def __init__(self, base: Path) -> None:
        self.base, self.cache, self.runs = base, base / "cache", 0

    def checkout(self, kind: str) -> Path:
        self.runs += 1
        folder = self.base / f"checkout{self.runs}"
        (folder / "prepared").mkdir(parents=True)
        _candidate(kind).to_parquet(folder / "prepared/scores.parquet")
        return folder

    def copy(self, paths: list[str], source: Path, target: Path) -> None:
        for path in paths:
            if (source / path).is_dir():
                shutil.copytree(source / path, target / path, dirs_exist_ok=True)

    def evict(self) -> None:
        shutil.rmtree(self.cache)
        self.cache.mkdir()

    def accepted(self) -> dict | None:
        file = self.cache / "baselines/main/accepted.json"
        return json.loads(file.read_text()) if file.is_file() else None


class GitHub(Service):
    """As its documentation says: a step runs when none before it failed, or when its ``if`` says always()."""

    def run(self, kind: str, branch: str, message: str = "Train longer") -> Job:
        folder, failed, outcomes = self.checkout(kind), 0, {}
        summary, log = folder / "summary.md", ""
        for step in _github_steps():
            condition = step.get("if", "")
            if (failed and "always()" not in condition) or not self._holds(condition, branch, outcomes):
                continue
            action = step.get("uses", "").partition("@")[0]
            if action in ("actions/cache/restore", "actions/cache/save"):
                sides = (self.cache, folder) if action.endswith("restore") else (folder, self.cache)
                self.copy(step["with"]["path"].split(), *sides)
            if "run" not in step:
                continue
            env = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_SHA": f"commit{self.runs}"}
            env |= {k: message if "head_commit.message" in v else v for k, v in step.get("env", {}).items()}
            done = _run(step["run"], folder, env)
            log += done.stdout + done.stderr
            failed = failed or done.returncode
            outcomes[step.get("id")] = "failure" if done.returncode else "success"
        return Job(not failed, failed, log, summary.read_text() if summary.is_file() else "")

    def _holds(self, condition: str, branch: str, outcomes: dict) -> bool:
        for part in filter(None, condition.split(" && ")):
            if part == "always()":
                continue
            left, right = part.split(" == ")
            known = {"github.ref": f"refs/heads/{branch}", "steps.score.outcome": outcomes.get("score")}
            if known[left] != right.strip("'"):
                return False
        return True


class GitLab(Service):
    """One script; the caches are put back whatever it ended with where the page says so."""

    def run(self, kind: str, branch: str, message: str = "Train longer") -> Job:
        folder, job = self.checkout(kind), _page(".gitlab-ci")["gate"]
        for cache in job["cache"]:
            self.copy(cache["paths"], self.cache, folder)
        env = {"CI_COMMIT_BRANCH": branch, "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_TITLE": message}
        done = _run("\n".join(job["script"]), folder, env | {"CI_COMMIT_SHA": f"commit{self.runs}"})
        for cache in job["cache"]:
            if done.returncode == 0 or cache.get("when") == "always":
                self.copy(cache["paths"], folder, self.cache)
        tolerated = done.returncode in (0, *job["allow_failure"]["exit_codes"])
        report = folder / "gate.md"
        text = report.read_text() if report.is_file() else ""
        return Job(tolerated, done.returncode, done.stdout + done.stderr, text)


@dataclass
class Story:
    """What happened, in order; each entry is a job and the baseline's record after it (None: there is no baseline)."""

    steps: dict[str, tuple[Job, dict | None]]
    pwned: list[Path]


@pytest.fixture(scope="module", params=[GitHub, GitLab])
def story(request, tmp_path_factory) -> Story:
    """One project's days: every job in a fresh checkout, the cache between them."""
    base = tmp_path_factory.mktemp(request.param.__name__)
    with pytest.MonkeyPatch.context() as patch, forking.serving() as address:
        _install_tools(base, patch, forking.CALL.format(address=address))
        service = request.param(base)
        service.cache.mkdir()
        steps: dict[str, tuple[Job, dict | None]] = {}

        def day(name: str, kind: str, branch: str, message: str = "Train longer") -> None:
            steps[name] = (service.run(kind, branch, message), service.accepted())

        day("a branch before there is a baseline", "worse", "a-branch")
        day("the first on main", "base", "main", 'Say "$(touch pwned)" `touch pwned`')
        day("a pass", "same", "a-branch")
        day("a regression", "worse", "a-branch")
        day("doubt", "noisy", "a-branch")
        day("a regression that is merged", "worse", "main", "Trade preservation for speed")
        day("as the merged one", "worse", "a-branch")
        service.evict()
        day("a branch after the cache was lost", "worse", "a-branch")
        day("main after the cache was lost", "same", "main")
        day("a regression again", "worse", "a-branch")
    return Story(steps, list(base.rglob("pwned")))


@pytest.mark.parametrize("day", ["a branch before there is a baseline", "a branch after the cache was lost"])
def test_a_branch_without_a_baseline_is_judged_by_nothing_and_never_becomes_one(story, day) -> None:
    job, accepted = story.steps[day]
    assert job.succeeded
    assert "no baseline, so nothing was judged" in job.log
    assert accepted is None


def test_the_first_baseline_is_made_on_main_and_any_message_is_only_a_reason(story) -> None:
    job, accepted = story.steps["the first on main"]
    assert job.succeeded
    assert "no baseline" in job.log
    assert accepted | {"date": ""} == {
        "format": "edit-metrics/accepted",
        "version": 1,
        "candidate": "candidate",
        "verdict": "first",
        "said": "there was no baseline",
        "reason": 'Say "$(touch pwned)" `touch pwned`',
        "baseline": None,
        "commit": "commit2",
        "date": "",
    }
    assert story.pwned == []


def test_a_pass_passes_and_a_branch_leaves_the_baseline_alone(story) -> None:
    job, accepted = story.steps["a pass"]
    assert (job.succeeded, job.code, accepted["commit"]) == (True, 0, "commit2")
    assert "Gate: pass" in job.summary


@pytest.mark.parametrize("day", ["a regression", "a regression again"])
def test_a_regression_fails(story, day) -> None:
    job, accepted = story.steps[day]
    assert (job.succeeded, job.code, accepted["verdict"]) == (False, 1, "first")
    assert "regression in preservation" in job.summary


def test_an_inconclusive_gate_is_tolerated_and_shown(story) -> None:
    job, _ = story.steps["doubt"]
    assert job.succeeded
    assert "inconclusive" in job.log
    assert "Gate: inconclusive" in job.summary


def test_a_regression_on_main_fails_once_and_is_the_next_baseline(story) -> None:
    job, accepted = story.steps["a regression that is merged"]
    assert (job.succeeded, job.code) == (False, 1)
    assert (accepted["verdict"], accepted["reason"]) == ("regression", "Trade preservation for speed")
    assert story.steps["as the merged one"][0].code == 0


def test_a_lost_cache_is_made_good_on_main(story) -> None:
    job, accepted = story.steps["main after the cache was lost"]
    assert job.succeeded
    assert "no baseline" in job.log
    assert accepted["verdict"] == "first"


def test_the_other_shell_commands_run_as_written(workplace) -> None:
    scripts = _blocks("sh")
    assert len(scripts) == 4
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
