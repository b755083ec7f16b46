"""A server program that nobody here wrote: ``transformers serve`` with a tiny random Qwen2-VL.

It takes ``response_format`` and ignores it, names the model otherwise than it was asked for, and answers ``/v1/models``
with an error. Random weights say nothing that can be read: every answer must come out as a typed failure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import make_edits, make_judge
from replay import free_port
from tiny_qwen import write_tiny_qwen

from edit_metrics.backends.chat_judge import ChatReply
from edit_metrics.errors import JudgeError
from edit_metrics.judge.answers import parse_answer
from edit_metrics.judge.asking import ask_each
from edit_metrics.judge.canaries import ask_canaries
from edit_metrics.judge.questions import to_request
from edit_metrics.judge.template import load_template
from edit_metrics.types import Missing, Status

_SECONDS_TO_START = 240


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_qwen(tmp_path_factory.mktemp("serve") / "tiny-qwen")


@pytest.fixture(scope="module")
def url(model: Path) -> Iterator[str]:
    pytest.importorskip("fastapi", reason="the extra [serving] is not installed")
    port = free_port()
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(model), "--device", "cpu"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
    log = (model.parent / "serve.log").open("wb")
    server = subprocess.Popen([*command, "--port", str(port)], env=environment, stdout=log, stderr=log)
    try:
        _wait(server, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def _wait(server: subprocess.Popen[bytes], health: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server died; see serve.log"
        try:
            with urllib.request.urlopen(health, timeout=5) as answer:  # noqa: S310 - http on this machine
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"no server after {_SECONDS_TO_START} s")


def test_the_garbage_of_a_real_server_becomes_typed_failures(url: str, model: Path) -> None:
    template = load_template()
    outcomes = ask_each(
        make_judge(url, model=str(model), max_tokens=40, timeout=120),
        [to_request(edit, template, 1) for edit in make_edits(2)],
    )
    for outcome in outcomes:
        result = outcome.result
        if isinstance(result, ChatReply):  # it stopped by itself
            assert result.model.startswith(str(model))
            assert outcome.usage.tokens_in is not None
            assert outcome.usage.tokens_in > 500  # the prompt and two pictures reached the model
            result = parse_answer(result.text, template)
        assert isinstance(result, Missing)
        assert result.status is Status.FAILED
        assert result.reason.partition(":")[0] in ("judge_unparsable", "judge_cut_off")


def test_canaries_of_such_a_judge_are_all_problems(url: str, model: Path) -> None:
    report = ask_canaries(make_judge(url, model=str(model), max_tokens=8, timeout=120), load_template())
    assert not report.answers
    assert len(report.problems) == 8


def test_another_model_than_the_served_one_is_refused_in_words(url: str) -> None:
    request = to_request(make_edits(1)[0], load_template(), 1)
    with pytest.raises(JudgeError, match="requested 'another'"):
        ask_each(make_judge(url, model="another", timeout=120), [request])
