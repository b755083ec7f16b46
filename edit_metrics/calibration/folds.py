"""Folds by group: items of one group are never on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.stats import group_codes
from edit_metrics.types import Float64

N_FOLDS: Final = 5

Rows = NDArray[np.intp]


def group_folds(groups: Sequence[str], seed: int, n_folds: int = N_FOLDS) -> Rows:
    """Fold number 0 … n_folds − 1 of every item; groups are dealt out in shuffled order."""
    codes = group_codes(groups)
    n_groups = int(codes.max()) + 1
    dealt = np.random.default_rng(seed).permutation(n_groups) % min(n_folds, n_groups)
    return np.asarray(dealt[codes])


def splits(labels: NDArray[Any]) -> Iterator[tuple[Rows, Rows]]:
    """(training rows, left-out rows) for each distinct label: folds, or models to leave out."""
    for label in np.unique(labels):
        yield np.flatnonzero(labels != label), np.flatnonzero(labels == label)


def cross_predict(labels: NDArray[Any], fit_predict: Callable[[Rows, Rows], Float64], width: int) -> Float64:
    """Predict every row by a fit that has not seen its label.

    Args:
        labels: N folds or models.
        fit_predict: training rows, left-out rows → predictions of the left-out rows, n × width.
        width: number of columns.
    """
    out = np.full((len(labels), width), np.nan)
    for train, left_out in splits(labels):
        out[left_out] = fit_predict(train, left_out)
    return out
