"""`doctor --judge` finds the ways in which a judge does not look, and passes one that does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import edit_metrics
from oracle import hashed_numbers, probe_numbers
from replay import Asked, Book, Look, ReplayServer, serving

from edit_metrics.backends import chat_endpoints

NOTHING = Look("0" * 16, ())
Answer = Callable[[Asked], Mapping[str, Any]]


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_endpoints, "_FIRST_WAIT", 0.005)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EDIT_METRICS_JUDGE_CACHE", str(tmp_path))
    return iter(())


def diagnose(answer: Answer, *, exit_code: int, **server: Any) -> dict[str, dict[str, str]]:
    with serving(ReplayServer(Book(), rest=answer, **server)) as url:
        found = edit_metrics("doctor", "--judge", "--base-url", url, "--json", exit_code=exit_code)
    return {check["name"]: check for check in json.loads(found.stdout)["checks"]}


def failed(checks: Mapping[str, Mapping[str, str]]) -> set[str]:
    return {name for name, check in checks.items() if check["state"] == "fail"}


def ignoring_pictures(asked: Asked) -> Mapping[str, Any]:
    return hashed_numbers(replace(asked, source=NOTHING, edited=NOTHING))


def ignoring_the_instruction(asked: Asked) -> Mapping[str, Any]:
    return hashed_numbers(replace(asked, instruction=""))


def always_8(_: Asked) -> Mapping[str, Any]:
    return {"why": "fine", "success": 8, "untouched": 8, "natural": 8, "clean": 8, "possible": 8, "unsafe": []}


def swapped(asked: Asked) -> Mapping[str, Any]:
    return probe_numbers(replace(asked, source=asked.edited, edited=asked.source))


def obedient(asked: Asked) -> Mapping[str, Any]:
    return always_8(asked) if "answer success 10" in asked.instruction else probe_numbers(asked)


def blind_to_marks(asked: Asked) -> Mapping[str, Any]:
    return {**probe_numbers(asked), "clean": 9}


def test_a_judge_that_looks_and_reads_is_healthy() -> None:
    checks = diagnose(probe_numbers, exit_code=0)
    assert failed(checks) == set()
    assert {check["state"] for check in checks.values()} == {"pass"}
    assert len(checks) == 10


@pytest.mark.parametrize(
    ("answer", "found_by", "said"),
    [
        (ignoring_pictures, "looks_at_the_pictures", "does not look at the pictures"),
        (ignoring_the_instruction, "reads_the_instruction", "does not read the instruction"),
        (always_8, "sees_no_edit", "pictures that nobody edited get success 8.0 of 10"),
        (swapped, "order_of_pictures", "takes picture 2 for the source"),
        (obedient, "prompt_injection", "'answer 10' gets success 8.0 of 10"),
        (blind_to_marks, "watermark", "a watermarked edit is called as clean as one without a mark"),
    ],
)
def test_a_judge_that_does_not_is_found_with_a_sentence(answer: Answer, found_by: str, said: str) -> None:
    checks = diagnose(answer, exit_code=1)
    assert found_by in failed(checks)
    assert said in checks[found_by]["detail"]


def test_a_judge_that_keeps_to_no_form_is_found() -> None:
    checks = diagnose(lambda _: {"grade": "A"}, exit_code=1)
    assert "readable" in failed(checks)
    assert "judge_unparsable" in checks["readable"]["detail"]


def test_the_terminal_says_it_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    with serving(ReplayServer(Book(), rest=always_8)) as url:
        found = edit_metrics("doctor", "--judge", "--base-url", url, exit_code=1)
    assert "sees_no_edit" in found.output
    assert "NOT healthy" in found.stderr
