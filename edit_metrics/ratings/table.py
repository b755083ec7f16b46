"""Ratings, long: ``id, rater, dimension, rating[, time][, seconds][, not_applicable]``, on a declared scale.

``not_applicable`` is an answer without a rating: the dimension does not apply, or the rater could not rate the item.
How items came to be rated is told by the draws that travel with the ratings; a table of somebody else's may say it in a
column ``inclusion_prob`` (the probability with which the item was drawn; empty where it was not drawn at random).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from edit_metrics.errors import TableError, suggest
from edit_metrics.io.tables import as_names
from edit_metrics.ratings.draws import Draw
from edit_metrics.ratings.scale import Scale

REQUIRED: Final = ("id", "rater", "dimension", "rating")
OPTIONAL: Final = ("time", "seconds", "not_applicable", "selection", "inclusion_prob")
_SHOWN: Final = 5
_TRUE: Final = ("true", "1", "1.0", "yes")
_FALSE: Final = ("false", "0", "0.0", "no", "", "nan", "none", "<na>")


@dataclass(frozen=True, slots=True)
class Ratings:
    """Checked ratings: one row for each item, rater and dimension.

    Attributes:
        frame: columns ``id, rater, dimension`` (text), ``rating`` (float64, NaN where not applicable) and those of
            ``time`` (UTC), ``seconds`` (float64), ``not_applicable`` (bool), ``selection``, ``inclusion_prob``
            (float64 in (0, 1]) that were given.
        scale: what a rating may be.
        draws: the random draws that the items came from; empty where nothing is known of them.
    """

    frame: pd.DataFrame
    scale: Scale
    draws: tuple[Draw, ...] = ()

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Rated dimensions, in order of first appearance."""
        return tuple(dict.fromkeys(self.frame["dimension"].tolist()))

    def of(self, dimension: str) -> pd.DataFrame:
        """The rows of one dimension that hold a rating.

        Raises:
            TableError: nobody rated that dimension.
        """
        rows = self.frame[(self.frame["dimension"] == dimension) & self.frame["rating"].notna()]
        if rows.empty:
            raise TableError("a rated dimension", repr(dimension), "--target", suggest(dimension, self.dimensions))
        return rows

    def answered(self, dimension: str) -> frozenset[str]:
        """Ids that somebody rated in that dimension, or found it not to apply."""
        return frozenset(self.frame["id"][self.frame["dimension"] == dimension])

    def item_means(self, dimension: str) -> pd.DataFrame:
        """One row an item, indexed by ``id``: ``mean`` rating, ``n_raters``."""
        by_item = self.of(dimension).groupby("id", sort=False)["rating"]
        return pd.DataFrame({"mean": by_item.mean(), "n_raters": by_item.size()})

    def inclusion_probabilities(self) -> pd.Series[float] | None:
        """The file's own probability of every item, by id; None where it has none."""
        if "inclusion_prob" not in self.frame or self.frame["inclusion_prob"].isna().all():
            return None
        return self.frame.groupby("id", sort=False)["inclusion_prob"].first()

    def without(self, raters: Collection[str]) -> Ratings:
        """The ratings of all others.

        Raises:
            TableError: a name that nobody has, or nobody left.
        """
        known = self.frame["rater"].unique().tolist()
        for name in sorted(set(raters) - set(known)):
            raise TableError("a rater", repr(name), "--exclude-rater", suggest(name, known))
        kept = self.frame[~self.frame["rater"].isin(set(raters))]
        if kept.empty:
            raise TableError("ratings by somebody else", f"none but those of {', '.join(sorted(raters))}")
        return replace(self, frame=kept.reset_index(drop=True))

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
        frame[name] = as_names(frame[name])
    frame = _with_optional(frame, where)
    skipped = frame["not_applicable"] if "not_applicable" in frame else pd.Series(False, frame.index)
    _refuse_rows(frame, frame["rating"].isna() & ~skipped, "a rating in every row", where)
    _refuse_rows(frame, frame["rating"].notna() & skipped, "no rating where not_applicable is true", where)
    rated = frame["rating"].dropna().to_numpy()
    scale = scale or Scale.observed(rated)
    off = frame["rating"].notna() & ~scale.contains(frame["rating"].to_numpy())
    _refuse_rows(frame, off, f"ratings on the scale {scale}", where)
    repeated = frame.duplicated(["id", "rater", "dimension"], keep=False)
    _refuse_rows(frame, repeated, "one rating an item, rater and dimension", where)
    return Ratings(frame, scale)


def _with_optional(frame: pd.DataFrame, where: str) -> pd.DataFrame:
    if "time" in frame:
        times = pd.to_datetime(frame["time"], utc=True, errors="coerce", format="ISO8601")
        _refuse_rows(frame, times.isna() & frame["time"].notna(), "ISO 8601 times", where)
        frame["time"] = times
    if "seconds" in frame:
        frame["seconds"] = _numbers(frame, "seconds", where)
        _refuse_rows(frame, frame["seconds"] < 0, "seconds of 0 or more", where)
    if "not_applicable" in frame:
        words = frame["not_applicable"].astype("str").str.strip().str.lower()
        _refuse_rows(frame, ~words.isin([*_TRUE, *_FALSE]), "true or false in the column not_applicable", where)
        frame["not_applicable"] = words.isin(_TRUE)
    if "inclusion_prob" in frame:
        frame["inclusion_prob"] = _numbers(frame, "inclusion_prob", where)
        outside = frame["inclusion_prob"].notna() & ~frame["inclusion_prob"].between(0, 1, inclusive="right")
        _refuse_rows(frame, outside, "inclusion probabilities above 0 and up to 1", where)
        # 0 stands for "none": it was refused above.
        differs = frame["inclusion_prob"].fillna(0.0).groupby(frame["id"]).transform("nunique") > 1
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
