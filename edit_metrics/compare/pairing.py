"""Items of two runs brought together: the same key, samples of one item averaged, nothing dropped silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import TableError, suggest
from edit_metrics.scores.table import ScoreTable
from edit_metrics.stats import group_codes
from edit_metrics.types import Float64

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """A run by pairing key; several samples of one key are averaged.

    Attributes:
        keys: K distinct keys, in the order of the table.
        groups: K group labels.
        codes: the same as integers.
        values: K rows, the compared columns, NaN where no sample has a value.
        missing: K rows, share of samples without a value.
        first: K rows, the first sample's row of the table.
        sample_keys: the key of each row of the run's table.
    """

    run: ScoreTable
    keys: pd.Index
    groups: NDArray[np.object_]
    codes: NDArray[np.intp]
    values: pd.DataFrame
    missing: pd.DataFrame
    first: pd.DataFrame
    sample_keys: pd.Series[str]
    warnings: tuple[str, ...] = ()

    def column(self, name: str, keys: pd.Index) -> Float64:
        """Values at ``keys``, NaN where there is none or the key is absent."""
        return np.asarray(self.values[name].reindex(keys), dtype=np.float64)

    def missing_share(self, name: str, keys: pd.Index) -> Float64:
        """Share of samples without a value at ``keys``; 1 where the key is absent."""
        return np.asarray(self.missing[name].reindex(keys).fillna(1.0), dtype=np.float64)

    def text(self, name: str, keys: pd.Index) -> list[str]:
        """A text column at ``keys``, empty where there is none."""
        if name not in self.first.columns:
            return [""] * len(keys)
        cells = self.first[name].reindex(keys)
        return [str(cell) if there else "" for cell, there in zip(cells, cells.notna(), strict=True)]


def to_units(run: ScoreTable, columns: Sequence[str], pair_by: Sequence[str]) -> Units:
    """Bring a run to one row a key.

    Args:
        run: the run.
        columns: numeric columns to average; one that the run lacks is missing everywhere.
        pair_by: columns whose values make the key; with ``("id",)`` a repeated key is an error.

    Raises:
        TableError: a pairing column is absent or has empty cells, or an id is there twice.
    """
    import pandas as pd

    frame = run.frame
    keys = _keys(run, pair_by)
    numbers = pd.DataFrame({name: _numbers(run, name) for name in columns}, index=frame.index)
    by_key = numbers.groupby(keys, sort=False)
    missing = numbers.isna().astype(np.float64).groupby(keys, sort=False).mean()
    first = frame[~keys.duplicated().to_numpy()].set_axis(pd.Index(keys[~keys.duplicated()]), axis=0)
    values = by_key.mean()
    groups, warnings = _groups(run, first)
    return Units(run, values.index, groups, group_codes(groups), values, missing, first, keys, warnings)


def split_by(run: ScoreTable, column: str) -> tuple[ScoreTable, ...]:
    """One run for each value of a column, in order of first appearance.

    Raises:
        TableError: no such column, an empty cell, or fewer than two values.
    """
    _need(run, column)
    if run.frame[column].isna().any():
        raise TableError(f"a value of {column!r} for every item", "empty cells", str(run.path))
    names = list(run.frame[column].drop_duplicates())
    if len(names) < 2:
        raise TableError(f"at least two values of {column!r}", repr(names), str(run.path))
    return tuple(
        replace(run, name=str(name), frame=run.frame[run.frame[column] == name].reset_index(drop=True))
        for name in names
    )


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


def _keys(run: ScoreTable, pair_by: Sequence[str]) -> pd.Series[str]:
    for column in pair_by:
        _need(run, column)
        if run.frame[column].isna().any():
            raise TableError(f"a value of {column!r} for every item", "empty cells", str(run.path))
    keys = run.frame[pair_by[0]].astype(str)
    for column in pair_by[1:]:
        keys = keys + " · " + run.frame[column].astype(str)
    if tuple(pair_by) == ("id",) and keys.duplicated().any():
        raise TableError("unique ids", f"{keys[keys.duplicated()].iloc[0]!r} twice", str(run.path))
    # As objects: pandas' own strings are several times slower to look up.
    return keys.astype(object).rename("key")


def _numbers(run: ScoreTable, name: str) -> Float64:
    if name not in run.frame.columns:
        return np.full(len(run.frame), np.nan)
    try:
        values = np.asarray(run.frame[name].to_numpy(dtype=np.float64, na_value=np.nan))
    except (TypeError, ValueError) as error:
        raise TableError(f"numbers in {name!r}", str(error), str(run.path)) from None
    # An infinity (a PSNR of identical pictures written by another program) has no mean.
    return np.where(np.isfinite(values), values, np.nan)


def _groups(run: ScoreTable, first: pd.DataFrame) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    own = np.asarray(first.index, dtype=object)
    if "group" not in first.columns:
        return own, (f"{run.name}: no 'group' column, so every item counts as independent; intervals may be too short",)
    # As text: one table may have been read from a format that keeps whole numbers, the other not.
    groups = np.asarray(first["group"].astype(str), dtype=object)
    empty = np.asarray(first["group"].isna())
    if not empty.any():
        return groups, ()
    return np.where(empty, own, groups), (f"{run.name}: {int(empty.sum())} items without a group count as their own",)


def _need(run: ScoreTable, column: str) -> None:
    if column not in run.frame.columns:
        todo = suggest(column, [str(name) for name in run.frame.columns])
        raise TableError(f"a column {column!r}", "none of that name", str(run.path), todo)
