"""Texts compared as people read them, and the language that one is written in."""

from __future__ import annotations

import re
from typing import Final

_SCRIPTS: Final = {
    "Japanese": re.compile("[\u3040-\u30ff]"),
    "Korean": re.compile("[\uac00-\ud7af\u1100-\u11ff]"),
    "Chinese": re.compile("[\u3400-\u4dbf\u4e00-\u9fff]"),
    "Cyrillic script": re.compile("[\u0400-\u04ff]"),
    "Greek": re.compile("[\u0370-\u03ff]"),
    "Arabic script": re.compile("[\u0600-\u06ff]"),
    "Hebrew": re.compile("[\u0590-\u05ff]"),
    "Devanagari script": re.compile("[\u0900-\u097f]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
}
_WORD: Final = re.compile(r"[a-z\u00df-\u024f]+")
_QUOTED: Final = re.compile('["“”«»「」『』][^"“”«»「」『』]*["“”«»「」『』]')
_FUNCTION_WORDS: Final = {
    "English": "the a an to of in on with and it is make add remove change replace from into by as at for that this",
    "French": "le la les un une des du de dans sur avec et est au aux pour ajoute ajoutez remplace enlève mets",
    "German": "der die das den dem ein eine einen mit und ist auf im zu von für füge entferne ersetze mache ändere",
    "Spanish": "el los las un una unos de del en con y es al por para añade agrega quita cambia reemplaza haz pon",
    "Italian": "il lo gli una uno di del della nel con e è al per aggiungi rimuovi cambia sostituisci rendi metti",
    "Portuguese": "o os as um uma de do da no na com e é ao por para adicione remova mude troque faça coloque",
    "Dutch": "de het een van met en is op in naar voor voeg verwijder verander vervang maak",
}
_SETS: Final = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
READ: Final = ("English", "Chinese")
"""What the reader of instructions knows something of."""


def normal(text: str | None) -> str:
    """Case, spaces and marks at the ends given up."""
    return " ".join((text or "").casefold().split()).strip(" .!,;:\"'")


def language_of(text: str) -> str:
    """The language, or the script where that is all that can be told; empty for a text without letters.

    The script with the most letters outside quotation marks; in Latin letters the language of most function words,
    English unless another has two more.
    """
    bare = _QUOTED.sub(" ", text)
    counts = {name: len(script.findall(bare)) for name, script in _SCRIPTS.items()}
    if counts["Japanese"]:  # Japanese is written with Chinese characters too
        counts["Japanese"] += counts["Chinese"]
    name, most = max(counts.items(), key=lambda one: one[1])
    if not most:
        return ""
    return _latin(bare) if name == "Latin" else name


def _latin(text: str) -> str:
    words = _WORD.findall(text.lower())
    found = {language: sum(word in known for word in words) for language, known in _SETS.items()}
    best, most = max(found.items(), key=lambda one: one[1])
    return best if most >= found["English"] + 2 else "English"
