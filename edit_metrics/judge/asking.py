"""Ask many questions at a time, keep every answer at once, and stop without losing one."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from edit_metrics.backends.chat_judge import ChatOutcome, ChatReply, ChatRequest
from edit_metrics.errors import RunError
from edit_metrics.judge.answers import parse_answer
from edit_metrics.judge.questions import Question
from edit_metrics.judge.store import AnswerStore, StoredAnswer
from edit_metrics.judge.template import JudgeTemplate
from edit_metrics.types import Missing, Status

_TRIES: Final = 2
"""Questions put again once when the answer cannot be read, or when another model than the named one gave it. A sampling
or overloaded server may do better; a model that cannot keep to the form will not, and each try is paid for."""
_DEAD_AFTER: Final = 8
"""Questions in a row, beyond those under way, that no server answered: it is gone, and the rest would fail as well."""


class Judge(Protocol):
    """What is asked: :class:`edit_metrics.backends.chat_judge.ChatJudge`, or a stand-in.

    Attributes:
        concurrency: questions under way at a time.
    """

    concurrency: int

    async def ask(self, request: ChatRequest, *, attempts: int | None = None) -> ChatOutcome:
        """Ask one question."""
        ...

    async def close(self) -> None:
        """Let go of what belongs to the running event loop; the next question opens it again."""
        ...


@dataclass(slots=True)
class Meter:
    """What was spent so far.

    Attributes:
        calls: requests sent, failed ones included.
        answers: that could be read and are kept.
        uncounted: answers for which the server named no tokens.
        models: model as the server named it → answers, also of models that were not asked for.
        fingerprints: likewise, of the model's build.
    """

    calls: int = 0
    answers: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    uncounted: int = 0
    models: Counter[str] = field(default_factory=Counter)
    fingerprints: Counter[str] = field(default_factory=Counter)

    def count(self, outcome: ChatOutcome) -> None:
        """Add one question's requests and tokens."""
        self.calls += outcome.calls
        self.tokens_in += outcome.usage.tokens_in or 0
        self.tokens_out += outcome.usage.tokens_out or 0
        self.uncounted += outcome.usage.tokens_out is None and isinstance(outcome.result, ChatReply)


class AskingProgress(Protocol):
    """Told while questions are asked."""

    def advance(self, meter: Meter) -> None:
        """After every question."""

    def stopping(self) -> None:
        """After an interrupt, while questions under way come to their end."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How it ended.

    Attributes:
        missing: question → why it has no answer; those that were not reached are not in it.
        stopped: interrupted before the last question.
    """

    missing: Mapping[Question, Missing]
    meter: Meter
    stopped: bool


def ask_all(
    judge: Judge,
    questions: Iterable[Question],
    to_request: Callable[[Question], ChatRequest],
    template: JudgeTemplate,
    store: AnswerStore,
    *,
    model: str,
    progress: AskingProgress,
) -> Asked:
    """Ask; an answer is on disk before the next question takes its place.

    An interrupt (Ctrl-C) lets the questions under way come to their end, a second one does not.

    Args:
        judge: asked; at most ``judge.concurrency`` questions are under way.
        questions: to ask, in order.
        to_request: makes a request when its turn comes: memory does not grow with the number of questions.
        template: says what an answer must look like.
        store: where answers are kept.
        model: as the server named it at the start; an answer by another one is kept under that one's name and does
            not count.
        progress: told after every question.

    Raises:
        JudgeError: nothing can be asked like this.
        RunError: the servers have stopped answering; what was answered is kept.
    """
    return asyncio.run(_Run(judge, to_request, template, store, model, progress).all(iter(questions)))


def ask_each(judge: Judge, requests: Sequence[ChatRequest], *, attempts: int | None = None) -> list[ChatOutcome]:
    """Ask a few questions whose answers are not kept: canaries, self-tests.

    Raises:
        JudgeError: nothing can be asked like this.
    """

    async def run() -> list[ChatOutcome]:
        turn = asyncio.Semaphore(judge.concurrency)

        async def one(request: ChatRequest) -> ChatOutcome:
            async with turn:
                return await judge.ask(request, attempts=attempts)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(request)) for request in requests]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await judge.close()
        return [task.result() for task in tasks]

    return asyncio.run(run())


class _Run:
    def __init__(
        self,
        judge: Judge,
        to_request: Callable[[Question], ChatRequest],
        template: JudgeTemplate,
        store: AnswerStore,
        model: str,
        progress: AskingProgress,
    ) -> None:
        self._judge, self._to_request, self._template = judge, to_request, template
        self._store, self._model, self._progress = store, model, progress
        self._meter = Meter()
        self._missing: dict[Question, Missing] = {}
        self._unanswered = 0
        self._stop = False
        self._workers: list[asyncio.Task[None]] = []

    async def all(self, questions: Iterator[Question]) -> Asked:
        try:
            with self._interruptible():
                async with asyncio.TaskGroup() as group:
                    self._workers = [group.create_task(self._work(questions)) for _ in range(self._judge.concurrency)]
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await self._judge.close()
        return Asked(self._missing, self._meter, self._stop)

    @contextlib.contextmanager
    def _interruptible(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        try:
            loop.add_signal_handler(signal.SIGINT, self._on_interrupt)
        except (NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            yield
            return
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    def _on_interrupt(self) -> None:
        if self._stop:
            for worker in self._workers:
                worker.cancel()
        self._stop = True
        self._progress.stopping()

    async def _work(self, questions: Iterator[Question]) -> None:
        for question in questions:
            await self._one(question)
            if self._stop:
                return

    async def _one(self, question: Question) -> None:
        request = self._to_request(question)
        for _ in range(_TRIES):
            outcome = await self._judge.ask(request)
            self._meter.count(outcome)
            missing = self._keep(question, outcome)
            if missing is None or not _may_improve(missing):
                break
        if missing is not None:
            self._missing[question] = missing
        self._watch(missing)
        self._progress.advance(self._meter)

    def _keep(self, question: Question, outcome: ChatOutcome) -> Missing | None:
        result, usage = outcome.result, outcome.usage
        if isinstance(result, Missing):
            return result
        answer = parse_answer(result.text, self._template)
        if isinstance(answer, Missing):
            return answer
        named = result.model or self._model
        self._meter.models[named] += 1
        self._meter.fingerprints[result.fingerprint] += 1
        kept = StoredAnswer(question.key, named, result.fingerprint, result.text, usage.tokens_in, usage.tokens_out)
        self._store.put([kept])
        if named != self._model:
            return Missing(Status.FAILED, f"judge_other_model: {named}")
        self._meter.answers += 1
        return None

    def _watch(self, missing: Missing | None) -> None:
        gone = missing is not None and missing.reason.startswith(("judge_unreachable", "judge_rate_limited"))
        self._unanswered = self._unanswered + 1 if gone else 0
        if missing is not None and self._unanswered >= _DEAD_AFTER + self._judge.concurrency:
            raise RunError(
                "answers from the judge",
                f"none to the last {self._unanswered} questions ({missing.reason})",
                todo=f"{self._meter.answers} answers are kept ({self._store.path}); the same command goes on.",
            )


def _may_improve(missing: Missing) -> bool:
    return missing.reason.startswith(("judge_unparsable", "judge_other_model"))
