"""One column of two runs on the same items: means, a clustered test, wins, equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.measures import Kind, Measure
from edit_metrics.stats import (
    ClusterMean,
    cluster_mean_interval,
    cluster_t_test,
    equivalence_test,
    holm,
    two_sided_interval,
)
from edit_metrics.types import Float64

Verdict = Literal["better", "worse", "changed", "equivalent", "unclear", "too_few_groups"]


@dataclass(frozen=True, slots=True)
class PairedColumn:
    """One column of two runs at the same N keys, NaN where missing, with the shares of samples without a value."""

    measure: Measure
    reference: Float64
    other: Float64
    groups: NDArray[np.intp]
    reference_missing: Float64
    other_missing: Float64

    def take(self, chosen: NDArray[np.bool_]) -> PairedColumn:
        """The same on some of the items."""
        return PairedColumn(
            self.measure,
            self.reference[chosen],
            self.other[chosen],
            self.groups[chosen],
            self.reference_missing[chosen],
            self.other_missing[chosen],
        )


@dataclass(frozen=True, slots=True)
class Mean:
    """A run's mean of one measure over all its own items.

    Attributes:
        mean: over groups; None without values.
        low: clustered interval; None with fewer than two groups.
        missing: items without a value.
    """

    measure: str
    kind: Kind
    run: str
    mean: float | None
    low: float | None
    high: float | None
    n_items: int
    n_groups: int
    missing: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Run − reference on the items that both scored.

    Attributes:
        slice: ``COLUMN=VALUE``, empty for all items.
        low: clustered two-sided interval of ``difference``.
        p_holm: two-sided, Holm-adjusted within its family (dimensions, overall scores, metrics, slices).
        wins: items on which the run is better by more than the tie width; None for a diagnostic without a direction.
        equivalent: the difference is shown to lie within ±margin; None where no margin is known.
        newly_missing: items that lost their value, ``newly_present`` items that gained one.
        verdict: ``better`` and ``worse`` need ``p_holm <= alpha``; ``unclear`` is neither different nor equivalent.
    """

    measure: str
    kind: Kind
    run: str
    reference: str
    slice: str
    n_items: int
    n_groups: int
    newly_missing: float
    newly_present: float
    reference_mean: float | None = None
    mean: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_holm: float | None = None
    wins: int | None = None
    ties: int | None = None
    losses: int | None = None
    margin: float | None = None
    p_equivalence: float | None = None
    equivalent: bool | None = None
    verdict: Verdict = "too_few_groups"


def own_mean(measure: Measure, run: str, values: Float64, groups: NDArray[np.intp], confidence: float) -> Mean:
    """Mean of one run's own items with its interval."""
    there = np.isfinite(values)
    found = clustered_mean(values[there], groups[there], confidence)
    missing = int((~there).sum())
    mean = group_mean(values[there], groups[there])
    low, high = (found.interval.low, found.interval.high) if found else (None, None)
    return Mean(measure.name, measure.kind, run, mean, low, high, int(there.sum()), n_groups(groups[there]), missing)


def paired_difference(
    pair: PairedColumn, run: str, reference: str, *, slice_name: str = "", alpha: float, confidence: float
) -> Difference:
    """Everything about one measure but the correction and the verdict, which :func:`settle` adds."""
    measure = pair.measure
    both = np.isfinite(pair.reference) & np.isfinite(pair.other)
    before, after, groups = pair.reference[both], pair.other[both], pair.groups[both]
    change = pair.other_missing - pair.reference_missing
    found = Difference(
        measure.name,
        measure.kind,
        run,
        reference,
        slice_name,
        int(both.sum()),
        n_groups(groups),
        newly_missing=float(np.maximum(change, 0).sum()),
        newly_present=float(np.maximum(-change, 0).sum()),
        reference_mean=group_mean(before, groups),
        mean=group_mean(after, groups),
        margin=measure.margin,
    )
    found = _with_wins(found, measure, after - before)
    if found.n_groups < 2:
        return found
    test = cluster_t_test(after - before, groups)
    interval = two_sided_interval(test.mean, test.standard_error, found.n_groups, confidence)
    equivalence = None
    if measure.margin:
        equivalence = equivalence_test(test.mean, test.standard_error, found.n_groups, measure.margin, alpha)
    return replace(
        found,
        difference=test.mean,
        low=interval.low,
        high=interval.high,
        p_value=test.p_value,
        p_equivalence=equivalence.p_value if equivalence else None,
        equivalent=equivalence.equivalent if equivalence else None,
    )


def settle(
    differences: Sequence[Difference], signs: dict[str, int], alpha: float, *, by_measure: bool = False
) -> tuple[Difference, ...]:
    """Correct over each family (a kind, or with ``by_measure`` a measure) and say what follows."""

    def family(found: Difference) -> str:
        return found.measure if by_measure else found.kind

    settled: dict[int, Difference] = {}
    order = sorted(range(len(differences)), key=lambda index: family(differences[index]))
    for _, members in groupby(order, key=lambda index: family(differences[index])):
        tested = [index for index in members if differences[index].p_value is not None]
        adjusted = holm([p for index in tested if (p := differences[index].p_value) is not None])
        for index, p_holm in zip(tested, adjusted, strict=True):
            found = replace(differences[index], p_holm=float(p_holm))
            settled[index] = replace(found, verdict=_verdict(found, signs[found.measure], alpha))
    return tuple(settled.get(index, found) for index, found in enumerate(differences))


def group_mean(values: Float64, groups: NDArray[np.intp]) -> float | None:
    """Mean of the groups' means; None without values."""
    if not len(values):
        return None
    counts = np.bincount(groups)
    totals = np.bincount(groups, weights=values)
    return float((totals[counts > 0] / counts[counts > 0]).mean())


def n_groups(groups: NDArray[np.intp]) -> int:
    """How many different ones there are."""
    return int((np.bincount(groups) > 0).sum())


def clustered_mean(values: Float64, groups: NDArray[np.intp], confidence: float) -> ClusterMean | None:
    """Mean with its interval; None with fewer than two groups."""
    if not len(groups) or (groups == groups[0]).all():
        return None
    return cluster_mean_interval(values, groups, confidence)


def _with_wins(found: Difference, measure: Measure, difference: Float64) -> Difference:
    if not measure.sign:
        return found
    gain = difference * measure.sign
    # The tie width is meant in decimals: .80 − .79 is a tie at .01 although it is larger in binary.
    wins, losses = int((gain > measure.tie + 1e-12).sum()), int((gain < -measure.tie - 1e-12).sum())
    return replace(found, wins=wins, ties=len(gain) - wins - losses, losses=losses)


def _verdict(found: Difference, sign: int, alpha: float) -> Verdict:
    if found.p_holm is None or found.difference is None:
        return "too_few_groups"
    if found.p_holm <= alpha:
        if not sign:
            return "changed"
        return "better" if found.difference * sign > 0 else "worse"
    return "equivalent" if found.equivalent else "unclear"
