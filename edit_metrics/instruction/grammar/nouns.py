"""Open words: which words are nouns, adjectives, verbs; and which nouns are people.

The word table is the one that the package ``lemminflect`` ships (MIT; built from the NIH's SPECIALIST lexicon, which is
free of charge and of conditions but attribution). Its file is read by itself: importing the package costs half a second
and loads pickled models that nothing here needs.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from edit_metrics.instruction.grammar.lexicon import read_table

SHORTEST_PART: Final = 4
"""Letters of each half of a compound written as one word: shorter halves are found in any word."""
_TABLE: Final = "resources/lemma_lu.csv.gz"


@dataclass(frozen=True, slots=True)
class OpenWords:
    """Words by part of speech; all lower case.

    Attributes:
        nouns: noun form → its lemmas.
        adjectives: in any degree.
        adverbs: as listed.
        verbs: verb form → its lemmas.
        phrases: nouns of several words, as tuples.
        proper: nouns that the table writes with a capital, and no list of the package's own has.
        persons: lemmas of nouns for people; several words joined by spaces.
    """

    nouns: dict[str, tuple[str, ...]]
    adjectives: frozenset[str]
    adverbs: frozenset[str]
    verbs: dict[str, tuple[str, ...]]
    phrases: frozenset[tuple[str, ...]]
    proper: frozenset[str]
    persons: frozenset[str]

    def is_ing(self, word: str) -> bool:
        """A present participle."""
        return word.endswith("ing") and word in self.verbs and word not in self.verbs[word]

    def is_past(self, word: str) -> bool:
        """A past form or past participle."""
        other = word in self.verbs and word not in self.verbs[word]
        return other and not word.endswith(("ing", "s"))

    def is_base(self, word: str) -> bool:
        """A verb in its base form."""
        return word in self.verbs.get(word, ())

    def is_plural(self, word: str) -> bool:
        """A plural that is told by its s."""
        return word.endswith("s") and word in self.nouns and word not in self.nouns[word]

    def is_only_plural(self, word: str) -> bool:
        """A plural that is no singular too (``sports`` is one): it stands before no other noun."""
        return word in self.nouns and all(word not in lemma.split("/") for lemma in self.nouns[word])

    def is_proper(self, word: str) -> bool:
        """A name of the table: a noun only where it is written with a capital, or stands before one."""
        return word in self.proper

    def is_several(self, word: str) -> bool:
        """A plural, ``men`` too; not one that is its own singular (``sheep``)."""
        return any(lemma != word for lemma in self.nouns.get(word, ()))

    def is_noun(self, word: str) -> bool:
        """A noun of the table, or two of them written as one word (``lampshade``), which no table lists in full."""
        return word in self.nouns or (not self.is_other(word) and self._is_solid(word))

    def is_other(self, word: str) -> bool:
        """A word of the table that is no noun."""
        return word in self.adjectives or word in self.adverbs or word in self.verbs

    def _is_solid(self, word: str) -> bool:
        places = range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)
        return any(word[:place] in self.nouns and word[place:] in self.nouns for place in places)

    def is_person(self, phrase: str) -> bool:
        """Whether the last word, or the last two, of a phrase name a human being in singular or plural."""
        words = phrase.lower().replace("-", " ").split()
        if not words:
            return False
        lasts = {words[-1], *self.nouns.get(words[-1], ()), *_singulars(words[-1])}
        pairs = {f"{words[-2]} {last}" for last in lasts} if len(words) > 1 else set()
        return not self.persons.isdisjoint(lasts | pairs)


@cache
def open_words() -> OpenWords:
    """The table of ``lemminflect`` with the extra nouns and the person nouns of ``en/nouns.toml``."""
    kinds: dict[str, dict[str, tuple[str, ...]]] = {"noun": {}, "verb": {}, "adj": {}, "adv": {}, "aux": {}}
    common: set[str] = set()
    proper: set[str] = set()
    for line in _lines():
        word, kind, lemmas = line.lower().split(",", 2)
        kinds[kind][word] = tuple(lemmas.split(","))
        if kind == "noun":
            (common if line[0].islower() else proper).add(word)
    nouns = kinds["noun"]
    table = read_table("en", "nouns")
    listed = {word: word for text in (table["extra"], *table["persons"].values()) for word in str(text).split()}
    phrases = set()
    for word in listed:
        for form in (word, *_plurals(word)):
            if "_" in form:
                phrases.add(tuple(form.split("_")))
            else:
                nouns.setdefault(form, (word,))
    persons = frozenset(word.replace("_", " ") for text in table["persons"].values() for word in str(text).split())
    forms = {form for word in listed for form in (word, *_plurals(word))}
    return OpenWords(
        nouns, frozenset(kinds["adj"]), frozenset(kinds["adv"]), kinds["verb"], frozenset(phrases),
        frozenset(proper - common - forms), persons,
    )  # fmt: skip


def _lines() -> list[str]:
    spec = find_spec("lemminflect")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "the word table needs the package lemminflect: pip install edit-metrics", name="lemminflect"
        )
    file = Path(spec.origin).parent / _TABLE
    if not file.exists():
        version = metadata.version("lemminflect")
        raise FileNotFoundError(f"lemminflect {version} has no {_TABLE}; edit-metrics knows the layout of 0.2.3")
    return gzip.decompress(file.read_bytes()).decode("utf-8").splitlines()


def _plurals(word: str) -> tuple[str, ...]:
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return (f"{word}es",)
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return (f"{word[:-1]}ies",)
    if word.endswith("man"):
        return (f"{word[:-3]}men",)
    return (f"{word}s",)


def _singulars(word: str) -> tuple[str, ...]:
    """Guesses at a plural's singular, to be looked up: nothing is made of one that no list has."""
    found = [word[:-1]] if word.endswith("s") else []
    found += [word[:-2]] if word.endswith("es") else []
    found += [f"{word[:-3]}y"] if word.endswith("ies") else []
    found += [f"{word[:-3]}man"] if word.endswith("men") else []
    return tuple(found)
