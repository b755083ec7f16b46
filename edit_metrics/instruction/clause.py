"""One clause with its skeleton, and what every rule makes of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Skeleton, read_skeleton
from edit_metrics.instruction.slots import noun_phrase


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause, its skeleton, and the quoted strings in it."""

    text: str
    quoted: tuple[str, ...]
    skeleton: Skeleton | None

    @classmethod
    def read(cls, text: str, quoted: tuple[str, ...]) -> Clause:
        """A clause with its skeleton."""
        return cls(text, quoted, read_skeleton(text))


def found(clause: Clause, edit_type: EditType, **filled: Any) -> ParsedInstruction:
    """A reading of the clause; its object is the skeleton's unless the rule names another."""
    if "object" not in filled and clause.skeleton is not None:
        filled["object"] = noun_phrase(clause.skeleton.object)
    return ParsedInstruction(clause.text, edit_type, **filled)
