"""Columns whose values are looked at one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edit_metrics.compare.matching import Matched
from edit_metrics.compare.pairing import need_column
from edit_metrics.compare.verdict import PairedSlices
from edit_metrics.errors import TableError
from edit_metrics.scores.table import ScoreTable

MAX_SLICE_VALUES: Final = 30
"""More values than this make no slices: the column is a number or an identifier."""
DEFAULT_SLICES: Final = ("edit_type",)


def check_slice_column(run: ScoreTable, column: str) -> None:
    """Refuse a column that a run cannot be sliced by.

    Raises:
        TableError: it is absent, or has more than :data:`MAX_SLICE_VALUES` values.
    """
    need_column(run, column, " to slice by")
    values = run.frame[column].nunique()
    if values > MAX_SLICE_VALUES:
        raise TableError(f"at most {MAX_SLICE_VALUES} values of {column!r} to slice by", str(values), str(run.path))


def sliced(matched: Matched, columns: Sequence[str] | None) -> tuple[list[PairedSlices], list[str]]:
    """The paired items by the values of some columns, as the baseline has them.

    Args:
        matched: the two runs.
        columns: their names; None: :data:`DEFAULT_SLICES` as far as the baseline has them.

    Returns:
        The slices, and a sentence for each default column that cannot make any.

    Raises:
        TableError: a column that was asked for is absent or has too many values.
    """
    run, notes = matched.reference.run, []
    wanted = list(columns or ())
    for column in wanted:
        check_slice_column(run, column)
    if columns is None:
        for column in DEFAULT_SLICES:
            if column not in run.frame.columns or not run.frame[column].notna().any():
                continue
            values = run.frame[column].nunique()
            if values <= MAX_SLICE_VALUES:
                wanted.append(column)
            else:
                notes.append(f"{column} has {values} values, so no slices were judged (at most {MAX_SLICE_VALUES})")
    labelled = [(column, *matched.reference.labelled(column, matched.at)) for column in wanted]
    return [PairedSlices(column, codes, tuple(values)) for column, codes, values in labelled], notes
