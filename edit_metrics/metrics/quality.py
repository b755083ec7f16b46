"""Visual quality without a reference (METRICS.md §6): what E reads, and how far that is from what S reads.

Each reading of :mod:`edit_metrics.metrics.no_reference` has two columns: ``<reading>_edited`` and ``<reading>_delta``,
E minus S, so that a bad source does not fail a good edit. Both pictures are read on S's grid, because the size of a
picture changes its blur; where E has no place on that grid it is read on its own, with the caution
``other_grid``; where it had to be resized, with ``resized``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from edit_metrics.metrics import artefacts, no_reference
from edit_metrics.metrics.no_reference import QualityReadings
from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction, Float32, Measurement, Missing, measured, unavailable

LOGIT_SCALE: Final = 100.0
"""The temperature at which CLIP was trained (Radford 2021)."""


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """How one reading stands in the table.

    Attributes:
        reading: the function of one picture; its name is a field of :class:`QualityReadings`.
        direction: of both columns.
        upper: bound of the reading, whose lower bound is 0; None where there is none.
        unit: of both columns.
    """

    reading: Callable[[RGB], float | Missing]
    direction: Direction
    upper: float | None
    unit: str


COLUMNS: Final = (
    ReadingColumns(no_reference.blur, Direction.LOWER_IS_BETTER, 1.0, ""),
    ReadingColumns(no_reference.noise_sigma, Direction.NEITHER, None, "levels"),
    ReadingColumns(artefacts.blockiness, Direction.LOWER_IS_BETTER, None, "ratio"),
    ReadingColumns(no_reference.clipped_highlights, Direction.LOWER_IS_BETTER, 1.0, "share"),
    ReadingColumns(no_reference.clipped_shadows, Direction.LOWER_IS_BETTER, 1.0, "share"),
    ReadingColumns(artefacts.banding, Direction.LOWER_IS_BETTER, 1.0, "share"),
    ReadingColumns(no_reference.colourfulness, Direction.NEITHER, None, "levels"),
    ReadingColumns(no_reference.resolution_loss, Direction.LOWER_IS_BETTER, 1.0, "share"),
)


def _register_reading(column: ReadingColumns) -> None:
    name = column.reading.__name__

    def edited(edited_readings: QualityReadings) -> Measurement | Missing:
        return edited_reading(edited_readings, name)

    def delta(source_readings: QualityReadings, edited_readings: QualityReadings) -> Measurement | Missing:
        return reading_delta(source_readings, edited_readings, name)

    lowest = None if column.upper is None else -column.upper
    meaning = inspect.getdoc(column.reading) or ""
    edited.__doc__ = f"E. {meaning}"
    delta.__doc__ = f"E minus S, 0 = as the source, whatever that was. {meaning}"
    metric(f"quality.{name}_edited", direction=column.direction, bounds=(0.0, column.upper), unit=column.unit)(edited)
    metric(f"quality.{name}_delta", direction=column.direction, bounds=(lowest, column.upper), unit=column.unit)(delta)


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


class LearnedScores(Protocol):
    """What is read of a :class:`edit_metrics.backends.pyiqa_quality.LearnedQuality`."""

    @property
    def musiq(self) -> float | None:
        """About 0..100."""
        ...

    @property
    def topiq(self) -> float | None:
        """About 0..1."""
        ...


@metric("quality.musiq_edited", direction=Direction.HIGHER_IS_BETTER, bounds=(None, None), unit="", on_request=True)
def musiq_edited(edited_iqa: LearnedScores) -> float | Missing:
    """E: MUSIQ (Ke et al. 2021, KonIQ-10k), about 0..100; ``unavailable(no_weights)`` without its file."""
    return _given(edited_iqa.musiq)


@metric("quality.musiq_delta", direction=Direction.HIGHER_IS_BETTER, bounds=(None, None), unit="", on_request=True)
def musiq_delta(source_iqa: LearnedScores, edited_iqa: LearnedScores) -> float | Missing:
    """E minus S: MUSIQ (Ke et al. 2021); 0 = as the source; ``unavailable(no_weights)``."""
    return _given_delta(source_iqa.musiq, edited_iqa.musiq)


@metric("quality.topiq_edited", direction=Direction.HIGHER_IS_BETTER, bounds=(None, None), unit="", on_request=True)
def topiq_edited(edited_iqa: LearnedScores) -> float | Missing:
    """E: TOPIQ-NR (Chen et al. 2024, KonIQ-10k), about 0..1; ``unavailable(no_weights)`` without its file."""
    return _given(edited_iqa.topiq)


@metric("quality.topiq_delta", direction=Direction.HIGHER_IS_BETTER, bounds=(None, None), unit="", on_request=True)
def topiq_delta(source_iqa: LearnedScores, edited_iqa: LearnedScores) -> float | Missing:
    """E minus S: TOPIQ-NR (Chen et al. 2024); 0 = as the source; ``unavailable(no_weights)``."""
    return _given_delta(source_iqa.topiq, edited_iqa.topiq)


def _given(value: float | None) -> float | Missing:
    return unavailable("no_weights") if value is None else value


def _given_delta(before: float | None, after: float | None) -> float | Missing:
    return unavailable("no_weights") if before is None or after is None else after - before
