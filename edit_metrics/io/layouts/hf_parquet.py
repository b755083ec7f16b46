"""Hugging Face Parquet with image columns: one file, or a folder of shards.

An image cell is ``{bytes, path}``. Bytes are written out once, named by their content hash, so that a source that many
rows share is one file; a cell with a path alone is taken relative to the Parquet file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edit_metrics.choices import WhiteMeans
from edit_metrics.errors import ConfigError, ManifestError, suggest
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted, Problem, shared_missing, write_once
from edit_metrics.io.mask_reading import mask_bytes_reading, mask_reading
from edit_metrics.io.parquet_rows import open_parquet, parquet_rows
from edit_metrics.io.tables import as_name
from edit_metrics.types import ManifestRow

_GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("id", "uid", "idx", "key"),
    "source": ("source", "source_img", "source_image", "input_image", "original_image", "image"),
    "edited": ("edited", "edited_image", "target_img", "target_image", "output_image", "edited_img"),
    "mask": ("mask", "mask_img", "mask_image"),
    "instruction": ("instruction", "edit_instruction", "edit_prompt", "prompt"),
    "source_caption": ("source_caption", "input_caption", "input_prompt"),
    "target_caption": ("target_caption", "output_caption", "edited_prompt", "output_prompt"),
    "edit_type": ("edit_type", "task"),
    "model": ("model",),
    "group": ("group", "img_id"),
}
_PICTURES: Final = ("source", "edited", "mask")
_SUFFIXES: Final = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"RIFF": ".webp", b"GIF8": ".gif", b"BM": ".bmp"}
_BATCH: Final = 16


@dataclass(frozen=True, slots=True)
class _Cell:
    path: Path | None
    data: bytes | None
    problem: str


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
    shards = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not shards or not all(shard.is_file() for shard in shards):
        raise ManifestError("a Parquet file or a folder of them", "none", str(path))
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for shard in shards:
        names = _names(shard)
        chosen = choose_columns(tuple(names), columns or {}, str(shard))
        for name in [n for n, plain in names.items() if not plain and n not in chosen.values()]:
            problems.append(Problem(f"{shard.name}: column {name}", None, "neither text nor number", "column skipped"))
        for number, record in _records(shard):
            where = f"{shard.name}: row {number}"
            row = _row(record, chosen, len(rows), where, shard.parent, files, white_means, model, problems)
            if row is None:
                continue
            if row.id in seen:
                problems.append(
                    Problem(where, row.id, "an id that an earlier row has", "row kept: it will be rejected")
                )
            seen.add(row.id)
            rows.append(row)
    return Converted(tuple(rows), (*problems, *shared_missing(rows)))


def choose_columns(names: tuple[str, ...], given: Mapping[str, str], where: str) -> dict[str, str]:
    """Field → column: what the user said, else the one column with a usual name.

    Raises:
        ConfigError: an unknown field or column, several candidates, or no column for a picture or for the words.
    """
    chosen: dict[str, str] = {}
    for field, column in given.items():
        if field not in _GUESSES:
            raise ConfigError(
                "--column FIELD=COLUMN with a manifest field", repr(field), where, suggest(field, _GUESSES)
            )
        if column not in names:
            raise ConfigError(f"a column for {field!r}", repr(column), where, suggest(column, names))
        chosen[field] = column
    for field, guesses in _GUESSES.items():
        found = [name for name in guesses if name in names and name not in chosen.values()]
        if field in chosen or not found:
            continue
        if len(found) > 1 and found[0] != field:
            todo = f"Say which: --column {field}={found[0]}"
            raise ConfigError(f"one column for {field!r}", " and ".join(found), where, todo)
        chosen[field] = found[0]
    for field in ("source", "edited"):
        if field not in chosen:
            raise ConfigError(f"a column for {field!r}", ", ".join(names), where, f"Name it: --column {field}=COLUMN")
    if not {"instruction", "target_caption"} & set(chosen):
        raise ConfigError("a column of instructions", ", ".join(names), where, "Name it: --column instruction=COLUMN")
    return chosen


def _names(shard: Path) -> dict[str, bool]:
    """Columns, and whether they hold plain text, numbers or flags."""
    from pyarrow import types

    with open_parquet(shard, str(shard)) as file:
        schema = file.schema_arrow
    plain = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)
    return {field.name: any(check(field.type) for check in plain) for field in schema}


def _records(shard: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open_parquet(shard, str(shard)) as file:
        # A few rows at a time: a row holds whole pictures.
        yield from enumerate(parquet_rows(file, str(shard), _BATCH))


def _row(
    record: Mapping[str, Any],
    chosen: Mapping[str, str],
    index: int,
    where: str,
    folder: Path,
    files: Path,
    white_means: WhiteMeans | None,
    model: str | None,
    problems: list[Problem],
) -> ManifestRow[Path] | None:
    values = {field: record[column] for field, column in chosen.items()}
    row_id = _text(values.get("id")) or f"{index:06d}"
    cells = {field: _cell(values[field], folder, files) for field in _PICTURES if field in values}
    for field in ("source", "edited"):
        if cells[field].problem:
            problems.append(Problem(where, row_id, f"{field}: {cells[field].problem}", "skipped"))
            return None
    mask, meaning = _mask(cells.get("mask"), white_means, where, row_id, problems)
    metadata, infinite = _metadata(record, chosen)
    if infinite:
        problems.append(Problem(where, row_id, f"∞ in {', '.join(infinite)}", "row kept: without those cells"))
    instruction, target_caption = _text(values.get("instruction")), _text(values.get("target_caption"))
    if not (instruction or target_caption):
        problems.append(Problem(where, row_id, "no instruction and no target_caption", "row kept: it will be rejected"))
    return ManifestRow(
        id=row_id,
        source=_path(cells["source"]),
        edited=_path(cells["edited"]),
        mask=mask,
        mask_white_means=meaning,
        model=_text(values.get("model")) or model,
        group=_text(values.get("group")),
        instruction=instruction,
        source_caption=_text(values.get("source_caption")),
        target_caption=target_caption,
        edit_type=_text(values.get("edit_type")),
        metadata=metadata,
    )


def _metadata(record: Mapping[str, Any], chosen: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Further columns that a manifest in JSON can hold, and the names of those that it cannot. NaN is no cell."""
    further = {k: v for k, v in record.items() if k not in chosen.values() and isinstance(v, str | int | float)}
    infinite = [name for name, value in further.items() if isinstance(value, float) and math.isinf(value)]
    kept = {
        name: value for name, value in further.items() if not (isinstance(value, float) and not math.isfinite(value))
    }
    return kept, infinite


def _mask(
    cell: _Cell | None, white_means: WhiteMeans | None, where: str, row_id: str, problems: list[Problem]
) -> tuple[Path | None, WhiteMeans]:
    if cell is None:
        return None, "edited"
    if cell.problem:
        problems.append(Problem(where, row_id, f"mask: {cell.problem}", "row kept: without a mask"))
        return None, "edited"
    if white_means is not None:
        return cell.path, white_means
    path = _path(cell)
    reading = mask_reading(path) if cell.data is None else mask_bytes_reading(cell.data, path)
    if reading.problem:
        problems.append(Problem(where, row_id, reading.problem, "row kept: without a mask"))
        return None, "edited"
    return path, reading.white_means


def _cell(value: object, folder: Path, files: Path) -> _Cell:
    if isinstance(value, bytes):
        value = {"bytes": value, "path": None}
    if not isinstance(value, dict) or not (value.get("bytes") or value.get("path")):
        return _Cell(None, None, "an empty cell" if value is None or isinstance(value, dict) else "no picture")
    data = value.get("bytes")
    if data is None:
        path = folder / str(value["path"])
        inside = path.resolve().is_relative_to(folder.resolve())
        return (
            _Cell(path, None, "") if inside else _Cell(None, None, f"a path that leaves the folder: {value['path']!r}")
        )
    suffix = next((suffix for magic, suffix in _SUFFIXES.items() if data.startswith(magic)), ".bin")
    return _Cell(write_once(data, files / "pictures", suffix), data, "")


def _path(cell: _Cell) -> Path:
    if cell.path is None:
        raise ValueError(f"a cell without a picture: {cell.problem}")
    return cell.path


def _text(value: object) -> str | None:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    text = "" if missing else as_name(value).strip()
    return text or None
