"""The rating scale: which values exist, and what may be computed from their distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edit_metrics.choices import Level
from edit_metrics.errors import TableError
from edit_metrics.types import Float64

_SYNTAX: Final = "a list of values (0,0.5,1) or a range (0:100)"
_TOLERANCE: Final = 1e-9
_MOST_OBSERVED: Final = 25


@dataclass(frozen=True, slots=True)
class Scale:
    """What a rating may be.

    Attributes:
        low: worst rating.
        high: best rating.
        values: every allowed rating in rising order; empty for a continuous scale.
        level: level of measurement. Listed values are taken as ordinal, a continuous range as interval, unless said.
        declared: False when the values were taken from the data, so that unused ends of the scale are unknown.
    """

    low: float
    high: float
    values: tuple[float, ...]
    level: Level
    declared: bool = True

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise TableError("a scale with at least two values", str(self), "--scale", f"Write it as {_SYNTAX}.")

    @classmethod
    def parse(cls, text: str, level: Level | None = None) -> Scale:
        """Read ``0,0.5,1`` (listed values) or ``0:100`` (a continuous range).

        Raises:
            TableError: neither form, or fewer than two values.
        """
        try:
            if ":" in text:
                low, high = (float(part) for part in text.split(":"))
                return cls(low, high, (), level or "interval")
            values = tuple(sorted({float(part) for part in text.split(",")}))
        except ValueError:
            raise TableError(_SYNTAX, repr(text), "--scale") from None
        return cls(values[0], values[-1], values, level or "ordinal")

    @classmethod
    def observed(cls, ratings: ArrayLike) -> Scale:
        """The scale that the data show, marked as not declared."""
        values = np.unique(np.asarray(ratings, dtype=np.float64))
        if len(values) < 2:
            raise TableError("ratings with at least two distinct values", f"{len(values)}", todo="Declare --scale.")
        if len(values) > _MOST_OBSERVED:
            return cls(float(values[0]), float(values[-1]), (), "interval", declared=False)
        return cls(float(values[0]), float(values[-1]), tuple(values.tolist()), "ordinal", declared=False)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Scale:
        """The inverse of :meth:`to_json`."""
        values = tuple(float(value) for value in record["values"])
        return cls(float(record["low"]), float(record["high"]), values, record["level"], bool(record["declared"]))

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        return {
            "low": self.low,
            "high": self.high,
            "values": list(self.values),
            "level": self.level,
            "declared": self.declared,
        }

    @property
    def midpoint(self) -> float:
        """Half way between the worst and the best rating: the default of ``--pass-at``."""
        return (self.low + self.high) / 2

    def contains(self, ratings: Float64) -> NDArray[np.bool_]:
        """Boolean array: is each rating a value of the scale (to 1e-9)?"""
        if not self.values:
            return (ratings >= self.low - _TOLERANCE) & (ratings <= self.high + _TOLERANCE)
        near = np.abs(ratings[:, None] - np.asarray(self.values)[None, :]) <= _TOLERANCE
        return np.asarray(near.any(axis=1))

    def __str__(self) -> str:
        text = ", ".join(f"{value:g}" for value in self.values) or f"{self.low:g} to {self.high:g}"
        return f"{text} ({self.level})"
