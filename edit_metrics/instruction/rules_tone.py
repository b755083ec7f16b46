"""Rule for the light and colour of the picture or of a part."""

from __future__ import annotations

import re

from edit_metrics.instruction import slots, words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.colours import find_colour
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Skeleton, Verb
from edit_metrics.instruction.slots import is_picture, noun_phrase


def read_tone(clause: Clause) -> ParsedInstruction | None:
    """Brightness, contrast, saturation, warmth, blur … of the picture or a part; weather, season, time of day."""
    skeleton, tones = clause.skeleton, slots.find_tones(clause.text)
    if skeleton and skeleton.verb in {Verb.ADD, Verb.REMOVE, Verb.REPLACE, Verb.GIVE} and not _tone_is_object(skeleton):
        return None
    if skeleton and find_colour(skeleton.result or "", cued=False):
        return None  # ``warm grey`` and ``muted pink`` are names of colours
    degree = slots.find_degree(clause.text)
    if tones and not (
        skeleton and skeleton.result and not slots.find_tones(skeleton.result) and skeleton.verb is not Verb.GIVE
    ):
        part = _toned_part(clause)
        black_white = tones[0].value == "black_and_white"
        if black_white and part is not None:
            return found(clause, EditType.RECOLOUR, object=part, doubts=("several_colours",))
        return found(clause, EditType.TONE, object=part, tones=tones, degree=degree)
    return _read_atmosphere(clause)


def _read_atmosphere(clause: Clause) -> ParsedInstruction | None:
    skeleton = clause.skeleton
    if skeleton is None:
        bare = re.fullmatch(
            rf"(?:at |in |during |the )*{words.ATMOSPHERE.pattern}(?: (?:scene|time|sky|light))?", clause.text
        )
        return found(clause, EditType.TONE, new_object=clause.text, doubts=("no_verb",)) if bare else None
    result = skeleton.result or ""
    about = (
        is_picture(skeleton.object)
        or words.ATMOSPHERE_OBJECT.match(skeleton.object)
        or words.ATMOSPHERE.fullmatch(skeleton.object)
    )
    weather = words.ATMOSPHERE.search(result) and len(result.split()) <= 6
    if (
        about
        and skeleton.verb in {Verb.CHANGE, Verb.MAKE, Verb.REPLACE}
        and (weather or words.ATMOSPHERE_OBJECT.match(skeleton.object))
    ):
        return found(clause, EditType.TONE, object=None, new_object=noun_phrase(result))
    return None


def _tone_is_object(skeleton: Skeleton) -> bool:
    """``add more contrast``, ``remove the blur``, ``give it a sepia tone``: what comes or goes is itself a tone."""
    about = noun_phrase(skeleton.result if skeleton.verb is Verb.GIVE else skeleton.object)
    tones = slots.find_tones(f"{skeleton.verb} {about}")
    tail = re.sub(r"^.*\b(?:of|to) ", "", about or "")
    words_of_tone = re.search(
        r"\b(?:contrast|saturation|brightness|exposure|blur\w*|sharpness|warmth|sepia|b&w|gr[ae]yscale|tone|"
        r"tones|filter|effect|tint|light|lighting|vibrancy|colou?rs?|vibrance|black and white|look|focus|bokeh|"
        r"image|photo|picture|version)$",
        about or "",
    )
    return bool(tones) and (words_of_tone is not None or is_picture(tail))


def _toned_part(clause: Clause) -> str | None:
    """The part whose tone changes, or None for the picture: ``blur the background`` → ``background``."""
    skeleton, text = clause.skeleton, clause.text
    if skeleton and skeleton.verb in {Verb.CHANGE, Verb.MAKE}:
        return _without_tone(skeleton.object)
    if skeleton and skeleton.verb is Verb.GIVE:
        return noun_phrase(skeleton.object)
    of = re.search(
        r"\b(?:brightness|contrast|saturation|exposure|sharpness|colou?rs?|vibrancy|blur|warmth) (?:of|in|on|"
        r"to) (?P<object>.+?)(?: (?:by|to|a) .+)?$",
        text,
    )
    if of:
        return noun_phrase(of["object"])
    direct = re.match(
        r"^(?:brighten|darken|lighten|blur|sharpen|desaturate|saturate|dim|deblur|unblur)(?: up| out)? "
        r"(?P<object>.+?)(?: (?:by|a|slightly|more|to|so|with|until) ?.*)?$",
        text,
    )
    return _without_tone(direct["object"]) if direct else None


def _without_tone(phrase: str) -> str | None:
    owner = re.sub(
        r"(?:'s)? (?:brightness|contrast|saturation|exposure|sharpness|colou?rs?|tones?|temperature)$|"
        r"^(?:the )?(?:brightness|contrast|saturation|exposure|sharpness|colou?rs?|tones?|colou?r temperature|"
        r"temperature|white balance)(?: (?:of|in) )?",
        "",
        phrase,
    )
    return noun_phrase(owner)
