"""Rule for flips, rotations, crops, zooms of the frame, and for things that are moved, resized or turned."""

from __future__ import annotations

import re

from edit_metrics.instruction import slots, words
from edit_metrics.instruction.clause import Clause, found
from edit_metrics.instruction.parsed import EditType, GeometryKind, ParsedInstruction
from edit_metrics.instruction.skeleton import Verb
from edit_metrics.instruction.slots import is_picture, noun_phrase

_FLIP = re.compile(
    r"^(?:flip|mirror|invert)\b(?! (?:the )?colou?rs?)|\b(?:flipped|mirrored|mirror[ -]image)\b|\b(?:horizontal|"
    r"vertical) (?:flip|mirror\w*)\b"
)
_ROTATE = re.compile(
    r"\b(?:rotat\w+|turn \w+(?: \w+)? (?:upside[ -]down|clockwise|counter\S+|anti\S+|\d+)|upside[ -]down|tilt\w*)\b"
)
_CROP = re.compile(
    r"^crop (?:out (?:the )?(?:\w+ )?(?:space|edges?|borders?|margins?|bars?)\b|(?!out\b))|"
    r"^crop$|\bcropped\b|^trim (?:the )?(?:image|photo|picture|edges|borders)"
)
_ZOOM = re.compile(r"\bzoom(?:ed)?[ -](?P<way>in|out)\b|\bzoom\b")
_RESIZED = re.compile(
    r"^(?:\w+ )?(?:bigger|larger|smaller|huge|tiny|giant|gigantic|taller|shorter|wider|narrower|longer|twice|"
    r"double|half|size)\b"
)
_MOVED = re.compile(
    rf"^{words.MOVE}\b (?:the )?(?:positions? of )?(?P<object>.+?)(?: (?:a bit|slightly|further|farther|closer|"
    rf"\d.*?))?(?: (?:to|into|onto|on|from|in|towards?|away|left|right|up|down|back|forward|behind|next|over|"
    rf"closer|out|under|above|below|beside|near|between|underneath|beneath|inside|across|forwards|backwards)\b.*)?$"
)
_PUT_ASIDE = re.compile(
    r"^(?:put|place|set) (?P<object>(?:the|this|that|it|him|her|them)\b.*?) (?:(?:a bit )?(?:further|farther|"
    r"more) (?:to the )?\w+|(?:to|on) the (?:left|right)(?: side)?(?: of .+)?)$"
)
_FACING = re.compile(
    r"\bturn(?:ed)? (?P<object>the .+?|him|her|it|them) (?:around|to face|to the (?:left|right)|left|right)\b"
)
_TURNING_WORDS = re.compile(
    rf"(?:\b(?:flip|flipped|mirror|mirrored|invert|inverted|rotated?|rotation|tilt|tilted|turn|turned|make|is|"
    rf"are|be|do|a|over|"
    r"by|to|at|of|about|around|along|on|in|it|its|and|so|that|the|an|upside[ -]down|horizontal(?:ly)?|vertical(?:ly)?|"
    r"clockwise|counter[ -]?clockwise|anti[ -]?clockwise|left|right|degrees?|deg|axis|x|y|center|centre|side|sideways|"
    r"direction|ninety|forty[ -]five|thirty|sixty|quarter|half|turn|top|bottom|from|image|mirror image|version|"
    r"way|around)\b"
    rf"|{words.PICTURE}|[\d.°]+)(?!\w)"
)


def read_geometry(clause: Clause) -> ParsedInstruction | None:
    """Flip, rotate, crop, zoom of the frame; move, resize, turn of a thing."""
    text, degree = clause.text, slots.find_degree(clause.text)
    way = None if "axis" in text else slots.find_way(text)  # people mean either flip by "along the vertical axis"
    if words.TAKEN_TO.match(text):
        return None
    if _ZOOM.search(text):
        match = _ZOOM.search(text)
        kind = GeometryKind.ZOOM_OUT if match and match["way"] == "out" else GeometryKind.ZOOM_IN
        zoomed = _zoomed(text)
        return found(
            clause, EditType.GEOMETRY, geometry=GeometryKind.RESIZE if zoomed else kind, degree=degree, object=zoomed
        )
    if _CROP.search(text):
        return found(clause, EditType.GEOMETRY, geometry=GeometryKind.CROP, degree=degree, direction=way, object=None)
    for pattern, kind in ((_FLIP, GeometryKind.FLIP), (_ROTATE, GeometryKind.ROTATE)):
        if pattern.search(text) and not (
            clause.skeleton and clause.skeleton.verb in {Verb.ADD, Verb.REMOVE, Verb.REPLACE}
        ):
            return found(clause, EditType.GEOMETRY, geometry=kind, degree=degree, direction=way, object=_turned(text))
    return _read_moved(clause)


def _read_moved(clause: Clause) -> ParsedInstruction | None:
    text, skeleton, degree = clause.text, clause.skeleton, slots.find_degree(clause.text)
    resized = re.match(rf"^{words.RESIZE} (?P<object>.+?)(?: (?:by|to) .+)?$", text)
    size = re.match(
        r"^(?:increase|decrease|reduce|double|change) the (?:size|height|width|length) of (?P<object>.+?)(?: "
        r"(?:by|to) .+)?$",
        text,
    )
    if match := resized or size:
        return found(
            clause, EditType.GEOMETRY, geometry=GeometryKind.RESIZE, object=noun_phrase(match["object"]), degree=degree
        )
    if (
        skeleton
        and skeleton.verb in {Verb.MAKE, Verb.CHANGE}
        and _RESIZED.match(skeleton.result or "")
        and not is_picture(skeleton.object)
    ):
        return found(clause, EditType.GEOMETRY, geometry=GeometryKind.RESIZE, degree=degree)
    way = slots.find_place(text) or slots.find_way(text)
    if match := _FACING.search(text):
        return found(
            clause, EditType.GEOMETRY, geometry=GeometryKind.TURN, object=noun_phrase(match["object"]), direction=way
        )
    if match := _PUT_ASIDE.match(text):
        return found(
            clause, EditType.GEOMETRY, geometry=GeometryKind.MOVE, object=noun_phrase(match["object"]), direction=way
        )
    if (match := _MOVED.match(text)) and not slots.find_tones(text):
        return found(
            clause,
            EditType.GEOMETRY,
            geometry=GeometryKind.MOVE,
            object=noun_phrase(match["object"]),
            direction=way,
            degree=degree,
        )
    return None


def _turned(text: str) -> str | None:
    """What is flipped or rotated: ``rotate the car by 90 degrees`` → ``car``; None for the picture.

    Whatever is left beside the words of the operation itself is a thing, so that no thing is taken for the frame.
    """
    return noun_phrase(re.sub(r"\s+", " ", _TURNING_WORDS.sub(" ", text)).strip())


def _zoomed(text: str) -> str | None:
    """``zoom out the giraffes`` resizes things; ``zoom in on the giraffes`` and ``zoom out`` concern the frame."""
    match = re.match(r"^zoom(?:ed)?[ -]?(?:in|out)? (?P<object>(?:the|his|her|its|this|that|all)\b.+)$", text)
    return noun_phrase(match["object"]) if match else None
