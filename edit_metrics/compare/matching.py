"""Two runs on the items that they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.differences import PairedColumn
from edit_metrics.compare.measures import Measure
from edit_metrics.compare.pairing import Units
from edit_metrics.errors import TableError
from edit_metrics.types import Float64

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """A run beside the reference. Which key stands where is looked up once, since at 10⁶ items that is the cost.

    Attributes:
        partner: for every key of the reference its number in the other run, −1 where that lacks it.
        at: K numbers of the reference's keys at which both are read.
        there: K numbers of the other run's keys, −1 where it lacks the key.
        aligned: the two have the same keys in the same order.
    """

    reference: Units
    other: Units
    partner: NDArray[np.intp]
    at: NDArray[np.intp]
    there: NDArray[np.intp]
    aligned: bool

    @property
    def keys(self) -> pd.Index:
        """K keys, in the reference's order."""
        return self.reference.keys[self.at]

    @property
    def codes(self) -> NDArray[np.intp]:
        """K group numbers, as the reference has them."""
        return self.reference.codes[self.at]

    def ours(self, values: Float64) -> Float64:
        """Values of the reference's keys at the K keys."""
        return values if len(self.at) == len(values) else values[self.at]

    def theirs(self, values: Float64, absent: float) -> Float64:
        """Values of the other run's keys at the K keys."""
        if self.aligned:
            return values
        return np.where(self.there >= 0, values[self.there], absent)

    def column(self, measure: Measure) -> PairedColumn:
        """One measure of both; what the other run lacks is missing there."""
        name = measure.column
        return PairedColumn(
            measure,
            self.ours(self.reference.values(name)),
            self.theirs(self.other.values(name), np.nan),
            self.codes,
            self.ours(self.reference.missing(name)),
            self.theirs(self.other.missing(name), 1.0),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """A source's content hash is its default group, so that another group means another source picture."""
        there = self.there
        ours, theirs = self.codes[there >= 0], self.other.codes[there[there >= 0]]
        # Each pair of labels that occurs is compared once.
        pairs, count = np.unique(ours * len(self.other.labels) + theirs, return_counts=True)
        first, second = np.divmod(pairs, len(self.other.labels))
        moved = int(count[self.reference.labels[first] != self.other.labels[second]].sum())
        if not moved:
            return ()
        name, first_name = self.other.run.name, self.reference.run.name
        return (f"{name}: {moved} items have another group than in {first_name}: other source pictures?",)


def match(reference: Units, other: Units, *, keep_absent: bool = False) -> Matched:
    """Pair two runs by key.

    Args:
        reference: decides order and groups.
        other: the run beside it.
        keep_absent: keep the reference's keys that the other lacks; they read as missing there.

    Raises:
        TableError: no key in common.
    """
    partner = _partners(reference.keys, other.keys)
    if not (partner >= 0).any():
        raise TableError(
            f"items that {reference.run.name} and {other.run.name} have in common",
            f"none: for example {reference.keys[0]!r} against {other.keys[0]!r}",
            f"{reference.run.path} and {other.run.path}",
            "Both must come from the same benchmark; --pair-by names the column that is equal for the same task.",
        )
    at = np.arange(len(partner), dtype=np.intp) if keep_absent else np.flatnonzero(partner >= 0)
    there = partner[at]
    aligned = len(there) == len(other.keys) and bool((there == np.arange(len(there))).all())
    return Matched(reference, other, partner, at, there, aligned)


def _partners(keys: pd.Index, others: pd.Index) -> NDArray[np.intp]:
    # Two checkpoints on one benchmark have the same items in the same order more often than not.
    if keys.equals(others):
        return np.arange(len(keys), dtype=np.intp)
    # As objects: pandas' own strings are several times slower to look up.
    return np.asarray(others.astype(object).get_indexer(keys.astype(object)), dtype=np.intp)
