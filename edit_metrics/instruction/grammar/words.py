"""Categories that no list can hold: nouns, adjectives, verbs, names, colours, quotations, numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final

from edit_metrics.instruction.colours import colour_names, is_plain
from edit_metrics.instruction.grammar.chart import Category, Value
from edit_metrics.instruction.grammar.lexicon import Lexicon, load_lexicon
from edit_metrics.instruction.grammar.nouns import OpenWords, open_words
from edit_metrics.instruction.grammar.tokens import Kind, Token
from edit_metrics.instruction.kinds import Colour

Ends = tuple[tuple[int, Value], ...]

MODIFIERS: Final = frozenset({
    "shiny", "glossy", "matte", "metallic", "bright", "dark", "light", "pale", "vivid", "deep", "rich", "soft",
    "vibrant", "very", "hot", "neon", "pastel", "dull", "faded", "muted", "warm", "cool", "slightly", "fluorescent",
    "electric",
})  # fmt: skip
"""Words before a colour's name that move it somewhat: the colour is then approximate."""
IDLE: Final = frozenset({"solid", "plain", "pure", "all", "completely", "entirely", "fully", "totally", "uniform"})
"""Words before a colour's name that leave it what it is."""
LONGEST_NAME: Final = 4
_LETTERS: Final = 2


def english_categories() -> dict[str, Category]:
    """Every category of English that no list can hold."""
    lexicon = load_lexicon("en")
    no_verbs = frozenset().union(*(lexicon.words_of(name) for name in ("ATMOSPHERE", *lexicon.never["verb"])))
    no_verbs |= lexicon.never["verb_words"]
    worn, weather = lexicon.words_of("WEAR"), lexicon.words_of("ATMOSPHERE")
    classes = _Classes(lexicon, open_words(), no_verbs)
    return {
        **shared_categories(),
        "NOUN": classes.noun,
        "NOUNBEFORE": classes.noun_before,
        "PROPER": _one_word(classes.table.is_proper),
        "NAME": classes.name,
        "ADJ": _one_word(classes.is_adjective),
        "ADV": _one_word(classes.is_adverb),
        "VING": _one_word(classes.is_ing),
        "VPAST": _one_word(classes.is_past),
        "VBASE": _one_word(classes.is_base),
        "VDOING": _one_word(lambda word: classes.is_ing(word) and word not in worn | weather),
        "VDONE": _one_word(lambda word: classes.is_past(word) and word not in lexicon.never["participle"]),
        "COLOUR": _english_colour(cued=False),
        "CUED": _english_colour(cued=True),
    }


def shared_categories() -> dict[str, Category]:
    """Categories that are the same in every language."""
    return {"QUOTE": _of_kind(Kind.QUOTE), "NUMBER": _of_kind(Kind.NUMBER)}


def chinese_categories() -> dict[str, Category]:
    """Every category of Chinese that no list can hold; a colour's value is its English name's."""
    names: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for first, entries in load_lexicon("zh").entries.items():
        for entry in entries:
            if entry.category == "COLOURNAME":
                names.setdefault(first, []).append((entry.value, entry.rest))

    def colour(tokens: tuple[Token, ...], place: int) -> Ends:
        found = []
        for name, rest in names.get(tokens[place].text, ()):
            end = place + 1 + len(rest)
            if tuple(token.text for token in tokens[place + 1 : end]) == rest:
                found.append((end, Colour(name, colour_names()[name])))
        return tuple(found)

    return {**shared_categories(), "COLOUR": colour}


@dataclass(frozen=True, slots=True)
class _Classes:
    """Open words of English: those of the word table that the lexicon leaves open."""

    lexicon: Lexicon
    table: OpenWords
    no_verbs: frozenset[str]

    def noun(self, tokens: tuple[Token, ...], place: int) -> Ends:
        """A noun of one word, or a compound of the list."""
        token = tokens[place]
        if token.kind is not Kind.WORD:
            return ()
        one = self.is_noun(token.text) and (token.named or not self.table.is_proper(token.text))
        found = [(place + 1, token.text)] if one else []
        for length in (2, 3, 4):
            phrase = tuple(token.text for token in tokens[place : place + length])
            if len(phrase) == length and phrase in self.table.phrases:
                found.append((place + length, phrase[-1]))
        return tuple(found)

    def noun_before(self, tokens: tuple[Token, ...], place: int) -> Ends:
        """A noun, or a name however it is written, before another noun: in the singular (``flower shop``)."""
        token = tokens[place]
        found = [
            end for end in self.noun(tokens, place) if end[0] > place + 1 or not self.table.is_only_plural(token.text)
        ]
        proper = token.kind is Kind.WORD and self.table.is_proper(token.text) and not found
        return ((place + 1, token.text),) if proper else tuple(found)

    def name(self, tokens: tuple[Token, ...], place: int) -> Ends:
        """A word with a capital that no list has: a name."""
        token = tokens[place]
        unknown = token.text not in self.lexicon.listed and not self.is_known(token.text)
        return ((place + 1, token.text),) if token.named and unknown and len(token.text) > _LETTERS else ()

    def is_noun(self, word: str) -> bool:
        if self.table.is_ing(word.removesuffix("s")) and word.endswith(("ing", "ings")):
            return word in self.lexicon.also["ing_noun"]
        if word in self.lexicon.never["noun"]:
            return False
        return self._open(word, "noun") and (self.table.is_noun(word) or word in self.lexicon.also["noun"])

    def is_adjective(self, word: str) -> bool:
        listed = word in self.lexicon.also["adjective"]
        return self._open(word, "adjective") and (word in self.table.adjectives or listed)

    def is_adverb(self, word: str) -> bool:
        return self._open(word, "adverb") and word in self.table.adverbs

    def is_ing(self, word: str) -> bool:
        noun = word in self.lexicon.also["ing_noun"]
        return not noun and self._open(word, "ing") and self.table.is_ing(word)

    def is_past(self, word: str) -> bool:
        return self._open(word, "past") and self.table.is_past(word)

    def is_base(self, word: str) -> bool:
        """A verb that says what a thing does: half of the table's are nouns too, and those count only where listed."""
        known = self.table.is_base(word) and (not self.table.is_noun(word) or word in self.lexicon.also["deed"])
        return known and self._open(word, "verb") and word not in self.no_verbs

    def is_known(self, word: str) -> bool:
        """Whether any open class has the word."""
        table = self.table
        return table.is_noun(word) or table.is_other(word)

    def _open(self, word: str, kind: str) -> bool:
        closed = word in self.lexicon.listed or word in plain_words()
        return not closed or word in self.lexicon.also.get(kind, frozenset())


def _one_word(belongs: Callable[[str], bool]) -> Category:
    def category(tokens: tuple[Token, ...], place: int) -> Ends:
        token = tokens[place]
        return ((place + 1, token.text),) if token.kind is Kind.WORD and belongs(token.text) else ()

    return category


def _of_kind(kind: Kind) -> Category:
    def category(tokens: tuple[Token, ...], place: int) -> Ends:
        return ((place + 1, tokens[place].text),) if tokens[place].kind is kind else ()

    return category


def _english_colour(*, cued: bool) -> Category:
    """A colour's name with its modifiers; with ``cued``, names that are things first (``plum``) count too."""

    def category(tokens: tuple[Token, ...], place: int) -> Ends:
        if tokens[place].text not in colour_starts(cued=cued):
            return ()
        found = []
        for end in range(place + 1, min(place + LONGEST_NAME, len(tokens)) + 1):
            colour = name_colour(tuple(token.text for token in tokens[place:end]), cued=cued)
            if colour is not None and all(token.kind is Kind.WORD for token in tokens[place:end]):
                found.append((end, colour))
        return tuple(found)

    return category


@cache
def colour_starts(*, cued: bool) -> frozenset[str]:
    """Every word with which a colour phrase can begin."""
    names = (name for name in colour_names() if cued or is_plain(name))
    return MODIFIERS | IDLE | both_spellings(name.split()[0] for name in names)


@cache
def plain_words() -> frozenset[str]:
    """Colour names of one word that are colours wherever they stand."""
    return both_spellings(name for name in colour_names() if is_plain(name) and " " not in name)


def both_spellings(words: Iterable[str]) -> frozenset[str]:
    """Words with ``grey`` in them, with ``gray`` too."""
    found = frozenset(words)
    return found | {word.replace("grey", "gray") for word in found}


@cache
def name_colour(words: tuple[str, ...], *, cued: bool) -> Colour | None:
    """The one colour that a phrase names: the longest name that ends it, after modifiers only."""
    spelt = tuple(word.replace("gray", "grey") for word in words)
    for skipped in range(len(spelt)):
        name = " ".join(spelt[skipped:])
        if name in colour_names() and (cued or is_plain(name)):
            passed = frozenset(spelt[:skipped])
            return Colour(name, colour_names()[name], exact=passed <= IDLE) if passed <= MODIFIERS | IDLE else None
    return None
