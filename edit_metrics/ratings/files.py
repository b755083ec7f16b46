"""Ratings on disk: Parquet that carries its scale, and plain tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.io.atomic import write_atomically
from edit_metrics.io.tables import read_table, with_text_ids
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long

_KEY: Final = b"edit_metrics.ratings"
_VERSION: Final = 1


def write_ratings(ratings: Ratings, path: str | Path) -> None:
    """Write Parquet whose schema metadata hold the version and the scale.

    Raises:
        TableError: the path does not end in ``.parquet``, the only format that can carry the scale.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if Path(path).suffix != ".parquet":
        raise TableError("a path ending in .parquet", repr(str(path)), "--out")
    record = {"version": _VERSION, "scale": ratings.scale.to_json()}
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
    return ratings_from_long(frame, scale or _own_scale(Path(path)), str(path))


def with_selection(ratings: Ratings, queue: pd.DataFrame, where: str) -> tuple[Ratings, str]:
    """Take over from a triage queue why each item was rated, and with which probability it was drawn.

    An audit slice that is rated in part is no random sample, because the queue is worked off in order: its
    probabilities are then left out, and the message says so.

    Args:
        ratings: of items of that queue, at least in part.
        queue: columns ``id, selection, inclusion_prob``, as in ``queue.csv``.
        where: the file, for error messages.

    Returns:
        The ratings, and a sentence about the audit slice (empty when the queue has none).

    Raises:
        TableError: the table is not a queue.
    """
    if not {"id", "selection", "inclusion_prob"} <= set(queue.columns):
        raise TableError("the columns id, selection, inclusion_prob", ", ".join(map(str, queue.columns)), where)
    known = queue.assign(id=queue["id"].astype(str)).set_index("id")
    audit = known.index[known["inclusion_prob"].notna()]
    rated = set(ratings.frame["id"])
    n_rated = sum(name in rated for name in audit)
    complete = n_rated == len(audit)
    probabilities = known["inclusion_prob"] if complete else known["inclusion_prob"] * float("nan")
    ids = ratings.frame["id"]
    frame = ratings.frame.assign(
        selection=ids.map(known["selection"]), inclusion_prob=ids.map(probabilities).astype("float64")
    )
    if not len(audit):
        return Ratings(frame, ratings.scale), ""
    note = "" if complete else "; it counts as random only when all of it is rated, so its probabilities are left out"
    return Ratings(frame, ratings.scale), f"audit slice: {n_rated} of {len(audit)} items rated{note}"


def scale_record(path: str | Path) -> dict[str, Any] | None:
    """The metadata that :func:`write_ratings` stored; None for any other file."""
    import pyarrow.parquet as pq

    file = Path(path)
    if file.suffix != ".parquet" or not file.is_file():
        return None
    stored = (pq.read_schema(file).metadata or {}).get(_KEY)
    return None if stored is None else dict(json.loads(stored))


def _own_scale(path: Path) -> Scale | None:
    record = scale_record(path)
    if record is None:
        return None
    if record.get("version") != _VERSION:
        raise TableError(f"ratings of version {_VERSION}", f"version {record.get('version')!r}", str(path))
    return Scale.from_json(record["scale"])
