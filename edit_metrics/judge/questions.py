"""Questions: which edit, which repetition, and the key under which the answer is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from edit_metrics.backends.base import Fingerprint
from edit_metrics.backends.chat_judge import ChatPicture, ChatRequest
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.judge.template import EDITED, SOURCE, JudgeTemplate, Wording


@dataclass(frozen=True, slots=True)
class JudgedEdit:
    """What a judge is shown of one item.

    Attributes:
        id: of the item.
        wording: the texts that may go into the prompt.
        source: S.
        edited: E.
    """

    id: str
    wording: Wording
    source: ChatPicture
    edited: ChatPicture


@dataclass(frozen=True, slots=True)
class Question:
    """One answer that is wanted.

    Attributes:
        edit: position of the edit in its list.
        repetition: from 1; asking twice shows how far a judge agrees with itself.
        key: of everything that decides the answer; see :func:`question_key`.
    """

    edit: int
    repetition: int
    key: str


def question_key(edit: JudgedEdit, template: JudgeTemplate, judge: Fingerprint, repetition: int) -> str:
    """Hash of both pictures' content, every word of the prompt, the schema, the judge's settings and the repetition.

    No id and no path: the same question about the same pictures is the same question in every run.
    """
    system, parts = template.render(edit.wording)
    shown = {SOURCE: {"picture": edit.source.sha256}, EDITED: {"picture": edit.edited.sha256}}
    return canonical_json_sha256(
        {
            "system": system,
            "user": [shown.get(part, part) for part in parts],
            "schema": template.schema,
            "judge": asdict(judge),
            "repetition": repetition,
        }
    )


def make_questions(
    edits: Sequence[JudgedEdit], template: JudgeTemplate, judge: Fingerprint, repeat: int
) -> list[Question]:
    """Every repetition of every edit, edits of one source together, so that its picture is encoded once."""
    order = sorted(range(len(edits)), key=lambda index: (edits[index].source.sha256, index))
    return [
        Question(index, repetition, question_key(edits[index], template, judge, repetition))
        for index in order
        for repetition in range(1, repeat + 1)
    ]


def to_request(edit: JudgedEdit, template: JudgeTemplate, repetition: int) -> ChatRequest:
    """A question as it is sent. Repetitions differ in their seed, for servers that sample."""
    system, parts = template.render(edit.wording)
    shown = {SOURCE: edit.source, EDITED: edit.edited}
    seed = None if repetition == 1 else repetition
    return ChatRequest(system, tuple(shown.get(part, part) for part in parts), template.schema, seed)


def by_edit(questions: Sequence[Question]) -> Iterator[tuple[int, list[Question]]]:
    """Edit → its questions, in order of repetition."""
    grouped: dict[int, list[Question]] = {}
    for question in questions:
        grouped.setdefault(question.edit, []).append(question)
    yield from grouped.items()
