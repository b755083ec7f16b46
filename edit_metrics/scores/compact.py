"""`scores_compact.csv`: what a person reads in a spreadsheet. At most 30 columns, reasons in words.

Names are plain identifiers, so that pandas' ``query`` takes them as they are: ``table.query("preservation < .5")``. A
dimension has three columns: its score, ``<dimension>_confidence`` and ``<dimension>_why``. A missing score is an empty
cell, and its *why* says so (``No score, does not apply: …``); a score without any reason has an empty *why*.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from edit_metrics.scores.cells import codes, number, text
from edit_metrics.scores.columns import (
    FLAGS,
    OVERALL_MINIMUM,
    PRIORITY,
    PRIORITY_REASONS,
    DimensionColumns,
    dimensions_in,
)
from edit_metrics.scores.words import flag_in_words, in_words, status_in_words

NAME: Final = "scores_compact.csv"
_DECIMALS: Final = 4  # a screen's worth; scores.parquet is exact


def compact_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a score table in the order given.

    Args:
        frame: one row an item; dimensions that it lacks have no columns.
    """
    names = dimensions_in(frame.columns)
    columns: dict[str, Any] = {"priority": _column(frame, PRIORITY), "id": frame["id"]}
    columns["instruction"] = _column(frame, "instruction")
    columns["flags"] = [", ".join(map(flag_in_words, codes(cell))) for cell in _column(frame, FLAGS)]
    columns["look_because"] = [" ".join(map(in_words, codes(cell))) for cell in _column(frame, PRIORITY_REASONS)]
    columns["weakest"] = _rounded(_column(frame, OVERALL_MINIMUM))
    for name in names:
        own = DimensionColumns(name)
        columns[name] = _rounded(frame[own.score])
        columns[f"{name}_confidence"] = _rounded(_column(frame, own.confidence))
        cells = zip(frame[own.score], _column(frame, own.status), _column(frame, own.reasons), strict=True)
        columns[f"{name}_why"] = [_why(*three) for three in cells]
    return pd.DataFrame(columns)


def _why(score: Any, status: Any, reasons: Any) -> str:
    words = " ".join(map(in_words, codes(reasons)))
    if number(score) is not None:
        return words
    return (
        f"No score, {status_in_words(text(status))}: {words}"
        if words
        else f"No score, {status_in_words(text(status))}."
    )


def _column(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    return frame[name] if name in frame.columns else pd.Series([None] * len(frame), frame.index, object)


def _rounded(values: pd.Series[Any]) -> pd.Series[float]:
    return values.astype("float64").round(_DECIMALS)
