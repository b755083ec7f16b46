"""Rules for things that come, go, or become other things."""

from __future__ import annotations

import re

from edit_metrics.instruction import slots, words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Verb
from edit_metrics.instruction.slots import is_picture, noun_phrase


def read_remove(clause: Clause) -> ParsedInstruction | None:
    """A thing is to go."""
    if clause.skeleton and clause.skeleton.verb is Verb.REMOVE:
        return found(clause, EditType.REMOVE, direction=slots.find_place(clause.text))
    return None


def read_add(clause: Clause) -> ParsedInstruction | None:
    """A thing is to come."""
    skeleton = clause.skeleton
    if skeleton is None or skeleton.verb not in {Verb.ADD, Verb.GIVE}:
        return None
    given = skeleton.verb is Verb.GIVE
    added = noun_phrase(skeleton.result if given else skeleton.object)
    if added is None or added.startswith("it ") or (given and is_picture(skeleton.object)):
        return None  # ``draw it as a comic`` and ``give it a warmer temperature`` add no thing
    return found(
        clause,
        EditType.ADD,
        object=added,
        direction=slots.find_place(clause.text),
        degree=slots.find_degree(clause.text),
    )


def read_replace(clause: Clause) -> ParsedInstruction | None:
    """A thing becomes another thing; changes of state, material or pose are not that."""
    skeleton = clause.skeleton
    if skeleton is None or not skeleton.result or skeleton.verb in {Verb.ADD, Verb.REMOVE, Verb.GIVE}:
        return None
    if words.OTHER_QUALITY.match(skeleton.object):
        return None
    result = re.sub(r"^(?:into |to be |look like |to )", "", skeleton.result)
    if skeleton.verb is Verb.REPLACE and not _is_action(skeleton.object):
        return found(clause, EditType.REPLACE, new_object=noun_phrase(result))
    article = re.match(r"^(?:a|an|the|some)\b", result) is not None
    stated = words.MATERIAL.match(result) or re.match(
        r"^(?:made|(?:out )?of|be|more|less|\w+ing|\w+ed|in|on|at|near|next|to)\b", result
    )
    if stated or (
        not article and (words.STATE.match(result) or skeleton.verb is Verb.MAKE or is_picture(skeleton.object))
    ):
        return None
    return found(clause, EditType.REPLACE, new_object=noun_phrase(result))


def _is_action(phrase: str) -> bool:
    """``sitting``, ``set``: what a replacement by "instead of" can name besides a thing."""
    return re.match(r"^(?:\w+ing|set|stand|sit|lie|open|closed)$", phrase) is not None
