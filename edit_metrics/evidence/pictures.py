"""The pictures of this package, in the order of showing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from edit_metrics.evidence.drawing import (
    LPIPS_TOP,
    Box,
    Marks,
    boxes_picture,
    change_picture,
    heat_picture,
    lpips_heat,
    mask_picture,
    side_by_side,
)
from edit_metrics.evidence.registry import evidence
from edit_metrics.types import RGB, Float32, Grid, Mask, Missing

if TYPE_CHECKING:
    # Not needed to draw, and a report, which asks for captions alone, comes without them.
    from edit_metrics.features.faces import FacePairs
    from edit_metrics.instruction.instruction import Instruction
    from edit_metrics.metrics.reframing import Frame
    from edit_metrics.metrics.ssim import SsimMap
    from edit_metrics.perceived import PerceptualPair, TextLine
    from edit_metrics.pixels.change import ChangeMap

SEEN_FROM: Final = 0.5
"""Kept share of a window's weight from which an SSIM value speaks of what was to stay more than of the edit."""


@evidence("change", caption="change map", grid=Grid.WORKING)
def change(source: RGB, whole_change_map: ChangeMap, mask: Mask | None = None) -> RGB:
    """Where E differs from S, with what counts as changed and the given mask outlined."""
    return change_picture(source, whole_change_map.difference, whole_change_map.changed, mask)


@evidence("mask", caption="mask")
def given_mask(source: RGB, mask: Mask) -> RGB:
    """Where the edit was wanted."""
    return mask_picture(source, mask)


@evidence("checked", caption="where the typed check looked, source and edited", wide=True, grid=Grid.WORKING)
def checked(
    source: RGB, edited: RGB, parsed_instruction: Instruction, changed_pixels: Mask, mask: Mask | None = None
) -> RGB | None:
    """Both pictures, dark beside the region whose colour, tone or change decided."""
    from edit_metrics.instruction.looked_at import looked_at

    region = looked_at(parsed_instruction, changed_pixels, mask)
    return None if region is None else side_by_side(mask_picture(source, region), mask_picture(edited, region))


@evidence("region", caption="region of the typed check", grid=Grid.WORKING)
def region(edited: RGB, parsed_instruction: Instruction, changed_pixels: Mask, mask: Mask | None = None) -> RGB | None:
    """The edited picture, dark beside that region: what the viewer lays over it."""
    from edit_metrics.instruction.looked_at import looked_at

    seen = looked_at(parsed_instruction, changed_pixels, mask)
    return None if seen is None else mask_picture(edited, seen)


@evidence("lpips", caption="LPIPS map", grid=Grid.PERCEPTUAL)
def lpips(source: RGB, lpips_maps: PerceptualPair, mask: Mask | None = None) -> RGB:
    """Perceptual distance, outside the mask where one is given."""
    heat = lpips_heat(lpips_maps.layer_maps, (source.shape[0], source.shape[1]))
    return heat_picture(source, heat, LPIPS_TOP, None if mask is None else ~mask)


@evidence("ssim", caption="SSIM map", grid=Grid.WORKING)
def ssim(source: RGB, ssim_map: SsimMap) -> RGB:
    """Structural dissimilarity of what was to stay."""
    lost = np.asarray(1 - np.clip(ssim_map.values, 0, 1), np.float32)
    return heat_picture(source, lost, 1.0, ssim_map.weights >= SEEN_FROM)


@evidence("frame", caption="the edit's frame on the source, and the edit", wide=True)
def frame(source: RGB, edited_native: RGB, found_frame: Frame) -> RGB:
    """Where the edited picture's frame lies on the source, when it is another one."""
    height, width = source.shape[:2]
    left, top, right, bottom = found_frame.box
    inside = (max(left, 0.0), max(top, 0.0), min(right, width - 1.0), min(bottom, height - 1.0))
    return boxes_picture(source, edited_native, [Box(inside, "edited", matched=True)], [])


@evidence("displacement", caption="where things went, and the edit", wide=True)
def displacement(source: RGB, edited: RGB, found_frame: Frame | None = None, mask: Mask | None = None) -> RGB | None:
    """Where what both pictures show has gone, when something has; nothing where E has another frame.

    The flow is found for the picture, 79 ms of CPU, at a size of its own: no feature has it, and no score depends on
    it. Lengths are told in px of S, so that it is given S's own pixels.
    """
    from edit_metrics.evidence.arrows import displacement_picture, has_moved
    from edit_metrics.pixels.displacement import find_displacement

    found = None if found_frame is not None else find_displacement(source, edited, None if mask is None else ~mask)
    if found is None or isinstance(found, Missing) or not has_moved(found):
        return None
    return displacement_picture(source, edited, found)


def face_marks(
    source: RGB,
    edited_native: RGB,
    source_faces: Float32,
    edited_faces: Float32,
    face_matches: FacePairs,
    edited: RGB | None = None,
) -> Marks | None:
    """Whose face became whose, as the character metrics have it."""
    if not (len(source_faces) or len(edited_faces)):
        return None
    partner = {s: (e, likeness) for (s, e), likeness in zip(face_matches.pairs, face_matches.similarities, strict=True)}
    number = {e: s for s, e in face_matches.pairs}
    left = [
        Box(_box(face), _label(i, partner.get(i), i in face_matches.left_out_source), i in partner)
        for i, face in enumerate(source_faces)
    ]
    right = [
        Box(_box(face), f"{number[i] + 1}" if i in number else "new", i in number)
        for i, face in enumerate(edited_faces)
    ]
    return Marks(source, edited_native if edited is None else edited, tuple(left), tuple(right))


@evidence("faces", caption="faces, source and edited", wide=True, marks=face_marks)
def faces(
    source: RGB,
    edited_native: RGB,
    source_faces: Float32,
    edited_faces: Float32,
    face_matches: FacePairs,
    edited: RGB | None = None,
) -> RGB | None:
    """Both pictures with their faces, numbered."""
    marks = face_marks(source, edited_native, source_faces, edited_faces, face_matches, edited)
    return _drawn(marks)


def text_marks(
    source: RGB,
    edited_native: RGB,
    source_text: Sequence[TextLine] | None = None,
    edited_text: Sequence[TextLine] | None = None,
) -> Marks | None:
    """What was read, where."""
    if not (source_text or edited_text):
        return None
    before, after = (tuple(Box(line.box, line.text) for line in lines or ()) for lines in (source_text, edited_text))
    return Marks(source, edited_native, before, after)


@evidence("text", caption="text read, source and edited", wide=True, marks=text_marks)
def text(
    source: RGB,
    edited_native: RGB,
    source_text: Sequence[TextLine] | None = None,
    edited_text: Sequence[TextLine] | None = None,
) -> RGB | None:
    """Both pictures with the lines that were read."""
    marks = text_marks(source, edited_native, source_text, edited_text)
    return _drawn(marks)


def _drawn(marks: Marks | None) -> RGB | None:
    if marks is None:
        return None
    return boxes_picture(marks.source, marks.edited, marks.source_boxes, marks.edited_boxes)


def _box(face: Float32) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in face[:4])
    return left, top, right, bottom


def _label(index: int, partner: tuple[int, float] | None, left_out: bool) -> str:
    if partner is not None:
        return f"{index + 1}: likeness {partner[1]:.2f}"
    return f"{index + 1}: not compared" if left_out else f"{index + 1}: lost"
