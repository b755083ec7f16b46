"""``ratings import``: from files of other programs to checked ratings of several batches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pandas as pd

from edit_metrics.choices import Level, RatingsFormat, Repeated, choose
from edit_metrics.errors import TableError, UserError
from edit_metrics.io.tables import read_table, with_text_ids
from edit_metrics.ratings.combining import combine_ratings
from edit_metrics.ratings.draws import read_queue
from edit_metrics.ratings.entries import read_rate_log
from edit_metrics.ratings.files import with_queue
from edit_metrics.ratings.label_studio import read_annotations
from edit_metrics.ratings.rubric import load_rubric
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long
from edit_metrics.ratings.wide import RatingColumn, ratings_from_wide
from edit_metrics.scores.table import read_scores


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, and what to check it against; see the options of ``ratings import``.

    Attributes:
        queues: triage folders (or their ``queue.csv``) that the items were asked from, one a batch.
        repeated: None: ``refuse`` for tables, ``latest`` for programs in which people correct themselves.
    """

    files: tuple[Path, ...]
    format: str
    scale: str | None = None
    level: str | None = None
    columns: tuple[str, ...] = ()
    id_column: str = "id"
    queues: tuple[Path, ...] = ()
    scores: Path | None = None
    repeated: Repeated | None = None
    exclude_raters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """Checked ratings, and what the user should know about them.

    Attributes:
        remarks: flags and comments of what Label Studio or ``edit-metrics rate`` collected; None for tables.
    """

    ratings: Ratings
    notes: tuple[str, ...]
    remarks: pd.DataFrame | None = None


def import_ratings(request: ImportRequest) -> Imported:
    """Read, check, and complete with the queues' selections and draws.

    Raises:
        UserError: unknown format.
        TableError: anything that :func:`ratings_from_long` refuses, or ids that ``scores`` lacks.
    """
    chosen = choose(RatingsFormat, request.format, "--format")
    scale = declared_scale(request.scale, request.level)
    read = {RatingsFormat.LABEL_STUDIO: _from_label_studio, RatingsFormat.RATE: _from_rate}.get(chosen, _from_tables)
    found = read(request, scale)
    ratings, notes = found.ratings, list(found.notes)
    if request.exclude_raters:
        ratings = ratings.without(request.exclude_raters)
    if not ratings.scale.declared:
        notes.append(f"the scale was taken from the data: {ratings.scale}; declare --scale")
    if request.scores is not None:
        where = ", ".join(map(str, request.files))
        ratings.check_ids(read_scores(request.scores).frame["id"].tolist(), where)
    for queue in request.queues:
        record = read_queue(queue)
        ratings = with_queue(ratings, record)
        notes += [record.note] if record.note else []
    return Imported(ratings, (*notes, *_draw_notes(ratings)), found.remarks)


def declared_scale(text: str | None, level: str | None) -> Scale | None:
    """The scale of ``--scale`` and ``--level``; None when no scale was given.

    Raises:
        UserError: an unknown level, or a level without a scale.
    """
    chosen = None if level is None else choose(get_args(Level), level, "--level")
    if text is None:
        if chosen is not None:
            raise UserError("--scale together with --level", "--level alone")
        return None
    return Scale.parse(text, chosen)


def one_of_repeated(rows: pd.DataFrame, rule: Repeated) -> tuple[pd.DataFrame, int]:
    """One row an item, rater and dimension, and how many were left out; in time, then in the file's order.

    Args:
        rows: long, with a column ``time`` or without.
        rule: ``refuse`` changes nothing: the check of the ratings names the rows.
    """
    if rule is Repeated.REFUSE or rows.empty:
        return rows, 0
    ordered = rows
    if "time" in rows:
        times = pd.to_datetime(rows["time"], utc=True, errors="coerce", format="ISO8601")
        ordered = rows.loc[times.sort_values(kind="stable", na_position="first").index]
    keep = ordered.drop_duplicates(
        ["id", "rater", "dimension"], keep="last" if rule is Repeated.LATEST else "first"
    ).index
    return rows.loc[rows.index.isin(keep)].reset_index(drop=True), len(rows) - len(keep)


def _from_label_studio(request: ImportRequest, scale: Scale | None) -> Imported:
    rubric = load_rubric()
    found = read_annotations(request.files, rubric)
    rule = request.repeated or Repeated.LATEST
    rows, n_repeated = one_of_repeated(found.rows, rule)
    ratings = ratings_from_long(rows, scale or rubric.rating_scale, ", ".join(map(str, request.files)))
    notes = [f"{found.n_skipped} skipped annotations: answers without a rating"] if found.n_skipped else []
    notes += [f"{n_repeated} repeated ratings were left out, the {rule} kept"] if n_repeated else []
    return Imported(ratings, tuple(notes), found.remarks)


def _from_rate(request: ImportRequest, scale: Scale | None) -> Imported:
    log = read_rate_log(request.files)
    ratings = ratings_from_long(log.rows, scale or load_rubric().rating_scale, ", ".join(map(str, request.files)))
    notes = [f"{log.n_torn} torn last lines were dropped: they were never confirmed"] if log.n_torn else []
    notes += [f"{log.n_skipped} items were skipped by a rater: answers without a rating"] if log.n_skipped else []
    return Imported(ratings, tuple(notes), log.remarks)


def _from_tables(request: ImportRequest, scale: Scale | None) -> Imported:
    rule = request.repeated or Repeated.REFUSE
    batches, n_repeated = [], 0
    for file in request.files:
        frame = read_table(file, text=(request.id_column,))
        if "annotation_id" in frame:
            todo = "Export as JSON and import it with --format label-studio: this one numbers its own tasks."
            raise TableError("a table of ratings", "one of Label Studio's with annotation_id", str(file), todo)
        if request.columns:
            columns = [RatingColumn.parse(text) for text in request.columns]
            batches.append(ratings_from_wide(frame, columns, scale, str(file), id_column=request.id_column))
            continue
        rows = with_text_ids(frame.rename(columns={request.id_column: "id"}), file)
        rows, left_out = one_of_repeated(rows, rule) if {"rater", "dimension"} <= set(rows) else (rows, 0)
        n_repeated += left_out
        batches.append(ratings_from_long(rows, scale, str(file)))
    ratings = combine_ratings(batches, [str(file) for file in request.files])
    notes = (f"{n_repeated} repeated ratings were left out, the {rule} kept",) if n_repeated else ()
    return Imported(ratings, notes)


def _draw_notes(ratings: Ratings) -> list[str]:
    """How far each draw is rated, in the dimension where most of it is: it counts as random when it is complete."""
    answered = [ratings.answered(name) for name in ratings.dimensions]
    notes = []
    for draw in ratings.draws:
        ratable = set(draw.drawn) - draw.unratable
        n_done = max(len(ratable & ids) for ids in answered)
        unreadable = f", {len(draw.unratable)} unreadable" if draw.unratable else ""
        left = "" if n_done == len(ratable) else "; it counts as random only when all of it is rated, in any batch"
        notes.append(f"{draw}: {n_done} of {len(ratable)} rated{unreadable}{left}")
    return notes
