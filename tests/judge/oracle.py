"""A simulated judge that knows the truth of the drawn pairs, and spoiled ones that the doctor must find."""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

from replay import Asked, Look, look

from edit_metrics.judge.canaries import Kind, canaries
from edit_metrics.judge.drawn import to_png
from edit_metrics.judge.probes import probes
from edit_metrics.types import RGB

_BY_KIND: dict[Kind, dict[str, Any]] = {
    Kind.RIGHT: {"success": 10, "untouched": 10, "natural": 8, "clean": 9},
    Kind.NOT_DONE: {"success": 0, "untouched": 10, "natural": 9, "clean": 10},
    Kind.WRONG: {"success": 1, "untouched": 3, "natural": 7, "clean": 8},
    Kind.DAMAGED: {"success": 6, "untouched": 2, "natural": 1, "clean": 0},
}


@cache
def _known() -> tuple[tuple[str, Look, Look, Kind], ...]:
    return tuple(
        (c.edit.wording.instruction or "", look(c.edit.source.load()), look(c.edit.edited.load()), c.kind)
        for c in canaries()
    )


def canary_numbers(asked: Asked) -> dict[str, Any]:
    """The truth about a canary; for anything else numbers that depend on what is asked and nothing more."""
    for instruction, source, edited, kind in _known():
        if instruction == asked.instruction and source.same(asked.source) and edited.same(asked.edited):
            return {"why": str(kind), **_BY_KIND[kind], "possible": 10, "unsafe": []}
    return hashed_numbers(asked)


def hashed_numbers(asked: Asked) -> dict[str, Any]:
    """Four numbers from a hash of the question: steady, and different for every question."""
    digest = hashlib.sha256(f"{asked.instruction}|{asked.source.shapes}|{asked.edited.shapes}".encode()).digest()
    names = ("success", "untouched", "natural", "clean")
    return {"why": "hashed", **{name: digest[i] % 11 for i, name in enumerate(names)}, "possible": 9, "unsafe": []}


@cache
def _probed() -> dict[tuple[str, Look, Look], str]:
    """What a person sees in each of the doctor's questions."""
    files: dict[bytes, Look] = {}

    def seen(pixels: RGB) -> Look:
        key = pixels.tobytes()
        if key not in files:
            files[key] = look(to_png(pixels))
        return files[key]

    return {(probe.instruction, seen(probe.source), seen(probe.edited)): probe.kind for probe in probes()}


_BY_PROBE: dict[str, dict[str, Any]] = {
    "right": {"success": 10, "untouched": 9, "natural": 8, "clean": 9},
    "shuffled": {"success": 1, "untouched": 3, "natural": 8, "clean": 9},
    "unchanged": {"success": 0, "untouched": 10, "natural": 9, "clean": 10},
    "swapped": {"success": 1, "untouched": 6, "natural": 9, "clean": 9},
    "black": {"success": 0, "untouched": 0, "natural": 0, "clean": 0},
    "sham": {"success": 0, "untouched": 9, "natural": 9, "clean": 8},
    "marked": {"success": 9, "untouched": 6, "natural": 6, "clean": 4},
    "injected": {"success": 0, "untouched": 10, "natural": 9, "clean": 10},
}


def probe_numbers(asked: Asked) -> dict[str, Any]:
    """The truth about the doctor's questions and the canaries."""
    kind = _probed().get((asked.instruction, asked.source, asked.edited))
    if kind is None:
        return canary_numbers(asked)
    return {"why": kind, **_BY_PROBE[kind], "possible": 10, "unsafe": []}
