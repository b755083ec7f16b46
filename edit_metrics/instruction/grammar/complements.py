"""What it means that a target becomes something: one function a kind of complement, None where it means nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edit_metrics.instruction.edits import (
    Add,
    Alter,
    Atmosphere,
    Edit,
    LookOfText,
    MoveThing,
    Recolour,
    Replace,
    Restyle,
    Retone,
    SetBackground,
    Shade,
)
from edit_metrics.instruction.grammar.chart import Node
from edit_metrics.instruction.grammar.facts import THINGS, Facts, child, phrases_of
from edit_metrics.instruction.kinds import Colour, GeometryKind, ToneKind

ATTRIBUTES: Final = {
    "brightness": {"brighter": "brighter", "darker": "darker", "up": "brighter", "down": "darker"},
    "contrast": {"up": "contrast_up", "down": "contrast_down"},
    "saturation": {"up": "saturation_up", "down": "saturation_down"},
    "warmth": {"warmer": "warmer", "cooler": "cooler", "up": "warmer", "down": "cooler"},
    "sharpness": {"up": "sharpen", "down": "blur", "sharpen": "sharpen"},
    "blur": {"up": "blur", "down": "sharpen"},
}
"""A quality of the light, and which way it can go → the tone that this is."""
_GREYS: Final = {"black", "white"}
_COLOURED: Final = frozenset({"colored", "coloured", "color", "colour"})
OF_A_PART: Final = frozenset({
    ToneKind.BRIGHTER, ToneKind.DARKER, ToneKind.SATURATION_UP, ToneKind.SATURATION_DOWN, ToneKind.BLUR,
    ToneKind.SHARPEN, ToneKind.CONTRAST_UP, ToneKind.CONTRAST_DOWN,
})  # fmt: skip
"""What a thing can become by light alone: ``make the soup warmer`` is no change of tone."""
OF_A_PICTURE: Final = OF_A_PART | {ToneKind.WARMER}
"""``make it cooler`` is an idiom: only colours, tones and temperature get cooler."""
OF_COLOURS: Final = frozenset({
    ToneKind.WARMER, ToneKind.COOLER, ToneKind.SATURATION_UP, ToneKind.SATURATION_DOWN, ToneKind.BRIGHTER,
    ToneKind.DARKER,
})  # fmt: skip


def become(facts: Facts, target: Node, comp: Node, verb: str) -> Edit | None:
    """What it means that a target becomes a complement.

    Args:
        facts: the language.
        target: a node of the rule ``target``.
        comp: a node of the rule ``comp``.
        verb: ``set`` (``make the cup a bowl`` needs the article), ``change`` or ``replace``.
    """
    if comp.rule == "new":
        return _to_new(facts, target, comp, verb)
    make = _COMPLEMENTS.get(comp.rule)
    return None if make is None else make(facts, target, comp)


def colours_of(node: Node) -> tuple[Colour, ...]:
    """The colours that a node captured."""
    return tuple(value for value in node.all("c") if isinstance(value, Colour))


def tones_of(node: Node, name: str = "w") -> tuple[ToneKind, ...]:
    """The tones that a node captured."""
    return tuple(dict.fromkeys(ToneKind(str(value)) for value in node.all(name)))


def to_colour(facts: Facts, target: Node, comp: Node) -> Edit | None:
    """A colour for a thing, for letters, or for the background."""
    if target.rule == "colourof":
        owner = child(target, "o")
        if owner is not None and owner.rule != "empty":
            return to_colour(facts, owner, comp)
        background = "background" in target.text.split()
        return _background(comp) if background else Recolour(None, colours_of(comp), _not(comp))
    if target.rule == "textof":
        quote = target.get("q")
        return LookOfText() if quote is None else Recolour(None, colours_of(comp), _not(comp), text=str(quote))
    return _background(comp) if target.rule == "background" else _recolour(facts, target, comp)


def _recolour(facts: Facts, target: Node, comp: Node) -> Recolour | None:
    if target.rule not in THINGS | {"it", "picture", "thepicture"} or facts.parts_wrongly(target, comp):
        return None
    thing, whole = facts.thing(target) if target.rule in THINGS else None, target.rule in {"picture", "thepicture"}
    named = colours_of(comp)
    if thing is not None and facts.is_quality(thing.heads[0]):
        return None
    if len(named) == 1 and comp.text.split()[0] in facts.articles and facts.is_noun(named[0].name):
        return None  # ``into an orange``
    if comp.rule == "colours" and (whole or (facts.is_picture(target) and {colour.name for colour in named} == _GREYS)):
        return None  # ``a black and white picture`` is a tone, and so is ``make it black and white``
    return Recolour(thing, colours_of(comp), _not(comp), whole=whole)


def _background(comp: Node) -> SetBackground:
    return SetBackground(comp.text, colours_of(comp))


def _not(comp: Node) -> Colour | None:
    other = comp.get("not")
    return other if isinstance(other, Colour) else None


def to_mode(facts: Facts, target: Node, comp: Node) -> Edit | None:
    """Black and white or sepia; of a thing, black and white are two colours."""
    tones = tones_of(comp, "m")
    if target.rule == "everything":
        return everything(facts, target, tones)
    if facts.is_picture(target):
        return Retone(None, tones)
    if target.rule == "background":
        return Retone(facts.thing(target), tones)
    return Recolour(facts.thing(target), ()) if target.rule in THINGS else None


def everything(facts: Facts, target: Node, tones: tuple[ToneKind, ...], excepted: Node | None = None) -> Retone:
    """Tones of everything but what is excepted."""
    return Retone(None, tones, excepted=facts.thing(excepted or child(target, "x")))


def style_name(facts: Facts, text: str) -> str:
    """A style's name without the words before it."""
    words = text.split()
    while len(words) > 1 and (words[0] in facts.articles or words[0] in {"in", "like", "as"}):
        words = words[1:]
    return " ".join(words)


def _to_shade(facts: Facts, target: Node, comp: Node) -> Edit | None:
    way, colours = ToneKind(str(comp.get("w"))), colours_of(comp)
    owner = child(target, "o") if target.rule == "colourof" else target
    if owner is not None and owner.rule not in THINGS | {"it"}:
        return None
    return Shade(facts.thing(owner), way, colours[0] if colours else None)


def _to_tones(facts: Facts, target: Node, comp: Node) -> Edit | None:
    tones = tones_of(comp)
    if target.rule == "everything":
        return everything(facts, target, tones)
    if target.rule == "toneof":
        kinds = [ATTRIBUTES[str(target.get("n"))].get(str(tone)) for tone in tones]
        known = tuple(ToneKind(kind) for kind in kinds if kind is not None)
        return Retone(facts.region(target), known) if len(known) == len(kinds) else None
    if target.rule == "coloursof":
        return Retone(None, tones) if OF_COLOURS.issuperset(tones) else None
    if target.rule == "colourof":
        owner = child(target, "o")
        ok = owner is not None and owner.rule in THINGS and OF_A_PART.issuperset(tones)
        return Retone(facts.thing(owner), tones) if ok else None
    if facts.is_picture(target):
        return Retone(None, tones) if OF_A_PICTURE.issuperset(tones) else None
    partly = target.rule in THINGS | {"it"} and OF_A_PART.issuperset(tones)
    return Retone(facts.named(target), tones) if partly else None


def _to_new(facts: Facts, target: Node, comp: Node, verb: str) -> Edit | None:
    node = child(comp, "n")
    new, old = facts.thing(node), facts.thing(target)
    if node is None or new is None:
        return None
    if target.rule == "background":
        return None if facts.is_colour(node.text) else SetBackground(facts.bare(node.text))
    if target.rule not in THINGS | {"it"} or _is_no_thing(facts, node.text):
        return None
    if target.rule == "it" and (facts.is_style(new.heads[-1]) or not comp.text.startswith(node.text)):
        return None  # ``make it look like a film`` speaks of the whole picture
    if verb == "set" and (phrases_of(node)[0].get("d") is None or (old is not None and not old.definite)):
        return None
    colour = _same_in_colour(facts, target, node)
    return Replace(old, new) if colour is None else Recolour(old, (colour,))


def _is_no_thing(facts: Facts, text: str) -> bool:
    return facts.is_material(text) or facts.is_weather(text) or facts.is_colour(text) or facts.is_hair(text)


def _same_in_colour(facts: Facts, target: Node, new: Node) -> Colour | None:
    """``change the white couch to a brown couch``: the same noun under a colour, and nothing else, is a recolouring."""
    from edit_metrics.instruction.grammar.words import name_colour

    olds, news = phrases_of(target), phrases_of(new)
    head = news[0].get("head")
    if len(olds) != 1 or len(news) != 1 or head != olds[0].get("head"):
        return None
    words = [
        word for word in facts.bare(news[0].text).split() if word not in {"colored", "coloured", "color", "colour"}
    ]
    return name_colour(tuple(words[:-1]), cued=False) if words[-1:] == [head] else None


def _to_style(facts: Facts, target: Node, comp: Node) -> Edit | None:
    return Restyle(style_name(facts, comp.text)) if facts.is_picture(target) else None


def _to_weather(facts: Facts, target: Node, comp: Node) -> Edit | None:
    return Atmosphere(comp.text) if facts.is_picture(target) or target.rule == "atmosphereof" else None


def _to_place(facts: Facts, target: Node, comp: Node) -> Edit | None:
    """``could he be in the forest``: another scene; ``let a cat be near the hydrant``: a cat comes."""
    thing = facts.thing(target)
    if target.rule in THINGS and thing is not None and not thing.definite:
        return Add(replace(thing, text=f"{thing.text} {comp.text}"))
    return SetBackground(comp.text) if target.rule == "it" and target.text not in facts.pictures else None


def _to_size(facts: Facts, target: Node, comp: Node) -> Edit | None:
    if target.rule == "textof":
        return LookOfText()
    return MoveThing(GeometryKind.RESIZE, facts.thing(target)) if target.rule in THINGS | {"it"} else None


def _to_state(facts: Facts, target: Node, comp: Node) -> Edit | None:
    if target.rule == "qualityof":
        return Alter(None, comp.text)
    return Alter(facts.thing(target), comp.text) if target.rule in THINGS | {"it"} else None


_Complement = Callable[[Facts, Node, Node], "Edit | None"]
_COMPLEMENTS: Final[dict[str, _Complement]] = {
    "colour": to_colour, "tint": to_colour, "hair": to_colour, "colours": to_colour, "shade": _to_shade,
    "toneadj": _to_tones, "mode": to_mode, "style": _to_style, "thestyle": _to_style, "located": _to_place,
    "weather": _to_weather, "size": _to_size, "material": _to_state, "state": _to_state, "ones": _to_state,
}  # fmt: skip
