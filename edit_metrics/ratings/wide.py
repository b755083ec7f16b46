"""Wide tables of ratings: one row an item, or one row an item and rater, a column a rater or a dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from edit_metrics.errors import TableError, suggest
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import OPTIONAL, Ratings, ratings_from_long


@dataclass(frozen=True, slots=True)
class RatingColumn:
    """What one column of a wide table holds; ``rater`` None: the table's own column ``rater`` names them."""

    column: str
    rater: str | None
    dimension: str

    @classmethod
    def parse(cls, text: str) -> RatingColumn:
        """Read ``COLUMN=RATER:DIMENSION`` or ``COLUMN=DIMENSION``.

        Raises:
            TableError: the text has neither form.
        """
        column, _, meaning = text.partition("=")
        rater, colon, dimension = meaning.rpartition(":")
        if not column or not dimension or (colon and not rater):
            raise TableError("COLUMN=RATER:DIMENSION or COLUMN=DIMENSION", repr(text), "--map")
        return cls(column, rater or None, dimension)


def ratings_from_wide(
    table: pd.DataFrame, columns: Sequence[RatingColumn], scale: Scale | None, where: str, *, id_column: str = "id"
) -> Ratings:
    """Check a wide table of ratings: one row an item, or one row an item and rater.

    Args:
        table: must hold ``id_column`` and every mapped column; empty cells mean "not rated".
        columns: what each column holds.
        scale: see :func:`ratings_from_long`.
        where: the file, for error messages.
        id_column: which column names the item.

    Raises:
        TableError: a mapped column is absent; else see :func:`ratings_from_long`.
    """
    needed = [id_column, *(c.column for c in columns), *(["rater"] if any(c.rater is None for c in columns) else [])]
    for name in needed:
        if name not in table.columns:
            raise TableError("a column of the table", repr(name), where, suggest(name, map(str, table.columns)))
    shared = {name: table[name] for name in OPTIONAL if name in table.columns}
    parts = [
        pd.DataFrame(
            {
                "id": table[id_column],
                "rater": table["rater"] if column.rater is None else column.rater,
                "dimension": column.dimension,
                "rating": table[column.column],
                **shared,
            }
        )
        for column in columns
    ]
    long = pd.concat(parts, ignore_index=True)
    return ratings_from_long(long[long["rating"].notna()], scale, where)
