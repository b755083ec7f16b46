"""Spelling: a word that nothing knows is read as the one known word within one letter of it, and that is said."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Final

from edit_metrics.instruction.colours import colour_names
from edit_metrics.instruction.grammar.lexicon import load_lexicon
from edit_metrics.instruction.grammar.nouns import open_words
from edit_metrics.instruction.grammar.tokens import Kind, Token

SHORTEST: Final = 4
"""Letters from which on a word is corrected: a shorter one has too many neighbours."""


@dataclass(frozen=True, slots=True)
class Spelt:
    """Tokens with known words, and what was corrected."""

    tokens: tuple[Token, ...]
    corrected: tuple[tuple[str, str], ...]


def correct(tokens: tuple[Token, ...]) -> Spelt:
    """Correct each unknown word that has exactly one known neighbour (one letter more, less, other, or two swapped)."""
    rights = [_right(token) for token in tokens]
    pairs = list(zip(tokens, rights, strict=True))
    fixed = tuple(token if right is None else replace(token, text=right, named=False) for token, right in pairs)
    return Spelt(fixed, tuple((token.text, right) for token, right in pairs if right is not None))


def slipped(tokens: tuple[Token, ...]) -> str | None:
    """A known word that, two letters swapped, is a listed compound with its neighbour; None where none is.

    ``the stop sing``: a slip that makes another word is not seen by looking words up one by one. Only swapped letters:
    with any other letter ``the pink tree`` would be a slip for ``the pine tree``.
    """
    phrases = open_words().phrases
    for first, second in pairwise(token.text for token in tokens if token.kind is Kind.WORD):
        if (first, second) in phrases:
            continue
        for word, pairs in (
            (first, ((other, second) for other in _swapped(first))),
            (second, ((first, other) for other in _swapped(second))),
        ):
            if any(pair in phrases for pair in pairs):
                return word
    return None


def _swapped(word: str) -> Iterator[str]:
    for place in range(len(word) - 1):
        yield word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def _right(token: Token) -> str | None:
    if token.kind is not Kind.WORD or token.named or not token.text.isascii():
        return None
    listed = load_lexicon("en").spelling.get(token.text)
    known = token.text in known_words() or open_words().is_noun(token.text)
    if listed is not None or known or len(token.text) < SHORTEST:
        return listed
    near = {word for word in _neighbours(token.text) if word in known_words()}
    return near.pop() if len(near) == 1 else None


def _neighbours(word: str) -> Iterator[str]:
    parts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    for before, after in parts:
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in string.ascii_lowercase:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]


@cache
def known_words() -> frozenset[str]:
    """Every word of the lexicon, of the word table and of the colour names."""
    table = open_words()
    entries = load_lexicon("en").entries
    listed = {word for first, found in entries.items() for entry in found for word in (first, *entry.rest)}
    compounds = {word for phrase in table.phrases for word in phrase}
    colours = {word for name in colour_names() for word in name.split()}
    colours |= {word.replace("grey", "gray") for word in colours}
    grammar = {
        "same",
        "each",
        "other",
        "restore",
        "himself",
        "herself",
        "itself",
        "themselves",
        "axis",
        "without",
        "only",
    }
    return frozenset(
        load_lexicon("en").never["corrected"]
        | listed
        | compounds
        | colours
        | grammar
        | set(table.nouns)
        | set(table.verbs)
        | table.adjectives
        | table.adverbs
    )
