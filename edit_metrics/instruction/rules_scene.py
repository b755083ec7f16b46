"""Rules for the picture's style and for what is behind the subject."""

from __future__ import annotations

import re

from edit_metrics.instruction import words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.colours import find_colour
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Skeleton, Verb
from edit_metrics.instruction.slots import is_picture, noun_phrase

_PLACE = re.compile(rf"^(?:a |an |the )?(?:\w+ )?{words.PLACES}$")
_PLACED = re.compile(rf"^(?:in|on|at|into|onto|to) (?:a |an |the )?(?:\w+ )?{words.PLACES}$")
_STYLE_NAME = re.compile(
    r"\b(?:in(?:to)? (?:the |a |an )?style of|(?:look|looks?) like|into|to|as|in|a|an|by) (?P<style>.+)$"
)


def read_style(clause: Clause) -> ParsedInstruction | None:
    """The whole picture, or a part, in another medium or manner."""
    text, skeleton = clause.text, clause.skeleton
    existing = "in the style of" in text and re.match(r"^(?:draw|paint|render) (?:the|this|it)\b", text)
    if (
        skeleton
        and skeleton.verb in {Verb.ADD, Verb.REMOVE}
        and not existing
        and not re.search(r"\b(?:style|filter|effect|aesthetic)\b", skeleton.object)
    ):
        return None
    manner = re.search(
        r"\b(?:in(?:to)? (?:the |a |an )?style of|(?:the |art )?style (?:to|of)|stylis?z?e|style$|style "
        r"transfer)\b|^apply\b.*\b(?:style|filter|effect)\b",
        text,
    )
    result = (skeleton.result if skeleton else text) or ""
    whole = skeleton is None or is_picture(skeleton.object) or re.search(r"\bstyle\b", skeleton.object) is not None
    if not (manner or (whole and words.STYLE_PHRASE.search(result))):
        return None
    match = _STYLE_NAME.search(text)
    style = noun_phrase(match["style"] if match else result)
    part = None if whole or skeleton is None else noun_phrase(skeleton.object)
    return found(clause, EditType.STYLE, object=part, new_object=style)


def read_background(clause: Clause) -> ParsedInstruction | None:
    """What is behind the subject, or where the scene is."""
    skeleton = clause.skeleton
    taken = words.TAKEN_TO.match(clause.text)
    if taken:
        return _found_place(clause, taken["place"])
    if skeleton is None:
        named = re.match(rf"^{words.BACKGROUND}\b", clause.text)
        return found(clause, EditType.BACKGROUND, doubts=("no_verb",)) if named else None
    about = re.fullmatch(words.BACKGROUND, skeleton.object) or re.fullmatch(words.SETTING, skeleton.object)
    coloured = find_colour(skeleton.result or "", cued=False)
    if about and not (coloured and skeleton.verb is Verb.RECOLOUR):
        new = noun_phrase(skeleton.result)
        return found(clause, EditType.BACKGROUND, object="background", new_object=new, colour=coloured)
    place = _new_place(skeleton)
    return _found_place(clause, place) if place else None


def _new_place(skeleton: Skeleton) -> str | None:
    """``in the forest`` of "make them be in the forest" and "put the dog in the forest"; ``a mountain background``."""
    if skeleton.verb in {Verb.CHANGE, Verb.MAKE}:
        somewhere = _PLACED.match(skeleton.result or "")
        scene = is_picture(skeleton.object) and skeleton.object not in {"it", "this", "that"}
        elsewhere = scene and _PLACE.match(skeleton.result or "")
        return skeleton.result if somewhere or elsewhere else None
    if skeleton.verb is not Verb.ADD:
        return None
    if skeleton.place is None:
        return skeleton.object if re.match(r"^(?!.* in the ).*\bbackground$", skeleton.object) else None
    if re.fullmatch(r"him|her|them", skeleton.object) and re.match(r"^(?:in front of|in|inside|at) ", skeleton.place):
        return skeleton.place
    present = re.match(r"^(?:the|him|her|them|it|this|his)\b", skeleton.object)
    return skeleton.place if present and _PLACED.match(skeleton.place) else None


def _found_place(clause: Clause, place: str) -> ParsedInstruction:
    bare = re.sub(r"^(?:in front of|inside|in|on|at|into|onto|to) ", "", place)
    return found(clause, EditType.BACKGROUND, object="background", new_object=noun_phrase(bare))
