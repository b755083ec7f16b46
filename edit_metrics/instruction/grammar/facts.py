"""What the builders ask a language about words, and the things they make of noun phrases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, cast

from edit_metrics.instruction.edits import Place, Thing
from edit_metrics.instruction.grammar.chart import Node

Fact = Callable[[str], bool]
THINGS: Final = frozenset({"things", "np", "short", "background", "indefinite", "definite", "person"})
"""Rules whose nodes are phrases for things."""
OF_REACH: Final = 3
"""Words after ``group of`` among which the noun is: ``a group of three old men`` has it third."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a language knows of its words.

    Attributes:
        is_person: the last noun of a phrase names a human being.
        is_definite: a determiner points at something that is there.
        is_material: a word names a material.
        is_collective: a noun counts or gathers what follows ``of``.
        is_weather: a word is weather, a season or a time of day.
        is_compound: two words are a noun together (``traffic light``).
        is_hair: a word is a colour of hair without a value.
        is_part: a noun is a part that a body has anyway (``hair``).
        is_colour: a phrase is the name of a colour.
        has_colour: a noun may have the colour that follows it (``the sky blue``), unlike ``midnight``.
        ends_phrase: a word after which no noun of the same phrase comes (``the socks | sky blue``).
        is_quality: a noun is a quality of things (``material``).
        is_noun: a colour's name is a thing too (``orange``).
        is_modifier: a word can stand before a colour's name.
        is_style: a noun names a kind of picture (``painting``).
        holds_several: a determiner and a noun are several things, of which some can be spared.
        articles: words left out at the front of a thing's text.
        pictures: pronouns that may mean the whole picture.
    """

    is_person: Fact
    is_definite: Fact
    is_material: Fact
    is_collective: Fact
    is_weather: Fact
    is_compound: Callable[[str, str], bool]
    is_hair: Fact
    is_part: Fact
    is_colour: Fact
    has_colour: Fact
    ends_phrase: Fact
    is_quality: Fact
    is_noun: Fact
    is_modifier: Fact
    is_style: Fact
    holds_several: Callable[[str, str], bool]
    articles: frozenset[str]
    pictures: frozenset[str]

    def is_picture(self, node: Node) -> bool:
        """Whether a target is the picture, or a pronoun that may stand for it."""
        if node.rule in {"picture", "thepicture", "coloursof"}:
            return True
        return node.rule == "it" and node.text in self.pictures

    def thing(self, node: Node | None) -> Thing | None:
        """The thing of a phrase; None for a pronoun, and for no phrase."""
        if node is None or node.rule == "it":
            return None
        if node.rule == "background":
            return Thing(self.bare(node.text), ("background",), background=True)
        phrases = phrases_of(node)
        return Thing(
            text=self.bare(node.text),
            heads=tuple(str(part.get("head")) for part in phrases if part.get("head") is not None),
            definite=self._is_definite(phrases[0]),
            person=any(self._names_person(part) for part in phrases),
            place=cast("Place | None", phrases[0].get("place")) if len(phrases) == 1 else None,
        )

    def named(self, node: Node) -> Thing:
        """The thing of a target, a pronoun by its word: for what acts on a part of the picture."""
        return self.thing(node) or Thing(node.text)

    def region(self, target: Node) -> Thing | None:
        """The part whose light or colour is meant, None for the picture."""
        inner = child(target, "o") or target
        return None if self.is_picture(inner) or inner.rule not in THINGS else self.thing(inner)

    def bare(self, text: str) -> str:
        """A phrase without its first article."""
        first, _, rest = text.partition(" ")
        return rest if rest and first in self.articles else text

    def can_spare(self, node: Node) -> bool:
        """Whether a phrase is of several things: nothing can be excepted from ``the baseball``."""
        phrases = phrases_of(node)
        words = [(part.get("d"), str(part.get("head"))) for part in phrases]
        return len(phrases) > 1 or any(
            self.holds_several(determiner.text if isinstance(determiner, Node) else "", head)
            for determiner, head in words
        )

    def parts_wrongly(self, target: Node, colour: Node) -> bool:
        """Whether a noun phrase and a colour are cut at the wrong word.

        ``the dog light | green`` is ``the dog | light green``; ``the traffic | light green`` is the other way round.
        """
        words, following = target.text.split(), colour.text.split()[0]
        several = len(words) > 2
        modified = several and self.is_modifier(words[-1]) and not self.is_compound(*words[-2:])
        apart = several and (not self.has_colour(words[-1]) or self.ends_phrase(words[-2]))
        named = apart and self.is_colour(f"{words[-1]} {colour.text}")
        return modified or named or (self.is_modifier(following) and self.is_compound(words[-1], following))

    def _is_definite(self, phrase: Node) -> bool:
        determiner = phrase.get("d")
        if isinstance(determiner, Node):
            return self.is_definite(determiner.text)
        return "'s " in phrase.text.partition(str(phrase.get("head")))[0]

    def _names_person(self, phrase: Node) -> bool:
        """``a group of people`` is people; ``a couple of birds`` is not."""
        head = str(phrase.get("head") or phrase.text)
        _, of, rest = phrase.text.partition(f"{head} of ")
        if of and self.is_collective(head):
            return any(self.is_person(word) for word in rest.split()[:OF_REACH])
        before, found, _ = phrase.text.partition(head)
        return self.is_person(f"{before}{found}")


def child(node: Node, name: str) -> Node | None:
    """The node that a rule captured under a name."""
    value = node.get(name)
    return value if isinstance(value, Node) else None


def phrases_of(node: Node) -> list[Node]:
    """The single noun phrases of joined ones."""
    return [part for part in node.all("n") if isinstance(part, Node)] or [node]


def joined(facts: Facts, phrases: list[Node]) -> Thing | None:
    """Several phrases as one thing, described by the first."""
    things = [thing for thing in map(facts.thing, phrases) if thing is not None]
    return replace(things[0], text=" and ".join(thing.text for thing in things)) if things else None
