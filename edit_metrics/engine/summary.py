"""A run in a few tables: read back from ``scores.parquet``, so that it says the same of a resumed run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from edit_metrics.types import DIMENSIONS


@dataclass(frozen=True, slots=True)
class Coverage:
    """One column of scores or measurements over a run.

    Attributes:
        name: a dimension or a metric's column.
        n: rows with a value.
        mean: over those rows; None when there are none.
        missing: reason → rows, most frequent first; reasons of values that are there (cautions) do not count.
    """

    name: str
    n: int
    mean: float | None
    missing: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """What the closing tables show.

    Attributes:
        confidence: dimension → mean confidence of its scored rows.
        flags: flag → rows.
    """

    rows: int
    dimensions: tuple[Coverage, ...]
    confidence: dict[str, float | None]
    metrics: tuple[Coverage, ...]
    flags: dict[str, int]


def summarise(scores: Path) -> Summary:
    """Coverage and means of a run, column by column: a million rows need no more memory than one column."""
    file = pq.ParquetFile(scores)
    names = file.schema_arrow.names
    metrics = [n for n in names if f"{n}.status" in names and n not in DIMENSIONS]
    flags = Counter(f for text in _column(file, "flags").to_pylist() for f in text.split(";") if f)
    return Summary(
        rows=file.metadata.num_rows,
        dimensions=tuple(_coverage(file, d, f"{d}.score", f"{d}.reasons") for d in DIMENSIONS),
        confidence={d: pc.mean(_column(file, f"{d}.confidence")).as_py() for d in DIMENSIONS},
        metrics=tuple(_coverage(file, n, n, f"{n}.reason") for n in metrics),
        flags=dict(flags.most_common()),
    )


def _coverage(file: pq.ParquetFile, name: str, value_column: str, reason_column: str) -> Coverage:
    values = _column(file, value_column)
    absent = pc.is_null(values)
    statuses = _column(file, f"{name}.status").filter(absent).to_pylist()
    reasons = _column(file, reason_column).filter(absent).to_pylist()
    # A failure's text is its own every time; the first word is the exception.
    causes = Counter(f"{s}({r.split(';')[0].split(':')[0]})" for s, r in zip(statuses, reasons, strict=True))
    return Coverage(name, len(values) - len(statuses), pc.mean(values).as_py(), tuple(causes.most_common()))


def _column(file: pq.ParquetFile, name: str) -> pa.ChunkedArray:
    return file.read(columns=[name]).column(0)
