"""Codes in words. A code that has no sentence is shown as it is, never dropped."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Final


@cache
def _tables() -> Mapping[str, Mapping[str, str]]:
    text = resources.files("edit_metrics.scores").joinpath("words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def in_words(code: str) -> str:
    """One reason code as a sentence; the code itself where there is none."""
    return sentence(code) or code


def sentence(code: str) -> str | None:
    """The sentence of a code, or None for a code that has none (an exception's text is its own sentence).

    Args:
        code: as in the reason columns: ``no_mask``, ``low_ssim_core``, ``missing:structure.gmsd``,
            ``weakest:preservation=0.23``, ``edited_unreadable``.
    """
    known = _tables()["reasons"].get(code)
    if known is not None:
        return known
    for pattern, say in _PATTERNS:
        found = pattern.fullmatch(code)
        if found:
            return say(found)
    return None


def metric_in_words(name: str) -> str:
    """A metric's column or short name, in words."""
    short = name.rpartition(".")[2]
    return _tables()["metrics"].get(short, short.replace("_", " "))


def flag_in_words(flag: str) -> str:
    """A flag, in words."""
    return _tables()["flags"].get(flag, flag.replace("_", " "))


def known_flags() -> tuple[str, ...]:
    """Flags that have words."""
    return tuple(_tables()["flags"])


def known_reasons() -> tuple[str, ...]:
    """Reason codes that have a sentence of their own."""
    return tuple(_tables()["reasons"])


def status_in_words(status: str) -> str:
    """A status, in words."""
    return _tables()["statuses"].get(status, status.replace("_", " "))


def _file(found: re.Match[str]) -> str | None:
    what = _tables()["files"].get(found["code"])
    return None if what is None else f"{_tables()['file_names'][found['file']]} {what}."


def _low(found: re.Match[str]) -> str:
    return f"Pulled down by {metric_in_words(found['metric'])}."


def _missing(found: re.Match[str]) -> str:
    return f"Could not be measured: {metric_in_words(found['metric'])}."


def _failed(found: re.Match[str]) -> str:
    return f"The measurement failed: {metric_in_words(found['metric'])}."


def _not_read(found: re.Match[str]) -> str:
    word = found["word"]
    why = _tables()["not_read"].get(word, f"it stopped at “{word}”") if word else ""
    return f"The instruction was not read in full, so nothing of it is judged{f': {why}' if why else ''}."


_PATTERNS: Final[tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...]] = (
    (re.compile(r"low_confidence:(?P<dimension>\w+)"), lambda m: f"The {m['dimension']} score is uncertain."),
    (
        re.compile(r"weakest:(?P<dimension>\w+)=(?P<score>[\d.]+)"),
        lambda m: f"Weakest: {m['dimension']}, {m['score']}.",
    ),
    (re.compile(r"failed:(?P<metric>[\w.]+)"), _failed),
    (re.compile(r"missing[:_](?P<metric>[\w.]+)"), _missing),
    (re.compile(r"low_(?P<metric>[\w.]+)"), _low),
    (
        re.compile(r"not_an?_(?P<kind>\w+)_edit"),
        lambda m: f"Not that kind of edit ({m['kind'].replace('_', ' ')}): the check does not apply.",
    ),
    (
        re.compile(r"not_read(:(?P<word>.+))?", re.DOTALL),
        _not_read,
    ),
    (
        re.compile(r"edit_type_is_(?P<kind>\w+)"),
        lambda m: f"The check does not apply to this kind of edit ({m['kind']}).",
    ),
    (re.compile(r"no_(?P<role>\w+)_backend"), lambda m: f"The profile has no {m['role'].replace('_', ' ')} model."),
    (re.compile(r"(?P<file>source|edited|mask|reference)_(?P<code>\w+)"), _file),
    (re.compile(r"saw_(?P<what>\w+)"), lambda m: f"The judge saw: {m['what'].replace('_', ' ')}."),
    (re.compile(r"non_finite_value(: .*)?"), lambda _: "The metric gave a number that is not finite."),
    (
        re.compile(r"out_of_memory(: .*)?"),
        lambda _: "There was not enough memory; the same command tries again, and fewer workers need less.",
    ),
    (re.compile(r"rank=(?P<rank>[\d.]+)"), lambda m: f"Calibrated rank {m['rank']}."),
    (re.compile(r"saves=(?P<cost>[\d.]+)"), lambda m: f"Expected saving from asking: {m['cost']}."),
    (re.compile(r"by:(?P<column>.+)"), lambda m: f"In order of {m['column']}."),
)
