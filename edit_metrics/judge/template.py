"""What is asked, and what an answer must look like: one file, ours (``configs/judge.yaml``) or a lab's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from edit_metrics.config import configs_folder
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.plain_yaml import read_yaml
from edit_metrics.scores.judging import CATEGORY_COLUMNS, NUMBER_COLUMNS


class Section(BaseModel):
    """Base of the file's sections: frozen, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] >= bounds[1]:
        raise ValueError("a range rises from its first to its second number")
    return bounds


class NumberRule(Section):
    """A number of the answer.

    Attributes:
        range: lowest and highest, inclusive; they become 0 and 1. Anything outside makes the answer unparsable.
        column: where it goes.
        at: where it stands in the answer, dotted (``scores.0``); its own name by default.
        whole: no fractions.
        optional: may be absent, as in answers recorded before the question was asked.
    """

    range: Annotated[tuple[float, float], AfterValidator(_rising)]
    column: str
    at: str = ""
    whole: bool = True
    optional: bool = False


class CategoryRule(Section):
    """A list of names in the answer; the column holds how many there are."""

    one_of: tuple[str, ...] = Field(min_length=1)
    column: str
    at: str = ""
    optional: bool = False


class AnswerRules(Section):
    """How an answer becomes columns.

    Attributes:
        why: where the reason in words stands; empty for none.
        schema_: sent to the server; None: made from the rules, where every name stands at the top.
    """

    why: str = ""
    numbers: dict[str, NumberRule] = Field(min_length=1)
    categories: dict[str, CategoryRule] = {}
    schema_: dict[str, Any] | None = Field(default=None, alias="schema")

    @model_validator(mode="after")
    def _columns_exist_once(self) -> AnswerRules:
        numbers = {name: rule.column for name, rule in self.numbers.items()}
        categories = {name: rule.column for name, rule in self.categories.items()}
        for columns, known in ((numbers, NUMBER_COLUMNS), (categories, CATEGORY_COLUMNS)):
            for name, column in columns.items():
                if column not in known:
                    raise ValueError(f"{name!r} goes to {column!r}: {suggest(column, known)}")
        used = [*numbers.values(), *categories.values()]
        if len(set(used)) < len(used):
            raise ValueError("two parts of the answer go to the same column")
        return self

    def to_schema(self) -> dict[str, Any] | None:
        """JSON schema of the answer; None when names stand deeper and the file gives none."""
        if self.schema_ is not None:
            return self.schema_
        rules: list[tuple[str, NumberRule | CategoryRule]] = [*self.numbers.items(), *self.categories.items()]
        if any(rule.at not in ("", name) for name, rule in rules) or "." in self.why:
            return None
        properties: dict[str, Any] = {self.why: {"type": "string"}} if self.why else {}
        properties |= {name: _property(rule) for name, rule in rules}
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),  # vendors' strict mode wants every one of them
            "additionalProperties": False,
        }


def _property(rule: NumberRule | CategoryRule) -> dict[str, Any]:
    if isinstance(rule, CategoryRule):
        return {"type": "array", "items": {"type": "string", "enum": list(rule.one_of)}}
    low, high = rule.range
    if rule.whole:
        # An enumeration, not bounds: every grammar engine knows it, and older ones ignore minimum and maximum.
        return {"type": "integer", "enum": list(range(int(low), int(high) + 1))}
    return {"type": "number", "minimum": low, "maximum": high}


class TemplateFile(Section):
    """The file as it stands."""

    name: str = Field(min_length=1)
    version: int
    system: str = ""
    user: str = Field(min_length=1)
    answer: AnswerRules


@dataclass(frozen=True, slots=True)
class Wording:
    """What can be put into a prompt of one item; the pictures' places are marked by the template itself."""

    instruction: str | None
    source_caption: str | None = None
    target_caption: str | None = None
    edit_type: str | None = None


SOURCE: Final = "\x00source\x00"
EDITED: Final = "\x00edited\x00"
"""Marks of the pictures' places. Control characters are taken out of every text that an item brings."""


@dataclass(frozen=True, eq=False)
class JudgeTemplate:
    """A prompt with its answer rules, ready to be rendered.

    Attributes:
        path: where it was read from; for messages, not for hashes.
    """

    file: TemplateFile
    path: str

    @property
    def name(self) -> str:
        """``edit-judge v1``."""
        return f"{self.file.name} v{self.file.version}"

    @cached_property
    def sha256(self) -> str:
        """Of everything in the file."""
        return canonical_json_sha256(self.file.model_dump(mode="json"))

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """See :meth:`AnswerRules.to_schema`."""
        return self.file.answer.to_schema()

    def render(self, wording: Wording) -> tuple[str, tuple[str, ...]]:
        """The system message, and the user's message cut at the pictures' places.

        Returns:
            System text, and parts: texts, with :data:`SOURCE` and :data:`EDITED` as parts of their own.

        Raises:
            ConfigError: the template breaks on this item.
        """
        values: dict[str, str | None] = {
            "instruction": _printable(wording.instruction),
            "source_caption": _printable(wording.source_caption),
            "target_caption": _printable(wording.target_caption),
            "edit_type": _printable(wording.edit_type),
        }
        try:
            system = _compiled(self.file.system).render(values)
            user = _compiled(self.file.user).render(values, source=SOURCE, edited=EDITED)
        except TemplateError as error:
            raise ConfigError("a Jinja template that renders", str(error), self.path) from None
        return system.strip(), _cut(user)


def load_template(path: str | Path | None = None) -> JudgeTemplate:
    """Read a template; the shipped one when none is named.

    Raises:
        ConfigError: unreadable, an unknown key, a column that does not exist, no place for one of the pictures.
    """
    file = Path(path) if path else configs_folder() / "judge.yaml"
    try:
        template = JudgeTemplate(TemplateFile.model_validate(read_yaml(file, "judge template")), str(file))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"a valid {key}", first["msg"].removeprefix("Value error, "), str(file)) from None
    places = template.render(Wording("instruction", "caption", "caption", "other"))[1]
    for mark, name in ((SOURCE, "source"), (EDITED, "edited")):
        if places.count(mark) != 1:
            raise ConfigError(f"{{{{ {name} }}}} once in the user message", f"{places.count(mark)} times", str(file))
    return template


def _quoted(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)


def _environment() -> SandboxedEnvironment:
    # Prompts are no HTML: nothing is escaped here, and nothing that is rendered reaches a browser.
    environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    environment.filters["quoted"] = _quoted
    return environment


_ENVIRONMENT: Final = _environment()


@lru_cache(maxsize=16)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(text)


def _printable(text: str | None) -> str | None:
    if text is None:
        return None
    return "".join(char for char in text if char in "\n\t" or ord(char) >= 32)


def _cut(user: str) -> tuple[str, ...]:
    parts = [user]
    for mark in (SOURCE, EDITED):
        cut: list[str] = []
        for part in parts:
            before, *after = part.split(mark)
            cut.append(before)
            for text in after:
                cut += [mark, text]
        parts = cut
    return tuple(text for part in parts if (text := part.strip(" \n\t")))


def named(rules: Mapping[str, NumberRule | CategoryRule]) -> dict[str, str]:
    """Name → where it stands in an answer."""
    return {name: rule.at or name for name, rule in rules.items()}
