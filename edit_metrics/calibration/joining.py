"""``--join FILE``: outside signals (a VLM judge's scores, say) as further columns of a score table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.io.tables import read_table, with_text_ids


def join_table(frame: pd.DataFrame, path: Path | None) -> pd.DataFrame:
    """Add the columns of a table by ``id``; items that it lacks get missing values.

    Args:
        frame: a score table with a unique text column ``id``.
        path: the table to join; None changes nothing.

    Raises:
        TableError: repeated ids, a column that is there already, or no id in common.
    """
    if path is None:
        return frame
    other = with_text_ids(read_table(path), path)
    repeated = other["id"][other["id"].duplicated()].unique()
    if len(repeated):
        raise TableError("unique ids", f"{len(repeated)} repeated, first {repeated[0]!r}", str(path))
    clash = [name for name in other.columns if name != "id" and name in frame.columns]
    if clash:
        raise TableError("columns that the score table does not have", ", ".join(map(str, clash)), str(path))
    if not set(other["id"]) & set(frame["id"]):
        raise TableError("ids of the score table", f"none of them, first {other['id'].iloc[0]!r}", str(path))
    return frame.merge(other, on="id", how="left", validate="one_to_one")
