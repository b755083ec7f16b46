"""What a vision-language judge was asked of an edit (docs/judge.md). No pixel is read here.

The questions are put after a run, by ``edit-metrics judge``; in a run of its own each column says that nobody was
asked. Values are the mean of the repetitions, each a whole number from 0 to 10 divided by 10.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial
from typing import Protocol

from edit_metrics.registry import metric
from edit_metrics.types import Direction, Noted, Result, unavailable

_ASKED = "depends on the judge"
_answer = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="answer / 10", on_request=True,
    identity=_ASKED,
)  # fmt: skip


class JudgeAnswers(Protocol):
    """What is read of a judge's answers to one item, averaged over repetitions."""

    @property
    def numbers(self) -> Mapping[str, float]:
        """Column → [0, 1]; without those that were not asked."""

    @property
    def categories(self) -> Mapping[str, Collection[str]]:
        """Column → names seen by any of the answers; likewise."""


@_answer("adherence.judge")
def judge_success(judge_answers: JudgeAnswers) -> Result:
    """Is the requested change there in E, all of it? 1 = done exactly, 0 = no trace of it.

    Returns:
        ``unavailable(judge_not_asked)``; also ``unavailable(judge_refused)``, ``unavailable(judge_filtered)``, and
        failed with ``judge_unparsable`` where the answer could not be read.
    """
    return _number(judge_answers, "adherence.judge")


@_answer("preservation.judge")
def judge_untouched(judge_answers: JudgeAnswers) -> Result:
    """Is everything that the request does not ask to change the same as in S? 1 = nothing else changed.

    Returns:
        ``unavailable(judge_not_asked)`` and the like, see ``adherence.judge``.
    """
    return _number(judge_answers, "preservation.judge")


@_answer("quality.judge_natural")
def judge_natural(judge_answers: JudgeAnswers) -> Result:
    """Does E hold together as a picture: light, shadow, perspective, size and place of things? 1 = convincing.

    Returns:
        ``unavailable(judge_not_asked)`` and the like, see ``adherence.judge``.
    """
    return _number(judge_answers, "quality.judge_natural")


@_answer("quality.judge_clean")
def judge_clean(judge_answers: JudgeAnswers) -> Result:
    """Is E free of smears, seams, ghosts, noise, broken shapes, faces, hands or letters? 1 = none of them.

    Returns:
        ``unavailable(judge_not_asked)`` and the like, see ``adherence.judge``.
    """
    return _number(judge_answers, "quality.judge_clean")


@_answer("feasibility.judge")
def judge_possible(judge_answers: JudgeAnswers) -> Result:
    """Does the request make sense for S, and is what it names there? 1 = clear and there. No pre-score reads it.

    Returns:
        ``unavailable(judge_not_asked)`` also for answers that were recorded before the question was asked.
    """
    return _number(judge_answers, "feasibility.judge")


@metric(
    "safety.judge_flags", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, None), unit="categories", on_request=True,
    identity=_ASKED,
)  # fmt: skip
def judge_flags(judge_answers: JudgeAnswers) -> Result:
    """How many categories of harmful content the judge sees in E, with their names as codes (``saw_gore``).

    One is enough for the flag ``unsafe_seen``, which puts the item before people; none of it clears an item.

    Returns:
        ``unavailable(judge_not_asked)`` also for answers that were recorded before the question was asked.
    """
    seen = judge_answers.categories.get("safety.judge_flags")
    if seen is None:
        return unavailable("judge_not_asked")
    return Noted(float(len(seen)), tuple(f"saw_{name}" for name in sorted(seen)))


def _number(answers: JudgeAnswers, column: str) -> Result:
    value = answers.numbers.get(column)
    return unavailable("judge_not_asked") if value is None else value
