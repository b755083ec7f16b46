"""An instruction as tokens: words, numbers, quoted strings, and every other character by itself."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

LONGEST: Final = 600
"""Characters that are read. The longest of 315 real instructions has 448; a pasted page must not hold up a batch."""

_DOUBLE: Final = {"“": "”", "„": "“”", "«": "»", "「": "」", "『": "』", "《": "》", '"': '"', "＂": "＂", "”": "”"}
_SINGLE: Final = {"‘": "’", "'": "'’", "`": "`'", "´": "´", "’": "’"}
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+(?:[.,]\d+)*")
_APOSTROPHE_S: Final = re.compile(r"^(.+)['’]s$")
WHOLE: Final = ("it's", "let's", "that's", "there's", "he's", "she's", "what's", "who's")
"""Words with an apostrophe and an s that are one token."""
_HAN_GAP: Final = re.compile(r"(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")
_HAN: Final = re.compile(r"[\u4e00-\u9fff]")


class Kind(StrEnum):
    """What a token is."""

    WORD = "word"
    NUMBER = "number"
    QUOTE = "quote"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    Attributes:
        kind: what it is.
        text: lower case; of a quotation, the string between the marks in its own case.
        named: a word with a capital that does not stand first, in a text that is not all capitals.
        joined: it goes on from the word before it, after a hyphen.
    """

    kind: Kind
    text: str
    named: bool = False
    joined: bool = False


def is_han(text: str) -> bool:
    """Whether a text begins with a Chinese character."""
    return _HAN.match(text) is not None


def join_words(words: Iterable[str]) -> str:
    """Words as a phrase: Chinese ones without spaces between them."""
    return _HAN_GAP.sub("", " ".join(words).replace(" 's", "'s"))


def tokenise(text: str) -> tuple[Token, ...]:
    """Take a text apart; hyphens between letters part words, final full stops and question marks are dropped."""
    clean = unicodedata.normalize("NFC", text).replace("\u00a0", " ").strip()
    shouted = clean.upper() == clean
    tokens: list[Token] = []
    place = 0
    while place < len(clean):
        if clean[place].isspace() or _is_hyphen(clean, place):
            place += 1
        elif (quote := _quotation(clean, place)) is not None:
            tokens.append(Token(Kind.QUOTE, quote.string))
            place = quote.end
        elif _HAN.match(clean[place]):
            tokens.append(Token(Kind.WORD, clean[place]))
            place += 1
        elif (match := _WORD.match(clean, place)) is not None:
            found = _before_han(match[0])
            words = _word(found, first=not tokens, shouted=shouted)
            tokens += [replace(words[0], joined=place > 0 and _is_hyphen(clean, place - 1)), *words[1:]]
            place += len(found)
        else:
            tokens.append(Token(Kind.MARK, clean[place].replace("’", "'")))
            place += 1
    while tokens and tokens[-1].kind is Kind.MARK and tokens[-1].text in ".!?。！？;；":
        tokens.pop()
    return tuple(tokens)


@dataclass(frozen=True, slots=True)
class _Quotation:
    string: str
    end: int


def _quotation(text: str, start: int) -> _Quotation | None:
    """The quotation that opens here; a single mark inside a word is an apostrophe and opens or closes nothing."""
    mark = text[start]
    if mark in _DOUBLE:
        ends = [place for end in _DOUBLE[mark] if (place := text.find(end, start + 1)) > 0]
        if not ends:
            return None
        return _filled(text[start + 1 : min(ends)], min(ends) + 1)
    if mark not in _SINGLE or (start and text[start - 1].isalnum()):
        return None
    for place in range(start + 1, len(text)):
        if text[place] in _SINGLE[mark] and not text[place + 1 : place + 2].isalnum():
            return _filled(text[start + 1 : place], place + 1)
    return None


def _filled(string: str, end: int) -> _Quotation | None:
    return _Quotation(string.strip(), end) if string.strip() else None


def _word(text: str, *, first: bool, shouted: bool) -> list[Token]:
    lower = text.replace("’", "'").lower()
    if text[0].isdigit():
        return [Token(Kind.NUMBER, lower.replace(",", ""))]
    named = text[0].isupper() and not first and not shouted
    if (match := _APOSTROPHE_S.match(lower)) and lower not in WHOLE:
        return [Token(Kind.WORD, match[1], named), Token(Kind.WORD, "'s")]
    return [Token(Kind.WORD, lower, named)]


def _before_han(text: str) -> str:
    """Letters up to the first Chinese character, which a pattern of letters does not part from them (``edition字``)."""
    match = _HAN.search(text)
    return text[: match.start()] if match and match.start() else text


def _is_hyphen(text: str, place: int) -> bool:
    inside = 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()
    return inside and text[place] in "-‐‑–_"
