"""A judged table is the same whatever went wrong on the way, a killed process included; and no key is anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from cases import edit_metrics, make_edits, served, write_scored
from replay import FAULTS, HARMLESS

from edit_metrics.backends import chat_endpoints
from edit_metrics.scores.run_info import read_run_info

COUNT = 16
ROOT = Path(__file__).resolve().parents[2]
KEY = "sk-" + "sesame" * 6


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_endpoints, "_FIRST_WAIT", 0.005)
    monkeypatch.setattr(chat_endpoints, "_LONGEST_WAIT", 0.02)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scored(tmp_path_factory.mktemp("run"), make_edits(COUNT), no_ops=1)


@pytest.fixture(scope="module")
def undisturbed(run: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", run, "--base-url", url, "--all", "--cache", tmp_path_factory.mktemp("undisturbed"))
    return (run / "scores.parquet").read_bytes()


def left_open(run: Path) -> int:
    info = read_run_info(run)
    assert info is not None
    assert info.judge is not None
    return info.judge.counts["asked"] - info.judge.counts["answered"]


ONE_OF_A_KIND = sorted(set(FAULTS) - {
    "overloaded", "html", "reasoning", "minus_ten", "sentence", "number_strings",
    "refusal_prose", "filter", "filter_azure", "empty",
})  # fmt: skip
"""Every fault is met in test_asking.py; here one of those that end alike: error_500, thinking, eleven, refusal…"""


@pytest.mark.parametrize("fault", [*ONE_OF_A_KIND, "slow", "drop"])
def test_a_fault_of_each_kind_at_a_fifth_of_the_calls_leaves_the_table_as_it_was(
    fault: str, run: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    with served(make_edits(COUNT), fault=fault, share=0.2, seed=3) as (server, url):
        server.slow_seconds = 0.6
        patience = ("--set", f"backends.judge.timeout={0.4 if fault == 'slow' else 60}")
        for _ in range(8):  # what was refused or could not be read stays open, and the same command asks it again
            edit_metrics("judge", run, "--base-url", url, "--all", "--cache", tmp_path, *patience)
            if not left_open(run):
                break
    assert (run / "scores.parquet").read_bytes() == undisturbed
    calls = [call for call in server.log.calls if call["item"]]
    assert any(call["fault"] for call in calls)
    true_answers = Counter(call["item"] for call in calls if call["fault"] is None or fault in HARMLESS)
    assert set(true_answers.values()) == {1}  # nothing that was answered was asked again
    assert len(true_answers) == COUNT - 1


def test_a_killed_process_loses_the_calls_under_way_and_nothing_else(
    run: Path, undisturbed: bytes, tmp_path: Path
) -> None:
    with served(make_edits(COUNT), delay=0.15) as (server, url):
        words = ["judge", run, "--base-url", url, "--all", "--cache", tmp_path, "--set", "backends.judge.concurrency=2"]
        program = [sys.executable, "-c", "from edit_metrics.cli import main; main()", *map(str, words)]
        process = subprocess.Popen(program, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
        while sum(call["item"] != "" for call in server.log.calls) < COUNT // 2:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = Counter(call["item"] for call in server.log.calls if call["item"])
        edit_metrics(*words)
    assert (run / "scores.parquet").read_bytes() == undisturbed
    asked = Counter(call["item"] for call in server.log.calls if call["item"])
    assert len(asked) == COUNT - 1
    assert sum(asked.values()) <= COUNT - 1 + 2  # the two that were under way
    assert before.total() < COUNT - 1


def test_an_interrupt_keeps_the_answers_and_the_table_and_says_how_to_go_on(run: Path, tmp_path: Path) -> None:
    with served(make_edits(COUNT), delay=0.2) as (server, url):
        words = ["judge", run, "--base-url", url, "--all", "--cache", tmp_path, "--set", "backends.judge.concurrency=2"]
        program = [sys.executable, "-c", "from edit_metrics.cli import main; main()", *map(str, words)]
        before = (run / "scores.parquet").read_bytes()
        process = subprocess.Popen(
            program, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
        )
        while sum(call["item"] != "" for call in server.log.calls) < 4:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 4
        assert "the same command goes on" in said
        assert "Traceback" not in said
        assert (run / "scores.parquet").read_bytes() == before
        answered = sum(call["item"] != "" for call in server.log.calls)
        edit_metrics(*words)
    assert sum(call["item"] != "" for call in server.log.calls) == COUNT - 1
    assert answered < COUNT - 1


@pytest.fixture
def key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("EDIT_METRICS_JUDGE_KEY", KEY)
    return KEY


def test_nothing_of_the_key_is_in_any_file_log_or_error(
    key_in_the_environment: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")  # the http client logs its headers there
    run, said = write_scored(tmp_path, make_edits(4)), ""
    for lock in (key_in_the_environment, "another-key"):
        with served(make_edits(4), key=lock) as (_, url):
            code = 0 if lock == KEY else 2
            found = edit_metrics("judge", run, "--base-url", url, "--all", "--cache", tmp_path / "kept", exit_code=code)
            said += found.output + found.stderr + str(found.exception) + repr(found.exc_info)
    edit_metrics("judge", run, "--all", "--model", "m", "--export", tmp_path / "r.jsonl", "--cache", tmp_path / "kept")
    said += caplog.text
    assert "HTTP 401" in said  # the refusal quoted the key, and was repeated without it
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for part in (KEY, KEY[:12], KEY[3:15], KEY[-12:]):
        assert part not in said
        assert part.encode() not in written


def test_a_death_between_the_table_and_its_run_json_is_noticed_and_mended(tmp_path: Path) -> None:
    run, other = (write_scored(tmp_path / name, make_edits(4)) for name in ("a", "b"))
    before = (run / "run.json").read_bytes()
    with served(make_edits(4)) as (_, url):
        words = ("judge", run, "--base-url", url, "--all", "--cache", tmp_path / "kept")
        edit_metrics(*words)
        table, info = (run / "scores.parquet").read_bytes(), (run / "run.json").read_bytes()
        (run / "run.json").write_bytes(before)
        found = edit_metrics("compare", run, other, "--out", tmp_path / "c", exit_code=2)
        assert "killed while it wrote" in str(found.exception)
        edit_metrics(*words)
    assert (run / "scores.parquet").read_bytes() == table
    assert json.loads((run / "run.json").read_text())["score_signature"] == json.loads(info)["score_signature"]
