"""What a report is made of: a run, a comparison or a triage, found by the files in the folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edit_metrics.errors import TableError
from edit_metrics.io.tables import read_table, with_text_ids
from edit_metrics.report.links import Links
from edit_metrics.report.pictures import PictureStore
from edit_metrics.scores.table import TABLE_NAME, ScoreTable, read_scores

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class ComparisonInput:
    """A folder with ``comparison.json``."""

    path: Path
    found: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TriageInput:
    """A triage folder, and the run that it was made from where that is known.

    Attributes:
        statement: ``triage.json``.
        queue: ``queue.csv``.
        lanes: ``lanes.csv``, every item.
    """

    path: Path
    statement: Mapping[str, Any]
    queue: pd.DataFrame
    lanes: pd.DataFrame
    run: ScoreTable | None
    plots: tuple[Path, ...]


def read_input(path: Path, run: Path | None = None) -> ScoreTable | ComparisonInput | TriageInput:
    """Find out what the path is, and read it.

    Args:
        path: a folder, or a score table.
        run: for a triage folder: the run with the pictures and scores; without it, the folder above if it is a run.

    Raises:
        TableError: neither of the three.
    """
    if (path / "triage.json").is_file():
        return _read_triage(path, run)
    if (path / "comparison.json").is_file():
        return ComparisonInput(path, read_json(path / "comparison.json"))
    if path.is_dir() and not (path / TABLE_NAME).is_file():
        raise TableError(
            "a run folder (scores.parquet), a comparison (comparison.json) or a triage folder (triage.json)",
            "none of these files",
            str(path),
            "Has the run finished?",
        )
    return read_scores(path)


def picture_store(
    run: ScoreTable, root: str | None, allow_outside_root: bool, links: Links | None = None
) -> PictureStore:
    """Where the pictures of a run are: ``--root``, else what the table says."""
    return PictureStore(root or run.pictures_root, allow_outside_root, run.evidence, links)


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        TableError: broken, or not an object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TableError("a JSON file", str(error), str(path)) from error
    if not isinstance(value, dict):
        raise TableError("a JSON object", type(value).__name__, str(path))
    return value


def _read_triage(path: Path, run: Path | None) -> TriageInput:
    queue, lanes = (with_ids(path / name) for name in ("queue.csv", "lanes.csv"))
    above = path.resolve().parent
    if run is None and (above / TABLE_NAME).is_file():
        run = above
    found = None if run is None else read_scores(run)
    if found is not None and not set(lanes["id"]) <= set(found.frame["id"]):
        found = None
    return TriageInput(path, read_json(path / "triage.json"), queue, lanes, found, plots_in(path))


def with_ids(path: Path) -> pd.DataFrame:
    """A table with its ids as text; unlike a score table it may have no rows."""
    table = read_table(path)
    return table if table.empty else with_text_ids(table, path)


def plots_in(folder: Path | None) -> tuple[Path, ...]:
    """Plots of this package: in ``plots/``, or beside a calibration that was written into the folder."""
    if folder is None:
        return ()
    return tuple(
        sorted([*folder.glob("plots/*.png"), *folder.glob("*.reliability.png"), *folder.glob("*.residual_cost.png")])
    )
