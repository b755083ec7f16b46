"""Whether an instruction lets a person go, turn away, or become another one: what faces may then be missing."""

from __future__ import annotations

import re
from typing import Final

from edit_metrics.instruction.edits import Alter, Edit, MoveThing, Remove, Replace, TurnFrame
from edit_metrics.instruction.grammar.nouns import open_words
from edit_metrics.instruction.kinds import GeometryKind

_PRONOUNS: Final = frozenset({
    "he", "she", "him", "her", "his", "hers", "they", "them", "their", "someone", "somebody", "anyone", "everyone",
    "everybody", "i", "me", "we", "us", "you", "myself", "himself", "herself", "themselves", "who",
})  # fmt: skip
_PARTS: Final = frozenset({"face", "faces", "head", "heads", "portrait", "selfie"})
_ACTS: Final = re.compile(
    r"\b(?:remov\w*|delet\w*|eras\w*|get rid|take (?:out|away)|cover\w*|hid(?:e|es|den|ing)|mask\w*|blur\w*|pixelat\w*|"
    r"replac\w*|swap\w*|substitut\w*|exchang\w*|chang\w*|turn\w*|transform\w*|convert\w*|morph\w*|becom\w*|mak\w*|"
    r"put|wear\w*|giv\w*|crop\w*|keep only|leave only|without|no|disappear\w*|vanish\w*|instead|except)\b",
    re.IGNORECASE,
)
"""Verbs that can take a face away or put another in its place, also by covering or turning it."""
_WORD: Final = re.compile(r"[^\W\d_]+")
_HAN_PERSON: Final = re.compile(r"[人男女孩脸头他她]")
_AWAY: Final = frozenset(
    {"away", "back", "backward", "backwards", "around", "behind", "hide", "hiding", "cover", "covering"}
)
_HEAD_TURN: Final = re.compile(
    r"\b(?:look|fac|turn|glanc|gaz|star)(?:e|es|s|ing|ed)?\b[^.;]*"
    r"\b(?:left|right|up|upwards?|down|downwards?|side|sideways|profile|away|back|backwards?|around|behind|sky|ground)\b",
    re.IGNORECASE,
)


def turns_head(text: str) -> bool:
    """Whether somebody is to look or turn elsewhere: the same person, whose face a frontal detector may lose."""
    return _HEAD_TURN.search(text) is not None


def mentions_person(text: str) -> bool:
    """Whether any word of a text names a human being, in singular or plural, or stands for one."""
    words = [word.lower() for word in _WORD.findall(text)]
    table = open_words()
    named = any(table.is_person(" ".join(words[max(place - 1, 0) : place + 1])) for place in range(len(words)))
    return named or not _PRONOUNS.isdisjoint(words) or not _PARTS.isdisjoint(words) or bool(_HAN_PERSON.search(text))


def may_lose_person(text: str, edits: tuple[Edit, ...]) -> bool:
    """Whether a person who is there may go, be covered, turn away or become another one.

    Args:
        text: the instruction.
        edits: its full reading; empty where it was not read, and any act that could do it, beside any word for a
            person, then counts.
    """
    if not edits:
        return mentions_person(text) and (_ACTS.search(text) is not None or _HAN_PERSON.search(text) is not None)
    return any(_loses(edit) for edit in edits)


def _loses(edit: Edit) -> bool:
    match edit:
        case Remove(thing=thing):
            found = thing is None or thing.person or not _PARTS.isdisjoint(thing.heads)
        case Replace(old=old, new=new):
            found = old is None or old.person or new.person
        case MoveThing(kind=GeometryKind.TURN, target=target):
            found = target is None or target.person
        case Alter(target=target, how=how):
            found = (target is None or target.person) and not _AWAY.isdisjoint(how.split())
        case TurnFrame(kind=kind):
            found = kind in {GeometryKind.CROP, GeometryKind.ZOOM_IN}
        case _:
            found = False
    return found
