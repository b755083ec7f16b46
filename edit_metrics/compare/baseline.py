"""`gate --accept`: a baseline small enough to commit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edit_metrics.compare.pairing import Run
from edit_metrics.io.tables import write_json, write_parquet
from edit_metrics.types import DIMENSIONS

_TEXT: Final = ("id", "group", "model", "edit_type", "instruction", "source", "edited")
_PARTS: Final = ("score", "confidence", "status", "reasons")
_KEPT_INFO: Final = ("edit_metrics", "finished", "profile", "score_signature", "counts", "versions")


def write_baseline(run: Run, folder: Path, extra_columns: tuple[str, ...] = ()) -> Path:
    """Write ``scores.parquet`` and, for a signed run, ``run.json``: what the gate reads, without metrics or pictures.

    Args:
        run: the accepted run.
        folder: made when absent; a baseline that is there is replaced.
        extra_columns: columns to keep beside the dimensions (paired or judged by).

    Returns:
        The folder.
    """
    dimensions = [f"{name}.{part}" for name in DIMENSIONS for part in _PARTS]
    wanted = dict.fromkeys([*_TEXT, *extra_columns, *dimensions, "overall.min", "overall.geomean"])
    write_parquet(run.frame[[name for name in wanted if name in run.frame.columns]], folder / "scores.parquet")
    info_file = folder / "run.json"
    if run.info is None:
        # An earlier signed baseline's run.json would sign scores that it did not make.
        info_file.unlink(missing_ok=True)
    else:
        write_json({name: run.info[name] for name in _KEPT_INFO if name in run.info}, info_file)
    return folder
