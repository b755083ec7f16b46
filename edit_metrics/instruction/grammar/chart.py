"""A chart parser over word categories that keeps every derivation, so that ambiguity is seen and not settled by order.

A symbol at a place yields the set of all (end, captures) it can have there; equal ones merge, so the work is bounded
by the distinct values and not by the number of trees (Earley 1970; Tomita 1985: shared, packed forests). Grammars here
have no left recursion; :mod:`edit_metrics.instruction.grammar.rules` refuses one that has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from edit_metrics.instruction.grammar.lexicon import Entries
from edit_metrics.instruction.grammar.tokens import Kind, Token, join_words

Value = object
Captures = tuple[tuple[str, Value], ...]
Found = dict[tuple[int, Captures], None]
"""(end, captures) in the order in which they were found; a dict for its order, so that nothing depends on hashes."""


@dataclass(frozen=True, slots=True)
class Node:
    """What a rule covers.

    Attributes:
        rule: its name.
        text: the words, joined by spaces.
        slots: what its alternative captured, in order.
    """

    rule: str
    text: str
    slots: Captures = ()

    def get(self, name: str) -> Value | None:
        """The first value captured under a name."""
        return next((value for key, value in self.slots if key == name), None)

    def all(self, name: str) -> tuple[Value, ...]:
        """Every value captured under a name."""
        return tuple(value for key, value in self.slots if key == name)


Ending = tuple[int, Value]
Category = Callable[[tuple[Token, ...], int], tuple[Ending, ...]]
"""(tokens, place) → the (end, value) pairs of a category's entries that start there."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rules and words of a language.

    Attributes:
        rules: a rule's name → its alternatives.
        entries: the lexicon.
        categories: what no list can hold.
        whole: categories whose words end at no hyphen.
        firsts: a rule's name → categories and words (``=word``) with which it can begin; absent where it can be empty.
    """

    rules: dict[str, Element]
    entries: Entries
    categories: dict[str, Category]
    firsts: dict[str, frozenset[str]]
    whole: frozenset[str] = frozenset()

    def can_start(self, rule: str, terms: Iterable[str]) -> bool:
        """Whether a rule can begin with any of some terms."""
        return rule not in self.firsts or not self.firsts[rule].isdisjoint(terms)


@dataclass(slots=True)
class Chart:
    """The state of one parse.

    Attributes:
        tokens: the instruction.
        grammar: rules and words.
        furthest: the first token that no derivation has got past.
    """

    tokens: tuple[Token, ...]
    grammar: Grammar
    furthest: int = 0
    _nodes: dict[tuple[str, int], tuple[tuple[int, Node], ...]] = field(default_factory=dict)
    _words: dict[int, dict[str, dict[Ending, None]]] = field(default_factory=dict)

    def parse(self, rule: str) -> tuple[Node, ...]:
        """Every distinct reading of the whole text as a rule."""
        return tuple(node for end, node in self.nodes(rule, 0) if end == len(self.tokens))

    def nodes(self, rule: str, place: int) -> tuple[tuple[int, Node], ...]:
        """Every (end, node) of a rule at a place."""
        key = (rule, place)
        if key not in self._nodes:
            if not self.grammar.can_start(rule, self._matches(place)):
                self.reach(place)
                self._nodes[key] = ()
                return ()
            found = self.grammar.rules[rule].match(self, place)
            self._nodes[key] = tuple(dict.fromkeys(self._node(rule, place, end, slots) for end, slots in found))
        return self._nodes[key]

    def words(self, category: str, place: int) -> tuple[Ending, ...]:
        """Every (end, value) of a category at a place."""
        return tuple(self._matches(place).get(category, ()))

    def categories_at(self, place: int) -> frozenset[str]:
        """The categories of which something begins at a place."""
        return frozenset(self._matches(place))

    def _matches(self, place: int) -> dict[str, dict[Ending, None]]:
        """Category → its endings at a place; a word of the text itself is the category ``=word``."""
        if place not in self._words:
            found: dict[str, dict[Ending, None]] = {}
            if place < len(self.tokens):
                token = self.tokens[place]
                if token.kind is not Kind.QUOTE:
                    found[f"={token.text}"] = {(place + 1, token.text): None}
                    for entry in self.grammar.entries.get(token.text, ()):
                        end = place + 1 + len(entry.rest)
                        if self._follows(entry.rest, place + 1) and not self._cuts(entry.category, end):
                            found.setdefault(entry.category, {})[end, entry.value] = None
                for name, category in self.grammar.categories.items():
                    if endings := category(self.tokens, place):
                        found[name] = dict.fromkeys(endings)
            self._words[place] = found
        return self._words[place]

    def _follows(self, rest: tuple[str, ...], place: int) -> bool:
        following = self.tokens[place : place + len(rest)]
        return len(following) == len(rest) and all(
            token.text == word and token.kind is not Kind.QUOTE for token, word in zip(following, rest, strict=True)
        )

    def _cuts(self, category: str, end: int) -> bool:
        """Whether a word that must be whole ends inside a hyphenated one: ``hide-bound`` hides nothing."""
        return category in self.grammar.whole and end < len(self.tokens) and self.tokens[end].joined

    def reach(self, place: int) -> None:
        """Note that a derivation asks for the token at a place."""
        self.furthest = max(self.furthest, place)

    def _node(self, rule: str, place: int, end: int, slots: Captures) -> tuple[int, Node]:
        if len(slots) == 1 and slots[0][0] == PASSED and isinstance(slots[0][1], Node):
            return end, slots[0][1]
        text = join_words(token.text for token in self.tokens[place:end])
        return end, Node(rule, text, tuple(slot for slot in slots if slot[0] != PASSED))


PASSED: Final = "^"
"""The name under which an alternative hands on the node of its only sub-rule."""


class Element:
    """A part of a rule."""

    __slots__ = ()

    def match(self, chart: Chart, place: int) -> Found:
        """Every (end, captures) of this part at a place."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Word(Element):
    """One literal word or mark."""

    text: str

    def match(self, chart: Chart, place: int) -> Found:
        """See :meth:`Element.match`."""
        chart.reach(place)
        return {(place + 1, ()): None} if chart.words(f"={self.text}", place) else {}


@dataclass(frozen=True, slots=True)
class Terminal(Element):
    """A word of a category; its value is kept under ``name``."""

    category: str
    name: str = ""

    def match(self, chart: Chart, place: int) -> Found:
        """See :meth:`Element.match`."""
        chart.reach(place)
        found = chart.words(self.category, place)
        return {(end, ((self.name, value),) if self.name else ()): None for end, value in found}


@dataclass(frozen=True, slots=True)
class Sub(Element):
    """A rule inside a rule; its node is kept under ``name``, else only its span counts."""

    rule: str
    name: str = ""

    def match(self, chart: Chart, place: int) -> Found:
        """See :meth:`Element.match`."""
        found = chart.nodes(self.rule, place)
        return {(end, ((self.name, node),) if self.name else ()): None for end, node in found}


@dataclass(frozen=True, slots=True)
class Sequence(Element):
    """Parts one after the other."""

    parts: tuple[Element, ...]

    def match(self, chart: Chart, place: int) -> Found:
        """See :meth:`Element.match`."""
        states: Found = {(place, ()): None}
        for part in self.parts:
            following: Found = {}
            for at, slots in states:
                for end, more in part.match(chart, at):
                    following[end, slots + more] = None
            if not following:
                return following
            states = following
        return states


@dataclass(frozen=True, slots=True)
class Choice(Element):
    """Any of several parts; all that fit count."""

    parts: tuple[Element, ...]

    def match(self, chart: Chart, place: int) -> Found:
        """See :meth:`Element.match`."""
        found: Found = {}
        for part in self.parts:
            found |= part.match(chart, place)
        return found


@dataclass(frozen=True, slots=True)
class Repeat(Element):
    """A part ``least`` to ``most`` times."""

    part: Element
    least: int
    most: int

    def match(self, chart: Chart, place: int) -> Found:
        """See :meth:`Element.match`."""
        states: Found = {(place, ()): None}
        found: Found = dict(states) if self.least == 0 else {}
        for count in range(1, self.most + 1):
            following: Found = {}
            for at, slots in states:
                for end, more in self.part.match(chart, at):
                    if end > at:
                        following[end, slots + more] = None
            if not following:
                break
            if count >= self.least:
                found |= following
            states = following
        return found
