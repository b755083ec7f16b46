"""Hugging Face Parquet with image columns: one file, or a folder of shards; see :mod:`edit_metrics.io.hf_rows`.

Read as they are: MagicBrush, UltraEdit, HumanEdit, the Emu Edit test set with its generations, InstructPix2Pix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from edit_metrics.choices import WhiteMeans
from edit_metrics.errors import ManifestError
from edit_metrics.io.hf_rows import HfTable, hf_rows
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted
from edit_metrics.io.parquet_rows import open_parquet, parquet_rows

_BATCH = 16


@layout("hf-parquet")
def read_hf_parquet(
    path: Path,
    *,
    files: Path,
    columns: Mapping[str, str] | None = None,
    model: str | None = None,
    white_means: WhiteMeans | None = None,
) -> Converted:
    """Read Parquet with pictures inside.

    Args:
        path: a Parquet file, or a folder whose Parquet files are read in the order of their names.
        files: folder for the pictures that are written out.
        columns: field → column, for columns whose name says too little.
        model: name of the model when no column has it.
        white_means: what the light part of the masks marks; None: decided for each mask by its content.

    Raises:
        ManifestError: no Parquet file, or one that cannot be read.
        ConfigError: a field whose column is absent or cannot be told from another.
    """
    return hf_rows(parquet_tables(path), files, columns or {}, model, white_means)


def parquet_tables(path: Path) -> Iterator[HfTable]:
    """A Parquet file, or those of a folder in the order of their names.

    Raises:
        ManifestError: no Parquet file, or one that cannot be read.
    """
    shards = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not shards or not all(shard.is_file() for shard in shards):
        raise ManifestError("a Parquet file or a folder of them", "none", str(path))
    for shard in shards:
        with open_parquet(shard, str(shard)) as file:
            yield HfTable(shard, file.schema_arrow, parquet_rows(file, str(shard), _BATCH))
