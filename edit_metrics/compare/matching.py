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

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Matched:
    """A run beside the reference.

    Attributes:
        keys: K keys at which they are read, in the reference's order.
        groups: K group labels, as the reference has them.
        codes: the same as integers.
    """

    reference: Units
    other: Units
    keys: pd.Index
    groups: NDArray[np.object_]
    codes: NDArray[np.intp]

    def column(self, measure: Measure) -> PairedColumn:
        """One measure of both."""
        name = measure.column
        return PairedColumn(
            measure,
            self.reference.column(name, self.keys),
            self.other.column(name, self.keys),
            self.codes,
            self.reference.missing_share(name, self.keys),
            self.other.missing_share(name, self.keys),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """A source's content hash is its default group, so that another group means another source picture."""
        there = self.keys.isin(self.other.keys)
        theirs = self.other.groups[self.other.keys.get_indexer(self.keys[there])]
        moved = int((self.groups[there] != theirs).sum())
        if not moved:
            return ()
        name, first = self.other.run.name, self.reference.run.name
        return (f"{name}: {moved} items have another group than in {first}: other source pictures?",)


def match(reference: Units, other: Units, *, keep_absent: bool = False) -> Matched:
    """Pair two runs by key.

    Args:
        reference: decides order and groups.
        other: the run beside it.
        keep_absent: keep the reference's keys that the other lacks; they read as missing there.

    Raises:
        TableError: no key in common.
    """
    shared = reference.keys.isin(other.keys)
    if not shared.any():
        raise TableError(
            f"items that {reference.run.name} and {other.run.name} have in common",
            f"none: for example {reference.keys[0]!r} against {other.keys[0]!r}",
            f"{reference.run.path} and {other.run.path}",
            "Both must come from the same benchmark; --pair-by names the column that is equal for the same task.",
        )
    kept = np.ones(len(shared), dtype=bool) if keep_absent else shared
    groups = reference.groups[kept]
    return Matched(reference, other, reference.keys[kept], groups, reference.codes[kept])
