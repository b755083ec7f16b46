"""Rows of a Parquet file that somebody else has written: what breaks late, and cells that Python cannot hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from edit_metrics.errors import ManifestError

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


def open_parquet(source: Any, where: str) -> pq.ParquetFile:
    """The file, with every column name once.

    Args:
        source: a path, or an Arrow file.
        where: named in errors.

    Raises:
        ManifestError: no Parquet file, or a column name that is there twice: rows of it would lose a cell.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(source)
        names = file.schema_arrow.names
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ManifestError("a readable Parquet file", _text(error), where) from None
    repeated = [name for name, n in Counter(names).items() if n > 1]
    if repeated:
        raise ManifestError("every column name once", f"{', '.join(repeated)} more than once", where)
    return file


def parquet_rows(file: pq.ParquetFile, where: str, batch_size: int = 4096) -> Iterator[dict[str, Any]]:
    """The rows; a cell that Python has no value for (a date after 9999, a time zone nobody knows) comes as text.

    Raises:
        ManifestError: a page that cannot be read, however late it comes.
    """
    import pyarrow as pa

    batches = file.iter_batches(batch_size=batch_size)
    read = 0
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise ManifestError("a whole Parquet file", f"{_text(error)}, after {read} rows", where) from None
        if batch is None:
            return
        yield from _rows(batch)
        read += batch.num_rows


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    import pyarrow as pa

    foreseen = (pa.ArrowException, ValueError, OverflowError, LookupError, TypeError, OSError)
    try:
        return [dict(row) for row in batch.to_pylist()]
    except foreseen:
        names = batch.schema.names
        columns = [[_cell(scalar, foreseen) for scalar in column] for column in batch.columns]
        return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def _cell(scalar: pa.Scalar, foreseen: tuple[type[Exception], ...]) -> Any:
    try:
        return scalar.as_py()
    except foreseen:
        pass
    try:
        return str(scalar.cast("string").as_py())
    except foreseen:
        return f"<{scalar.type}>"


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
