"""``ratings import``: from a file of another program to checked ratings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import pandas as pd

from edit_metrics.choices import Level, RatingsFormat, choose
from edit_metrics.errors import UserError
from edit_metrics.io.tables import read_table, with_text_ids
from edit_metrics.ratings.files import with_selection
from edit_metrics.ratings.label_studio import read_annotations
from edit_metrics.ratings.rubric import load_rubric
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import RatingColumn, Ratings, ratings_from_long, ratings_from_wide
from edit_metrics.scores.table import read_scores


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import, and what to check it against; see the options of ``ratings import``."""

    file: Path
    format: str
    scale: str | None = None
    level: str | None = None
    columns: tuple[str, ...] = ()
    id_column: str = "id"
    queue: Path | None = None
    scores: Path | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """Checked ratings, and what the user should know about them.

    Attributes:
        remarks: flags and comments of Label Studio's annotations; None for tables.
    """

    ratings: Ratings
    notes: tuple[str, ...]
    remarks: pd.DataFrame | None = None


def import_ratings(request: ImportRequest) -> Imported:
    """Read, check, and complete with the queue's selection.

    Raises:
        UserError: unknown format.
        TableError: anything that :func:`ratings_from_long` refuses, or ids that ``scores`` lacks.
    """
    notes, remarks = [], None
    if choose(RatingsFormat, request.format, "--format") is RatingsFormat.LABEL_STUDIO:
        scale = declared_scale(request.scale, request.level)
        found = read_annotations(request.file, load_rubric(), scale)
        ratings, remarks = found.ratings, found.remarks
        notes += [f"{found.n_skipped} skipped annotations were left out"] if found.n_skipped else []
    else:
        ratings = _from_table(request)
    if not ratings.scale.declared:
        notes.append(f"the scale was taken from the data: {ratings.scale}; declare --scale")
    if request.scores is not None:
        ratings.check_ids(read_scores(request.scores).frame["id"].tolist(), str(request.file))
    if request.queue is not None:
        queue = with_text_ids(read_table(request.queue), request.queue)
        ratings, note = with_selection(ratings, queue, str(request.queue))
        notes += [note] if note else []
    return Imported(ratings, tuple(notes), remarks)


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


def _from_table(request: ImportRequest) -> Ratings:
    where = str(request.file)
    scale = declared_scale(request.scale, request.level)
    frame = read_table(request.file)
    if not request.columns:
        return ratings_from_long(with_text_ids(frame, where), scale, where)
    columns = [RatingColumn.parse(text) for text in request.columns]
    return ratings_from_wide(frame, columns, scale, where, id_column=request.id_column)
