"""The same eight questions in every run: who answers, and does it still answer as it did?

A vendor's model changes behind its name, a server is started with other weights, a proxy swaps pictures. None of it
shows in the answers about a run's own items; it shows in answers whose questions never change.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final

import numpy as np

from edit_metrics.backends.chat_judge import ChatOutcome, ChatPicture, ChatReply
from edit_metrics.judge.answers import JudgeAnswer, parse_answer
from edit_metrics.judge.asking import Judge, ask_each
from edit_metrics.judge.drawn import DrawnPair, damaged, drawn_pair, to_png
from edit_metrics.judge.questions import JudgedEdit, to_request
from edit_metrics.judge.template import JudgeTemplate, Wording
from edit_metrics.scores.judging import SUCCESS
from edit_metrics.types import RGB

VERSION: Final = 1
"""Raised when a picture or an instruction changes: answers of different sets are not compared."""


class Kind(StrEnum):
    """What is true of a canary."""

    RIGHT = "right"
    NOT_DONE = "not_done"
    WRONG = "wrong"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Canary:
    """A question whose answer is known."""

    name: str
    kind: Kind
    edit: JudgedEdit


@cache
def canaries() -> tuple[Canary, ...]:
    """Two instructions × done, not done, something else done, done and damaged."""
    return tuple(
        Canary(f"{pair.name}_{kind}", kind, to_edit(f"{pair.name}_{kind}", pair.instruction, pair.source, edited))
        for pair, other in ((drawn_pair("gray"), "yellow_bar"), (drawn_pair("red_disc"), "upside_down"))
        for kind, edited in _versions(pair, drawn_pair(other))
    )


def _versions(pair: DrawnPair, other: DrawnPair) -> tuple[tuple[Kind, RGB], ...]:
    return (
        (Kind.RIGHT, pair.edited),
        (Kind.NOT_DONE, pair.source),
        (Kind.WRONG, other.edited),
        (Kind.DAMAGED, damaged(pair.edited)),
    )


def to_edit(name: str, instruction: str, source: RGB, edited: RGB) -> JudgedEdit:
    """Pictures in memory as what a judge is shown."""
    return JudgedEdit(name, Wording(instruction), _picture(source), _picture(edited))


def _picture(pixels: RGB) -> ChatPicture:
    return _encoded(pixels.shape, pixels.tobytes())


@lru_cache(maxsize=128)
def _encoded(shape: tuple[int, ...], pixels: bytes) -> ChatPicture:
    """The probes show the same few pictures again and again, and writing the PNG takes longer than asking."""
    data = to_png(np.frombuffer(pixels, np.uint8).reshape(shape))
    return ChatPicture(hashlib.sha256(data).hexdigest(), lambda: data)


@dataclass(frozen=True, slots=True)
class CanaryReport:
    """What the canaries said.

    Attributes:
        version: of the set.
        model: that answered, as the server named it; empty when it named none, or when nothing could be read.
        models: every name that it gave → answers.
        fingerprints: of the model's build → answers.
        answers: canary → column → [0, 1]; those without a readable answer are left out.
        problems: why the others have none.
        tokens_in: mean of a question, None where the server does not count.
        tokens_out: likewise.
        seconds: mean of a question.
    """

    version: int
    model: str
    models: Mapping[str, int]
    fingerprints: Mapping[str, int]
    answers: Mapping[str, Mapping[str, float]]
    problems: tuple[str, ...]
    tokens_in: float | None
    tokens_out: float | None
    seconds: float

    def doubts(self) -> tuple[str, ...]:
        """What a judge that looks would not say, in words."""
        missed = [c for c in canaries() if c.name in self.answers and not _plausible(c.kind, self.answers[c.name])]
        return tuple(
            f"{canary.name}: success {10 * self.answers[canary.name][SUCCESS]:.0f} of 10, and it was "
            f"{_TRUTH[canary.kind]}"
            for canary in missed
        )


_TRUTH: Final = {
    Kind.RIGHT: "done exactly",
    Kind.NOT_DONE: "not done at all",
    Kind.WRONG: "something else that was done",
    Kind.DAMAGED: "done, in a ruined picture",
}


def _plausible(kind: Kind, answer: Mapping[str, float]) -> bool:
    success = answer.get(SUCCESS)
    if success is None or kind is Kind.DAMAGED:
        return True
    return success >= 0.5 if kind is Kind.RIGHT else success <= 0.5


def ask_canaries(judge: Judge, template: JudgeTemplate, *, attempts: int | None = None) -> CanaryReport:
    """Ask all canaries once.

    Raises:
        JudgeError: nothing can be asked like this.
    """
    asked = canaries()
    outcomes = ask_each(judge, [to_request(canary.edit, template, 1) for canary in asked], attempts=attempts)
    answers: dict[str, Mapping[str, float]] = {}
    problems: list[str] = []
    for canary, outcome in zip(asked, outcomes, strict=True):
        answer = _read(outcome, template)
        if isinstance(answer, JudgeAnswer):
            answers[canary.name] = answer.numbers
        else:
            problems.append(f"{canary.name}: {answer}")
    replies = [outcome.result for outcome in outcomes if isinstance(outcome.result, ChatReply)]
    models = Counter(reply.model for reply in replies)
    return CanaryReport(
        version=VERSION,
        model=models.most_common(1)[0][0] if models else "",
        models=dict(models),
        fingerprints=dict(Counter(reply.fingerprint for reply in replies if reply.fingerprint)),
        answers=answers,
        problems=tuple(problems),
        tokens_in=_mean([outcome.usage.tokens_in for outcome in outcomes]),
        tokens_out=_mean([outcome.usage.tokens_out for outcome in outcomes]),
        seconds=sum(outcome.seconds for outcome in outcomes) / len(outcomes),
    )


def _read(outcome: ChatOutcome, template: JudgeTemplate) -> JudgeAnswer | str:
    if not isinstance(outcome.result, ChatReply):
        return outcome.result.reason
    answer = parse_answer(outcome.result.text, template)
    return answer if isinstance(answer, JudgeAnswer) else answer.reason


def _mean(values: Sequence[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
