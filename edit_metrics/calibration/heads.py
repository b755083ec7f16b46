"""Monotone heads: from oriented features (higher is better) to a mean rating or to P(pass). Plain data, no pickle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from edit_metrics.calibration.curves import MonotoneCurve, fit_isotonic, fit_ranks
from edit_metrics.types import Float64

_CLIP: Final = 3.0
"""Standard deviations at which the linear part of a feature stops growing."""
_RANK_SPREAD: Final = 3.5
"""Makes the rank of a feature vary about as much as its clipped standard score."""
_RIDGE: Final = 1.0
_MOST_LEVELS: Final = 25


class Head(Protocol):
    """A fitted monotone map from oriented features to one number an item."""

    kind: ClassVar[str]

    def predict(self, features: Float64) -> Float64:
        """Predictions, N values, for N×F finite features."""
        ...

    def to_json(self) -> dict[str, Any]:
        """A JSON record that :func:`edit_metrics.calibration.predictor.head_from_json` reads back."""
        ...


@dataclass(frozen=True, slots=True)
class IsotonicHead:
    """Isotonic regression on the first feature."""

    kind: ClassVar[str] = "isotonic"
    curve: MonotoneCurve

    @classmethod
    def fit(cls, features: Float64, target: Float64, low: float, high: float) -> IsotonicHead:
        """Fit to a target in [low, high]."""
        return cls(fit_isotonic(features[:, 0], target, low, high))

    def predict(self, features: Float64) -> Float64:
        """See :class:`Head`."""
        return self.curve(features[:, 0])

    def to_json(self) -> dict[str, Any]:
        """See :class:`Head`."""
        return {"kind": self.kind, "curve": self.curve.to_json()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> IsotonicHead:
        """The inverse of :meth:`to_json`."""
        return cls(MonotoneCurve.from_json(record["curve"]))


@dataclass(frozen=True, slots=True)
class OrdinalHead:
    """Cumulative logit (McCullagh 1980) with coefficients that cannot be negative; two levels are logistic regression.

    Each feature enters twice, as its rank and as its clipped standard score, so that heavy tails do not rule the fit.

    Attributes:
        levels: the values that the target takes, rising; K of them.
        thresholds: K − 1 rising numbers; P(target ≥ levels[k]) = logistic(score − thresholds[k − 1]).
        coefficients: 2F numbers ≥ 0, ranks first.
    """

    kind: ClassVar[str] = "ordinal"
    levels: tuple[float, ...]
    thresholds: tuple[float, ...]
    coefficients: tuple[float, ...]
    ranks: tuple[MonotoneCurve, ...]
    centres: tuple[float, ...]
    scales: tuple[float, ...]

    @classmethod
    def fit(cls, features: Float64, target: Float64) -> OrdinalHead:
        """Fit to a target with at least two distinct values; many values are gathered into 25 levels."""
        ranks = tuple(fit_ranks(column) for column in features.T)
        centres, scales = features.mean(axis=0), features.std(axis=0)
        scales = np.where(scales > 0, scales, 1.0)
        levels, codes = _levels(target)
        basis = _basis(features, ranks, centres, scales)
        coefficients, thresholds = _fit_cumulative_logit(basis, codes, len(levels))
        return cls(
            tuple(levels.tolist()),
            tuple(thresholds.tolist()),
            tuple(coefficients.tolist()),
            ranks,
            tuple(centres.tolist()),
            tuple(scales.tolist()),
        )

    def predict(self, features: Float64) -> Float64:
        """Expected value of the target: the mean rating, or P(pass) when the levels are 0 and 1."""
        basis = _basis(features, self.ranks, np.asarray(self.centres), np.asarray(self.scales))
        score = basis @ np.asarray(self.coefficients)
        reached = expit(score[:, None] - np.asarray(self.thresholds)[None, :])
        return np.asarray(self.levels[0] + reached @ np.diff(self.levels), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """See :class:`Head`."""
        return {
            "kind": self.kind,
            "levels": list(self.levels),
            "thresholds": list(self.thresholds),
            "coefficients": list(self.coefficients),
            "ranks": [curve.to_json() for curve in self.ranks],
            "centres": list(self.centres),
            "scales": list(self.scales),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> OrdinalHead:
        """The inverse of :meth:`to_json`."""
        numbers = {name: tuple(map(float, record[name])) for name in cls.__slots__ if name != "ranks"}
        return cls(ranks=tuple(MonotoneCurve.from_json(curve) for curve in record["ranks"]), **numbers)


def _levels(target: Float64) -> tuple[Float64, np.ndarray[Any, np.dtype[np.intp]]]:
    values, codes = np.unique(np.round(target, 9), return_inverse=True)
    if len(values) <= _MOST_LEVELS:
        return values, codes
    edges = np.unique(np.quantile(target, np.linspace(0, 1, _MOST_LEVELS + 1))[1:-1])
    codes = np.unique(np.searchsorted(edges, target, side="right"), return_inverse=True)[1]
    return np.bincount(codes, weights=target) / np.bincount(codes), codes


def _basis(features: Float64, ranks: Sequence[MonotoneCurve], centres: Float64, scales: Float64) -> Float64:
    ranked = np.column_stack([curve(column) for curve, column in zip(ranks, features.T, strict=True)])
    scored = np.clip((features - centres) / scales, -_CLIP, _CLIP)
    return np.hstack([_RANK_SPREAD * ranked, scored])


def _fit_cumulative_logit(
    basis: Float64, codes: np.ndarray[Any, np.dtype[np.intp]], n_levels: int
) -> tuple[Float64, Float64]:
    """Ridge-penalised maximum likelihood; thresholds as a first value and logarithms of increments, so they rise."""
    n_features = basis.shape[1]
    below = np.cumsum(np.bincount(codes, minlength=n_levels))[:-1] / len(codes)
    odds = np.clip(below, 1e-3, 1 - 1e-3)
    start = np.log(odds / (1 - odds))
    increments = np.log(np.maximum(np.diff(start), 1e-2))
    first = np.concatenate([np.full(n_features, 0.1), start[:1], increments])
    bounds = [(0.0, None)] * n_features + [(-30.0, 30.0)] + [(-8.0, 4.0)] * (n_levels - 2)
    found = minimize(_loss, first, args=(basis, codes, n_levels), jac=True, method="L-BFGS-B", bounds=bounds)
    return found.x[:n_features], _thresholds(found.x[n_features:])


def _thresholds(parameters: Float64) -> Float64:
    return np.asarray(np.cumsum(np.concatenate([parameters[:1], np.exp(parameters[1:])])))


def _loss(
    parameters: Float64, basis: Float64, codes: np.ndarray[Any, np.dtype[np.intp]], n_levels: int
) -> tuple[float, Float64]:
    n_features = basis.shape[1]
    coefficients, tail = parameters[:n_features], parameters[n_features:]
    thresholds = _thresholds(tail)
    score = basis @ coefficients
    upper = expit(np.append(thresholds, np.inf)[codes] - score)
    lower = expit(np.insert(thresholds, 0, -np.inf)[codes] - score)
    probability = np.maximum(upper - lower, 1e-12)
    loss = -np.log(probability).sum() + _RIDGE / 2 * (coefficients**2).sum()
    from_upper, from_lower = upper * (1 - upper) / probability, lower * (1 - lower) / probability
    slope = np.bincount(codes, weights=from_lower, minlength=n_levels)[1:]
    slope -= np.bincount(codes, weights=from_upper, minlength=n_levels)[:-1]
    suffix = np.cumsum(slope[::-1])[::-1]
    gradient = np.concatenate(
        [
            basis.T @ (from_upper - from_lower) + _RIDGE * coefficients,
            suffix[:1],
            suffix[1:] * np.exp(tail[1:]),
        ]
    )
    return float(loss), gradient
