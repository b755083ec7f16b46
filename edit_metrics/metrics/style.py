"""Style alignment (docs/metrics.md, style): kept where it must stay, moved towards what was asked where it must change.

Keeping is judged over U where there is a mask, whatever the edit. Without one it is judged over the whole frame, with
the caution ``whole_frame``, and only for kinds of edit that leave the picture's style alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.lab import LabPair
from edit_metrics.registry import Identity, metric
from edit_metrics.types import (
    Direction,
    Float32,
    Float64,
    Grid,
    Mask,
    Missing,
    Result,
    not_applicable,
    undefined,
    with_cautions,
)

STYLE: Final = "style"
RESTYLES: Final = frozenset({STYLE, "tone", "background"})
"""Edit types that change the texture of a whole picture."""
RECOLOURS: Final = RESTYLES | {"recolour"}
"""Edit types that change the colours of a whole picture."""
GRAM: Final = "gram"
"""Gram matrices of the perceptual backbone, which it computes where somebody wants them."""
WHOLE_FRAME: Final = "whole_frame"
_STEPS: Final = np.float32(128)
"""Of a unit of CIELAB: whole steps can be counted, which is cheaper than sorting."""
ENCODER_BLIND: Final = "encoder_blind"


class HasEditType(Protocol):
    """What is read of a parsed instruction."""

    @property
    def edit_type(self) -> str:
        """``add``, ``remove``, ``style`` …"""
        ...


@metric(
    "style.gram_distance", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="", wants=(GRAM,),
    identity=Identity(0.0, 1e-5), symmetric=1e-5, blind_inside=True, grid=Grid.PERCEPTUAL,
    features={"mask": "mask"}, off_grid=("mask",),
)  # fmt: skip
def gram_distance(
    lpips_maps: PerceptualPair,
    kept: Mask | None = None,
    parsed_instruction: HasEditType | None = None,
    mask: Mask | None = None,
) -> Result:
    """How far the texture moved: mean over layers of ‖G(S) − G(E)‖ / (‖G(S)‖ + ‖G(E)‖) (Gram matrices: Gatys 2016).

    From the features that LPIPS has computed already, Gram matrices averaged over U.

    Args:
        lpips_maps: one pass of the perceptual backbone over S and E.
        kept: U.
        parsed_instruction: its edit type decides where there is no mask.
        mask: M, which tells a mask that leaves nothing from none.

    Returns:
        0 = the same texture statistics, 1 = nothing in common. ``not_applicable(full_mask)``; without a mask
        ``not_applicable(edit_changes_style)`` for style, tone and background edits,
        ``not_applicable(edit_type_unknown)`` without an instruction; ``undefined(kept_area_too_small)``.
    """
    exempt = _exempt(kept, mask, parsed_instruction, RESTYLES)
    if exempt is not None:
        return exempt
    return with_cautions(float(np.mean(lpips_maps.gram_distances)), WHOLE_FRAME if kept is None else "")


@metric(
    "style.colour_emd", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, None), unit="ΔE",
    identity=Identity(0.0, 1e-5), symmetric=1e-5, blind_inside=True, grid=Grid.WORKING,
    features={"mask": "mask"}, off_grid=("mask",),
)  # fmt: skip
def colour_emd(
    labs: LabPair,
    kept: Mask | None = None,
    parsed_instruction: HasEditType | None = None,
    mask: Mask | None = None,
    *,
    max_pixels: int = 16_384,
) -> Result:
    """Earth mover's distance between the CIELAB colours of S and of E over U (Rubner 2000), see :func:`sliced_emd`.

    Where the palette moved, wherever in U the colours stand: a mean shift, a lost hue, a flattened contrast.

    Args:
        labs: CIELAB of both.
        kept: U.
        parsed_instruction: its edit type decides where there is no mask.
        mask: M, which tells a mask that leaves nothing from none.
        max_pixels: at most so many pixels of U are read, evenly spaced, the same in both pictures.

    Returns:
        ΔE, 0 = the same colours; a uniform shift by ΔE76 = d reads d within 4 %. ``not_applicable(full_mask)``;
        without a mask ``not_applicable(edit_changes_colours)`` for style, tone, background and recolour edits,
        ``not_applicable(edit_type_unknown)`` without an instruction; ``undefined(kept_area_too_small)``.
    """
    exempt = _exempt(kept, mask, parsed_instruction, RECOLOURS, code="edit_changes_colours")
    if exempt is not None:
        return exempt
    places = np.arange(labs.source[..., 0].size) if kept is None else np.flatnonzero(kept)
    if len(places) > max_pixels:
        places = places[np.linspace(0, len(places) - 1, max_pixels).astype(np.intp)]
    before, after = (plane.reshape(-1, 3)[places] for plane in (labs.source, labs.edited))
    return with_cautions(sliced_emd(before, after), WHOLE_FRAME if kept is None else "")


def sliced_emd(first: Float32, second: Float32, *, directions: int = 32) -> float:
    """Sliced earth mover's distance of two equally large sets of colours (Bonneel 2015), on the scale of a shift.

    Twice the mean, over directions spread evenly over the half sphere, of the 1-D distance mean |sorted − sorted|.
    Twice, since a shift by v moves the projections by ‖v‖/2 on average; so it is at most the full earth mover's
    distance (up to the error of finitely many directions), and equals it for a uniform shift.

    Args:
        first: N×3 CIELAB.
        second: N×3.
        directions: how many.

    Returns:
        ΔE, within 1/128 of the distance of unrounded projections.
    """
    axes = _half_sphere(directions).astype(np.float32)
    before, after = (_projections(colours, axes) for colours in (first, second))
    return 2 * _mean_distance(before, after) / float(_STEPS)


def _projections(colours: Float32, axes: Float32) -> NDArray[np.int32]:
    """Directions×N, in whole steps of 1/128."""
    steps = (_STEPS * axes) @ colours.T
    return np.asarray(np.rint(steps, out=steps), np.int32)


def _mean_distance(before: NDArray[np.int32], after: NDArray[np.int32]) -> float:
    """Mean over rows of mean |sorted − sorted|, in steps, without sorting: the area between the cumulative counts."""
    lowest = min(int(before.min()), int(after.min()))
    bins = max(int(before.max()), int(after.max())) - lowest + 1
    total = 0
    for own, other in zip(before, after, strict=True):
        more = np.bincount(own - lowest, minlength=bins) - np.bincount(other - lowest, minlength=bins)
        total += int(np.abs(np.cumsum(more)).sum())
    return total / before.size


@lru_cache(maxsize=4)
def _half_sphere(count: int) -> Float64:
    """``count`` unit vectors on a Fibonacci lattice, N×3."""
    index = np.arange(count) + 0.5
    height = index / count
    angle = index * np.pi * (3 - 5**0.5)
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


def _exempt(
    kept: Mask | None,
    mask: Mask | None,
    parsed: HasEditType | None,
    changing: frozenset[str],
    code: str = "edit_changes_style",
) -> Missing | None:
    """Why keeping is not to be asked for here, or None when it is."""
    if kept is not None:
        return None
    if mask is not None:
        return not_applicable("full_mask") if mask.all() else undefined("kept_area_too_small")
    if parsed is None:
        return not_applicable("edit_type_unknown")
    return not_applicable(code) if str(parsed.edit_type) in changing else None


@metric(
    "style.clip_i_kept", direction=Direction.HIGHER_IS_BETTER, bounds=(-1.0, 1.0), unit="cosine",
    identity=Identity(1.0, 1e-5), blind_inside=True,
)  # fmt: skip
def clip_i_kept(clip_source_embedding: Float32, clip_kept_embedding: Float32) -> float:
    """cos(f(S), f(E with S's pixels inside M)): CLIP-I of what must stay.

    Args:
        clip_source_embedding: f(S), D, unit norm.
        clip_kept_embedding: f of E filled from S inside the mask, D, unit norm.

    Returns:
        1 = nothing that the encoder sees changed outside the mask. Missing without a mask or without a CLIP backend.
    """
    return _cosine(clip_source_embedding, clip_kept_embedding)


@metric(
    "style.style_prompt_gain", direction=Direction.HIGHER_IS_BETTER, bounds=(-2.0, 2.0), unit="cosine difference",
    identity=Identity(0.0, 1e-5),
)  # fmt: skip
def style_prompt_gain(
    clip_source_embedding: Float32,
    clip_edited_embedding: Float32,
    clip_style_embedding: Float32,
    clip_blind_below: float | None = None,
) -> Result:
    """cos(f(E), t("a picture in the style of X")) − the same of S: whether E moved towards the style asked for.

    Args:
        clip_source_embedding: f(S), D, unit norm.
        clip_edited_embedding: f(E), D, unit norm.
        clip_style_embedding: t of the prompt, D, unit norm.
        clip_blind_below: ‖f(E) − f(S)‖ that the encoder gives to a mere re-encode: under it, the caution
            ``encoder_blind``.

    Returns:
        0 = no move. ``not_applicable(not_a_style_edit)``, ``unavailable(no_style_named)``; missing without a CLIP
        backend.
    """
    gain = _cosine(clip_edited_embedding, clip_style_embedding) - _cosine(clip_source_embedding, clip_style_embedding)
    moved = float(np.linalg.norm(clip_edited_embedding - clip_source_embedding))
    return with_cautions(gain, ENCODER_BLIND if clip_blind_below is not None and moved < clip_blind_below else "")


@metric(
    "style.reference_gram_distance", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="",
    identity=Identity(0.0, 1e-5), grid=Grid.PERCEPTUAL,
)  # fmt: skip
def reference_gram_distance(reference_gram_distances: Sequence[float]) -> float:
    """Mean over the style references of the Gram distance between the reference and E, as in :func:`gram_distance`.

    The raw distance has no absolute scale (it depends on what the pictures show): compare it between edits of one
    source with the same references, as a rank.

    Args:
        reference_gram_distances: one a reference.

    Returns:
        0 = the same texture statistics. Missing without references or a perceptual backend;
        ``not_applicable(not_a_style_edit)`` when the instruction asks for something else.
    """
    return float(np.mean(reference_gram_distances))


def _cosine(first: Float32, second: Float32) -> float:
    return float(np.clip(np.dot(first.astype(np.float64), second.astype(np.float64)), -1.0, 1.0))
