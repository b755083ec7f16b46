"""One line of `validity.py`'s tables, and the claims that its last table supports: light enough for a test to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from ordering import Estimate

from edit_metrics.claims import validated
from edit_metrics.config import Claim
from edit_metrics.dimensions.prescores import FACT_KIND


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; ``values`` are estimates by name."""

    table: str
    set: str
    slice: str
    against: str
    score: str
    values: Mapping[str, Estimate] = field(default_factory=dict)
    note: str = ""

    @property
    def key(self) -> str:
        """What pairs a row with the same row of another run."""
        return "|".join((self.table, self.set, self.slice, self.against, self.score))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def row_from_json(data: Mapping[str, Any]) -> Row:
    """The other way of :meth:`Row.to_json`."""
    values = {name: Estimate(**value) for name, value in data["values"].items()}
    return Row(**{**data, "values": values})


def supported_claims(rows: Sequence[Row]) -> dict[str, dict[str, Claim]]:
    """Dimension → kind → what the table supports: of the sets with enough items the lowest, else the largest set."""
    found: dict[str, dict[str, list[tuple[Row, Estimate]]]] = {}
    for row in rows:
        if row.table == "claims" and row.slice not in ("", FACT_KIND):
            found.setdefault(row.score, {}).setdefault(row.slice, []).append((row, row.values["concordance"]))
    return {name: {kind: _lowest(ones) for kind, ones in kinds.items()} for name, kinds in found.items()}


def _lowest(found: Sequence[tuple[Row, Estimate]]) -> Claim:
    enough = [(row, one) for row, one in found if validated(one.n, one.groups)]
    if enough:
        row, one = min(enough, key=lambda pair: pair[1].lower_tenth or 0.0)
    else:
        row, one = max(found, key=lambda pair: pair[1].n)
    # Rounded down, so that what is shipped is never more than what was found.
    low = float(np.floor(100 * (one.lower_tenth or 0.0)) / 100)
    return Claim(low=low, items=one.n, groups=one.groups, rated=f"{row.set} {row.against}")
