"""Ratings in the long format ``id, rater, dimension, rating[, time]``, on a declared scale.

Two optional columns say how an item came to be rated: ``selection`` (why it was in the queue) and ``inclusion_prob``
(the probability with which it was drawn at random; empty where it was not). Estimates and risk control use the rows
with an ``inclusion_prob`` only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from edit_metrics.errors import TableError, suggest
from edit_metrics.ratings.scale import Scale

REQUIRED: Final = ("id", "rater", "dimension", "rating")
OPTIONAL: Final = ("time", "selection", "inclusion_prob")
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Ratings:
    """Checked ratings: one row for each item, rater and dimension.

    Attributes:
        frame: columns ``id, rater, dimension`` (text), ``rating`` (float64) and those of ``time`` (UTC),
            ``selection``, ``inclusion_prob`` (float64 in (0, 1]) that were given.
        scale: what a rating may be.
    """

    frame: pd.DataFrame
    scale: Scale

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Rated dimensions, in order of first appearance."""
        return tuple(dict.fromkeys(self.frame["dimension"].tolist()))

    def of(self, dimension: str) -> pd.DataFrame:
        """The rows of one dimension.

        Raises:
            TableError: nobody rated that dimension.
        """
        rows = self.frame[self.frame["dimension"] == dimension]
        if rows.empty:
            raise TableError("a rated dimension", repr(dimension), "--target", suggest(dimension, self.dimensions))
        return rows

    def item_means(self, dimension: str) -> pd.DataFrame:
        """One row an item, indexed by ``id``: ``mean`` rating, ``n_raters``, ``inclusion_prob`` (NaN: not random)."""
        rows = self.of(dimension)
        by_item = rows.groupby("id", sort=False)
        means = pd.DataFrame({"mean": by_item["rating"].mean(), "n_raters": by_item["rating"].size()})
        known = "inclusion_prob" in rows.columns
        means["inclusion_prob"] = by_item["inclusion_prob"].first() if known else np.nan
        return means

    def matrix(self, dimension: str) -> pd.DataFrame:
        """Items × raters, NaN where a rater did not rate the item."""
        return self.of(dimension).pivot_table(index="id", columns="rater", values="rating", sort=False)

    def check_ids(self, known: Sequence[str], where: str) -> None:
        """Refuse ratings of items that are not in the score table.

        Raises:
            TableError: names the unknown ids.
        """
        unknown = sorted(set(self.frame["id"]) - set(known))
        if unknown:
            raise TableError(
                "ratings of items that are in the score table",
                f"{len(unknown)} unknown ids: {_listed(unknown)}",
                where,
                "Give the score table that holds these items, or remove their ratings.",
            )


def ratings_from_long(table: pd.DataFrame, scale: Scale | None, where: str) -> Ratings:
    """Check a long table of ratings.

    Args:
        table: at least the columns ``id, rater, dimension, rating``; columns that are not named above are dropped.
        scale: None takes the distinct values of the table as the scale, marked as not declared.
        where: the file, for error messages.

    Raises:
        TableError: a column is absent, a cell is empty or not a number, a rating is off the scale, or an item was
            rated twice by one rater in one dimension; each names the rows.
    """
    absent = [name for name in REQUIRED if name not in table.columns]
    if absent:
        raise TableError(
            f"the columns {', '.join(REQUIRED)}",
            f"no {', '.join(absent)} among {', '.join(map(str, table.columns))}",
            where,
            "A table with one column a rater or a dimension is imported with --map COLUMN=RATER:DIMENSION.",
        )
    frame = table[[*REQUIRED, *(name for name in OPTIONAL if name in table.columns)]].reset_index(drop=True)
    frame = frame.assign(rating=_numbers(frame, "rating", where))
    for name in ("id", "rater", "dimension"):
        _refuse_rows(frame, frame[name].isna(), f"a {name} in every row", where)
        frame[name] = frame[name].astype(str)
    _refuse_rows(frame, frame["rating"].isna(), "a rating in every row", where)
    frame = _with_optional(frame, where)
    scale = scale or Scale.observed(frame["rating"].to_numpy())
    _refuse_rows(frame, ~scale.contains(frame["rating"].to_numpy()), f"ratings on the scale {scale}", where)
    repeated = frame.duplicated(["id", "rater", "dimension"], keep=False)
    _refuse_rows(frame, repeated, "one rating an item, rater and dimension", where)
    return Ratings(frame, scale)


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


def _with_optional(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    if "time" in frame:
        times = pd.to_datetime(frame["time"], utc=True, errors="coerce", format="ISO8601")
        _refuse_rows(frame, times.isna() & frame["time"].notna(), "ISO 8601 times", where)
        frame["time"] = times
    if "inclusion_prob" in frame:
        frame["inclusion_prob"] = _numbers(frame, "inclusion_prob", where)
        outside = frame["inclusion_prob"].notna() & ~frame["inclusion_prob"].between(0, 1, inclusive="right")
        _refuse_rows(frame, outside, "inclusion probabilities above 0 and up to 1", where)
        differs = frame.groupby("id")["inclusion_prob"].transform(lambda p: p.nunique(dropna=False)) > 1
        _refuse_rows(frame, differs, "one inclusion probability an item", where)
    return frame


def _numbers(frame: pd.DataFrame, name: str, where: str) -> pd.Series[float]:
    values = pd.to_numeric(frame[name], errors="coerce")
    _refuse_rows(frame, values.isna() & frame[name].notna(), f"numbers in the column {name}", where)
    return values.astype(np.float64)


def _refuse_rows(frame: pd.DataFrame, bad: pd.Series[bool] | np.ndarray, expected: str, where: str) -> None:
    rows = frame[np.asarray(bad)]
    if rows.empty:
        return
    named = [
        f"row {int(str(index)) + 1} ({row.id!s}, {row.rater!s}, {row.dimension!s}, {row.rating!s})"
        for index, row in zip(rows.index, rows.itertuples(), strict=True)
    ]
    raise TableError(expected, f"{len(rows)} others: {_listed(named)}", where)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
