"""A language's words by category, read from its TOML files."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from edit_metrics.instruction.grammar.tokens import WHOLE

_TABLES_WITHOUT_CATEGORY = frozenset({"also", "spelling", "words", "open", "never"})
_CLASSES: Final = ("also", "never")
_HAN_TOKENS: Final = re.compile(r"[a-z]+|\d+|[^a-z\d]")
ANY: Final = "any"
"""A key whose words are their own values."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A word or phrase of a category: the words after its first one, and its value."""

    category: str
    rest: tuple[str, ...]
    value: str


Entries = dict[str, list[Entry]]
"""First word → the entries that begin with it."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What a language's files say.

    Attributes:
        entries: of all categories.
        listed: every one-word entry of a closed category: an open word only where ``also`` says so.
        never: open class → words that do not belong to it.
        also: open class (``noun``, ``adjective``, ``ing``, ``past``, ``verb``) → listed words that belong to it too;
            ``deed`` → nouns that are verbs too where a thing is to do something; ``several`` → nouns of many
            things; ``whole`` → categories of verbs.
        spelling: misspelt word → right word.
    """

    entries: Entries
    listed: frozenset[str]
    also: dict[str, frozenset[str]]
    never: dict[str, frozenset[str]]
    spelling: dict[str, str]

    @property
    def categories(self) -> frozenset[str]:
        """The names of all categories."""
        return frozenset(entry.category for entries in self.entries.values() for entry in entries)

    def words_of(self, category: str) -> frozenset[str]:
        """A category's entries, the words of a phrase joined by spaces."""
        return frozenset(
            " ".join((first, *entry.rest))
            for first, entries in self.entries.items()
            for entry in entries
            if entry.category == category
        )


@cache
def load_lexicon(language: str) -> Lexicon:
    """Read ``<language>/lexicon.toml``."""
    table = read_table(language, "lexicon")
    listed = {name: {"": words} for name, words in table["words"].items()}
    if language == "zh":  # there the nouns are a list as well
        listed["NOUN"] = {"": " ".join(str(words) for words in read_table("zh", "nouns").values())}
    listed |= {name: values for name, values in table.items() if name not in _TABLES_WITHOUT_CATEGORY}
    stay_open = frozenset(table.get("open", {}).get("categories", "").split())
    entries: Entries = {}
    closed = set()
    for category, values in listed.items():
        for value, phrases in values.items():
            for phrase in dict.fromkeys(phrases.split()):
                first, *rest = _split(phrase)
                meaning = phrase.replace("_", " ") if value in {"", ANY} else value
                entries.setdefault(first, []).append(Entry(category, tuple(rest), meaning))
                closed |= {first} if not rest and category not in stay_open else set()
    also, never = ({name: frozenset(words.split()) for name, words in table.get(kind, {}).items()} for kind in _CLASSES)
    return Lexicon(entries, frozenset(closed), also, never, dict(table.get("spelling", {})))


@cache
def read_table(language: str, name: str) -> dict[str, Any]:
    """One of a language's TOML files."""
    file = resources.files("edit_metrics.instruction.grammar").joinpath(language, f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _split(phrase: str) -> list[str]:
    """The tokens of an entry: ``next_to`` has two, ``it's`` one, ``man's`` two."""
    if any("\u4e00" <= letter <= "\u9fff" for letter in phrase):
        return _HAN_TOKENS.findall(phrase)
    parted = phrase if phrase.startswith(WHOLE) or phrase == "'s" else phrase.replace("'s", "_'s")
    return parted.split("_")
