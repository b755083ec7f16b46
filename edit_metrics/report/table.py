"""The sortable table as compact JSON: the page draws 50 rows at a time from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from edit_metrics.scores.items import Item
from edit_metrics.scores.words import flag_in_words, in_words, status_in_words

MAX_ROWS: Final = 20_000
"""More rows than this stay in the score table: the page says so."""
_DECIMALS: Final = 4

Kind = Literal["id", "text", "int", "score", "number", "flags"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the page's table.

    Attributes:
        choice: offer its values as a filter.
    """

    label: str
    kind: Kind
    read: Callable[[Item], Any]
    choice: bool = False


@dataclass(frozen=True, slots=True)
class RowLinks:
    """What a row points at.

    Attributes:
        cards: id → number of its card on the page.
        evidence: id → kind → address of the evidence that lies beside the page.
        looks: id → see :meth:`edit_metrics.report.pictures.PictureStore.look`.
    """

    cards: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    looks: Mapping[str, Sequence[Any]] = field(default_factory=dict)


class _Words:
    """Codes numbered in order of appearance, each with its sentence, so that a row holds numbers only."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, code: str) -> int:
        return self.numbers.setdefault(code, len(self.numbers))

    @property
    def sentences(self) -> list[str]:
        return [in_words(code) for code in self.numbers]


def items_table(items: Sequence[Item], columns: Sequence[Column], links: RowLinks) -> dict[str, Any]:
    """What the page's script reads.

    Args:
        items: rows, in the order of showing.
        columns: cells.
        links: cards and evidence.
    """
    words = _Words()
    shown = items[:MAX_ROWS]
    rows = [[_cell(column.read(item)) for column in columns] for item in shown]
    details = [_detail(item, words, links) for item in shown]
    flags = sorted({flag for item in shown for flag in item.flags})
    return {
        "columns": [{"label": c.label, "kind": c.kind, "choice": c.choice} for c in columns],
        "rows": rows,
        "details": details,
        "codes": words.sentences,
        "flags": {flag: flag_in_words(flag) for flag in flags},
        "dimensions": list(shown[0].scores) if shown else [],
    }


def instruction_column() -> Column:
    """What the edit was asked to do: nobody judges one without it."""
    return Column("instruction", "text", lambda item: item.instruction)


def dimension_column(name: str) -> Column:
    """The score of a dimension."""
    return Column(name, "score", lambda item: item.scores[name].score)


def value_column(name: str) -> Column:
    """A further numeric column of a table that this program did not write."""
    return Column(name, "number", lambda item: item.values[name])


def _cell(value: Any) -> Any:
    return round(value, _DECIMALS) if isinstance(value, float) else list(value) if isinstance(value, tuple) else value


def _detail(item: Item, words: _Words, links: RowLinks) -> list[Any]:
    """Pictures without card, why in front, dimensions [confidence, status, reasons], card, files, blurred, checks."""
    scores = [
        [
            _cell(s.confidence),
            "" if s.score is not None else status_in_words(s.status),
            [words.number(c) for c in s.reasons],
        ]
        for s in item.scores.values()
    ]
    files = [[kind, address] for kind, address in links.evidence.get(item.id, {}).items()]
    return [
        links.looks.get(item.id),
        [words.number(code) for code in item.priority_reasons],
        scores,
        links.cards.get(item.id, -1),
        files,
        item.sensitive,
        item.evidence,
    ]
