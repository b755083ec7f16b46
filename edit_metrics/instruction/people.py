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
_POSSESSIVES: Final = frozenset({"his", "hers", "their"})
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
_TAKES: Final = re.compile(
    r"\b(?:remov|delet|eras|replac|swap|substitut|exchang)\w*|\bget rid of\b|\btake (?:out|away)\b|"
    r"\b(?:keep|leave) only\b|\bwithout\b|\bno\b",
    re.IGNORECASE,
)
"""What takes its object out of the picture, or another in its place."""
_MAKES: Final = re.compile(r"\b(?:chang|turn|transform|convert|morph)\w*|\bmak(?:e|es|ing)\b", re.IGNORECASE)
"""What makes another of its object, where "into" or the like follows it."""
_INTO: Final = re.compile(
    r"\s*(?:into|to be(?:come)?|becomes?|disappears?|vanish(?:es)?)\b|\s*to (?:an?|another)\b", re.IGNORECASE
)
_ANOTHER: Final = re.compile(r"(?<=\w)\s+(?:an?|another)\s+(?!(?:bit|little|lot|touch|few)\b)", re.IGNORECASE)
_BECOMES: Final = re.compile(
    r"(?:\b(?:should|must|shall|to|will|has to|have to)\s+)?\b(?:becom(?:e|es|ing)|disappears?|vanish(?:es)?)\b",
    re.IGNORECASE,
)
_PHRASE_ENDS: Final = re.compile(
    r"[^\w\s'’-]|\b(?:to|into|with|from|by|in|on|at|for|of|off|and|or|but|so|as|who|that|which|while|behind|beside|"
    r"next|near|under|over|between|instead|becomes?|disappears?|vanish(?:es)?|\w+ing|is|are)\b",
    re.IGNORECASE,
)
"""Where the object of a verb ends in a text that was not read: a preposition, a conjunction, a mark, a participle."""
_FILLERS: Final = re.compile(r"^\s*(?:away |out |off |up |of |only )*", re.IGNORECASE)
_HAN_TAKES: Final = re.compile(
    r"(?:移除|删除|删掉|去除|去掉|抹去|擦除|消除)[^，。；、！]{0,6}?(?:人物?|男\w?|女\w?|孩子?|行人|游客)(?![的物脸手头衣服穿着姿发])|"
    r"(?:人物?|男人|女人|男孩|女孩|孩子)(?:替换|换成|换为|变成|变为|删除|移除|去掉)|"
    r"(?:替换|更换)(?:人物?|男人|女人|男孩|女孩)(?![的穿姿发衣])|换脸"
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


def takes_person(text: str, edits: tuple[Edit, ...]) -> bool:
    """Whether a person who is there is to go, or another one to stand in the place: faces then say nothing.

    Narrower than :func:`may_lose_person`: in a text that was not read a verb's own object must be a person ("remove the
    tourists", "turn him into a clown"), not something of a person ("change her posture", "replace the man's hat") nor
    something beside one ("replace the background; she smiles").
    """
    if edits:
        return any(_takes(edit) for edit in edits)
    if _HAN_TAKES.search(text):
        return True
    taken = any(_is_person(_object(text[verb.end() :])[0]) for verb in _TAKES.finditer(text))
    made = any(_becomes_another(*_object(text[verb.end() :])) for verb in _MAKES.finditer(text))
    return taken or made or any(_is_person(text[: verb.start()]) for verb in _BECOMES.finditer(text))


def _becomes_another(found: str, rest: str) -> bool:
    """Whether an object is a person and what follows says what else to make of it ("her a pirate")."""
    parts = _ANOTHER.split(found, maxsplit=1)
    if len(parts) == 2 and _is_person(parts[0]):
        return True
    return _is_person(found) and _INTO.match(rest) is not None


def _object(text: str) -> tuple[str, str]:
    """What follows a verb up to the end of its noun phrase, and the rest."""
    text = _FILLERS.sub("", text, count=1)
    end = _PHRASE_ENDS.search(text)
    return (text, "") if end is None else (text[: end.start()], text[end.start() :])


def _is_person(phrase: str) -> bool:
    """Whether the last noun of a phrase is a person, a pronoun for one, or a face."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]+(?:['’]s?)?", phrase)]
    if not words or words[-1].endswith(("'s", "’s", "'", "’")):
        return False
    table = open_words()
    last = words[-1]
    return last in _PRONOUNS - _POSSESSIVES or last in _PARTS or table.is_person(" ".join(words[-2:]))


def _takes(edit: Edit) -> bool:
    match edit:
        case Replace(old=None, new=new):  # "let it be a cake": nobody says "it" of a person
            return new.person
        case Remove() | Replace():
            return _loses(edit)
        case _:
            return False


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
