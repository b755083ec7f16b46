"""Rule for a thing that gets a colour."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edit_metrics.instruction import words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.colours import BASIC, colours_in, find_colour
from edit_metrics.instruction.parsed import Colour, EditType, ParsedInstruction
from edit_metrics.instruction.skeleton import Skeleton, Verb
from edit_metrics.instruction.slots import noun_phrase

_COLOUR_OF = re.compile(
    r"^(?:the )?colou?rs? (?:of|for|on) (?P<a>.+)$|^(?P<b>.+?)(?:'s|(?<=s)')? colou?rs?(?: (?:of|on) .+)?$|"
    r"^(?:the )?colou?rs?$"
)
_SECOND_COLOUR = re.compile(rf"\b(?:{'|'.join(sorted(BASIC))}) and (?:the|his|her|its|\w+) ")
"""``make the car red and the bike blue``: two edits, one verb."""


def read_recolour(clause: Clause) -> ParsedInstruction | None:
    """A thing gets a named colour."""
    skeleton = clause.skeleton
    if skeleton is None or skeleton.verb is Verb.REMOVE:
        return None
    if skeleton.verb is Verb.ADD:
        return _read_worn_colour(clause, skeleton)
    if skeleton.verb is Verb.GIVE:
        return _read_given_colour(clause, skeleton.object, skeleton.result or "")
    if words.OTHER_QUALITY.match(skeleton.object):
        return None
    about = _COLOUR_OF.match(skeleton.object)
    target = (about["a"] or about["b"]) if about else skeleton.object
    named = _read_colour(skeleton.result or "", cued=about is not None or skeleton.verb is Verb.RECOLOUR)
    if not (about or named.colour or named.doubts or skeleton.verb is Verb.RECOLOUR):
        return None
    doubts = named.doubts if named.colour or named.doubts else ("unknown_colour",)
    if _SECOND_COLOUR.search(target or ""):
        doubts = ("several_colours",)
    return found(clause, EditType.RECOLOUR, object=noun_phrase(target), colour=named.colour, doubts=doubts)


@dataclass(frozen=True, slots=True)
class _Named:
    colour: Colour | None
    doubts: tuple[str, ...] = ()


def _read_colour(result: str, *, cued: bool) -> _Named:
    """``a blue one`` names one colour, ``red, white and blue`` several, ``blonde`` one without a value."""
    one = re.fullmatch(r"(?:a |an |the )?(.+?) ones?", result)
    colour = find_colour(one[1] if one else result, cued=cued)
    if colour is not None:
        return _Named(colour)
    several = colours_in(result)
    if len(several) > 1 and (cued or len(re.findall(r"[a-z]+", result)) <= 2 * len(several)):
        return _Named(None, ("several_colours",))
    if cued and several:
        return _Named(several[0], ("unknown_colour",))
    return _Named(None, ("unknown_colour",) if words.HAIR_COLOUR.fullmatch(result) else ())


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
