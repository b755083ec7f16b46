"""Tone: black and white, sepia, brightness, contrast, saturation, warmth, blur, measured between S and E."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.instruction.parsed import EditType, ParsedInstruction, ToneKind
from edit_metrics.instruction.verdict import Verdict, out_of_scope, ramp, without_room
from edit_metrics.types import RGB, Float32, Float64, Mask, Missing, not_applicable, undefined

MIN_SHARE: Final = 0.005
MIN_LIKENESS: Final = 0.5
"""Correlation of the two pictures' lightness under which they are not the same picture in another tone."""
GREY: Final = 6.0
"""90th percentile of chroma C*ab under which a picture has no colour worth the name."""
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


def check_tone(
    parsed: ParsedInstruction, source: RGB, edited: RGB, mask: Mask | None = None, derived: Mask | None = None
) -> Verdict | Missing:
    """Whether every change of tone that is asked for was made.

    Args:
        parsed: a tone edit.
        source: S, H×W×3.
        edited: E on S's grid.
        mask: the given mask: tone is read inside it.
        derived: the changed pixels: tone is read there when a part of the picture is named and there is no mask.

    Returns:
        The weakest of the asked changes. ``not_applicable(no_measurable_tone)`` for weather, season, time of day;
        ``not_applicable(source_is_grey)`` and the like where the change is impossible;
        ``undefined(not_the_same_scene)``.
    """
    missing = out_of_scope(parsed, EditType.TONE) or without_room(mask)
    if missing is not None:
        return missing
    region, cautions = _region(parsed, source.shape[:2], mask, derived)
    if not parsed.tones or region is None:
        return not_applicable("no_measurable_tone" if region is not None else "no_region")
    if region.mean() < MIN_SHARE:
        return undefined("region_too_small") if region.any() else Verdict(0.0, "tone: nothing changed", cautions)
    before, after = _lab(source), _lab(edited)
    if _likeness(before[..., 0], after[..., 0], region) < MIN_LIKENESS:
        return undefined("not_the_same_scene")
    return _judge(parsed.tones, read_tone(source, before, region), read_tone(edited, after, region), cautions)


def _judge(tones: tuple[ToneKind, ...], before: Tone, after: Tone, cautions: tuple[str, ...]) -> Verdict | Missing:
    readings = [CHECKS[kind](before, after) for kind in tones]
    for reading in readings:
        if isinstance(reading, Missing):
            return reading
    good = [reading for reading in readings if isinstance(reading, _Reading)]
    evidence = "; ".join(f"{kind}: {reading.evidence}" for kind, reading in zip(tones, good, strict=True))
    return Verdict(min(reading.score for reading in good), f"tone: {evidence}", cautions)


def _region(
    parsed: ParsedInstruction, shape: tuple[int, ...], mask: Mask | None, derived: Mask | None
) -> tuple[Mask | None, tuple[str, ...]]:
    if mask is not None:
        return mask, ()
    if parsed.object is None:
        return np.ones(shape, np.bool_), ()
    return derived, ("derived_region",)


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
    return _Reading(ramp(change, 0.1, 0.4), _show("ln detail", before.detail, after.detail))


CHECKS: Final[dict[ToneKind, _Check]] = {
    ToneKind.BLACK_AND_WHITE: _black_and_white,
    ToneKind.SEPIA: _sepia,
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
