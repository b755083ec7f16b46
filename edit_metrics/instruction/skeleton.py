"""A clause's skeleton: which kind of verb, what it acts on, and what that becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from edit_metrics.instruction import words
from edit_metrics.instruction.colours import colours_in, find_colour
from edit_metrics.instruction.slots import find_tones


class Verb(StrEnum):
    """The kinds of verb that the grammar tells apart."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    CHANGE = "change"
    MAKE = "make"
    RECOLOUR = "recolour"
    GIVE = "give"


@dataclass(frozen=True, slots=True)
class Skeleton:
    """``change <object> to <result>``, ``add <object> <place>``, ``make <object> <result>`` …"""

    verb: Verb
    object: str
    result: str | None = None
    place: str | None = None


_PREPOSITION = (
    r"(?:to the (?:left|right|top|bottom|side|side) of|to|on top of|on to|onto|on|in front of|in between|inside|"
    r"into|in|at|next to|near|behind|beside|under|"
    r"underneath|above|below|over|between|around|along|across|by|from|against|beneath|within|among|amongst|to|"
    r"upon|wherever|where)"
)
_WEAR = (
    r"(?:wear(?:ing|s)?|hold(?:ing|s)?|have|has|having|carry(?:ing)?|us(?:e|ing)|put on|contain(?:s|ing)?|"
    r"display(?:s|ing)?|show(?:s|ing)?|"
    r"with(?= (?:a|an|some|more|two)\b))"
)
_SUBJECT = r"(?:the |a |an |his |her |their |its |that |this |all |him\b|her\b|it\b|them\b)"
_PATTERNS: tuple[tuple[Verb, re.Pattern[str]], ...] = tuple(
    (verb, re.compile(pattern))
    for verb, pattern in (
        (Verb.REPLACE, r"^substitute (?P<result>.+?) for (?P<object>.+)$"),
        (Verb.REPLACE, rf"^{words.REPLACE}(?: out)? (?P<object>.+?)(?: out)? (?:with|by|for|to|into) (?P<result>.+)$"),
        (Verb.REPLACE, rf"^{words.CHANGE} (?P<object>(?:the|his|her|its|this|that|all) .+?) (?:with|for) "
                       rf"(?P<result>.+)$"),
        (Verb.REPLACE, r"^(?:make|have|let)? ?(?P<object>.+?) (?:is |are |be |to be |gets? )?(?:replaced|swapped|"
                       r"substituted|exchanged|switched)(?: out)? (?:with|by|for|to) (?P<result>.+)$"),
        (Verb.REMOVE, r"^(?:make|have|let) (?P<object>.+?) (?:be )?(?:disappear|go away|vanish|gone|invisible|"
                      r"removed|deleted|erased|leave)\b.*$"),
        (Verb.REMOVE, r"^(?:make|have|let|show) (?P<place>.+?) (?:be )?(?:without|with no) (?P<object>.+)$"),
        (Verb.REMOVE, r"^(?:take|get|pull|crop|cut|edit|photoshop) (?P<object>.+?) (?:out|away|off)(?: (?:of |"
                      r"from )?(?:the|his|her|its|their) .+)?$"),
        (Verb.REMOVE, rf"^{words.REMOVE}(?: up| of)? (?P<object>.+)$"),
        (Verb.REMOVE, r"^(?:there (?:be|is|are) |have |let there be |make there be )?(?:no|without)(?: more| "
                      r"any)? (?P<object>.+)$"),
        (Verb.REMOVE, r"^(?P<object>.+?) (?:should|must|needs? to) (?:be (?:removed|gone|deleted|erased)|"
                      r"disappear|go)$"),
        (Verb.ADD, r"^(?:there (?:be|is|are)|let there be|have there be|make there be|it needs|needs) "
                   r"(?P<object>.+)$"),
        (Verb.ADD, r"^have (?P<object>(?!(?:the|his|her|him|it|them|this|that|their|one of|each|every|all|both|"
                   r"my|our|[\w']+'s)\b)[^ ]+(?: (?:in|on|at|near|behind|around) .+)?)$"),
        (Verb.ADD, r"^(?:make|have|let|show) (?P<object>(?:an?|another|some|two|three|four|several|many) "
                   r"(?!of\b|bit\b|little\b|image\b|picture\b|photo\b|mirror\b).+?)(?P<place> (?:be|stand|sit|"
                   r"play|lie|lay|walk|run|fly|swim|sleep|block|hang|jump|ski|float|grow|hold|hover|eat|"
                   r"drink)\b.*)?$"),
        (Verb.ADD, rf"^(?:make|have|let|get|show|dress) (?P<place>{_SUBJECT}?.*?)(?: be)? {_WEAR} "
                   rf"(?P<object>(?:a|an|some|the|his|her)?\s?.+)$"),
        (Verb.ADD, r"^(?:make|have|let) (?P<place>.+?) (?:be )?(?:topped|covered|filled|decorated|surrounded) "
                   r"(?:with|in|by) (?P<object>.+)$"),
        (Verb.ADD, r"^(?:cover|fill|surround|decorate|top|equip|line|crown|dress|adorn|populate|sprinkle) "
                   r"(?P<place>.+?) (?:up )?(?:with|in|by) (?P<object>.+)$"),
        (Verb.GIVE, r"^give (?P<object>him|her|it|them|the (?:\w+ )+?|his \w+|her \w+|this \w+|that \w+|each "
                    r"\w+|\w+) ?(?P<result>(?:a|an|some|more|the|his|her|blue|red)\b.+|.+)$"),
        (Verb.ADD, r"^(?:paint|draw) (?P<object>(?:a|an|some) .+?)(?P<place> (?:on|onto|in|over|across|at) .+)?$"),
        (Verb.RECOLOUR, rf"^{words.RECOLOUR}(?: in)? (?P<object>.+) (?:in|to|with|into|as) (?P<result>.+)$"),
        (Verb.CHANGE, rf"^(?:{words.CHANGE}|make) (?P<object>.+?) from (?P<from>.+?) (?:to|into) (?P<result>.+)$"),
        (Verb.CHANGE, rf"^{words.CHANGE} (?P<object>.+?) (?:to be|to look like|to look|to have|to|into|in to|"
                      rf"onto|as) (?P<result>.+)$"),
        (Verb.CHANGE, r"^(?:make|render|have|let) (?P<object>.+?) (?:into|turn into|become|be (?:turned|"
                      r"changed) (?:in)?to|to be|turn to|be|turn) (?P<result>.+)$"),
        (Verb.CHANGE, rf"^{words.CHANGE} (?P<object>(?:the )?colou?rs? (?:of|on) .+|.+ colou?rs?)$"),
        (Verb.MAKE, rf"^(?:{words.MAKE}) (?P<object>.+?(?<! twice)(?<! half)(?<! times)) (?:look like|look as "
                    rf"if|resemble|appear to be|look|"
                    rf"appear|as) (?P<result>.+)$"),
        (Verb.MAKE, rf"^(?:{words.MAKE}|turn|change|set) (?P<object>it|him|them|{words.PICTURE}) "
                    rf"(?P<result>.+)$"),
    )
)  # fmt: skip
_INSTEAD = re.compile(r"^(?P<before>.+?) (?:instead of|in (?:the )?place of|rather than) (?P<object>.+)$")
_ADD = re.compile(rf"^(?!put (?:down|up|away|out)\b){words.ADD}(?: in)? (?P<object>.+)$")
_MAKE = re.compile(rf"^(?:{words.MAKE}|turn|change) (?P<rest>.+)$")
_RECOLOUR = re.compile(rf"^{words.RECOLOUR} (?P<rest>.+)$")
_SPLIT_PLACE = re.compile(rf"^(?P<object>.+?) (?P<place>{_PREPOSITION}\b .+)$")
_RESULT_START = re.compile(
    rf"^(?:{words.COMPARATIVE}|a|an|more|less|bigger|smaller|larger|huge|tiny|giant|longer|shorter|into|look|"
    rf"from|upside|twice|half|very|slightly|much|darker|"
    r"lighter|make|lick|yawn|bite|press|swing|block|play|spin|jump|run|sit|stand|walk|fly|smile|laugh|dance|"
    r"sleep|open|close|eat|drink|swim|face|turn|move|fall|bark|wave|"
    r"kiss|hug|point|raise|lift|kick|throw|catch|ride|blink|bend|lie|lay|talk|sing|cry|frown|snow|rain|glow|"
    r"shine|made|out of|"
    r"\w+ing)\b(?! of\b)"
)


def read_skeleton(clause: str) -> Skeleton | None:
    """The skeleton of a clause, or None when no pattern fits."""
    if match := _INSTEAD.match(clause):
        inner = read_skeleton(match["before"])
        before = re.sub(r"^(?:use|it) ", "", match["before"])
        return Skeleton(Verb.REPLACE, match["object"], (inner.result or inner.object) if inner else before)
    for verb, pattern in _PATTERNS:
        if match := pattern.match(clause):
            parts = match.groupdict()
            if verb is Verb.RECOLOUR and not _names_colour(parts["result"]):
                continue
            return Skeleton(verb, parts["object"].strip(), parts.get("result"), parts.get("place"))
    if match := _RECOLOUR.match(clause):
        return _split_coloured(match["rest"])
    if match := _ADD.match(clause):
        return _split_place(Verb.ADD, match["object"])
    if match := _MAKE.match(clause):
        return _split_make(match["rest"])
    return None


def _split_place(verb: Verb, rest: str) -> Skeleton:
    match = _SPLIT_PLACE.match(rest)
    return Skeleton(verb, match["object"], None, match["place"]) if match else Skeleton(verb, rest)


def _split_make(rest: str) -> Skeleton | None:
    """``the old car bright red`` → (``the old car``, ``bright red``): the earliest place where a result can begin."""
    tokens = rest.split()
    for fits in (_is_quality, _can_be_result):
        for position in range(1, len(tokens)):
            head, tail = tokens[:position], " ".join(tokens[position:])
            if head[-1] not in {"the", "a", "an", "his", "their", "its", "of", "all", "in", "on"} and fits(tail):
                return Skeleton(Verb.MAKE, " ".join(head), tail)
    return None


def _split_coloured(rest: str) -> Skeleton | None:
    """``the dog's fur purple``: after ``paint`` every colour name counts, ``plum`` too."""
    tokens = rest.split()
    for position in range(1, len(tokens)):
        tail = " ".join(tokens[position:])
        if tokens[position - 1] not in {"the", "a", "an"} and (find_colour(tail, cued=True) or _is_quality(tail)):
            return Skeleton(Verb.RECOLOUR, " ".join(tokens[:position]), tail)
    return None


def _is_quality(tail: str) -> bool:
    several = all(find_colour(word, cued=False) or word == "and" for word in re.findall(r"[a-z]+", tail))
    return several or find_colour(tail, cued=False) is not None or words.MATERIAL.match(tail) is not None


def _can_be_result(tail: str) -> bool:
    if _RESULT_START.match(tail):
        return True
    first = tail.split(maxsplit=1)[0]
    if words.STATE.fullmatch(first) or words.ATMOSPHERE.fullmatch(tail):
        return len(tail.split()) == 1 or not colours_in(tail)
    return bool(find_tones(tail) and find_tones(first)) or words.STYLE_PHRASE.match(tail) is not None


def _names_colour(phrase: str | None) -> bool:
    return phrase is not None and (find_colour(phrase, cued=True) is not None or bool(colours_in(phrase)))
