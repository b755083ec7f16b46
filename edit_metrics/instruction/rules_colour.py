"""Rule for a thing that gets a colour."""

from __future__ import annotations

import re

from edit_metrics.instruction import words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.colours import colours_in, find_colour
from edit_metrics.instruction.parsed import EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Skeleton, Verb
from edit_metrics.instruction.slots import noun_phrase

_COLOUR_OF = re.compile(
    r"^(?:the )?colou?rs? (?:of|for|on) (?P<a>.+)$|^(?P<b>.+?)(?:'s|(?<=s)')? colou?rs?(?: (?:of|on) .+)?$|"
    r"^(?:the )?colou?rs?$"
)


def read_recolour(clause: Clause) -> ParsedInstruction | None:
    """A thing gets a named colour."""
    skeleton = clause.skeleton
    if skeleton is None or skeleton.verb is Verb.REMOVE:
        return None
    if skeleton.verb is Verb.ADD:
        return _read_worn_colour(clause, skeleton)
    about = _COLOUR_OF.match(skeleton.object)
    target = (about["a"] or about["b"]) if about else skeleton.object
    result = skeleton.result or ""
    colour = find_colour(result, cued=about is not None or skeleton.verb is Verb.RECOLOUR)
    if skeleton.verb is Verb.GIVE:
        return _read_given_colour(clause, skeleton.object, result)
    if words.OTHER_QUALITY.match(skeleton.object):
        return None
    several = colours_in(result) if colour is None else ()
    listed = (
        len(several) > 1 and re.fullmatch(r"[a-z, ]+", result) is not None and len(result.split()) <= 2 * len(several)
    )
    if not (about or colour or listed or skeleton.verb is Verb.RECOLOUR or words.HAIR_COLOUR.fullmatch(result)):
        return None
    doubts = ("several_colours",) if len(several) > 1 else ("unknown_colour",) if colour is None and not several else ()
    if colour is None and len(several) == 1:
        colour, doubts = several[0], ("unknown_colour",)
    return found(clause, EditType.RECOLOUR, object=noun_phrase(target), colour=colour, doubts=doubts)


def _read_worn_colour(clause: Clause, skeleton: Skeleton) -> ParsedInstruction | None:
    """``make her have red hair``: a part that she has anyway, in a colour."""
    return _read_given_colour(clause, skeleton.place, skeleton.object) if skeleton.place else None


def _read_given_colour(clause: Clause, owner: str, given: str) -> ParsedInstruction | None:
    match = re.match(
        r"^(?P<colour>.+?) (?P<part>hair|eyes|skin|colou?r|fur|lips|nails|paint job)$", noun_phrase(given) or ""
    )
    if match is None:
        return None
    colour = find_colour(match["colour"], cued=True)
    if colour is None and not words.HAIR_COLOUR.search(match["colour"]):
        return None
    whole = match["part"].startswith("colo") or match["part"] == "paint job"
    bare = noun_phrase(owner) or ""
    possessive = {"her": "her", "him": "his", "them": "their", "it": "its", "": "its"}.get(bare, f"{bare}'s")
    doubts = () if colour else ("unknown_colour",)
    return found(
        clause,
        EditType.RECOLOUR,
        object=bare if whole else f"{possessive} {match['part']}",
        colour=colour,
        doubts=doubts,
    )
