"""Which run is better, with ties where the data does not separate them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.differences import group_mean
from edit_metrics.compare.measures import Measure
from edit_metrics.compare.pairing import Units
from edit_metrics.stats import holm, pairwise_t_tests
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class RankRow:
    """A run's place on one measure.

    Attributes:
        rank: 1 + the number of runs that are significantly better (all pairs tested, Holm within the measure); runs
            that the data does not separate may share a rank. None for a run without any value.
        rank_high: the number of ranked runs − the number that are significantly worse. With chance ≥ 1 − α the true
            ranks of all runs lie in their ``rank`` … ``rank_high`` at once, since no pair is then put the wrong way
            round (Al Mohamad, Goeman and van Zwet 2022, "Simultaneous confidence intervals for ranks").
        mean: over the items that every ranked run scored, so that ranks and means speak of the same items; None without
            any.
        worse_than: names of the runs that are significantly better.
    """

    measure: str
    run: str
    rank: int | None
    mean: float | None
    n_items: int
    worse_than: tuple[str, ...]
    rank_high: int | None = None


def rank_runs(units: Sequence[Units], measures: Sequence[Measure], alpha: float) -> tuple[RankRow, ...]:
    """Rank all runs on every dimension, overall score and declared column, best first."""
    ranked = [measure for measure in measures if measure.kind != "metric"]
    if len(units) < 2 or not ranked:
        return ()
    positions, groups = _common_keys(units)
    return tuple(row for measure in ranked for row in _rank(units, positions, groups, measure, alpha))


def _common_keys(units: Sequence[Units]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each of K keys stands in each run (K×runs, −1 where absent), and its group as the first run has it."""
    import pandas as pd

    number, _ = pd.factorize(np.concatenate([np.asarray(unit.keys, dtype=object) for unit in units]))
    group, _ = pd.factorize(np.concatenate([unit.groups for unit in units]))
    n_keys = int(number.max()) + 1
    positions = np.full((n_keys, len(units)), -1, dtype=np.intp)
    ends = np.cumsum([len(unit.keys) for unit in units])
    for column, (end, unit) in enumerate(zip(ends, units, strict=True)):
        positions[number[end - len(unit.keys) : end], column] = np.arange(len(unit.keys))
    first = np.unique(number, return_index=True)[1]
    # A key of one run alone separates no pair.
    shared = (positions >= 0).sum(axis=1) > 1
    return positions[shared], np.asarray(group[first][shared], dtype=np.intp)


def _rank(
    units: Sequence[Units], positions: NDArray[np.intp], groups: NDArray[np.intp], measure: Measure, alpha: float
) -> list[RankRow]:
    columns = [unit.values(measure.column) for unit in units]
    scored = [index for index, column in enumerate(columns) if np.isfinite(column).any()]
    unscored = [
        RankRow(measure.name, unit.run.name, None, None, 0, ()) for i, unit in enumerate(units) if i not in scored
    ]
    if not scored:
        return unscored
    values = np.column_stack([np.where(positions[:, i] >= 0, columns[i][positions[:, i]], np.nan) for i in scored])
    above = _significantly_better(values * measure.sign, groups, alpha)
    everywhere = np.isfinite(values).all(axis=1)
    names = [units[index].run.name for index in scored]
    rows = [
        RankRow(
            measure.name,
            name,
            1 + int(above[column].sum()),
            group_mean(values[everywhere, column], groups[everywhere]),
            int(everywhere.sum()),
            tuple(names[better] for better in np.flatnonzero(above[column])),
            len(scored) - int(above[:, column].sum()),
        )
        for column, name in enumerate(names)
    ]
    rows.sort(key=lambda row: (row.rank or 0, -measure.sign * (row.mean or 0.0)))
    return [*rows, *unscored]


def _significantly_better(values: Float64, groups: NDArray[np.intp], alpha: float) -> NDArray[np.bool_]:
    """C×C: is the run of the column significantly better than the run of the row?"""
    above = np.zeros((values.shape[1], values.shape[1]), dtype=bool)
    tests = pairwise_t_tests(values, groups)
    significant = holm(tests.p_values) <= alpha
    rising, falling = significant & (tests.means > 0), significant & (tests.means < 0)
    above[tests.first[rising], tests.second[rising]] = True
    above[tests.second[falling], tests.first[falling]] = True
    return above
