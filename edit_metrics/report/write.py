"""A run, a comparison or a triage to one HTML file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edit_metrics.io.atomic import write_bytes
from edit_metrics.report.comparison_page import comparison_page
from edit_metrics.report.inputs import ComparisonInput, picture_store, read_input
from edit_metrics.report.pictures import PictureStore
from edit_metrics.report.run_page import run_page
from edit_metrics.report.triage_page import triage_page
from edit_metrics.scores.table import ScoreTable

THUMBNAILS: Final = 120
"""Items that get pictures, unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How to make a page.

    Attributes:
        thumbnails: most items with pictures.
        root: folder of the pictures, where the run's own record is not right any more.
        allow_outside_root: show pictures that lie elsewhere.
        run: for a triage folder, the run that it was made from.
    """

    thumbnails: int = THUMBNAILS
    root: str | None = None
    allow_outside_root: bool = False
    run: Path | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was written."""

    path: Path
    kind: str
    size: int


def write_report(path: Path, out: Path | None = None, options: ReportOptions | None = None) -> Report:
    """Write the page of a run folder, score table, comparison folder or triage folder.

    Args:
        path: what to report on.
        out: the file; default ``report.html`` in the folder, or beside the table.
        options: see :class:`ReportOptions`.

    Raises:
        TableError: the path is none of these.
    """
    chosen = options or ReportOptions()
    found = read_input(path, chosen.run)
    target = out or (path if path.is_dir() else path.parent) / "report.html"
    if isinstance(found, ComparisonInput):
        kind, page = "comparison", comparison_page(found, chosen.thumbnails, chosen.root, chosen.allow_outside_root)
    elif isinstance(found, ScoreTable):
        kind, page = "run", run_page(found, _store(found, chosen), target, chosen.thumbnails)
    else:
        store = None if found.run is None else _store(found.run, chosen)
        kind, page = "triage", triage_page(found, store, target, chosen.thumbnails)
    # Lone surrogates have been made visible; what is left over in a path of ours must not stop the page.
    data = page.encode("utf-8", "replace")
    write_bytes(data, target)
    return Report(target, kind, len(data))


def _store(run: ScoreTable, options: ReportOptions) -> PictureStore:
    return picture_store(run, options.root, options.allow_outside_root)
