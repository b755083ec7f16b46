"""A folder of Hugging Face ``datasets`` on the disk (``save_to_disk``): Arrow files, a folder a split.

    PATH/data-00000-of-00002.arrow, PATH/state.json, PATH/dataset_info.json      a Dataset
    PATH/dataset_dict.json, PATH/SPLIT/data-00000-of-00001.arrow                 a DatasetDict

Files are Arrow streams; those of the library's cache are too. Cells and columns as for ``hf-parquet``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edit_metrics.choices import WhiteMeans
from edit_metrics.errors import ManifestError
from edit_metrics.io.hf_rows import HfTable, hf_rows
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted

_ROWS = 16


@layout("hf-arrow")
def read_hf_arrow(
    path: Path,
    *,
    files: Path,
    columns: Mapping[str, str] | None = None,
    model: str | None = None,
    white_means: WhiteMeans | None = None,
) -> Converted:
    """Read the Arrow files of a data set.

    Args:
        path: an Arrow file, or the folder of a data set, whose files are read in the order of their names.
        files: folder for the pictures that are written out.
        columns: field → column, for columns whose name says too little.
        model: name of the model when no column has it.
        white_means: what the light part of the masks marks; None: decided for each mask by its content.

    Raises:
        ManifestError: no Arrow file, or one that cannot be read.
        ConfigError: a field whose column is absent or cannot be told from another.
    """
    return hf_rows(arrow_tables(path), files, columns or {}, model, white_means)


def arrow_tables(path: Path) -> Iterator[HfTable]:
    """An Arrow file, or those of a folder in the order of their names; ``cache-…`` files are left out.

    Raises:
        ManifestError: no Arrow file, or one that cannot be read.
    """
    found = sorted(path.rglob("*.arrow")) if path.is_dir() else [path]
    shards = [shard for shard in found if shard.is_file() and not shard.name.startswith("cache-")]
    if not shards:
        raise ManifestError("an Arrow file or a folder of them", "none", str(path))
    for shard in shards:
        yield from _table(shard)


def _table(shard: Path) -> Iterator[HfTable]:
    import pyarrow as pa

    with shard.open("rb") as stream:
        try:
            reader = pa.ipc.open_stream(stream)
        except pa.ArrowInvalid:
            stream.seek(0)
            try:
                file = pa.ipc.open_file(stream)
            except (pa.ArrowException, OSError) as error:
                raise ManifestError("a readable Arrow file", _text(error), str(shard)) from None
            batches = (file.get_batch(number) for number in range(file.num_record_batches))
            yield HfTable(shard, file.schema, _rows(batches, shard))
            return
        yield HfTable(shard, reader.schema, _rows(iter(reader), shard))


def _rows(batches: Iterator[Any], shard: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    read = 0
    while True:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            raise ManifestError("a whole Arrow file", f"{_text(error)}, after {read} rows", str(shard)) from None
        if batch is None:
            return
        for start in range(0, batch.num_rows, _ROWS):
            yield from batch.slice(start, _ROWS).to_pylist()
        read += batch.num_rows


def _text(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
