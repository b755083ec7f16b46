"""The items that the self-tests score: one set, scored once, from which every property is read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from PIL import Image

from edit_metrics.doctor import pictures as draw
from edit_metrics.types import RGB, EditItem, Mask

RECOLOUR: Final = "Make the ball blue"
STYLE: Final = "Turn it into a watercolor painting"


@dataclass(frozen=True, slots=True)
class Case:
    """An item to be written to disk and scored.

    Attributes:
        name: its id.
        mask: True = may change; None = no mask file.
        edited_bytes: what the edited file holds instead of ``edited``.
    """

    name: str
    source: RGB
    edited: RGB
    mask: Mask | None = None
    mask_white_means: Literal["edited", "preserved"] = "edited"
    instruction: str | None = RECOLOUR
    source_caption: str | None = "a photo of a red ball on a table"
    target_caption: str | None = "a photo of a blue ball on a table"
    references: tuple[RGB, ...] = ()
    edited_bytes: bytes | None = None


def write_case(case: Case, folder: Path) -> EditItem:
    """Write a case's pictures as PNG files and return the item that points at them."""
    edited = _write(case.edited, folder / f"{case.name}_edited.png")
    if case.edited_bytes is not None:
        Path(edited).write_bytes(case.edited_bytes)
    mask = None
    if case.mask is not None:
        mask = str(folder / f"{case.name}_mask.png")
        Image.fromarray(case.mask.astype(np.uint8) * 255).save(mask)
    return EditItem(
        row=0,
        id=case.name,
        source=_write(case.source, folder / f"{case.name}_source.png"),
        edited=edited,
        mask=mask,
        mask_white_means=case.mask_white_means,
        instruction=case.instruction,
        source_caption=case.source_caption,
        target_caption=case.target_caption,
        references=tuple(_write(r, folder / f"{case.name}_{i}.png") for i, r in enumerate(case.references)),
    )


@dataclass(frozen=True, slots=True)
class Ladder:
    """One degradation in growing steps; each is an item, and the first is a copy of the source."""

    name: str
    cases: tuple[Case, ...]


IDENTICAL: Final = (
    "same_masked", "same_whole", "same_recolour", "same_portrait", "same_tone", "same_flip", "same_text", "same_add",
)  # fmt: skip
"""Cases whose edited picture is the source."""


@cache
def ladders() -> tuple[Ladder, ...]:
    """The degradations, over the whole frame (an empty mask: nothing may change)."""
    scene, ramp, face = draw.scene(), draw.gradient(), draw.portrait()
    return (
        _ladder("jpeg", scene, [draw.jpeg(scene, q) for q in (92, 60, 20)]),
        _ladder("blur", scene, [draw.blurred(scene, s) for s in (0.6, 1.2, 2.4)]),
        _ladder("noise", scene, [draw.noisy(scene, s) for s in (4, 10, 24)]),
        _ladder("darker", scene, [draw.darker(scene, f) for f in (0.9, 0.75, 0.5)]),
        _ladder("brighter", scene, [draw.brighter(scene, f) for f in (1.4, 1.9, 2.6)]),
        _ladder("crushed", scene, [draw.crushed(scene, n) for n in (80, 110, 150)]),
        _ladder("greyer", scene, [draw.greyer(scene, s) for s in (0.7, 0.4, 0.0)]),
        _ladder("shift", scene, [draw.shifted(scene, p) for p in (1, 2, 4)]),
        _ladder("turned", scene, [draw.turned(scene, d) for d in (1.0, 2.0, 3.5)], masked=False),
        _ladder("patch", scene, [draw.patched(scene, s) for s in (16, 32, 64)]),
        _ladder("banded", ramp, [draw.banded(ramp, s) for s in (0.25, 0.5, 1.0)]),
        _ladder("face_blur", face, [draw.blurred(face, s) for s in (1.2, 2.0, 3.0)], masked=False),
    )


def _ladder(name: str, source: RGB, steps: list[RGB], *, masked: bool = True) -> Ladder:
    nothing = np.zeros(source.shape[:2], np.bool_) if masked else None
    cases = (Case(f"{name}_{i}", source, edited, nothing) for i, edited in enumerate([source, *steps]))
    return Ladder(name, tuple(cases))


@cache
def single_cases() -> tuple[Case, ...]:
    """Everything that is not a ladder."""
    return (*_identical_cases(), *_masked_cases(), *_known_values(), *_face_cases(), *_missing_cases())


def _identical_cases() -> tuple[Case, ...]:
    scene, face = draw.scene(), draw.portrait()
    style = Case("same_portrait", face, face, instruction=STYLE, references=(face,))
    return (
        Case("same_masked", scene, scene, draw.middle()),
        Case("same_whole", scene, scene, np.zeros((draw.SIDE, draw.SIDE), np.bool_)),
        Case("same_recolour", scene, scene),
        style,
    )


def _masked_cases() -> tuple[Case, ...]:
    """One damaged pair seen through several masks, with several insides, flipped, and swapped."""
    scene, mask = draw.scene(), draw.middle()
    damaged = draw.noisy(draw.darker(draw.blurred(scene, 0.7), 0.95), 3)
    one = Case("inside_flat", scene, draw.paste(damaged, draw.flat((0, 255, 0)), mask), mask)
    back = draw.paste(damaged, scene, mask)
    whole = Case("damaged_whole", scene, damaged, np.zeros_like(mask))
    return (
        one,
        replace(one, name="inside_static", edited=draw.paste(damaged, draw.static(), mask)),
        replace(one, name="inside_flat_inverted_mask", mask=~mask, mask_white_means="preserved"),
        replace(
            one,
            name="inside_flat_flipped",
            source=scene[:, ::-1].copy(),
            edited=one.edited[:, ::-1].copy(),
            mask=mask[:, ::-1].copy(),
        ),
        Case("forward", scene, back, mask),
        Case("backward", back, scene, mask),
        whole,
        replace(whole, name="damaged_outside", mask=mask),
        replace(whole, name="damaged_inside", mask=~mask),
    )


@cache
def typed_cases() -> tuple[Case, ...]:
    """Instructions that a typed check can verify: each followed, and each with nothing done."""
    scene, sign = draw.scene(), draw.sign("OPEN")
    done = (
        Case("done_recolour", scene, draw.blue_ball(scene)),
        Case("done_tone", scene, draw.darker(scene, 0.6), instruction="Make the image darker"),
        Case("done_flip", scene, scene[:, ::-1].copy(), instruction="Flip the image horizontally"),
        Case("done_text", sign, draw.sign("SHUT"), instruction='Change the text "OPEN" to "SHUT"'),
        Case("done_add", scene, draw.patched(scene, 48), instruction="Add a box"),
    )
    nothing = [replace(case, name=case.name.replace("done", "same"), edited=case.source) for case in done[1:]]
    return (*done, *nothing)


OFFSET: Final = 10
"""Levels between S and E on every kept pixel of the ``offset_*`` cases."""
OFFSET_SHARES: Final = (0.25, 0.5, 0.75)
"""Shares of the frame that may change."""


def _known_values() -> tuple[Case, ...]:
    """Pairs whose values are known from arithmetic or from another library."""
    scene, large = draw.scene(), draw.scene(256)
    offset = draw.to_levels(scene.astype(np.float64) + OFFSET)
    frame = np.ones(scene.shape[:2], np.bool_)
    frame[5:-5, 5:-5] = False
    nothing = np.zeros_like(frame)
    shares = [
        Case(f"offset_{share:.2f}", scene, draw.paste(offset, draw.static(), draw.box(share)), draw.box(share))
        for share in OFFSET_SHARES
    ]
    return (
        *shares,
        Case("damaged_frame", scene, draw.paste(draw.jpeg(scene, 30), draw.static(), frame), nothing),
        Case("checkered", large, draw.checkered(large, 24), np.zeros((256, 256), np.bool_)),
    )


def _face_cases() -> tuple[Case, ...]:
    face = draw.portrait()
    return (
        Case("face_kept", face, draw.jpeg(face, 85), instruction="Add a hat"),
        Case("face_gone", face, draw.flat((128, 128, 128), 256), instruction="Add a hat"),
    )


def _missing_cases() -> tuple[Case, ...]:
    """Items that leave a question without an answer."""
    scene = draw.scene()
    grey = draw.flat((128, 128, 128))
    small = cv2.resize(scene, (48, 48), interpolation=cv2.INTER_AREA)
    full = np.ones(scene.shape[:2], np.bool_)
    return (
        Case("full_mask", scene, draw.noisy(scene, 10), full),
        Case("flat", grey, grey + 4, ~full),
        Case("no_captions", scene, draw.noisy(scene, 10), source_caption=None, target_caption=None),
        Case("other_shape", scene, scene[:100].copy()),
        Case("small", np.asarray(small, np.uint8), np.asarray(small, np.uint8)),
        Case("unreadable", scene, scene, edited_bytes=b"no picture at all"),
    )


def _write(picture: RGB, path: Path) -> str:
    Image.fromarray(picture).save(path, compress_level=0)
    return str(path)
