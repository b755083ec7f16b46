"""The languages that are read: their grammars with their words, compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from edit_metrics.instruction.grammar.chart import Category, Grammar
from edit_metrics.instruction.grammar.facts import Facts
from edit_metrics.instruction.grammar.lexicon import Lexicon, load_lexicon, read_table
from edit_metrics.instruction.grammar.nouns import open_words
from edit_metrics.instruction.grammar.rules import compile_rules, first_terms
from edit_metrics.instruction.grammar.words import (
    IDLE,
    MODIFIERS,
    chinese_categories,
    english_categories,
    name_colour,
)


@dataclass(frozen=True, slots=True)
class Language:
    """A compiled grammar with its words."""

    name: str
    grammar: Grammar
    facts: Facts


@cache
def english() -> Language:
    """English."""
    lexicon, table = load_lexicon("en"), open_words()
    prepositions = lexicon.words_of("PREP")
    new_things = lexicon.words_of("INDEF") | lexicon.words_of("NUMERAL")
    several = lexicon.words_of("COLLECTIVE") | lexicon.also["several"]
    every = frozenset(words.split()[0] for words in lexicon.words_of("QUANT")) - {"one"}
    facts = Facts(
        is_person=table.is_person,
        is_definite=lambda words: words not in new_things and not words.replace(" ", "").isdigit(),
        is_material=lexicon.words_of("MATERIAL").__contains__,
        is_collective=lexicon.words_of("COLLECTIVE").__contains__,
        is_weather=lexicon.words_of("ATMOSPHERE").__contains__,
        is_compound=lambda first, second: (first, second) in table.phrases,
        is_hair=lexicon.words_of("HAIRCOLOUR").__contains__,
        is_part=lexicon.words_of("PARTOF").__contains__,
        is_colour=lambda phrase: name_colour(tuple(phrase.split()), cued=False) is not None,
        has_colour=lexicon.also["colour_heads"].__contains__,
        ends_phrase=lambda word: word in prepositions or table.is_plural(word),
        is_quality=lexicon.words_of("MATERIALNOUN").__contains__,
        is_noun=lexicon.also["noun"].__contains__,
        is_modifier=(MODIFIERS | IDLE).__contains__,
        is_style=(lexicon.words_of("STYLEKIND") | lexicon.words_of("STYLENAME")).__contains__,
        holds_several=lambda determiner, noun: (
            determiner.split(" ")[0] in every or table.is_several(noun) or noun in several
        ),
        articles=frozenset({"a", "an", "the"}),
        pictures=frozenset({"it", "this", "that"}),
    )
    return Language("en", _compile("en", lexicon, english_categories()), facts)


@cache
def chinese() -> Language:
    """Chinese, plain forms."""
    lexicon = load_lexicon("zh")
    persons = frozenset(str(read_table("zh", "nouns")["persons"]).split())
    new_things, colours = lexicon.words_of("INDEF"), lexicon.words_of("COLOURNAME")
    facts = Facts(
        is_person=lambda phrase: any(phrase.endswith(person) for person in persons),
        is_definite=lambda words: words.replace(" ", "") not in {word.replace(" ", "") for word in new_things},
        is_material=_never,
        is_collective=_never,
        is_weather=lambda word: word in {name.replace(" ", "") for name in lexicon.words_of("ATMOSPHERE")},
        is_compound=lambda first, second: False,
        is_hair=_never,
        is_part=_never,
        is_colour=lambda phrase: phrase in {name.replace(" ", "") for name in colours},
        has_colour=_never,
        ends_phrase=_never,
        is_quality=_never,
        is_noun=_never,
        is_modifier=_never,
        is_style=_never,
        holds_several=lambda determiner, noun: True,
        articles=frozenset(),
        pictures=frozenset({"它"}),
    )
    return Language("zh", _compile("zh", lexicon, chinese_categories()), facts)


def _compile(name: str, lexicon: Lexicon, categories: dict[str, Category]) -> Grammar:
    table = read_table(name, "grammar")
    rules = compile_rules({**table["rules"], **table["edits"]}, table["macros"])
    return Grammar(rules, lexicon.entries, categories, first_terms(rules), lexicon.also.get("whole", frozenset()))


def _never(word: str) -> bool:
    return False
