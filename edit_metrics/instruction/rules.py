"""The rules in the order in which they are tried: the narrow ones first, so that ``replace 'A' with 'B'`` is text."""

from __future__ import annotations

from collections.abc import Callable

from edit_metrics.instruction.clause import Clause
from edit_metrics.instruction.parsed import ParsedInstruction
from edit_metrics.instruction.rules_colour import read_recolour
from edit_metrics.instruction.rules_geometry import read_geometry
from edit_metrics.instruction.rules_scene import read_background, read_style
from edit_metrics.instruction.rules_text import read_text_edit
from edit_metrics.instruction.rules_thing import read_add, read_remove, read_replace
from edit_metrics.instruction.rules_tone import read_tone

Rule = Callable[[Clause], ParsedInstruction | None]

RULES: tuple[Rule, ...] = (
    read_text_edit,
    read_geometry,
    read_tone,
    read_style,
    read_background,
    read_recolour,
    read_remove,
    read_add,
    read_replace,
)
