"""Which run is better, with ties where the data does not separate them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import combinations

import numpy as np

from edit_metrics.compare.differences import Difference, group_mean, paired_difference, settle
from edit_metrics.compare.matching import Matched, match
from edit_metrics.compare.measures import Measure
from edit_metrics.compare.pairing import Units


@dataclass(frozen=True, slots=True)
class RankRow:
    """A run's place on one measure.

    Attributes:
        rank: 1 + the number of runs that are significantly better (all pairs tested, Holm within the measure); runs
            that the data does not separate may share a rank. None for a run without any value.
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


def rank_runs(units: Sequence[Units], measures: Sequence[Measure], alpha: float) -> tuple[RankRow, ...]:
    """Rank all runs on every dimension, overall score and declared column, best first."""
    matches = [match(first, second) for first, second in combinations(units, 2)]
    ranked = [measure for measure in measures if measure.kind != "metric"]
    return tuple(row for measure in ranked for row in _rank(units, matches, measure, alpha))


def _rank(units: Sequence[Units], matches: Sequence[Matched], measure: Measure, alpha: float) -> list[RankRow]:
    scored = [unit for unit in units if unit.values[measure.column].notna().any()]
    unscored = [RankRow(measure.name, unit.run.name, None, None, 0, ()) for unit in units if unit not in scored]
    if not scored:
        return unscored
    pairs = [_test(m, measure, alpha) for m in matches if m.reference in scored and m.other in scored]
    better: dict[str, list[str]] = {unit.run.name: [] for unit in scored}
    for found in settle(pairs, {measure.name: measure.sign}, alpha, by_measure=True):
        if found.verdict == "better":
            better[found.reference].append(found.run)
        elif found.verdict == "worse":
            better[found.run].append(found.reference)
    means, n_items = _common_means(scored, measure)
    ranked = [(1 + len(above), name, mean) for (name, above), mean in zip(better.items(), means, strict=True)]
    ranked.sort(key=lambda row: (row[0], -measure.sign * (row[2] or 0.0)))
    rows = [RankRow(measure.name, name, rank, mean, n_items, tuple(better[name])) for rank, name, mean in ranked]
    return [*rows, *unscored]


def _test(matched: Matched, measure: Measure, alpha: float) -> Difference:
    names = matched.other.run.name, matched.reference.run.name
    return paired_difference(matched.column(measure), *names, alpha=alpha, confidence=1 - alpha)


def _common_means(units: Sequence[Units], measure: Measure) -> tuple[list[float | None], int]:
    keys = reduce(lambda common, unit: common[common.isin(unit.keys)], units[1:], units[0].keys)
    columns = [unit.column(measure.column, keys) for unit in units]
    everywhere = np.isfinite(columns).all(axis=0)
    codes = units[0].codes[units[0].keys.get_indexer(keys)][everywhere]
    return [group_mean(column[everywhere], codes) for column in columns], int(everywhere.sum())
