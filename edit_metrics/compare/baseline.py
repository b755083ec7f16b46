"""`gate --accept`: a baseline small enough to commit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edit_metrics.io.tables import write_parquet
from edit_metrics.scores.columns import FLAGS, OVERALL, DimensionColumns
from edit_metrics.scores.judging import SELECTED_BY
from edit_metrics.scores.run_info import RUN_INFO_NAME
from edit_metrics.scores.table import TABLE_NAME, ScoreTable
from edit_metrics.types import DIMENSIONS

_TEXT: Final = ("id", "group", "model", "edit_type", "instruction", "source", "edited", SELECTED_BY)


def write_baseline(run: ScoreTable, folder: Path, extra_columns: tuple[str, ...] = ()) -> Path:
    """Write ``scores.parquet`` and, for a signed run, ``run.json``: what the gate reads, without metrics or pictures.

    Args:
        run: the accepted run.
        folder: made when absent; a baseline that is there is replaced.
        extra_columns: columns to keep beside the dimensions (paired or judged by).

    Returns:
        The folder.
    """
    dimensions = [column for name in DIMENSIONS for column in DimensionColumns(name).all]
    wanted = dict.fromkeys([*_TEXT, *extra_columns, *dimensions, *OVERALL, FLAGS])
    write_parquet(run.frame[[name for name in wanted if name in run.frame.columns]], folder / TABLE_NAME)
    if run.info is None:
        # An earlier signed baseline's run.json would sign scores that it did not make.
        (folder / RUN_INFO_NAME).unlink(missing_ok=True)
    else:
        run.info.of_a_baseline().write(folder)
    return folder
