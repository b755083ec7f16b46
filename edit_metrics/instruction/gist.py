"""What kind of edit an instruction is probably about, where it was not read in full: a guess, from its first words.

No check acts on a guess. It tells structure, style and over-edit curves what to expect, and is always marked as one.
"""

from __future__ import annotations

from typing import Final

from edit_metrics.instruction.grammar.chart import Chart
from edit_metrics.instruction.grammar.languages import chinese, english
from edit_metrics.instruction.grammar.spelling import correct
from edit_metrics.instruction.grammar.tokens import LONGEST, Kind, is_han, tokenise
from edit_metrics.instruction.kinds import EditType

_VERBS: Final[tuple[tuple[EditType, frozenset[str]], ...]] = (
    (EditType.TONE, frozenset({"TONEVERB"})),
    (EditType.REMOVE, frozenset({"REMOVE", "NONE"})),
    (EditType.REPLACE, frozenset({"REPLACE", "REPLACED", "REPLACEIN"})),
    (EditType.ADD, frozenset({"ADD", "PUT", "PUTIN", "THEREBE", "GIVE", "FILLWITH"})),
    (EditType.GEOMETRY, frozenset({"SPIN", "FLIP", "CROP", "ZOOM", "MOVE", "GROW"})),
    (EditType.STYLE, frozenset({"STYLEVERB"})),
    (EditType.RECOLOUR, frozenset({"PAINT"})),
    (EditType.OTHER, frozenset({"CHANGE", "MAKE", "LET", "ENSURE", "BA", "TO"})),
)
"""The kind of an instruction's first verb; the last row's verbs say nothing by themselves."""
_TOPICS: Final[tuple[tuple[EditType, frozenset[str]], ...]] = (
    (EditType.TEXT, frozenset({"QUOTE", "TEXTNOUN"})),
    (EditType.BACKGROUND, frozenset({"BACKGROUND"})),
    (EditType.STYLE, frozenset({"STYLEWORD", "STYLEOF"})),
    (EditType.REPLACE, frozenset({"INSTEAD", "REPLACED"})),
    (EditType.RECOLOUR, frozenset({"COLOURWORD", "COMPARE"})),
    (EditType.TONE, frozenset({"TONENOUN", "TONEMODE", "ATMOSPHERENOUN", "COMPLAINT", "COLOURS"})),
)
"""What an instruction with a verb of the last row, or with none, is about; earlier rows are surer."""
_FAR: Final = 14
"""Words in which the verb and the topic are looked for: later ones belong to details."""


def guess_type(text: str) -> EditType:
    """The probable edit type; ``other`` where nothing speaks for another."""
    tokens = tokenise(text[:LONGEST])
    han = any(token.kind is Kind.WORD and is_han(token.text) for token in tokens)
    if not tokens:
        return EditType.OTHER
    chart = Chart(tokens, chinese().grammar) if han else Chart(correct(tokens).tokens, english().grammar)
    found = [chart.categories_at(place) for place in range(min(len(tokens), _FAR))]
    verb = next((kind for terms in found for kind, names in _VERBS if not names.isdisjoint(terms)), EditType.OTHER)
    if verb in {EditType.REMOVE, EditType.ADD} and not {"QUOTE"}.isdisjoint(frozenset().union(*found)):
        return EditType.TEXT
    if verb in {EditType.ADD, EditType.OTHER} and _about(found, EditType.REPLACE):
        return EditType.REPLACE
    if verb is not EditType.OTHER and not (verb is EditType.REPLACE and _about(found, EditType.BACKGROUND)):
        return verb
    return next((kind for kind, _ in _TOPICS if _about(found, kind)), EditType.OTHER)


def _about(found: list[frozenset[str]], kind: EditType) -> bool:
    names = next(names for topic, names in _TOPICS if topic is kind)
    return any(not names.isdisjoint(terms) for terms in found)
