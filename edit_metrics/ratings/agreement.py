"""How far raters agree: alpha, each rater against the rest, bias, drift, gold items, the widest disagreements."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from edit_metrics.errors import NotEnoughDataError, TableError
from edit_metrics.ratings.alpha import alpha_with_interval
from edit_metrics.ratings.raters import RaterReport, rater_reports, spearman
from edit_metrics.ratings.table import Ratings
from edit_metrics.stats import BootstrapEstimate

MOST_PAIRED: Final = 30
"""Raters whose pairs are compared, those with most ratings first: 435 pairs are already more than anybody reads."""


@dataclass(frozen=True, slots=True)
class PairReport:
    """Two raters in one dimension."""

    rater_a: str
    rater_b: str
    n_items: int
    spearman: float | None
    mean_abs_difference: float


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two ratings of one item, far apart."""

    id: str
    rater_low: str
    low: float
    rater_high: str
    high: float


@dataclass(frozen=True, slots=True)
class DimensionAgreement:
    """Agreement of all raters in one dimension.

    Attributes:
        alpha: Krippendorff's alpha; None when hardly any item was rated twice, with the reason in ``alpha_missing``.
        pairs: rater pairs, the one that differs most first; of the ``MOST_PAIRED`` raters with most ratings.
        widest: item-level disagreements, widest first.
    """

    dimension: str
    level: str
    n_items: int
    n_ratings: int
    alpha: BootstrapEstimate | None
    alpha_missing: str
    raters: tuple[RaterReport, ...]
    pairs: tuple[PairReport, ...]
    widest: tuple[Disagreement, ...]


def measure_agreement(
    ratings: Ratings,
    *,
    groups: Mapping[str, str] | None = None,
    gold: pd.DataFrame | None = None,
    n_widest: int = 10,
    n_resamples: int = 1000,
    seed: int = 0,
) -> list[DimensionAgreement]:
    """Agreement per rated dimension.

    Args:
        ratings: all ratings.
        groups: item id → group, for intervals that respect edits of one source; None: every item is its own group.
        gold: columns ``id, dimension, rating``: items whose right rating is known.
        n_widest: how many item-level disagreements to keep.
        n_resamples: bootstrap resamples of alpha.
        seed: of the bootstrap.

    Raises:
        TableError: an item without a group, or a gold table without its columns.
    """
    if gold is not None and not {"id", "dimension", "rating"} <= set(gold.columns):
        raise TableError("the columns id, dimension, rating", ", ".join(map(str, gold.columns)), "--gold")
    return [
        _dimension(ratings, dimension, groups, gold, n_widest, n_resamples, seed) for dimension in ratings.dimensions
    ]


def _dimension(
    ratings: Ratings,
    dimension: str,
    groups: Mapping[str, str] | None,
    gold: pd.DataFrame | None,
    n_widest: int,
    n_resamples: int,
    seed: int,
) -> DimensionAgreement:
    matrix = ratings.matrix(dimension)
    labels = _labels(matrix, groups)
    alpha, missing = None, ""
    try:
        alpha = alpha_with_interval(matrix, labels, ratings.scale, n_resamples=n_resamples, seed=seed)
    except NotEnoughDataError as error:
        missing = str(error)
    rows = ratings.of(dimension)
    known = None if gold is None else gold[gold["dimension"] == dimension].set_index("id")["rating"]
    raters = rater_reports(matrix, rows, labels, known)
    return DimensionAgreement(
        dimension,
        ratings.scale.level,
        len(matrix),
        len(rows),
        alpha,
        missing,
        raters,
        _pairs(matrix),
        _widest(matrix, n_widest),
    )


def _labels(matrix: pd.DataFrame, groups: Mapping[str, str] | None) -> list[str]:
    if groups is None:
        return [str(name) for name in matrix.index]
    absent = [str(name) for name in matrix.index if name not in groups]
    if absent:
        raise TableError("a group for every rated item", f"none for {len(absent)}, first {absent[0]!r}", "--scores")
    return [groups[str(name)] for name in matrix.index]


def _pairs(matrix: pd.DataFrame) -> tuple[PairReport, ...]:
    busiest = matrix.notna().sum().sort_values(ascending=False, kind="stable").index[:MOST_PAIRED]
    kept = [name for name in matrix.columns if name in set(busiest)]
    values = {name: matrix[name].to_numpy(dtype=np.float64) for name in kept}
    reports = []
    for a, b in itertools.combinations(kept, 2):
        both = np.column_stack([values[a], values[b]])
        both = both[np.isfinite(both).all(axis=1)]
        if len(both):
            gap = float(np.abs(both[:, 0] - both[:, 1]).mean())
            reports.append(PairReport(str(a), str(b), len(both), spearman(both[:, 0], both[:, 1]), gap))
    return tuple(sorted(reports, key=lambda pair: -pair.mean_abs_difference))


def _widest(matrix: pd.DataFrame, n: int) -> tuple[Disagreement, ...]:
    values = matrix.to_numpy(dtype=np.float64)
    names, raters = [str(name) for name in matrix.index], [str(name) for name in matrix.columns]
    gap = np.nanmax(values, axis=1) - np.nanmin(values, axis=1)
    rows = [row for row in np.argsort(-gap, kind="stable")[:n] if gap[row] > 0]
    found = []
    for row in rows:
        low, high = int(np.nanargmin(values[row])), int(np.nanargmax(values[row]))
        found.append(
            Disagreement(names[row], raters[low], float(values[row, low]), raters[high], float(values[row, high]))
        )
    return tuple(found)
