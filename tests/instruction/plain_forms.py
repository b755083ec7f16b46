"""Fills the slots of ``plain_forms.toml`` or ``other_forms.toml``: plain instructions with what their readings hold."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORMS = Path(__file__).with_name("plain_forms.toml")
OTHER_FORMS = FORMS.with_name("other_forms.toml")
"""By another author than the grammar's."""
FILLINGS = 4
"""How often each form is filled."""


@dataclass(frozen=True, slots=True)
class PlainForm:
    """One instruction.

    Attributes:
        text: the instruction.
        family: the table of ``plain_forms.toml`` it comes from.
        form: the form without its slots filled.
        expected: what the form itself says of its reading (a tone, a geometric operation), or "".
        slots: what the slots were filled with.
    """

    text: str
    family: str
    form: str
    expected: str
    slots: dict[str, str]


def plain_forms(seed: int = 0, fillings: int = FILLINGS, file: Path = FORMS) -> list[PlainForm]:
    """All forms, each filled several times; the same for the same seed."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    draw = random.Random(seed)
    return [
        _fill(family, form, table, draw)
        for family, forms in table["forms"].items()
        for form in forms
        for _ in range(fillings)
    ]


def _fill(family: str, form: str | list[str], table: dict[str, Any], draw: random.Random) -> PlainForm:
    pattern, expected = (form, "") if isinstance(form, str) else form
    slots = {name: draw.choice(values) for name, values in table["slots"].items()}
    slots["other_colour"] = draw.choice([c for c in table["slots"]["colour"] if c not in slots["colour"]])
    text = pattern.format(**slots)
    if family in {"complaint", "recolour_wish"} or "?" in pattern or "should" in pattern or text.startswith("let"):
        before, after = "", draw.choice(["", "."]) if "?" not in pattern else ""
    else:
        before, after = draw.choice(table["politeness"]["before"]), draw.choice(table["politeness"]["after"])
    text = f"{before}{text}"
    if draw.random() < 0.5:
        text = text[0].upper() + text[1:]
    return PlainForm(f"{text}{after}", family, pattern, expected, slots)
