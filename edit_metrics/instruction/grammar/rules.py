"""Grammar text → rules. The notation is the usual extended Backus-Naur form, one alternative a line.

``word`` a literal · ``NOUN`` a category of the lexicon · ``<thing>`` a rule · ``name=`` before either keeps its value ·
``( a | b )`` a choice · ``?`` ``*`` ``+`` repetition (at most :data:`MOST` times) · ``@frame`` the lines of a macro, in
place · ``#`` a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from edit_metrics.instruction.grammar.chart import PASSED, Choice, Element, Repeat, Sequence, Sub, Terminal, Word

MOST: Final = 6
"""Repetitions: no real instruction of 315 has more than four adjectives or five places in one phrase."""
_PIECE: Final = re.compile(r"[()|?*+]|@\w+|(?:\w+=)?(?:<\w+>|[A-Z][A-Z_]+(?![a-z]))|[^\s()|?*+]+")


class GrammarError(ValueError):
    """A grammar file that does not compile: a fault of the package, not of a user."""


def compile_rules(texts: dict[str, str], macros: dict[str, str]) -> dict[str, Element]:
    """Compile every rule.

    Args:
        texts: a rule's name → its alternatives, one a line.
        macros: a macro's name → its alternatives, which stand for ``@name`` wherever it occurs.

    Raises:
        GrammarError: an unknown rule, or one that can begin with itself.
    """
    rules = {name: _compile(name, text, macros) for name, text in texts.items()}
    for name, element in rules.items():
        if missing := sorted(_rules_in(element) - rules.keys()):
            raise GrammarError(f"{name}: there is no rule {missing[0]}")
    firsts = {name: set(_first_rules(element)) for name, element in rules.items()}
    sound: set[str] = set()
    for name in rules:
        _refuse_left_recursion(name, firsts, (), sound)
    return rules


def _rules_in(element: Element) -> set[str]:
    if isinstance(element, Sub):
        return {element.rule}
    if isinstance(element, (Sequence, Choice)):
        return set().union(*(_rules_in(part) for part in element.parts))
    return _rules_in(element.part) if isinstance(element, Repeat) else set()


def first_terms(rules: dict[str, Element]) -> dict[str, frozenset[str]]:
    """With which categories and words (``=word``) each rule can begin; rules that can be empty are left out."""
    found: dict[str, _First] = {name: _First() for name in rules}
    while True:
        following = {name: _first_of(element, found) for name, element in rules.items()}
        if following == found:
            return {name: first.terms for name, first in found.items() if not first.empty}
        found = following


@dataclass(frozen=True, slots=True)
class _First:
    terms: frozenset[str] = frozenset()
    empty: bool = False


def _first_of(element: Element, rules: dict[str, _First]) -> _First:
    match element:
        case Terminal():
            found = _First(frozenset({element.category}))
        case Word():
            found = _First(frozenset({f"={element.text}"}))
        case Sub():
            found = rules[element.rule]
        case Repeat():
            inner = _first_of(element.part, rules)
            found = _First(inner.terms, inner.empty or element.least == 0)
        case Choice():
            parts = [_first_of(part, rules) for part in element.parts]
            found = _First(frozenset().union(*(part.terms for part in parts)), any(part.empty for part in parts))
        case _:
            found = _first_of_sequence(element, rules)
    return found


def _first_of_sequence(element: Element, rules: dict[str, _First]) -> _First:
    terms: frozenset[str] = frozenset()
    for part in element.parts if isinstance(element, Sequence) else ():
        first = _first_of(part, rules)
        terms |= first.terms
        if not first.empty:
            return _First(terms)
    return _First(terms, empty=True)


def _compile(name: str, text: str, macros: dict[str, str]) -> Element:
    lines = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    alternatives = [_Reader(name, line, macros).read() for line in lines if line]
    return Choice(tuple(_handed_on(part) for part in alternatives))


def _handed_on(part: Element) -> Element:
    """An alternative that is one sub-rule and nothing else is that rule's node."""
    if isinstance(part, Choice):
        return Choice(tuple(_handed_on(inner) for inner in part.parts))
    return Sub(part.rule, PASSED) if isinstance(part, Sub) and not part.name else part


class _Reader:
    """Recursive descent over one line."""

    def __init__(self, rule: str, line: str, macros: dict[str, str]) -> None:
        self._rule, self._macros = rule, macros
        self._pieces = _PIECE.findall(line)
        self._place = 0

    def read(self) -> Element:
        element = self._choice()
        if self._place != len(self._pieces):
            raise GrammarError(f"{self._rule}: {self._pieces[self._place]!r} is not expected there")
        return element

    def _choice(self) -> Element:
        parts = [self._sequence()]
        while self._next() == "|":
            self._place += 1
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def _sequence(self) -> Element:
        parts = []
        while self._next() not in {"", "|", ")"}:
            part = self._atom()
            while self._next() in {"?", "*", "+"}:
                sign = self._pieces[self._place]
                self._place += 1
                part = Repeat(part, int(sign == "+"), 1 if sign == "?" else MOST)
            parts.append(part)
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _atom(self) -> Element:
        piece = self._pieces[self._place]
        self._place += 1
        if piece == "(":
            inner = self._choice()
            if self._next() != ")":
                raise GrammarError(f"{self._rule}: a bracket is not closed")
            self._place += 1
            return inner
        if piece.startswith("@"):
            return _compile(self._rule, self._macros[piece[1:]], self._macros)
        name, equals, symbol = piece.partition("=")
        if not equals:
            name, symbol = "", piece
        if symbol.startswith("<"):
            return Sub(symbol[1:-1], name)
        if symbol.isupper() and len(symbol) > 1:
            return Terminal(symbol, name)
        return Word(piece)

    def _next(self) -> str:
        return self._pieces[self._place] if self._place < len(self._pieces) else ""


def _refuse_left_recursion(name: str, firsts: dict[str, set[str]], above: tuple[str, ...], sound: set[str]) -> None:
    """Each rule is looked into once: those that are known not to begin with themselves are in ``sound``."""
    if name in above:
        raise GrammarError(f"the rule {name} can begin with itself")
    if name not in sound:
        for first in firsts[name]:
            _refuse_left_recursion(first, firsts, (*above, name), sound)
        sound.add(name)


def _first_rules(element: Element) -> Iterator[str]:
    """Rules that a part can begin with."""
    if isinstance(element, Sub):
        yield element.rule
    elif isinstance(element, Choice):
        for part in element.parts:
            yield from _first_rules(part)
    elif isinstance(element, Repeat):
        yield from _first_rules(element.part)
    elif isinstance(element, Sequence):
        for part in element.parts:
            yield from _first_rules(part)
            if not (isinstance(part, Repeat) and part.least == 0):
                return
