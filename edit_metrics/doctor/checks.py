"""What the doctor says: one check a line, in groups, and the verdict over all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """How a check ended. Only ``fail`` turns the verdict."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"
    """Nothing here to check: the profile does not use what it is about."""
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's table.

    Attributes:
        group: ``environment``, ``weights``, ``self-tests``, ``known bugs`` or ``speed``.
        name: fixed, so that scripts can look for it.
        detail: what was found, in words; of a failed check what was expected, and where.
    """

    group: str
    name: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What a self-test found before it becomes a check.

    Attributes:
        examined: comparisons made; with none the test had nothing to look at and is skipped.
        problems: one sentence a comparison that failed.
        note: what was compared, or why nothing could be.
    """

    examined: int
    problems: tuple[str, ...]
    note: str


_SHOWN: Final = 4  # problems in a line of the table; the others are counted


def run_test(group: str, name: str, test: Callable[[], Finding]) -> Check:
    """Fail with a problem, skip without a comparison, else pass. A test that itself breaks has failed."""
    try:
        finding = test()
    except Exception as error:
        return Check(group, name, State.FAIL, f"the self-test broke: {type(error).__name__}: {error}")
    if finding.problems:
        more = len(finding.problems) - _SHOWN
        shown = "; ".join(finding.problems[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return Check(group, name, State.FAIL, f"{shown} [{finding.note}]")
    if finding.examined == 0:
        return Check(group, name, State.SKIP, f"nothing to look at: {finding.note}")
    return Check(group, name, State.PASS, f"{finding.note}: {finding.examined} compared")


def is_healthy(checks: Sequence[Check]) -> bool:
    """Whether no check failed; warnings and skipped ones do not count."""
    return all(check.state is not State.FAIL for check in checks)
