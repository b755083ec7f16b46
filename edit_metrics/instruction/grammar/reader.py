"""Instruction → what it asks for, or the word that stopped the reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edit_metrics.instruction.edits import Edit, Retone
from edit_metrics.instruction.grammar.chart import Chart
from edit_metrics.instruction.grammar.frames import edits_of
from edit_metrics.instruction.grammar.languages import Language, chinese, english
from edit_metrics.instruction.grammar.spelling import correct, slipped
from edit_metrics.instruction.grammar.tokens import LONGEST, Kind, Token, is_han, tokenise

END: Final = "<end>"
"""What stopped a reading that ran out of words."""
_KEPT: Final = 4096
"""Readings that are remembered: benchmarks score the same instructions for every model."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An instruction, read in full.

    Attributes:
        edits: what it asks for, in its order; one unless several edits are joined.
        corrected: (as written, as read) of misspelt words.
        language: ``en`` or ``zh``.
    """

    edits: tuple[Edit, ...]
    corrected: tuple[tuple[str, str], ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Unread:
    """An instruction without exactly one full reading.

    Attributes:
        word: the word that stopped it; ``<end>`` where one is missing; ``<ambiguous>``, ``<no meaning>`` (the words fit
            a form, the sense does not), ``<too long>``, ``<empty>``.
        readings: the readings of an ambiguous one.
    """

    word: str
    readings: tuple[tuple[Edit, ...], ...] = ()

    @property
    def reason(self) -> str:
        """The reason code."""
        return f"not_read:{self.word}"


@lru_cache(maxsize=_KEPT)
def read_instruction(text: str) -> Reading | Unread:
    """Read an instruction in full, with exactly one meaning, or say what stopped it.

    English, and the plain forms of Chinese; of any other language a first word that nothing knows stops the reading.
    """
    if len(text) > LONGEST:
        return Unread("<too long>")
    tokens = tokenise(text)
    if not tokens:
        return Unread("<empty>")
    if any(token.kind is Kind.WORD and is_han(token.text) for token in tokens):
        return read_tokens(tokens, chinese())
    spelt = correct(tokens)
    found = read_tokens(spelt.tokens, english(), spelt.corrected)
    slip = slipped(spelt.tokens) if isinstance(found, Reading) else None
    return found if slip is None else Unread(slip)


def read_tokens(
    tokens: tuple[Token, ...], language: Language, corrected: tuple[tuple[str, str], ...] = ()
) -> Reading | Unread:
    """Read tokens in one language."""
    chart = Chart(tokens, language.grammar)
    meanings = dict.fromkeys(edits_of(language.facts, node) for node in chart.parse("instruction"))
    found = tuple(edits for edits in meanings if edits is not None)
    if len(found) == 1:
        return Reading(_merged(found[0]), corrected, language.name)
    if found:
        return Unread("<ambiguous>", found)
    return Unread("<no meaning>" if meanings else _stopped(tokens, chart.furthest))


def _stopped(tokens: tuple[Token, ...], place: int) -> str:
    if place >= len(tokens):
        return END
    return '"' if tokens[place].kind is Kind.QUOTE else tokens[place].text


def _merged(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Tones of one region that are joined by ``and`` are one edit: each can be told from the others."""
    tones = [edit for edit in edits if isinstance(edit, Retone)]
    if len(edits) > 1 and len(tones) == len(edits) and len({(t.target, t.excepted, t.complaint) for t in tones}) == 1:
        kinds = tuple(dict.fromkeys(tone for edit in tones for tone in edit.tones))
        return (Retone(tones[0].target, kinds, tones[0].excepted, tones[0].complaint),)
    return edits
