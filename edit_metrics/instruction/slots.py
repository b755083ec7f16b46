"""Slots that are found anywhere in a clause: degree, direction, place in the frame, tone words; and noun phrases."""

from __future__ import annotations

import re

from edit_metrics.instruction import words
from edit_metrics.instruction.parsed import Degree, Direction2D, ToneKind

_NUMBER_WORDS = {"ninety": 90.0, "forty-five": 45.0, "forty five": 45.0, "thirty": 30.0, "sixty": 60.0, "fifty": 50.0,
                 "twenty": 20.0, "ten": 10.0, "one hundred eighty": 180.0, "one hundred and eighty": 180.0,
                 "two hundred seventy": 270.0, "a quarter turn": 90.0, "a half turn": 180.0}  # fmt: skip
_AMOUNT = r"(\d+(?:\.\d+)?|" + "|".join(sorted(_NUMBER_WORDS, key=len, reverse=True)) + r")"
_DEGREES = re.compile(_AMOUNT + r"(?:\s*|-)(?:°|degrees?|deg\b)")
_TURNS = re.compile(r"\b(a quarter turn|a half turn)\b")
_PERCENT = re.compile(_AMOUNT + r"\s*(?:%|percent|per cent)")
_TIMES = re.compile(r"\b(?:(\d+(?:\.\d+)?)\s*(?:x|times)\b|(twice|double|triple|half))")
_TIMES_WORDS = {"twice": 2.0, "double": 2.0, "triple": 3.0, "half": 0.5}
_WORD_DEGREES = {
    "slightly": re.compile(
        r"\b(?:slightly|a (?:little )?bit|a little|somewhat|a touch|subtly|subtle|a tad|"
        r"mildly)\b"
    ),
    "very": re.compile(
        r"\b(?:very|much|a lot|significantly|extremely|strongly|heavily|drastically|dramatically|way|super)\b"
    ),
}

_CORNER = re.compile(
    r"\b(top|upper|bottom|lower)[ -](left|right)\b|\b(left|right)[ -](top|upper|bottom|lower)\b(?! of (?!the "
    r"(?:image|photo|picture|frame)))"
)
_SIDE = re.compile(
    r"\b(?:on|at|in|to|from|near)(?: the)? (?:far |very )?(left|right|top|bottom|cent(?:er|re)|middle)"
    r"(?: (?:side|edge|part|half|corner|hand side|third))?"
    r"(?! (?:of|side of|corner of|edge of|part of|half of)(?! (?:the )?(?:image|photo|picture|frame|screen|"
    r"scene))|\w)"
)
_WAY = re.compile(
    r"\b(counter[ -]?clockwise|anti[ -]?clockwise|clockwise|horizontal(?:ly)?|vertical(?:ly)?|upside[ -]down|"
    r"left(?:wards?)?|"
    r"right(?:wards?)?|upwards?|up|downwards?|down|top|bottom|cent(?:er|re)|middle)\b"
)

_LESS = (
    r"(?:less|lower|reduced?|decreased?|decrease|reduce|drop|turn(?:ed)? down|tone(?:d)? down|cut|"
    r"minimi[sz]e|weaker|soften|remove)"
)
_MORE = (
    r"(?:more|higher|increased?|raise|boost(?:ed)?|enhanced?|add|turn(?:ed)? up|improve|extra|pump up|crank "
    r"up|strong(?:er)?|intensify|greater|up)"
)
_GAP = (
    r"(?: (?:the|its|some|a|of|bit|little|lot|overall|image|photo|picture|image's|photo's|picture's|slight|"
    r"much))* "
)
_TONES: tuple[tuple[ToneKind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (ToneKind.BLACK_AND_WHITE, r"\bblack[ -](?:and|&|n|'n')[ -]white\b|\bb ?& ?w\b|\bbnw\b|\bgr[ae]y[ "
                                   r"-]?scaled?\b|\bmonochrom\w*"
         r"|\b(?:remove|drain|strip|take)(?: away| out)? (?:all )?(?:the )?colou?rs?\b(?! of\b| from the \w+ "
         r"(?!image))|\bcolou?rless\b"),
        (ToneKind.SEPIA, r"\bsepia(?:[ -]toned?)?\b"),
        (ToneKind.SATURATION_DOWN, rf"\bde-?saturat\w*|\b{_LESS}{_GAP}(?:saturat\w*|colou?rful\w*|vibran\w*|"
                                   rf"vivid\w*|colou?r intensity)|\btoned? down (?:the |its )?colou?rs?\b|"
                                   rf"\bmuted\b|\bwash(?:ed)? out\b|\bfaded? colou?rs?"),
        (ToneKind.SATURATION_UP, rf"(?<!de)(?<!de-)\b(?:over-?)?saturate\b|\b{_MORE}{_GAP}(?:saturat\w*|"
                                 rf"colou?rful\w*|vibran\w*|vivid\w*|colou?r intensity)|\b(?:vibrant|vivid|"
                                 rf"saturated|colou?rful)\b(?! (?!and|colou?rs?)\w)"),
        (ToneKind.CONTRAST_DOWN, rf"\b{_LESS}{_GAP}contrast\w*|\blow[ -]contrast\b|\bflat(?:ter|ten)? "
                                 rf"(?:the )?contrast"),
        (ToneKind.CONTRAST_UP, rf"\b{_MORE}{_GAP}contrast\w*|\bhigh[ -]contrast\b|\bcontrasty\b"),
        (ToneKind.DARKER, rf"\bdarker\b|\bdarken\w*|\bdim(?:mer|med)?\b|\b{_LESS}{_GAP}(?:bright\w*|exposure|"
                          rf"luminosity|light\w*)\b|\bunder-?expose\w*"),
        (ToneKind.BRIGHTER, rf"\bbrighter\b|\bbrighten\w*|\blighten\w*|\b(?:better|well)[ -]lit\b|\bluminous\b|"
                            rf"\bover-?expose\w*|\b{_MORE}{_GAP}(?:bright\w*|exposure|luminosity|"
                            rf"light(?:ing)?)\b|\blighter\b"),
        (ToneKind.WARMER, rf"\bwarm(?:er|en|th)?\b(?! (?:clothes|coat|jacket|sweater))|\b{_MORE}{_GAP}warm\w*"),
        (ToneKind.COOLER, r"\b(?:cooler|colder)\b|\b(?:cool|cold)[ -](?:tones?|colou?rs?|temperature|palette|"
                          r"filter|light\w*|white balance)\b|\bcool (?:down|off)\b"),
        (ToneKind.SHARPEN, rf"\bsharp(?:er|en\w*|ness)?\b|\b(?:un|de)-?blur\w*|\b{_LESS}{_GAP}blur\w*|"
                           rf"\bin(?:to)? (?:sharp )?focus\b|\bclearer\b|\bcrisp(?:er)?\b|\bremove (?:the )?blur\w*"),
        (ToneKind.BLUR, r"\bblur(?:red|ry|rier|ring)?\b|\bout of focus\b|\bdefocus\w*|\bbokeh\b|"
                        r"\b(?:shallow )?depth of field\b"),
    )
)  # fmt: skip
_OPPOSITE = {
    ToneKind.SATURATION_UP: ToneKind.SATURATION_DOWN, ToneKind.CONTRAST_UP: ToneKind.CONTRAST_DOWN,
    ToneKind.BRIGHTER: ToneKind.DARKER, ToneKind.BLUR: ToneKind.SHARPEN,
    ToneKind.SATURATION_DOWN: ToneKind.BLACK_AND_WHITE,
}  # fmt: skip
"""The second word wins: ``less vibrant`` holds ``vibrant``, ``unblur`` holds ``blur``."""

_ARTICLE = re.compile(
    r"^(?:(?:the|a|an|some|any|all|all of|this|that|these|those|another|one of|both|of|more|several|my|such)\s+)+"
)
_FROM_PICTURE = re.compile(
    rf"\s+(?:(?:from|in|of|on|within|inside|to|into|for|across|throughout) {words.PICTURE}|completely|entirely|"
    rf"altogether|there)$"
)


def find_degree(clause: str) -> Degree | None:
    """The first degree that a clause states: an angle, a percentage, a factor, or a word."""
    for unit, pattern in (("degrees", _DEGREES), ("degrees", _TURNS), ("percent", _PERCENT)):
        if match := pattern.search(clause):
            return Degree("degrees" if unit == "degrees" else "percent", _number(match[1]), match[0])
    if match := _TIMES.search(clause):
        value = float(match[1]) if match[1] else _TIMES_WORDS[match[2]]
        return Degree("times", value, match[0])
    for word, pattern in _WORD_DEGREES.items():
        if pattern.search(clause):
            return Degree("word", None, word)
    return None


def find_place(clause: str) -> Direction2D | None:
    """The part of the frame that a clause names (``in the top left corner``); not a place beside a thing."""
    if match := _CORNER.search(clause):
        vertical, horizontal = (match[1], match[2]) if match[1] else (match[4], match[3])
        return _corner(vertical, horizontal)
    match = _SIDE.search(clause)
    return _way(match[1]) if match else None


def find_way(clause: str) -> Direction2D | None:
    """The way of a movement, flip or rotation."""
    match = _WAY.search(clause)
    return _way(match[1]) if match else None


def find_tones(clause: str) -> tuple[ToneKind, ...]:
    """Measurable changes of tone that a clause names; of two opposites the one that negates the other."""
    found = [kind for kind, pattern in _TONES if pattern.search(clause)]
    return tuple(kind for kind in found if _OPPOSITE.get(kind) not in found)


def noun_phrase(text: str | None) -> str | None:
    """A phrase without its article and without "from the picture"; None when nothing but the picture is left."""
    if text is None:
        return None
    phrase = text.strip(" ,.;:")
    phrase = _FROM_PICTURE.sub("", phrase)
    phrase = _ARTICLE.sub("", phrase).strip()
    return None if not phrase or is_picture(phrase) else phrase


def is_picture(phrase: str | None) -> bool:
    """Whether a phrase means the whole picture; no phrase does."""
    return not phrase or re.fullmatch(rf"this|that|{words.PICTURE}", phrase.strip()) is not None


def _number(text: str) -> float:
    return _NUMBER_WORDS.get(text) or float(text)


def _corner(vertical: str, horizontal: str) -> Direction2D:
    if vertical in {"top", "upper"}:
        return "top left" if horizontal == "left" else "top right"
    return "bottom left" if horizontal == "left" else "bottom right"


def _way(word: str) -> Direction2D:
    prefixes: tuple[tuple[str, Direction2D], ...] = (
        ("counter", "counterclockwise"), ("anti", "counterclockwise"), ("clockwise", "clockwise"), ("horizontal",
            "horizontal"),
        ("vertical", "vertical"), ("upside", "vertical"), ("left", "left"), ("right", "right"), ("up", "up"), (
            "down", "down"),
        ("top", "top"), ("bottom", "bottom"), ("cent", "center"), ("middle", "center"),
    )  # fmt: skip
    return next(way for prefix, way in prefixes if word.startswith(prefix))
