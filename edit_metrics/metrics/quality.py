"""Visual quality without a reference (METRICS.md §6): what E reads, and how far that is from what S reads.

Each reading of :mod:`edit_metrics.metrics.no_reference` has two columns: ``<reading>_edited`` and ``<reading>_delta``,
E minus S, so that a bad source does not fail a good edit. Both pictures are read on S's grid, because the size of a
picture changes its blur; where E has no place on that grid it is read on its own, with the caution
``other_grid``; where it had to be resized, with ``resized``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from edit_metrics.metrics.no_reference import QualityReadings
from edit_metrics.registry import metric
from edit_metrics.types import Direction, Float32, Measurement, Missing, measured

LOGIT_SCALE: Final = 100.0
"""The temperature at which CLIP was trained (Radford 2021)."""


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """How one reading stands in the table: field of QualityReadings, direction, upper bound (the lower is 0), unit …"""

    name: str
    direction: Direction
    upper: float | None
    unit: str
    meaning: str


COLUMNS: Final = (
    ReadingColumns("blur", Direction.LOWER_IS_BETTER, 1.0, "", "perceptual blur (Crete 2007)"),
    ReadingColumns("noise_sigma", Direction.NEITHER, None, "levels", "noise σ, wavelet MAD (Donoho & Johnstone 1994)"),
    ReadingColumns("blockiness", Direction.LOWER_IS_BETTER, None, "ratio", "8-px codec grid (after Wang et al. 2002)"),
    ReadingColumns("clipped_highlights", Direction.LOWER_IS_BETTER, 1.0, "share", "pixels blown out to white"),
    ReadingColumns("clipped_shadows", Direction.LOWER_IS_BETTER, 1.0, "share", "pixels crushed to black"),
    ReadingColumns(
        "banding", Direction.LOWER_IS_BETTER, 1.0, "share", "pixels on false contours (idea: BBAND, Tu 2020)"
    ),
    ReadingColumns("colourfulness", Direction.NEITHER, None, "levels", "colourfulness (Hasler & Süsstrunk 2003)"),
    ReadingColumns("resolution_loss", Direction.LOWER_IS_BETTER, 1.0, "share", "empty part of the frequency range"),
)


def _register_reading(column: ReadingColumns) -> None:
    def edited(edited_readings: QualityReadings) -> Measurement | Missing:
        return edited_reading(edited_readings, column.name)

    def delta(source_readings: QualityReadings, edited_readings: QualityReadings) -> Measurement | Missing:
        return reading_delta(source_readings, edited_readings, column.name)

    def add(function: Callable[..., Measurement | Missing], stem: str, lower: float | None, docstring: str) -> None:
        function.__doc__ = (
            docstring + f"\n\n    Missing as :func:`edit_metrics.metrics.no_reference.{column.name}` says.\n"
        )
        bounds = (lower, column.upper)
        metric(f"quality.{column.name}_{stem}", direction=column.direction, bounds=bounds, unit=column.unit)(function)

    add(edited, "edited", 0.0, f"E: {column.meaning}.")
    lowest = None if column.upper is None else -column.upper
    add(delta, "delta", lowest, f"E minus S: {column.meaning}; 0 = as the source, whatever that was.")


for _column in COLUMNS:
    _register_reading(_column)


def edited_reading(edited_readings: QualityReadings, name: str) -> Measurement | Missing:
    """One reading of E, with the cautions that go with its grid.

    Args:
        edited_readings: all readings of E.
        name: a field of :class:`QualityReadings`.
    """
    value = getattr(edited_readings, name)
    if isinstance(value, Missing):
        return value
    return measured(value, *edited_readings.cautions)


def reading_delta(
    source_readings: QualityReadings, edited_readings: QualityReadings, name: str
) -> Measurement | Missing:
    """One reading of E minus the same of S; missing when either is.

    Args:
        source_readings: all readings of S.
        edited_readings: all readings of E.
        name: a field of :class:`QualityReadings`.
    """
    before, after = getattr(source_readings, name), getattr(edited_readings, name)
    for value in (before, after):
        if isinstance(value, Missing):
            return value
    return measured(after - before, *edited_readings.cautions)


def antonym_probability(embedding: Float32, antonyms: Float32, *, logit_scale: float = LOGIT_SCALE) -> float:
    """Probability of the first of two antonym prompts: softmax over logit_scale · cosine (CLIP-IQA, Wang et al. 2023).

    The published CLIP-IQA runs a CLIP without its positional embedding at the picture's own size; this one reads the
    embedding that the other metrics share, so that its values are not the published ones.

    Args:
        embedding: f(picture), D, unit norm.
        antonyms: 2×D, unit norm: t("Good photo."), t("Bad photo.").
        logit_scale: the temperature.

    Returns:
        A probability in [0, 1], high = good.
    """
    good, bad = logit_scale * (antonyms.astype(np.float64) @ embedding.astype(np.float64))
    return float(1.0 / (1.0 + np.exp(np.clip(bad - good, -500.0, 500.0))))


@metric("quality.clip_iqa_edited", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="probability")
def clip_iqa_edited(edited_clip_iqa: float) -> float:
    """E: probability of "Good photo." against "Bad photo." in CLIP's space (idea: CLIP-IQA, Wang et al. 2023).

    See :func:`antonym_probability` for how it differs from the published measure. Missing without a CLIP backend.
    """
    return edited_clip_iqa


@metric(
    "quality.clip_iqa_delta", direction=Direction.HIGHER_IS_BETTER, bounds=(-1.0, 1.0), unit="probability difference"
)
def clip_iqa_delta(source_clip_iqa: float, edited_clip_iqa: float) -> float:
    """E minus S: probability of "Good photo." against "Bad photo."; 0 = as the source.

    Missing without a CLIP backend.
    """
    return edited_clip_iqa - source_clip_iqa
