"""``@check`` registers a function that looks for one kind of fault, under the code that ``--fail-on`` names.

    @check("missing_file", Severity.ERROR, "A file is missing.", "Mend the path, or make the picture.")
    def missing_file(edits: EditSet) -> Iterator[Hit]:

A file of :mod:`edit_metrics.lint.checks` is a family of checks; a new file is all that a new family takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from edit_metrics import plugins
from edit_metrics.errors import ConfigError
from edit_metrics.lint.edit_set import EditSet

F = TypeVar("F", bound=Callable[..., "Iterable[Hit]"])


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """A row that cannot be scored, or whose scores would be about something else."""
    WARNING = "warning"
    """A row that a person should look at."""
    NOTE = "note"
    """Nothing is wrong; it tells what the scores will not say."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One place of a finding.

    Attributes:
        row: index in the set's items; None for a line of the file that became no item.
        detail: what was seen there, in words.
        also: indices of further items that it is about.
        line, id: of a line that became no item.
    """

    row: int | None
    detail: str
    also: tuple[int, ...] = ()
    line: int = 0
    id: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A registered check.

    Attributes:
        code: a snake_case word.
        title: what is wrong, in a sentence.
        todo: what to do about it, in a sentence.
    """

    code: str
    severity: Severity
    title: str
    todo: str
    function: Callable[[EditSet], Iterable[Hit]]


_CHECKS: Final[dict[str, Check]] = {}
_CODE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?")


def check(code: str, severity: Severity, title: str, todo: str) -> Callable[[F], F]:
    """Register a check; the function is returned unchanged.

    Args:
        code: a snake_case word; a plug-in's starts with its namespace and a dot.
        severity: see :class:`Severity`.
        title: what is wrong, a sentence.
        todo: what to do about it, a sentence.

    Raises:
        ConfigError: the code is taken, is a severity, or is no such word.
    """

    def register(function: F) -> F:
        where = f"{function.__module__}.{function.__qualname__}"
        plugins.check_name("check", code, function.__module__, "{}.")
        if code in tuple(Severity) or not _CODE.fullmatch(code):
            raise ConfigError("a snake_case code that is no severity", repr(code), where)
        if code in _CHECKS:
            first = _CHECKS[code].function
            raise ConfigError("a new code", f"{code!r}, which {first.__module__}.{first.__qualname__} has", where)
        _CHECKS[code] = Check(code, severity, title, todo, function)
        return function

    return register


def all_checks() -> Mapping[str, Check]:
    """Every check, also those of plug-ins, by code; errors first."""
    plugins.import_modules("edit_metrics.lint.checks")
    plugins.load()
    order = list(Severity)
    return {one.code: one for one in sorted(_CHECKS.values(), key=lambda one: order.index(one.severity))}
