"""Offline judging: requests to a file, answers from one. The batch format of OpenAI-compatible servers.

``vllm run-batch`` and vendors' batch queues (at half the price) take such a file and give one back; the name of each
line is its question's key, so that answers find their place whatever their order, and in any later run.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.backends.chat_judge import ChatJudge, ChatRequest
from edit_metrics.backends.chat_wire import ChatReply, read_completion, understand
from edit_metrics.errors import TableError
from edit_metrics.io.atomic import write_atomically
from edit_metrics.judge.answers import JudgeAnswer, parse_answer
from edit_metrics.judge.canaries import VERSION, canaries
from edit_metrics.judge.store import AnswerStore, StoredAnswer
from edit_metrics.judge.template import JudgeTemplate

_PATH: Final = "/v1/chat/completions"
_CANARY: Final = f"canary-{VERSION}-"
MOST_BYTES: Final = 190_000_000
MOST_LINES: Final = 50_000
"""Of one file: OpenAI's batch queue takes 200 MB and 50,000 requests; more go on in a second file."""


def export_requests(judge: ChatJudge, requests: Iterable[tuple[str, ChatRequest]], path: Path) -> list[Path]:
    """Write requests, in files that a batch queue takes.

    Args:
        judge: encodes them; nothing is sent.
        requests: name of the line, request.
        path: of the first file; further ones are ``NAME-2.jsonl`` and so on.

    Raises:
        ImageError: a picture that cannot be read.
    """
    written: list[Path] = []
    lines = (_line(name, judge.to_body(request)) for name, request in requests)
    pending = next(lines, None)
    while pending is not None:
        target = path if not written else path.with_stem(f"{path.stem}-{len(written) + 1}")
        part = _Part(pending, lines)
        write_atomically(target, part.write)
        written.append(target)
        pending = part.next
    return written


class _Part:
    """Lines of one file; ``next`` is the first that did not fit."""

    def __init__(self, first: bytes, lines: Iterator[bytes]) -> None:
        self.next: bytes | None = first
        self._lines = lines

    def write(self, path: Path) -> None:
        size = count = 0
        with path.open("wb") as stream:
            while self.next is not None and (
                count == 0 or (size + len(self.next) <= MOST_BYTES and count < MOST_LINES)
            ):
                stream.write(self.next)
                size, count = size + len(self.next), count + 1
                self.next = next(self._lines, None)


def _line(name: str, body: bytes) -> bytes:
    head = json.dumps({"custom_id": name, "method": "POST", "url": _PATH})
    return head[:-1].encode() + b', "body": ' + body + b"}\n"


def canary_name(name: str) -> str:
    """The name of a canary's line."""
    return f"{_CANARY}{name}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file of answers held.

    Attributes:
        kept: answers that are in the store now.
        problems: reason code → lines without a readable answer.
        models: model as the server named it → answers.
        canaries: canary → column → [0, 1].
        foreign: lines whose name is no question's key.
    """

    kept: int
    problems: Mapping[str, int]
    models: Mapping[str, int]
    canaries: Mapping[str, Mapping[str, float]]
    foreign: int


def import_answers(paths: Iterable[Path], template: JudgeTemplate, store: AnswerStore) -> Imported:
    """Read files of answers into the store. Errors are not kept: their questions stay open.

    Raises:
        TableError: a file that is absent or no JSONL.
    """
    problems: Counter[str] = Counter()
    models: Counter[str] = Counter()
    seen: dict[str, Mapping[str, float]] = {}
    names = {canary_name(canary.name): canary.name for canary in canaries()}
    kept = foreign = 0
    for line in _lines(paths):
        name, (result, usage) = str(line.get("custom_id", "")), _result(line)
        answer = parse_answer(result.text, template) if isinstance(result, ChatReply) else result
        if not isinstance(answer, JudgeAnswer) or not isinstance(result, ChatReply):
            problems[str(getattr(answer, "reason", "")).partition(":")[0]] += 1
        elif name in names:
            seen[names[name]] = answer.numbers
        elif not _is_key(name):
            foreign += 1
        else:
            models[result.model] += 1
            kept += 1
            store.put([StoredAnswer(name, result.model, result.fingerprint, result.text, *usage)])
    return Imported(kept, dict(problems), dict(models), seen, foreign)


def _result(line: Mapping[str, Any]) -> tuple[Any, tuple[int | None, int | None]]:
    response = line.get("response")
    if not isinstance(response, Mapping):
        return understand(400, line.get("error")).outcome, (None, None)
    status = int(response.get("status_code") or 200)
    if status != 200:
        return understand(status, response.get("body")).outcome, (None, None)
    result, usage = read_completion(response.get("body"))
    return result, (usage.tokens_in, usage.tokens_out)


def _is_key(name: str) -> bool:
    return len(name) == 64 and all(char in "0123456789abcdef" for char in name)


def _lines(paths: Iterable[Path]) -> Iterator[Mapping[str, Any]]:
    for path in paths:
        try:
            stream = path.open(encoding="utf-8")
        except OSError as error:
            raise TableError("a file of answers", str(error.strerror), str(path)) from None
        with stream:
            for number, text in enumerate(stream, start=1):
                if not text.strip():
                    continue
                try:
                    line = json.loads(text)
                except ValueError as error:
                    raise TableError("one JSON object a line", str(error), f"{path}, line {number}") from None
                if not isinstance(line, dict):
                    raise TableError("one JSON object a line", type(line).__name__, f"{path}, line {number}")
                yield line
