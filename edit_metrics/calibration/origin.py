"""Where a calibration's ratings come from: the table, the draw, and the mix of models that a promise is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from edit_metrics.ratings.design import Design, Origin
from edit_metrics.ratings.draws import id_hashes, table_fingerprint
from edit_metrics.ratings.gates import stopped_items


@dataclass(frozen=True, slots=True)
class RatingOrigin:
    """What a calibration is bound to.

    Attributes:
        origin: what says that the ratings are random.
        table: fingerprint of the ids of the table.
        n_items: of the table.
        draws: the draws that count, in words.
        models: model → items of the population that the ratings were drawn from and that pass every gate; estimated
            from the ratings where the table is not that population.
        notes: draws that do not count, and why.
    """

    origin: Origin
    table: str
    n_items: int
    draws: tuple[str, ...]
    models: Mapping[str, float]
    notes: tuple[str, ...]

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> RatingOrigin:
        """The inverse of :meth:`to_json`."""
        models = {str(name): float(n) for name, n in record["models"].items()}
        origin, n_items = Origin(record["origin"]), int(record["n_items"])
        return cls(origin, str(record["table"]), n_items, tuple(record["draws"]), models, tuple(record["notes"]))

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        return {
            "origin": self.origin.value,
            "table": self.table,
            "n_items": self.n_items,
            "draws": list(self.draws),
            "models": dict(self.models),
            "notes": list(self.notes),
        }


def rating_origin(frame: pd.DataFrame, models: Any, design: Design) -> RatingOrigin:
    """Describe a design over a table.

    Args:
        frame: the score table.
        models: one label an item.
        design: of the same items, in the same order.
    """
    ids = frame["id"].tolist()
    hashes = np.unique(id_hashes(ids))
    drawn_from_this_table = all(np.array_equal(draw.population, hashes) for draw in design.draws)
    decidable = np.array([one is None for one in stopped_items(frame)], dtype=np.bool_)
    if drawn_from_this_table:
        counts = pd.Series(models[decidable]).value_counts()
    else:
        kept = decidable & design.drawn
        counts = pd.Series(1.0 / design.probability[kept]).groupby(models[kept]).sum()
    mix = {str(name): float(n) for name, n in sorted(counts.items())}
    draws = tuple(str(draw) for draw in design.draws)
    return RatingOrigin(design.origin, table_fingerprint(ids), len(ids), draws, mix, design.notes)
