"""Ratings on disk: Parquet that carries its scale and its draws, and plain tables."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import TableError
from edit_metrics.io.atomic import write_atomically
from edit_metrics.io.tables import read_table, with_text_ids
from edit_metrics.ratings.combining import combine_ratings, merged_draws
from edit_metrics.ratings.draws import Draw, QueueRecord
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long

_KEY: Final = b"edit_metrics.ratings"
_VERSION: Final = 2
_KNOWN: Final = (1, 2)
"""Version 1 had no draws, only probabilities."""


def write_ratings(ratings: Ratings, path: str | Path) -> None:
    """Write Parquet whose schema metadata hold the version, the scale and the draws.

    Raises:
        TableError: the path does not end in ``.parquet``, the only format that can carry these.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if Path(path).suffix != ".parquet":
        raise TableError("a path ending in .parquet", repr(str(path)), "--out")
    draws = [draw.to_json() for draw in ratings.draws]
    record = {"version": _VERSION, "scale": ratings.scale.to_json(), "draws": draws}
    table = pa.Table.from_pandas(ratings.frame, preserve_index=False)
    table = table.replace_schema_metadata({_KEY: json.dumps(record).encode()})
    write_atomically(path, lambda file: pq.write_table(table, file, compression="zstd"))


def read_ratings(path: str | Path, scale: Scale | None = None) -> Ratings:
    """Read what :func:`write_ratings` wrote, or any long table of ratings.

    Args:
        path: Parquet, CSV, JSONL or JSON.
        scale: replaces the file's own; None: the file's own, or, where it has none, the values that it shows.

    Raises:
        TableError: see :func:`edit_metrics.ratings.table.ratings_from_long`.
    """
    frame = with_text_ids(read_table(path), path)
    record = stored_record(path)
    own = None if record is None else Scale.from_json(record["scale"])
    ratings = ratings_from_long(frame, scale or own, str(path))
    draws = () if record is None else tuple(Draw.from_json(one) for one in record.get("draws", []))
    return replace(ratings, draws=draws)


def read_rating_files(paths: Sequence[Path], *, exclude_raters: Collection[str] = ()) -> Ratings:
    """Read several batches as one.

    Raises:
        TableError: see :func:`edit_metrics.ratings.combining.combine_ratings`, or nobody of that name.
    """
    together = combine_ratings([read_ratings(path) for path in paths], [str(path) for path in paths])
    return together.without(exclude_raters) if exclude_raters else together


def with_queue(ratings: Ratings, record: QueueRecord) -> Ratings:
    """Take over from a triage folder why each item was rated, and the draw that it was part of, if any."""
    chosen = ratings.frame["id"].map(record.selection)
    if "selection" in ratings.frame:
        chosen = chosen.fillna(ratings.frame["selection"])
    draws = ratings.draws if record.draw is None else merged_draws([ratings.draws, (record.draw,)])
    return replace(ratings, frame=ratings.frame.assign(selection=chosen), draws=draws)


def stored_record(path: str | Path) -> dict[str, Any] | None:
    """The metadata that :func:`write_ratings` stored; None for any other file.

    Raises:
        TableError: of a version that this one does not know.
    """
    import pyarrow.parquet as pq

    file = Path(path)
    if file.suffix != ".parquet" or not file.is_file():
        return None
    stored = (pq.read_schema(file).metadata or {}).get(_KEY)
    if stored is None:
        return None
    record = dict(json.loads(stored))
    if record.get("version") not in _KNOWN:
        raise TableError(f"ratings of version {_VERSION}", f"version {record.get('version')!r}", str(path))
    return record
