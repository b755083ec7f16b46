"""Items of two runs brought together: the same key, samples of one item averaged, nothing dropped silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import TableError, suggest
from edit_metrics.scores.table import ScoreTable
from edit_metrics.types import Float64

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """A run by pairing key; several samples of one key are averaged.

    Attributes:
        keys: K distinct keys, in the order of the table.
        codes: K group numbers, by first appearance.
        labels: G group labels.
        rows: K positions in the run's table, of each key's first sample.
        samples: the key's number of each row of the table; None where every row is a key of its own.
    """

    run: ScoreTable
    keys: pd.Index
    codes: NDArray[np.intp]
    labels: NDArray[np.object_]
    rows: NDArray[np.intp]
    samples: NDArray[np.intp] | None
    warnings: tuple[str, ...] = ()

    @property
    def groups(self) -> NDArray[np.object_]:
        """K group labels."""
        return self.labels[self.codes]

    def values(self, name: str) -> Float64:
        """K means over the samples that have a value; NaN where none has.

        Raises:
            TableError: the column holds something else than numbers.
        """
        own = numbers(self.run, name)
        if self.samples is None:
            return own
        there = np.isfinite(own)
        count = np.bincount(self.samples[there], minlength=len(self.keys))
        total = np.bincount(self.samples[there], weights=own[there], minlength=len(self.keys))
        means: Float64 = np.divide(total, count, out=np.full(len(self.keys), np.nan), where=count > 0)
        return means

    def missing(self, name: str) -> Float64:
        """K shares of samples without a value."""
        return self.share(~np.isfinite(numbers(self.run, name)))

    def share(self, of_rows: NDArray[np.bool_]) -> Float64:
        """K shares of samples of which something is true, given for each row of the table."""
        own: Float64 = of_rows.astype(np.float64)
        if self.samples is None:
            return own
        totals: Float64 = np.bincount(self.samples, weights=own, minlength=len(self.keys)).astype(np.float64)
        return totals / np.bincount(self.samples, minlength=len(self.keys))

    def text(self, name: str, at: NDArray[np.intp]) -> list[str]:
        """A text column at some keys, by their numbers; empty where there is none, and at −1."""
        if name not in self.run.frame.columns or not len(at):
            return [""] * len(at)
        present = at >= 0
        cells = self.run.frame[name].iloc[self.rows[at[present]]]
        found = np.full(len(at), "", dtype=object)
        found[present] = np.asarray(cells.astype("str").where(cells.notna(), ""), dtype=object)
        return list(found)

    def labelled(self, name: str, at: NDArray[np.intp]) -> tuple[NDArray[np.intp], list[str]]:
        """A text column at some keys as numbers, with the texts that they stand for; missing is an empty text."""
        import pandas as pd

        column = self.run.frame[name].iloc[self.rows[at]]
        codes, texts = pd.factorize(column.astype("str").where(column.notna(), ""))
        return np.asarray(codes, dtype=np.intp), [str(one) for one in texts]


def to_units(run: ScoreTable, pair_by: Sequence[str]) -> Units:
    """Bring a run to one row a key.

    Args:
        run: the run.
        pair_by: columns whose values make the key; with ``("id",)`` a repeated key is an error.

    Raises:
        TableError: a pairing column is absent or has empty cells, or an id is there twice.
    """
    import pandas as pd

    keys = _keys(run, pair_by)
    repeated = np.asarray(keys.duplicated())
    samples: NDArray[np.intp] | None = None
    if repeated.any():
        if tuple(pair_by) == ("id",):
            raise TableError("unique ids", f"{keys[repeated].iloc[0]!r} twice", str(run.path))
        samples = np.asarray(pd.factorize(keys)[0], dtype=np.intp)
    rows = np.flatnonzero(~repeated)
    own = pd.Index(keys.iloc[rows] if samples is not None else keys, name="key")
    codes, labels, warnings = _groups(run, rows, own)
    return Units(run, own, codes, labels, rows, samples, warnings)


def numbers(run: ScoreTable, name: str) -> Float64:
    """A column of the table as numbers; NaN where missing, and everywhere where the run lacks it.

    Raises:
        TableError: the column holds something else than numbers.
    """
    if name not in run.frame.columns:
        return np.full(len(run.frame), np.nan)
    values = raw_numbers(run, name)
    # An infinity (a PSNR of identical pictures written by another program) has no mean.
    return np.where(np.isfinite(values), values, np.nan)


def raw_numbers(run: ScoreTable, name: str) -> Float64:
    """A column that the table has, infinities as they are.

    Raises:
        TableError: the column holds something else than numbers.
    """
    try:
        return np.asarray(run.frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise TableError(f"numbers in {name!r}", str(error), str(run.path)) from None


def split_by(run: ScoreTable, column: str) -> tuple[ScoreTable, ...]:
    """One run for each value of a column, in order of first appearance.

    Raises:
        TableError: no such column, an empty cell, or fewer than two values.
    """
    need_column(run, column)
    if run.frame[column].isna().any():
        raise TableError(f"a value of {column!r} for every item", "empty cells", str(run.path))
    parts = run.frame.groupby(column, sort=False, observed=True)
    if len(parts) < 2:
        raise TableError(f"at least two values of {column!r}", repr(list(parts.groups)), str(run.path))
    return tuple(replace(run, name=str(name), frame=frame.reset_index(drop=True)) for name, frame in parts)


def default_pair_by(run: ScoreTable) -> tuple[str, ...]:
    """Source and instruction: what makes two edits by different models answers to the same task."""
    if {"group", "instruction"} <= set(run.frame.columns):
        return ("group", "instruction")
    raise TableError(
        "the columns 'group' and 'instruction', which make the same task for two models",
        f"columns {list(run.frame.columns)[:20]}",
        str(run.path),
        "Name the column that is equal for the same task: --pair-by COLUMN.",
    )


def _keys(run: ScoreTable, pair_by: Sequence[str]) -> pd.Series[Any]:
    for column in pair_by:
        need_column(run, column)
        if run.frame[column].isna().any():
            raise TableError(f"a value of {column!r} for every item", "empty cells", str(run.path))
    keys = run.frame[pair_by[0]].astype("str")
    for column in pair_by[1:]:
        keys = keys + " · " + run.frame[column].astype("str")
    return keys


def _groups(
    run: ScoreTable, rows: NDArray[np.intp], keys: pd.Index
) -> tuple[NDArray[np.intp], NDArray[np.object_], tuple[str, ...]]:
    import pandas as pd

    if "group" not in run.frame.columns:
        text = f"{run.name}: no 'group' column, so every item counts as independent; intervals may be too short"
        return np.arange(len(keys), dtype=np.intp), np.asarray(keys, dtype=object), (text,)
    column = run.frame["group"].iloc[rows]
    # As text: one table may have been read from a format that keeps whole numbers, the other not.
    texts, empty = column.astype("str"), column.isna()
    warnings: tuple[str, ...] = ()
    if empty.any():
        texts = texts.where(~empty, pd.Series(keys, index=texts.index))
        warnings = (f"{run.name}: {int(empty.sum())} items without a group count as their own",)
    codes, labels = pd.factorize(texts)
    return np.asarray(codes, dtype=np.intp), np.asarray(labels, dtype=object), warnings


def need_column(run: ScoreTable, column: str, purpose: str = "") -> None:
    """Refuse a table without a column that the user named, with the nearest; ``purpose`` says what it is for."""
    if column not in run.frame.columns:
        todo = suggest(column, [str(name) for name in run.frame.columns])
        raise TableError(f"a column {column!r}{purpose}", "none of that name", str(run.path), todo)
