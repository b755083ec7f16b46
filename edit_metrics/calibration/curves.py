"""Monotone curves as data: fitted once, stored as knots, evaluated by interpolation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edit_metrics.types import Float64

_STRICT: Final = 0.01
_MOST_KNOTS: Final = 512


@dataclass(frozen=True, slots=True)
class MonotoneCurve:
    """Piecewise linear and flat outside the knots.

    Attributes:
        x: knots in strictly rising order.
        y: values at the knots.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __call__(self, values: Float64) -> Float64:
        """Values at those places, same shape."""
        return np.asarray(np.interp(values, self.x, self.y), dtype=np.float64)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> MonotoneCurve:
        """The inverse of :meth:`to_json`."""
        return cls(tuple(map(float, record["x"])), tuple(map(float, record["y"])))

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        return {"x": list(self.x), "y": list(self.y)}


def fit_ranks(values: Float64) -> MonotoneCurve:
    """Value → share of the given values below it, ties counted half: in [0, 1], rising."""
    knots, first, counts = np.unique(np.sort(values), return_index=True, return_counts=True)
    middles = (first + counts / 2) / len(values)
    if len(knots) > _MOST_KNOTS:
        kept = np.unique(np.linspace(0, len(knots) - 1, _MOST_KNOTS).round().astype(int))
        knots, middles = knots[kept], middles[kept]
    return MonotoneCurve(tuple(knots.tolist()), tuple(middles.tolist()))


def fit_isotonic(x: Float64, y: Float64, low: float, high: float) -> MonotoneCurve:
    """Isotonic regression through the centres of its blocks, and a little strictness.

    Centred isotonic regression (Oron and Flournoy, 2017) joins the blocks' means instead of stepping between them. One
    percent of the range is given to the rank of x, so that equal estimates still keep the order of x: where thresholds
    are set, ties would be all or nothing.

    Args:
        x: predictor, N values; higher is better.
        y: what to predict, N values in [low, high].
        low: lower end of the range of y.
        high: upper end.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(x, kind="stable")
    places, starts, counts = np.unique(x[order], return_index=True, return_counts=True)
    means = np.add.reduceat(y[order], starts) / counts
    fitted = isotonic_regression(means, weights=counts.astype(np.float64)).x
    block = np.cumsum(np.concatenate([[0], np.diff(fitted) > 1e-12]))
    weight = np.bincount(block, weights=counts)
    centres = MonotoneCurve(
        tuple((np.bincount(block, weights=counts * places) / weight).tolist()),
        tuple((np.bincount(block, weights=counts * fitted) / weight).tolist()),
    )
    ranks = fit_ranks(x)
    knots = np.unique(np.concatenate([ranks.x, centres.x]))
    blended = (1 - _STRICT) * centres(knots) + _STRICT * (low + (high - low) * ranks(knots))
    return MonotoneCurve(tuple(knots.tolist()), tuple(blended.tolist()))
