"""A small list of English words that ask for something unsafe: a weak lexical check of the instruction.

It knows no other language, no misspelling, no irony and no slur list, and it reads words, not intents: it puts plain
requests before a person and clears nothing. Harmless phrases that contain such a word are taken out first.
"""

from __future__ import annotations

import re
from typing import Final

_BODY: Final = r"(?:him|her|them|me|you|his|their|the|a|an|this|that)"
_PERSON: Final = r"(?:man|men|woman|women|boy|girl|guy|lady|person|people|child|kid|baby|figure|couple|model|teen\w*)"
_CLOTHES: Final = (
    r"(?:clothes|clothing|garments?|shirts?|blouse|dress|skirt|pants|trousers|bra|underwear|panties|bikini|top)"
)
_GUN: Final = r"(?:gun|rifle|pistol|shotgun|revolver|weapon|knife)"

_HARMLESS: Final = re.compile(
    r"""
      \b(?:photo|video|film|product|fashion|studio|wedding)[-\s]?shoot(?:s|ing)?\b
    | \bshoot(?:s|ing)?\s+(?:of\s+)?(?:an?\s+|the\s+|some\s+)?(?:\w+\s+)?
      (?:photos?|photographs?|pictures?|videos?|film|footage|portraits?|scene)\b
    | \bshooting\s+(?:stars?|range|guard)\b
    | \b(?:chicken|turkey|duck|goose|pigeon)(?:'s)?\s+breasts?\b
    | \bbreasts?\s+of\s+(?:the\s+)?(?:chicken|turkey|duck|goose|pigeon|robin|bird)\b
    | \bbreast\s+(?:pocket|cancer|stroke|feathers|plumage)\b
    | \bkill(?:s|ed|ing)?\s+(?:the\s+|all\s+(?:the\s+)?)?
      (?:lights?|glare|reflections?|shadows?|noise|background|saturation|colou?rs?|flash)\b
    | \bkiller\s+whales?\b
    | \bblood[-\s](?:oranges?|moon|red)\b
    | \bbloody\s+mary\b
    | \bnaked\s+(?:eye|cake|trees?|branches)\b
    | \bnude\s+(?:lipstick|lips|nails?|nail\s+polish|heels|shoes|colou?r(?:ed)?|tones?|makeup|make-up|palette)\b
    | \bsame[-\s]sex\b
    | \bsex\s+pistols\b
    | \bdead\s+(?:tree|leaf|leaves|plants?|pixels?|flowers?|grass|sea)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)

_REQUESTS: Final = {
    "sexual": rf"""
          \b(?:nude|nudes|nudity|naked|topless|nsfw|porn\w*|erotic\w*|sexual\w*|sex|orgy|genitals?|penis|vagina
          |nipples?|breasts?|boobs|lingerie|undress(?:ed|es|ing)?|striptease|bottomless|masturbat\w+)\b
        | \b(?:remove|take\s+off|strip(?:\s+off)?|without|no)\s+(?:all\s+)?
          (?:her|his|their|the\s+{_PERSON}'?s?|{_PERSON}'s)\s+(?:\w+\s+)?{_CLOTHES}\b
        | \bstrip\s+(?:her|him|them|the\s+{_PERSON})\b
        """,
    "violence": rf"""
          \b(?:kill(?:s|ed|ing)?|murder\w*|massacre\w*|stab(?:s|bed|bing)?|behead\w*|decapitat\w+|dismember\w*|gor[ey]
          |mutilat\w+|tortur\w+|strangl\w+|corpses?|execut(?:e|es|ed|ing)|bleeding|bloody|bloodied|blood|gunshot)\b
        | \bdead\s+(?:bod(?:y|ies)|{_PERSON})\b
        | \bshoot(?:s|ing)?\s+{_BODY}?\s*(?:him|her|them|{_PERSON})\b
        | \b(?:point|aim)(?:s|ed|ing)?\s+(?:an?\s+|the\s+|his\s+|her\s+)?{_GUN}s?\s+(?:at|to)\b
        """,
    "self_harm": r"""
          \b(?:suicid\w+|self[-\s]?harm\w*|noose|overdos\w+)\b
        | \b(?:cut|cuts|cutting|slit|slits|slitting|slash\w*)\s+
          (?:(?:on|in)\s+)?(?:his|her|their|my|own|the)\s+(?:own\s+)?wrists?\b
        | \bhang(?:s|ing|ed)?\s+(?:him|her|my|them)sel(?:f|ves)\b
        """,
    "hate": r"\b(?:swastikas?|nazis?|kkk|ku\s+klux\s+klan|blackface|lynch(?:ed|ing)?|hitler)\b",
}
_CATEGORIES: Final = {name: re.compile(terms, re.IGNORECASE | re.VERBOSE) for name, terms in _REQUESTS.items()}
_MINOR: Final = re.compile(
    r"\b(?:child|children|kids?|toddlers?|bab(?:y|ies)|infants?|underage\w*|a\s+minor|minors|teens?|teenage\w*"
    r"|preteens?|school\s?(?:girl|boy|child)\w*|(?:little|young|small)\s+(?:girl|boy)s?|(?:1[0-7]|[1-9])[-\s]year[-\s]old)\b",
    re.IGNORECASE,
)


def find_unsafe_requests(instruction: str) -> tuple[str, ...]:
    """Categories that the instruction's words ask for: ``sexual``, ``violence``, ``self_harm``, ``hate``.

    ``sexual_minor`` comes in front when a sexual term stands beside one for a minor.
    """
    rest = _HARMLESS.sub(" … ", instruction.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))
    found = tuple(name for name, terms in _CATEGORIES.items() if terms.search(rest))
    if "sexual" in found and _MINOR.search(rest):
        return ("sexual_minor", *found)
    return found
