"""Tone: black and white, sepia, brightness, contrast, saturation, warmth, blur, measured between S and E."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.instruction.checking import YES, judge, ramp, typed_check, without_room
from edit_metrics.instruction.edits import Atmosphere, Edit, Retone
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.kinds import ToneKind
from edit_metrics.instruction.region import DERIVED, Region
from edit_metrics.types import RGB, Float32, Float64, Grid, Mask, Missing, Noted, Result, not_applicable, undefined

TONE_EDITS: Final = (Retone, Atmosphere)
MIN_SHARE: Final = 0.005
MIN_LIKENESS: Final = 0.5
"""Correlation of the two pictures' lightness under which they are not the same picture in another tone."""
GREY: Final = 6.0
"""90th percentile of chroma C*ab under which a picture has no colour worth the name."""
MIN_SPARED: Final = 0.005
"""Share of the frame under which nothing was spared: chosen, as ``MIN_SHARE``."""
STILL: Final = 0.02
CLEARLY: Final = 0.25
"""ln detail between which a picture may be a little sharper (or softer), or only encoded anew: JPEG 75 and a change of
sharpness of 10 % move it alike (``benchmarks/measure_typed_checks.py tone``)."""
DARK: Final = 10.0
"""Mean L* under which a tint cannot be seen."""


@dataclass(frozen=True, slots=True)
class Tone:
    """What the checks read of one picture's region.

    Attributes:
        lightness: mean L*.
        contrast: standard deviation of L*.
        chroma: mean C*ab; like the next three of colours blurred with σ = 2, since JPEG takes chroma noise away.
        high_chroma: 90th percentile of C*ab.
        hue: of the mean a*, b*, degrees.
        scatter: what is left of a*, b* (RMS) beside a cubic of L*: near 0 for a picture toned in one hue.
        red_to_blue: ln of mean R over mean B.
        detail: ln of (mean squared Laplacian of L* / variance of L*).
    """

    lightness: float
    contrast: float
    chroma: float
    high_chroma: float
    hue: float
    scatter: float
    red_to_blue: float
    detail: float


@dataclass(frozen=True, slots=True)
class _Reading:
    score: float
    evidence: str


_Check = Callable[[Tone, Tone], _Reading | Missing]


@typed_check("adherence.check_tone", grid=Grid.WORKING)
def check_tone(
    parsed_instruction: Instruction,
    source: RGB,
    edited: RGB | None = None,
    mask: Mask | None = None,
    changed_pixels: Mask | None = None,
    blank: bool | None = None,
) -> Result:
    """Whether every change of tone that the instruction names was made, measured between S and E.

    Black and white, sepia, colours for a grey picture, brightness, contrast, saturation, warmth, blur and sharpness,
    inside the mask, inside the changed area for a named part (``derived_region``), else of the whole picture; the
    weakest of several counts. The direction is judged, not the amount. A complaint (``it is too dark``) asks for the
    opposite.

    Args:
        parsed_instruction: a tone edit.
        source: S, H×W×3.
        edited: E on S's grid.
        mask: the given mask: tone is read inside it.
        changed_pixels: tone is read there when a part of the picture is named and there is no mask, H×W.
        blank: E shows nothing.

    Returns:
        Score in [0, 1]. ``not_applicable``: as :func:`.checking.judge`, ``no_measurable_tone`` (weather, season, time
        of day), ``no_region``, ``exclusion`` (``everything but the dog``: what was spared cannot be told; a tone that
        is nowhere, or everywhere, is a 0), ``source_is_grey`` and its like, ``source_has_colour`` (to colourise).
        ``undefined``: ``not_the_same_scene``, ``not_on_the_sources_grid``, ``empty_mask``, ``region_too_small``,
        ``change_too_small`` (of sharpness: an encoder does as much).
    """

    def one(edit: Edit) -> Result:
        if not isinstance(edit, Retone):
            return not_applicable("no_measurable_tone")
        if (missing := without_room(mask)) is not None:
            return missing
        if edited is None:
            return undefined("not_on_the_sources_grid")
        if edit.excepted is not None and mask is None:
            return _all_but(edit, source, edited, changed_pixels)
        region = _region(edit, source.shape[:2], mask, changed_pixels)
        return not_applicable("no_region") if region is None else _toned(edit.tones, source, edited, region)

    return judge(parsed_instruction, TONE_EDITS, one, blank)


def _toned(tones: tuple[ToneKind, ...], source: RGB, edited: RGB, region: Region) -> Result:
    if region.pixels.mean() < MIN_SHARE:
        nothing = Noted(0.0, region.cautions, "tone: nothing changed")
        return undefined("region_too_small") if region.pixels.any() else nothing
    before, after = _lab(source), _lab(edited)
    if _likeness(before[..., 0], after[..., 0], region.pixels) < MIN_LIKENESS:
        return undefined("not_the_same_scene")
    was, is_now = read_tone(source, before, region.pixels), read_tone(edited, after, region.pixels)
    return _judge(tones, was, is_now, region.cautions)


def _all_but(edit: Retone, source: RGB, edited: RGB, changed: Mask | None) -> Result:
    """A tone of everything but one thing: which thing was spared is not seen, that none was, or that all was, is."""
    if changed is None:
        return not_applicable("no_region")
    where_changed = _toned(edit.tones, source, edited, Region(changed, (DERIVED,)))
    if isinstance(where_changed, Noted) and where_changed.value < YES:
        return where_changed
    whole = _toned(edit.tones, source, edited, Region(np.ones_like(changed), ()))
    spared = 1 - float(changed.mean())
    if isinstance(whole, Noted) and whole.value >= YES and spared < MIN_SPARED:
        return Noted(0.0, (), f"{whole.evidence}; nothing was spared")
    return not_applicable("exclusion")


def _judge(tones: tuple[ToneKind, ...], before: Tone, after: Tone, notes: tuple[str, ...]) -> Result:
    readings = [CHECKS[kind](before, after) for kind in tones]
    for reading in readings:
        if isinstance(reading, Missing):
            return reading
    good = [reading for reading in readings if isinstance(reading, _Reading)]
    evidence = "; ".join(f"{kind}: {reading.evidence}" for kind, reading in zip(tones, good, strict=True))
    return Noted(min(reading.score for reading in good), notes, f"tone: {evidence}")


def _region(edit: Retone, shape: tuple[int, ...], mask: Mask | None, changed: Mask | None) -> Region | None:
    if mask is not None:
        return Region(mask, ())
    if edit.target is None:
        return Region(np.ones(shape, np.bool_), ())
    return None if changed is None else Region(changed, (DERIVED,))


def read_tone(image: RGB, lab: Float32, region: Mask) -> Tone:
    """Read a picture's tone inside a region.

    Args:
        image: H×W×3.
        lab: the same in CIELAB.
        region: H×W, not empty.
    """
    lightness = lab[..., 0][region]
    blurred = np.asarray(cv2.GaussianBlur(lab, (0, 0), 2))[region].astype(np.float64)
    chroma, tint = np.hypot(blurred[:, 1], blurred[:, 2]), blurred[:, 1:].mean(axis=0)
    means = image[region].mean(axis=0, dtype=np.float64) + 1
    curvature = np.asarray(cv2.Laplacian(np.ascontiguousarray(lab[..., 0]), cv2.CV_32F))[region]
    spread = float(lightness.std(dtype=np.float64))
    return Tone(
        lightness=float(lightness.mean(dtype=np.float64)),
        contrast=spread,
        chroma=float(chroma.mean()),
        high_chroma=float(np.percentile(chroma, 90)),
        hue=math.degrees(math.atan2(tint[1], tint[0])),
        scatter=_scatter(blurred),
        red_to_blue=math.log(means[0] / means[2]),
        detail=math.log((float(np.square(curvature).mean(dtype=np.float64)) + 1e-4) / (spread**2 + 1e-2)),
    )


def _scatter(lab: Float64) -> float:
    """RMS of a*, b* beside their least-squares cubic of L*; N×3 pixels."""
    some = lab[:: max(len(lab) // 20_000, 1)]
    powers = np.vander(some[:, 0] / 100, 4)
    solution = np.linalg.lstsq(powers, some[:, 1:], rcond=None)[0]
    return float(np.sqrt(np.square(some[:, 1:] - powers @ solution).sum(axis=1).mean()))


def _black_and_white(before: Tone, after: Tone) -> _Reading | Missing:
    if before.high_chroma < GREY:
        return not_applicable("source_is_grey")
    return _Reading(ramp(after.high_chroma, 12.0, 3.0), _show("chroma", before.high_chroma, after.high_chroma))


def _colourise(before: Tone, after: Tone) -> _Reading | Missing:
    if before.high_chroma >= GREY:
        return not_applicable("source_has_colour")
    hues = ramp(after.scatter, 2.0, 5.0)
    seen = f"{_show('chroma', before.high_chroma, after.high_chroma)}, colours beside one tint {after.scatter:.1f}"
    return _Reading(ramp(after.high_chroma, GREY, 2 * GREY) * hues, seen)


def _sepia(before: Tone, after: Tone) -> _Reading | Missing:
    if _sepia_score(before) >= 0.5:
        return not_applicable("source_is_sepia")
    if after.lightness < DARK:
        return undefined("too_dark_for_a_tint")
    evidence = f"{_show('colours beside one tint', before.scatter, after.scatter)}, hue {after.hue:.0f}°"
    return _Reading(_sepia_score(after), f"{evidence}, chroma {after.chroma:.1f}")


def _sepia_score(tone: Tone) -> float:
    """One tint, between orange and yellow, strong enough to be seen."""
    return ramp(tone.scatter, 6.0, 3.0) * ramp(tone.chroma, 3.0, 7.0) if 40 < tone.hue < 115 else 0.0


def _brightness(before: Tone, after: Tone, sign: int) -> _Reading | Missing:
    if sign > 0 and before.lightness > 97 or sign < 0 and before.lightness < 3:  # noqa: RUF021 - two plain cases
        return not_applicable("no_room_for_the_change")
    change = sign * (after.lightness - before.lightness)
    relative = sign * math.log(max(after.lightness, 0.1) / max(before.lightness, 0.1))
    score = max(ramp(change, 0.5, 2.5), ramp(relative, 0.03, 0.1))
    return _Reading(score, _show("L*", before.lightness, after.lightness))


def _contrast(before: Tone, after: Tone, sign: int) -> _Reading | Missing:
    """The spread of lightness must change by itself and against the mean: a plain gain is not contrast."""
    if before.contrast < 1:
        return not_applicable("source_is_flat")
    absolute = math.log(max(after.contrast, 1e-3) / before.contrast)
    relative = absolute - math.log(max(after.lightness, 1e-3) / max(before.lightness, 1e-3))
    score = ramp(sign * absolute, 0.01, 0.05) * ramp(sign * relative, 0.0, 0.03)
    return _Reading(score, _show("deviation of L*", before.contrast, after.contrast))


def _saturation(before: Tone, after: Tone, sign: int) -> _Reading | Missing:
    """As for contrast: a plain gain raises chroma and lightness alike."""
    if before.high_chroma < GREY:
        return not_applicable("source_is_grey")
    absolute = math.log(max(after.chroma, 1e-3) / before.chroma)
    relative = absolute - math.log(max(after.lightness, 1e-3) / max(before.lightness, 1e-3))
    score = ramp(sign * absolute, 0.01, 0.05) * ramp(sign * relative, 0.0, 0.03)
    return _Reading(score, _show("chroma", before.chroma, after.chroma))


def _warmth(before: Tone, after: Tone, sign: int) -> _Reading | Missing:
    change = sign * (after.red_to_blue - before.red_to_blue)
    return _Reading(ramp(change, 0.01, 0.05), _show("ln R/B", before.red_to_blue, after.red_to_blue))


def _sharpness(before: Tone, after: Tone, sign: int) -> _Reading | Missing:
    if before.contrast < 1:
        return not_applicable("source_is_flat")
    change = sign * (after.detail - before.detail)
    if STILL < change < CLEARLY:
        return undefined("change_too_small")
    return _Reading(ramp(change, 0.1, 0.4), _show("ln detail", before.detail, after.detail))


CHECKS: Final[dict[ToneKind, _Check]] = {
    ToneKind.BLACK_AND_WHITE: _black_and_white,
    ToneKind.SEPIA: _sepia,
    ToneKind.COLOURISE: _colourise,
    ToneKind.BRIGHTER: lambda before, after: _brightness(before, after, +1),
    ToneKind.DARKER: lambda before, after: _brightness(before, after, -1),
    ToneKind.CONTRAST_UP: lambda before, after: _contrast(before, after, +1),
    ToneKind.CONTRAST_DOWN: lambda before, after: _contrast(before, after, -1),
    ToneKind.SATURATION_UP: lambda before, after: _saturation(before, after, +1),
    ToneKind.SATURATION_DOWN: lambda before, after: _saturation(before, after, -1),
    ToneKind.WARMER: lambda before, after: _warmth(before, after, +1),
    ToneKind.COOLER: lambda before, after: _warmth(before, after, -1),
    ToneKind.SHARPEN: lambda before, after: _sharpness(before, after, +1),
    ToneKind.BLUR: lambda before, after: _sharpness(before, after, -1),
}


def _lab(image: RGB) -> Float32:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _likeness(before: Float32, after: Float32, region: Mask) -> float:
    """Correlation of the blurred lightness inside the region; 1 where one of them is flat."""
    first, second = (np.asarray(cv2.GaussianBlur(plane, (0, 0), 3))[region] for plane in (before, after))
    if min(first.std(), second.std()) < 1:
        return 1.0
    return float(np.corrcoef(first, second)[0, 1])


def _show(name: str, before: float, after: float) -> str:
    return f"{name} {before:.2f} -> {after:.2f}"
