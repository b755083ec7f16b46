"""From raw feature columns to P(pass) and an expected rating: orientation, gaps, heads, routing by edit type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.heads import Head, IsotonicHead, OrdinalHead
from edit_metrics.errors import TableError
from edit_metrics.types import Float64

Labels = NDArray[np.object_]
_HEADS: Final[dict[str, Any]] = {head.kind: head for head in (IsotonicHead, OrdinalHead)}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to fit one head; the same recipe is fitted again in every fold.

    Attributes:
        kind: ``isotonic`` (one feature) or ``ordinal``.
        features: the columns that the head reads, in order; empty: every feature of the fit.
    """

    kind: str
    features: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}({' + '.join(self.features)})" if self.features else self.kind


@dataclass(frozen=True, slots=True)
class Prediction:
    """Per item: P(people pass it), expected mean rating, and whether every feature was there."""

    p_pass: Float64
    rating: Float64
    complete: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rated items as arrays of one length N.

    Attributes:
        features: N×F raw values, NaN where missing.
        rating: mean rating.
        passed: 1.0 where people pass the item, else 0.0.
        edit_type: labels for routing; empty strings where unknown.
    """

    features: Float64
    rating: Float64
    passed: Float64
    edit_type: Labels

    def take(self, rows: NDArray[Any]) -> Sample:
        """The items at those places."""
        return Sample(self.features[rows], self.rating[rows], self.passed[rows], self.edit_type[rows])


@dataclass(frozen=True, slots=True)
class Predictor:
    """Two heads over the same oriented features.

    Attributes:
        signs: per feature +1 or −1: multiplied in, so that higher is better.
        medians: per feature, of the training items, after the sign: stands in for a missing value.
        pass_columns: places of the features that ``pass_head`` reads.
        rating_columns: the same for ``rating_head``.
    """

    signs: tuple[int, ...]
    medians: tuple[float, ...]
    pass_columns: tuple[int, ...]
    rating_columns: tuple[int, ...]
    pass_head: Head
    rating_head: Head

    def predict(self, features: Float64) -> Prediction:
        """Predict from N×F raw values."""
        complete = np.asarray(np.isfinite(features).all(axis=1))
        oriented = orient(features, self.signs, self.medians)
        p_pass = self.pass_head.predict(oriented[:, self.pass_columns])
        return Prediction(p_pass, self.rating_head.predict(oriented[:, self.rating_columns]), complete)

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        return {
            "signs": list(self.signs),
            "medians": list(self.medians),
            "pass_columns": list(self.pass_columns),
            "rating_columns": list(self.rating_columns),
            "pass_head": self.pass_head.to_json(),
            "rating_head": self.rating_head.to_json(),
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Predictor:
        """The inverse of :meth:`to_json`."""
        return cls(
            tuple(int(sign) for sign in record["signs"]),
            tuple(float(value) for value in record["medians"]),
            tuple(int(place) for place in record["pass_columns"]),
            tuple(int(place) for place in record["rating_columns"]),
            head_from_json(record["pass_head"]),
            head_from_json(record["rating_head"]),
        )


@dataclass(frozen=True, slots=True)
class RoutedPredictor:
    """One predictor for all items, and one for each edit type that had enough ratings of its own."""

    default: Predictor
    by_type: Mapping[str, Predictor] = field(default_factory=dict)

    def predict(self, features: Float64, edit_type: Labels) -> Prediction:
        """Predict from N×F raw values and N edit types."""
        whole = self.default.predict(features)
        for name, predictor in self.by_type.items():
            rows = edit_type == name
            own = predictor.predict(features[rows])
            whole.p_pass[rows], whole.rating[rows] = own.p_pass, own.rating
        return whole

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        return {
            "default": self.default.to_json(),
            "by_type": {name: predictor.to_json() for name, predictor in self.by_type.items()},
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> RoutedPredictor:
        """The inverse of :meth:`to_json`."""
        by_type = {name: Predictor.from_json(one) for name, one in record["by_type"].items()}
        return cls(Predictor.from_json(record["default"]), by_type)


def head_from_json(record: dict[str, Any]) -> Head:
    """Any head, by its ``kind``.

    Raises:
        TableError: a kind that this version does not know.
    """
    if record.get("kind") not in _HEADS:
        raise TableError(f"a head of kind {', '.join(_HEADS)}", repr(record.get("kind")), "calibration")
    head: Head = _HEADS[record["kind"]].from_json(record)
    return head


def orient(features: Float64, signs: Sequence[int], medians: Sequence[float]) -> Float64:
    """Features with their signs multiplied in and gaps filled with the training median."""
    oriented = features * np.asarray(signs, dtype=np.float64)
    return np.where(np.isfinite(oriented), oriented, np.asarray(medians))


def fit_predictor(
    sample: Sample,
    specs: Sequence[ScoreColumn],
    pass_recipe: Recipe,
    rating_recipe: Recipe,
    bounds: tuple[float, float],
) -> Predictor:
    """Fit both heads on all items of the sample.

    Args:
        sample: rated items.
        specs: the features in the order of the sample's columns.
        pass_recipe: of the head for P(pass).
        rating_recipe: of the head for the mean rating.
        bounds: lowest and highest rating of the scale.
    """
    signs = tuple(
        spec.sign or learn_sign(column, sample.rating) for spec, column in zip(specs, sample.features.T, strict=True)
    )
    signed = sample.features * np.asarray(signs, dtype=np.float64)
    medians = tuple(float(np.nanmedian(column)) if np.isfinite(column).any() else 0.0 for column in signed.T)
    oriented = orient(sample.features, signs, medians)
    names = [spec.name for spec in specs]
    pass_columns, rating_columns = (
        tuple(names.index(name) for name in recipe.features or names) for recipe in (pass_recipe, rating_recipe)
    )
    return Predictor(
        signs,
        medians,
        pass_columns,
        rating_columns,
        _fit_head(oriented[:, pass_columns], sample.passed, pass_recipe.kind, (0.0, 1.0)),
        _fit_head(oriented[:, rating_columns], sample.rating, rating_recipe.kind, bounds),
    )


def learn_sign(values: Float64, rating: Float64) -> int:
    """Sign of the rank correlation with the mean rating over the items that have a value; +1 when there is none."""
    known = np.isfinite(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0 or np.ptp(rating[known]) == 0:
        return 1
    return -1 if spearmanr(values[known], rating[known]).statistic < 0 else 1


def _fit_head(oriented: Float64, target: Float64, kind: str, bounds: tuple[float, float]) -> Head:
    if kind == "isotonic" or np.ptp(target) == 0:
        return IsotonicHead.fit(oriented, target, *bounds)
    return OrdinalHead.fit(oriented, target)
