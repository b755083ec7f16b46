"""Verb frames → edits: one function a rule under ``[edits]``, None where the words fit and the sense does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, cast

from edit_metrics.instruction.edits import (
    Add,
    Alter,
    Atmosphere,
    Edit,
    Forbid,
    LookOfText,
    MoveThing,
    Place,
    Recolour,
    Remove,
    Replace,
    Restyle,
    Retone,
    SetBackground,
    Thing,
    TurnFrame,
    WriteText,
)
from edit_metrics.instruction.grammar.chart import Node
from edit_metrics.instruction.grammar.complements import (
    ATTRIBUTES,
    become,
    colours_of,
    everything,
    style_name,
    to_colour,
    to_mode,
    tones_of,
)
from edit_metrics.instruction.grammar.facts import THINGS, Facts, child, joined
from edit_metrics.instruction.kinds import GeometryKind, ToneKind

_OF_A_THING: Final = {"rotate": GeometryKind.TURN, "flip": GeometryKind.TURN}
_NOT_OF_A_PART: Final = frozenset({ToneKind.BLACK_AND_WHITE, ToneKind.COLOURISE})


def edits_of(facts: Facts, instruction: Node) -> tuple[Edit, ...] | None:
    """The edits of a whole instruction; None where one of its frames means nothing."""
    body = child(instruction, "body")
    if body is None:
        return None
    if (forbidden := child(body, "f")) is not None:
        inner = _edit(facts, child(forbidden, "e"))
        return None if inner is None else (Forbid(inner),)
    clauses = child(body, "c")
    found = [_edit(facts, node) for node in clauses.all("e") if isinstance(node, Node)] if clauses else [None]
    edits = tuple(edit for edit in found if edit is not None)
    if len(edits) < len(found):
        return None
    kept = child(body, "k")
    return edits if kept is None else tuple(_with_kept(edit, str(kept.get("q"))) for edit in edits)


def _with_kept(edit: Edit, text: str) -> Edit:
    return replace(edit, kept=(*edit.kept, text)) if isinstance(edit, WriteText) else edit


def _edit(facts: Facts, node: Node | None) -> Edit | None:
    return None if node is None else _FRAMES[node.rule](facts, node)


def _set(facts: Facts, node: Node) -> Edit | None:
    target, comp = child(node, "t"), child(node, "comp")
    if comp is not None and node.get("f") is not None:
        return Atmosphere(comp.text)
    if target is None or comp is None:
        return None
    found = become(facts, target, comp, node.rule)
    if (excepted := child(node, "x")) is None:
        return found
    return replace(found, excepted=facts.thing(excepted)) if isinstance(found, Retone) else None


def _give(facts: Facts, node: Node) -> Edit | None:
    target = child(node, "t")
    if target is None:
        return None
    if (mode := child(node, "m")) is not None:
        return to_mode(facts, target, mode) if facts.is_picture(target) else None
    if node.get("w") is not None:
        return Retone(None, tones_of(node)) if facts.is_picture(target) else None
    if node.get("other") is not None:
        hair = any(facts.is_hair(word) for word in node.text.split())
        return None if hair else Alter(facts.thing(target), node.text)
    part = node.get("part")
    if part is None:
        return to_colour(facts, target, node)
    owner = facts.thing(target)
    return Recolour(Thing(f"{owner.text}'s {part}" if owner else str(part), (str(part),)), colours_of(node))


def _apply(facts: Facts, node: Node) -> Edit | None:
    target = child(node, "t")
    if (mode := child(node, "m")) is not None:
        return to_mode(facts, target, mode) if target is not None else Retone(None, tones_of(mode, "m"))
    if node.get("w") is not None:
        return Retone(None, tones_of(node)) if target is None or facts.is_picture(target) else None
    return None if target is None else to_colour(facts, target, node)


def _tone(facts: Facts, node: Node) -> Edit | None:
    target, verb = child(node, "t"), node.get("v")
    if target is None:
        return None
    if node.get("z") is not None:
        return Retone(None, (ToneKind.COLOURISE,))
    if verb is None:
        way, noun = str(node.get("m")), str(target.get("n"))
        return Retone(facts.region(target), (ToneKind(ATTRIBUTES[noun][way]),)) if noun in ATTRIBUTES else None
    return _toned(facts, target, ToneKind(str(verb)), child(node, "x"))


def _toned(facts: Facts, target: Node, kind: ToneKind, excepted: Node | None) -> Edit | None:
    if target.rule == "everything":
        return everything(facts, target, (kind,), excepted)
    if facts.is_picture(target):
        return Retone(None, (kind,))
    if target.rule not in THINGS | {"it"} or kind in _NOT_OF_A_PART:
        return None
    thing = facts.named(target)
    # The light of something that is there: ``darken sky``, but not ``darken spadeful``.
    known = thing.definite or thing.background or any(facts.has_colour(head) for head in thing.heads)
    return Retone(thing, (kind,)) if known else None


def _complaint(facts: Facts, node: Node) -> Edit | None:
    tones, verb, target = tones_of(node), node.get("v"), child(node, "t")
    if verb is not None and (ToneKind(str(verb)),) != tones:
        return None
    return Retone(None, tones, complaint=True) if target is None or facts.is_picture(target) else None


def _add(facts: Facts, node: Node) -> Edit | None:
    phrases = [part for part in node.all("n") if isinstance(part, Node)]
    thing, target = joined(facts, phrases), child(node, "t")
    if thing is None:
        return None
    must_be_new = phrases[0].rule == "indefinite" or (target is not None and not node.text.startswith("add "))
    if thing.definite and must_be_new:
        return None
    if target is not None and thing.heads and facts.is_part(thing.heads[-1]):
        return None
    if node.text.startswith("draw ") and thing.definite:
        return None
    return Add(thing, facts.thing(target))


def _become(facts: Facts, node: Node) -> Edit | None:
    colour = child(node, "c")
    return None if colour is None else Recolour(None, colours_of(colour))


def _remove(facts: Facts, node: Node) -> Edit | None:
    if (veil := node.get("w")) is not None:
        return Atmosphere(f"no {veil}")
    target, excepted = child(node, "n"), child(node, "x")
    if target is not None and target.rule == "background":
        return SetBackground("none")
    if target is None:
        return None if excepted is None else Remove(None, facts.thing(excepted))
    if target.rule == "everything":
        return Remove(None, facts.thing(child(target, "x")))
    if excepted is not None and not facts.can_spare(target):
        return None
    return Remove(facts.thing(target), facts.thing(excepted))


def _replace(facts: Facts, node: Node) -> Edit | None:
    old, comp, colour = child(node, "n"), child(node, "new"), child(node, "c")
    colours = colours_of(colour or node)
    if colours:
        return SetBackground(" and ".join(named.name for named in colours), colours)
    if (one := child(node, "one")) is not None:
        return Replace(facts.thing(old), Thing(one.text, definite=False))
    if comp is None:
        return None
    if comp.rule == "new":
        return None if old is None else become(facts, old, comp, "replace")
    new = facts.thing(comp)
    return None if new is None else Replace(facts.thing(old), new)


def _text(facts: Facts, node: Node) -> Edit | None:
    if node.get("look") is not None or node.get("gone") is not None:
        return LookOfText()
    styled = any(isinstance(part, Node) and part.get("look") is not None for part in node.all("ish"))
    olds, news = ([str(value) for value in node.all(name)] for name in ("old", "new"))
    if olds and news:
        return WriteText(tuple(zip(olds, news, strict=True)), styled=styled)
    pairs: tuple[tuple[str | None, str | None], ...] = tuple((None, new) for new in news)
    pairs = pairs or tuple((old, None) for old in olds)
    return WriteText(pairs, _place_of_text(node), styled=styled)


def _place_of_text(node: Node) -> Place | None:
    """The part of the frame where letters are to stand; beside another place (``on the sign``) it may be that one's."""
    places = [part for part in node.all("w") if isinstance(part, Node)]
    return cast("Place | None", places[0].get("place")) if len(places) == 1 else None


def _turn(facts: Facts, node: Node) -> Edit | None:
    frame = child(node, "p")
    if frame is not None and frame.rule == "it" and frame.text not in facts.pictures:
        return None
    if node.get("over") is not None:
        return TurnFrame(GeometryKind.FLIP, way="vertical", either=True)
    kind, way = GeometryKind(str(node.get("k"))), node.get("w") or node.get("x")
    if kind is GeometryKind.FLIP:
        return TurnFrame(kind, way=cast("None", way))
    if kind is not GeometryKind.ROTATE:
        return TurnFrame(kind)
    degrees = node.get("a")
    if degrees is None and node.text.startswith("turn "):
        return None
    return TurnFrame(kind, degrees=None if degrees is None else float(str(degrees)), way=cast("None", way))


def _moving(facts: Facts, node: Node) -> Edit | None:
    target = child(node, "n")
    thing = facts.thing(target)
    if target is not None and target.rule == "definite" and (thing is None or not thing.definite):
        return None
    kind = str(node.get("k") or "move")
    return MoveThing(_OF_A_THING.get(kind) or GeometryKind(kind), thing)


def _restyle(facts: Facts, node: Node) -> Edit | None:
    style = child(node, "s")
    return None if style is None else Restyle(style_name(facts, style.text))


def _act(facts: Facts, node: Node) -> Edit | None:
    """A thing that is there does something else; one that is not there comes, doing it.

    What something is done to is there, whatever its article: ``close eyes`` adds none.
    """
    thing, how = facts.thing(child(node, "n")), child(node, "how")
    if thing is not None and not thing.definite and how is not None:
        return Add(thing)
    return Alter(thing, how.text if how is not None else node.text)


_FRAMES: Final[dict[str, Callable[[Facts, Node], Edit | None]]] = {
    "set": _set, "change": _set, "paint": _set, "give": _give, "apply": _apply, "tone": _tone,
    "complaint": _complaint, "add": _add, "remove": _remove, "replace": _replace, "become": _become, "text": _text,
    "turn": _turn, "moving": _moving, "restyle": _restyle, "act": _act,
}  # fmt: skip
