"""Readings of one picture, and the two columns of each: of E, and of E minus S."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Final, TypeAlias

from edit_metrics.registry import Identity, metric
from edit_metrics.types import RGB, Direction, Grid, Missing, Result, with_cautions

Reading: TypeAlias = Callable[[RGB], float | Missing]


@dataclass(frozen=True, slots=True)
class QualityReadings:
    """All readings of one picture; each field is what the function of that name returned.

    Attributes:
        cautions: codes that go with every value: ``other_grid`` when the picture was not on the source's grid, so that
            differences mix in its size.
    """

    blur: float | Missing
    noise_sigma: float | Missing
    blockiness: float | Missing
    clipped_highlights: float | Missing
    clipped_shadows: float | Missing
    banding: float | Missing
    colourfulness: float | Missing
    resolution_loss: float | Missing
    cautions: tuple[str, ...] = ()


READINGS: Final = tuple(field.name for field in fields(QualityReadings) if field.name != "cautions")
"""Names of the readings, in the order of their columns."""


def reading_columns(
    edited_column: str,
    delta_column: str,
    *,
    direction: Direction,
    upper: float | None,
    unit: str,
    flip_invariant: float | None = None,
    grid: Grid = Grid.NATIVE,
) -> Callable[[Reading], Reading]:
    """Register the two columns of a reading; its function, whose name is a field of the readings, is not changed.

    Args:
        edited_column: the reading of E.
        delta_column: E minus S.
        direction: of both columns.
        upper: bound of the reading, whose lower bound is 0; None where there is none.
        unit: of both columns.
        flip_invariant: of the reading, see :func:`edit_metrics.registry.metric`.
        grid: on which the pictures are read.
    """

    def register(reading: Reading) -> Reading:
        name, meaning = reading.__name__, inspect.getdoc(reading) or ""

        def edited(edited_readings: QualityReadings) -> Result:
            return edited_reading(edited_readings, name)

        def delta(source_readings: QualityReadings, edited_readings: QualityReadings) -> Result:
            return reading_delta(source_readings, edited_readings, name)

        edited.__doc__ = f"E. {meaning}"
        delta.__doc__ = f"E minus S, 0 = as the source, whatever that was. {meaning}"
        metric(
            edited_column, direction=direction, bounds=(0.0, upper), unit=unit, identity="depends on the picture",
            flip_invariant=flip_invariant, grid=grid,
        )(edited)  # fmt: skip
        metric(
            delta_column, direction=direction, bounds=(None if upper is None else -upper, upper), unit=unit,
            identity=Identity(0.0, 1e-5), antisymmetric=1e-5, grid=grid,
        )(delta)  # fmt: skip
        return reading

    return register


def edited_reading(edited_readings: QualityReadings, name: str) -> Result:
    """One reading of E, with the cautions that go with its grid.

    Args:
        edited_readings: all readings of E.
        name: a field of :class:`QualityReadings`.
    """
    return with_cautions(getattr(edited_readings, name), *edited_readings.cautions)


def reading_delta(source_readings: QualityReadings, edited_readings: QualityReadings, name: str) -> Result:
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
    return with_cautions(after - before, *edited_readings.cautions)
