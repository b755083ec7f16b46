"""From a model's text to numbers, or to the reason why not. No number is ever guessed.

Parsers that take the first digit of a sentence, read "-10" as the maximum, or turn silence into 0 were found in more
than one published judge; each gives a wrong score that looks like a right one. So: one JSON object with the names that
were asked for, whole numbers inside their range, or ``failed(judge_unparsable)`` with what was wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from edit_metrics.backends.chat_wire import shorten
from edit_metrics.judge.template import AnswerRules, JudgeTemplate, NumberRule, named
from edit_metrics.types import Missing, Status


@dataclass(frozen=True, slots=True)
class JudgeAnswer:
    """One answer.

    Attributes:
        numbers: column → [0, 1], higher is better; without those that the answer leaves out.
        categories: column → names; likewise.
        why: the judge's reason in words; may be empty.
    """

    numbers: Mapping[str, float]
    categories: Mapping[str, tuple[str, ...]]
    why: str


def parse_answer(text: str, template: JudgeTemplate) -> JudgeAnswer | Missing:
    """Read an answer strictly.

    Args:
        text: the whole of it; prose or a code fence around the object is passed over.
        template: names, ranges and columns.
    """
    rules = template.file.answer
    model = _answer_model(template)
    found: list[BaseModel] = []
    complaint = f"no JSON object in {json.dumps(shorten(text, 60), ensure_ascii=False)}"
    for value in _json_objects(text):
        try:
            answer = model.model_validate(_gather(value, rules))
        except ValidationError as error:
            complaint = _in_words(error)
            continue
        if answer not in found:
            found.append(answer)
    if len(found) > 1:
        complaint = "two different answers"
    if len(found) != 1:
        return Missing(Status.FAILED, f"judge_unparsable: {complaint}")
    return _to_answer(found[0], rules)


def _to_answer(model: BaseModel, rules: AnswerRules) -> JudgeAnswer:
    given = model.model_dump()
    numbers = {
        rule.column: _scaled(given[name], rule) for name, rule in rules.numbers.items() if given[name] is not None
    }
    categories = {
        rule.column: tuple(dict.fromkeys(given[name]))
        for name, rule in rules.categories.items()
        if given[name] is not None
    }
    return JudgeAnswer(numbers, categories, " ".join((given.get(_WHY) or "").split()))


def _scaled(value: float, rule: NumberRule) -> float:
    low, high = rule.range
    return (value - low) / (high - low)


_WHY: Final = "why_"


@lru_cache(maxsize=8)
def _answer_model(template: JudgeTemplate) -> type[BaseModel]:
    rules = template.file.answer
    fields: dict[str, Any] = {}
    for name, rule in rules.numbers.items():
        # Strict: "8", 8.0 and true are no whole numbers, whatever Python makes of them.
        bounds = Field(strict=True, ge=rule.range[0], le=rule.range[1])
        kind: Any = Annotated[int, bounds] if rule.whole else Annotated[float, bounds]
        fields[name] = (kind | None, None) if rule.optional else (kind, ...)
    for name, choice in rules.categories.items():
        kind = list[Literal.__getitem__(tuple(choice.one_of))]  # type: ignore[misc]
        fields[name] = (kind | None, None) if choice.optional else (kind, ...)
    if rules.why:
        fields[_WHY] = (str | None, None)
    return create_model("Answer", __config__=ConfigDict(extra="ignore", allow_inf_nan=False), **fields)


def _gather(value: Mapping[str, Any], rules: AnswerRules) -> dict[str, Any]:
    """The names that the rules ask for, from wherever they stand; absent ones stay absent."""
    places = named(rules.numbers) | named(rules.categories) | ({_WHY: rules.why} if rules.why else {})
    gathered = {}
    for name, place in places.items():
        node: Any = value
        for step in place.split("."):
            if isinstance(node, list) and step.isdigit() and int(step) < len(node):
                node = node[int(step)]
            elif isinstance(node, dict) and step in node:
                node = node[step]
            else:
                break
        else:
            gathered[name] = node
    return gathered


def _json_objects(text: str) -> Iterator[dict[str, Any]]:
    """Every JSON object in a text that is not part of another one."""
    decoder = json.JSONDecoder(object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield value
        start = text.find("{", end)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return value


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _in_words(error: ValidationError) -> str:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    got = "" if first["type"] == "missing" else f", got {json.dumps(first['input'], default=str)[:40]}"
    return shorten(f"{name}: {first['msg']}{got}")
