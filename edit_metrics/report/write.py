"""A run, a comparison or a triage to one HTML file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edit_metrics.errors import TableError, UserError, suggest
from edit_metrics.io.atomic import write_bytes
from edit_metrics.report.comparison_page import comparison_page
from edit_metrics.report.inputs import ComparisonInput, picture_store, read_input
from edit_metrics.report.links import BesideLinks, BundleLinks, Links
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
        bundle: a zip file to pack the page with its full pictures into; None: the page alone, linked to them.
        ids: the items to show; None: all.
    """

    thumbnails: int = THUMBNAILS
    root: str | None = None
    allow_outside_root: bool = False
    run: Path | None = None
    bundle: Path | None = None
    ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What was written.

    Attributes:
        pictures: files that a bundle holds beside the page; None where no bundle was asked for.
    """

    path: Path
    kind: str
    size: int
    pictures: int | None = None


def write_report(path: Path, out: Path | None = None, options: ReportOptions | None = None) -> Report:
    """Write the page of a run folder, score table, comparison folder or triage folder.

    Args:
        path: what to report on.
        out: the file; default ``report.html`` in the folder, or beside the table.
        options: see :class:`ReportOptions`.

    Raises:
        TableError: the path is none of these, or an id of ``ids`` is not in it.
        UserError: ``out`` and ``bundle`` together, or ``ids`` for a comparison or a triage.
    """
    chosen = options or ReportOptions()
    if out is not None and chosen.bundle is not None:
        raise UserError("--out or --bundle", "both", todo="The bundle holds the page as report.html.")
    found = read_input(path, chosen.run)
    if chosen.ids is not None:
        found = _only(found, chosen.ids)
    target = out or (path if path.is_dir() else path.parent) / "report.html"
    bundle = None if chosen.bundle is None else BundleLinks()
    links = bundle or BesideLinks(target.parent)
    if isinstance(found, ComparisonInput):
        kind = "comparison"
        page = comparison_page(found, chosen.thumbnails, chosen.root, chosen.allow_outside_root, links)
    elif isinstance(found, ScoreTable):
        kind, page = "run", run_page(found, _store(found, chosen, links), chosen.thumbnails)
    else:
        store = None if found.run is None else _store(found.run, chosen, links)
        kind, page = "triage", triage_page(found, store, chosen.thumbnails)
    # Lone surrogates have been made visible; what is left over in a path of ours must not stop the page.
    data = page.encode("utf-8", "replace")
    if bundle is not None and chosen.bundle is not None:
        return Report(chosen.bundle, kind, bundle.write(data, chosen.bundle), bundle.size)
    write_bytes(data, target)
    return Report(target, kind, len(data))


def _store(run: ScoreTable, options: ReportOptions, links: Links) -> PictureStore:
    return picture_store(run, options.root, options.allow_outside_root, links)


def _only(found: object, ids: tuple[str, ...]) -> ScoreTable:
    if not isinstance(found, ScoreTable):
        raise UserError("--ids for a run or a score table", "a comparison or a triage", "--ids")
    known = set(found.frame["id"])
    unknown = [name for name in ids if name not in known]
    if unknown:
        got = f"{len(unknown)} unknown, {unknown[0]!r} first"
        raise TableError("ids of the table", got, "--ids", suggest(unknown[0], map(str, known)))
    return replace(found, frame=found.frame[found.frame["id"].isin(set(ids))].reset_index(drop=True))
