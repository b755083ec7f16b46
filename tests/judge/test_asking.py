"""Under every fault: nothing lost, nothing answered asked again, no failure kept."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from cases import make_book, make_edits, make_judge, served
from oracle import canary_numbers
from replay import FAULTS, HARMLESS, Asked, Book, ReplayServer, free_port, serving

from edit_metrics.backends import chat_endpoints
from edit_metrics.errors import JudgeError, RunError
from edit_metrics.judge.answers import JudgeAnswer, parse_answer
from edit_metrics.judge.asking import Asked as Outcome
from edit_metrics.judge.asking import Meter, ask_all
from edit_metrics.judge.canaries import ask_canaries, canaries
from edit_metrics.judge.questions import JudgedEdit, Question, make_questions, to_request
from edit_metrics.judge.store import AnswerStore
from edit_metrics.judge.template import load_template
from edit_metrics.scores.judging import find_drift

TEMPLATE = load_template()
COUNT = 24


class Quiet:
    """Progress that nobody watches."""

    def __init__(self) -> None:
        self.seen: list[int] = []
        self.stopped = 0

    def advance(self, meter: Meter) -> None:
        self.seen.append(meter.answers)

    def stopping(self) -> None:
        self.stopped += 1


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat_endpoints, "_FIRST_WAIT", 0.005)
    monkeypatch.setattr(chat_endpoints, "_LONGEST_WAIT", 0.02)


def open_questions(edits: list[JudgedEdit], url: str, store: AnswerStore, repeat: int = 1) -> list[Question]:
    questions = make_questions(edits, TEMPLATE, make_judge(url).fingerprint, repeat)
    kept = {answer.key for answer in store.get((q.key for q in questions), "replay-1")}
    return [question for question in questions if question.key not in kept]


def ask(edits: list[JudgedEdit], url: str, store: AnswerStore, *, repeat: int = 1, **options: object) -> Outcome:
    return ask_all(
        make_judge(url, **options),
        open_questions(edits, url, store, repeat),
        lambda question: to_request(edits[question.edit], TEMPLATE, question.repetition),
        TEMPLATE,
        store,
        model="replay-1",
        progress=Quiet(),
    )


def kept_numbers(edits: list[JudgedEdit], store: AnswerStore, repeat: int = 1) -> dict[tuple[str, int], JudgeAnswer]:
    questions = make_questions(edits, TEMPLATE, make_judge("http://127.0.0.1:1/v1").fingerprint, repeat)
    texts = {answer.key: answer.text for answer in store.get((q.key for q in questions), "replay-1")}
    found = {
        (edits[q.edit].id, q.repetition): parse_answer(texts[q.key], TEMPLATE) for q in questions if q.key in texts
    }
    assert all(isinstance(answer, JudgeAnswer) for answer in found.values())
    return found  # type: ignore[return-value]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], JudgeAnswer]:
    edits = make_edits(COUNT)
    store = AnswerStore(tmp_path_factory.mktemp("undisturbed"))
    with served(edits) as (server, url):
        outcome = ask(edits, url, store, repeat=2)
    assert not outcome.missing
    assert outcome.meter.calls == len(server.log.calls) == 2 * COUNT
    assert (outcome.meter.tokens_in, outcome.meter.tokens_out) == (900 * 2 * COUNT, 60 * 2 * COUNT)
    answers = kept_numbers(edits, store, 2)
    store.close()
    return answers


@pytest.mark.parametrize("fault", [*sorted(FAULTS), "slow", "drop"])
def test_every_fault_at_a_fifth_of_the_calls_changes_nothing_but_the_time(
    fault: str, tmp_path: Path, undisturbed: dict[tuple[str, int], JudgeAnswer]
) -> None:
    edits = make_edits(COUNT)
    store = AnswerStore(tmp_path)
    with served(edits, fault=fault, share=0.2) as (server, url):
        server.slow_seconds = 0.6
        rounds = 0
        while open_questions(edits, url, store, 2):
            rounds += 1
            assert rounds < 12, "the same questions stay open"
            outcome = ask(edits, url, store, repeat=2, timeout=0.4 if fault == "slow" else 60.0)
            left = {(edits[q.edit].id, q.repetition) for q in open_questions(edits, url, store, 2)}
            assert left == {(edits[q.edit].id, q.repetition) for q in outcome.missing}  # nothing lost
    numbers = kept_numbers(edits, store, 2)
    store.close()
    assert {key: answer.numbers for key, answer in numbers.items()} == {
        key: answer.numbers for key, answer in undisturbed.items()
    }
    true_answers = Counter(
        (call["item"], call["seed"]) for call in server.log.calls if call["fault"] is None or fault in HARMLESS
    )
    assert set(true_answers.values()) == {1}  # nothing that was answered was asked again
    assert any(call["fault"] for call in server.log.calls)


def test_refusals_and_cut_answers_are_asked_once_a_run_and_unreadable_ones_twice(tmp_path: Path) -> None:
    for fault, times in (("refusal", 1), ("filter_400", 1), ("length", 1), ("eleven", 2), ("other_model", 2)):
        edits = make_edits(3)
        store = AnswerStore(tmp_path / fault)
        with served(edits, fault=fault, share=1.0) as (server, url):
            outcome = ask(edits, url, store)
        assert len(outcome.missing) == 3, fault
        assert len(server.log.calls) == 3 * times, fault
        store.close()


def test_an_answer_of_another_model_is_kept_under_its_own_name(tmp_path: Path) -> None:
    edits = make_edits(3)
    store = AnswerStore(tmp_path)
    with served(edits, fault="other_model", share=1.0) as (_, url):
        outcome = ask(edits, url, store)
        keys = [question.key for question in make_questions(edits, TEMPLATE, make_judge(url).fingerprint, 1)]
    assert {missing.reason for missing in outcome.missing.values()} == {"judge_other_model: another-model"}
    assert store.models(keys) == {"another-model": 3}
    assert list(store.get(keys, "replay-1")) == []
    store.close()


def test_servers_that_are_gone_end_the_run_instead_of_failing_every_item(tmp_path: Path) -> None:
    edits = make_edits(COUNT)
    store = AnswerStore(tmp_path)
    with pytest.raises(RunError, match="the same command goes on"):
        ask(edits, f"http://127.0.0.1:{free_port()}/v1", store, attempts=1)
    store.close()


def test_a_call_that_cannot_succeed_ends_the_run_with_its_reason(tmp_path: Path) -> None:
    edits = make_edits(3)
    store = AnswerStore(tmp_path)
    with served(edits, key="sk-right") as (_, url), pytest.raises(JudgeError, match="key"):
        ask(edits, url, store)
    store.close()


def test_an_interrupt_lets_calls_under_way_finish_and_keeps_their_answers(tmp_path: Path) -> None:
    edits = make_edits(COUNT)
    store = AnswerStore(tmp_path)
    with served(edits, delay=0.3) as (server, url):

        def interrupt() -> None:
            while len(server.log.calls) < 6:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt).start()
        outcome = ask(edits, url, store)
        assert outcome.stopped
        answered = len(server.log.calls)
        assert 6 <= answered < COUNT
        assert len(kept_numbers(edits, store)) == answered  # every call that was made is kept
        server.delay = 0.0
        ask(edits, url, store)
    assert len(server.log.calls) == COUNT
    store.close()


def test_memory_of_questions_does_not_hold_pictures(tmp_path: Path) -> None:
    """Requests are made when their turn comes: never more of them than there are places, plus one."""
    edits = make_edits(COUNT)
    store = AnswerStore(tmp_path)
    made: list[int] = []
    with served(edits, delay=0.01) as (server, url):

        def build(question: Question) -> object:
            made.append(len(made) - sum(call["fault"] is None for call in server.log.calls))
            return to_request(edits[question.edit], TEMPLATE, 1)

        questions = open_questions(edits, url, store)
        ask_all(
            make_judge(url, concurrency=4), questions, build, TEMPLATE, store, model="replay-1", progress=Quiet()  # type: ignore[arg-type]
        )  # fmt: skip
    assert max(made) <= 4
    store.close()


# The store


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_text("not a database, but somebody's file " * 50)
    with pytest.raises(RunError, match="--cache"):
        AnswerStore(tmp_path)
    assert (tmp_path / "answers.sqlite").read_text().startswith("not a database")


def test_equal_questions_have_equal_keys_and_any_difference_another(tmp_path: Path) -> None:
    edits = make_edits(2)
    judge = make_judge("http://127.0.0.1:1/v1").fingerprint
    first = make_questions(edits, TEMPLATE, judge, 2)
    assert first == make_questions(make_edits(2), TEMPLATE, judge, 2)
    assert len({question.key for question in first}) == 4
    other = make_judge("http://127.0.0.1:1/v1", model_revision="abc").fingerprint
    assert not {q.key for q in first} & {q.key for q in make_questions(edits, TEMPLATE, other, 2)}


# Canaries


def test_canaries_name_the_model_and_a_judge_that_looks_raises_no_doubt() -> None:
    with serving(ReplayServer(Book(), rest=canary_numbers)) as url:
        report = ask_canaries(make_judge(url), TEMPLATE)
    assert report.model == "replay-1"
    assert len(report.answers) == len(canaries()) == 8
    assert not report.doubts()
    assert not report.problems
    assert (report.tokens_in, report.tokens_out) == (900, 60)


def test_a_judge_that_does_not_look_is_doubted() -> None:
    always = {"why": "fine", "success": 8, "untouched": 8, "natural": 8, "clean": 8}
    with serving(ReplayServer(Book(), rest=lambda _: always)) as url:
        doubts = ask_canaries(make_judge(url), TEMPLATE).doubts()
    assert len(doubts) == 4  # two not done, two with something else done
    assert any("not done at all" in doubt for doubt in doubts)


def moved(asked: Asked, by: int) -> dict[str, object]:
    numbers = canary_numbers(asked)
    return {**numbers, **{n: min(10, max(0, numbers[n] + by)) for n in ("success", "untouched", "natural", "clean")}}


@pytest.mark.parametrize(("by", "drifts"), [(0, False), (2, True), (-2, True)])
def test_answers_that_move_beyond_the_noise_of_asking_twice_are_drift(by: int, drifts: bool) -> None:
    with serving(ReplayServer(Book(), rest=canary_numbers)) as url:
        before = ask_canaries(make_judge(url), TEMPLATE)
    with serving(ReplayServer(Book(), rest=lambda asked: moved(asked, by))) as url:
        after = ask_canaries(make_judge(url), TEMPLATE)
    drift = find_drift(before.answers, after.answers)
    assert drift.compared == 32
    assert bool(drift.sentences) is drifts


def test_canaries_are_the_same_pixels_everywhere() -> None:
    """Answers are compared over months and machines: a change of a picture must raise the set's version."""
    import hashlib
    import io

    import numpy as np
    from PIL import Image

    digest = hashlib.sha256()
    for canary in canaries():
        for picture in (canary.edit.source, canary.edit.edited):
            digest.update(np.asarray(Image.open(io.BytesIO(picture.load()))).tobytes())
        digest.update((canary.edit.wording.instruction or "").encode())
    assert digest.hexdigest()[:16] == "e5f95e292f24b27b"


def test_books_find_items_by_instruction_and_looks(tmp_path: Path) -> None:
    edits = make_edits(4)
    book = make_book(edits)
    from replay import look

    asked = Asked("change number 2", look(edits[2].source.load()), look(edits[2].edited.load()), 2, "")
    assert book.find(asked) == ("e2", {**book._numbers["e2"][2]})
    assert book.find(Asked("change number 9", asked.source, asked.edited, 1, "")) is None
