"""Tables of Hugging Face data sets, Parquet or Arrow, whose cells hold pictures: to manifest rows.

An image cell is ``{bytes, path}``. Bytes are written out once, named by their content hash, so that a source that many
rows share is one file; a cell with a path alone is taken relative to the table's file. A row whose cell is empty stays,
with a path at which there is no file: an edit that was never made is an infeasible one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edit_metrics.choices import WhiteMeans
from edit_metrics.errors import ManifestError
from edit_metrics.io.hf_cells import MISSING, picture_cell, plain_metadata, text_cell
from edit_metrics.io.hf_columns import GUESSES, PICTURES, TURNS, choose_columns, has_turns
from edit_metrics.io.hf_labels import class_names, with_names
from edit_metrics.io.layout_rows import Converted, Problem, shared_missing
from edit_metrics.io.mask_reading import mask_bytes_reading, mask_reading
from edit_metrics.types import ManifestRow

if TYPE_CHECKING:
    import pyarrow as pa


_PAIR = ("source", "edited")


@dataclass(frozen=True, slots=True)
class HfTable:
    """One file of a data set.

    Attributes:
        path: of the file; paths in its cells start from its folder.
        schema: of its columns.
        rows: its rows, a few in memory at a time: a row holds whole pictures.
    """

    path: Path
    schema: pa.Schema
    rows: Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Options:
    files: Path
    white_means: WhiteMeans | None
    model: str | None


def hf_rows(
    tables: Iterable[HfTable],
    files: Path,
    columns: Mapping[str, str],
    model: str | None,
    white_means: WhiteMeans | None,
) -> Converted:
    """Rows and problems of a data set's files.

    Args:
        tables: its files, in their order.
        files: folder for the pictures that are written out.
        columns: field → column, for columns whose name says too little.
        model: name of the model when no column has it.
        white_means: what the light part of the masks marks; None: decided for each mask by its content.

    Raises:
        ConfigError: a field whose column is absent or cannot be told from another.
        ManifestError: rows that are conversations.
    """
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    options = _Options(files, white_means, model)
    for table in tables:
        if has_turns(table.schema) and not columns:
            todo = "Read ImgEdit's conversations by the format imgedit-train."
            raise ManifestError("a row an edit", f"a list of edits in column {TURNS!r}", str(table.path), todo)
        kinds = _kinds(table.schema)
        chosen = choose_columns(tuple(kinds), columns, str(table.path), pictures=_not_plain(kinds))
        for name in [n for n, kind in kinds.items() if kind == "other" and n not in chosen.values()]:
            problems.append(
                Problem(f"{table.path.name}: column {name}", None, "neither text nor number", "column skipped")
            )
        names = class_names(table.schema)
        for number, cells in enumerate(table.rows):
            where = f"{table.path.name}: row {number}"
            record = with_names(cells, names)
            row = _row(record, chosen, len(rows), where, table.path.parent, options, problems)
            if row.id in seen:
                problems.append(
                    Problem(where, row.id, "an id that an earlier row has", "row kept: it will be rejected")
                )
            seen.add(row.id)
            rows.append(row)
    # A cell without a picture has been told above.
    nowhere = str(files / MISSING)
    gone = [problem for problem in shared_missing(rows) if not problem.where.startswith(nowhere)]
    return Converted(tuple(rows), (*problems, *gone))


def _kinds(schema: pa.Schema) -> dict[str, str]:
    """Column → ``plain`` (text, numbers, flags), ``empty`` (no cell of it has a value) or ``other``."""
    from pyarrow import types

    plain = (types.is_string, types.is_large_string, types.is_integer, types.is_floating, types.is_boolean)

    def kind(of: Any) -> str:
        if types.is_null(of):
            return "empty"
        return "plain" if any(check(of) for check in plain) else "other"

    return {field.name: kind(field.type) for field in schema}


def _not_plain(kinds: Mapping[str, str]) -> Iterator[str]:
    return (name for name, kind in kinds.items() if kind == "other")


def _row(
    record: Mapping[str, Any],
    chosen: Mapping[str, str],
    index: int,
    where: str,
    folder: Path,
    options: _Options,
    problems: list[Problem],
) -> ManifestRow[Path]:
    values = {field: record[column] for field, column in chosen.items()}
    fallback = f"{index:06d}"
    texts = {}
    for field in GUESSES.keys() - set(PICTURES):
        try:
            texts[field] = text_cell(values.get(field))
        except ValueError as error:
            texts[field] = None
            problems.append(Problem(where, fallback, f"{field}: {error}", "row kept: without it"))
    row_id = texts["id"] or fallback
    pictures = {}
    several = {field: values[field] if isinstance(values[field], list) else [values[field]] for field in _PAIR}
    if len(several["edited"]) > 1:
        text = f"edited: {len(several['edited'])} pictures"
        problems.append(Problem(where, row_id, text, "row kept: with the first"))
    for field, cells in several.items():
        cell = picture_cell(cells[0] if cells else None, folder, options.files)
        if cell.path is None:
            problems.append(
                Problem(where, row_id, f"{field}: {cell.problem}", "row kept: it will be scored as infeasible")
            )
        pictures[field] = cell.path or options.files / MISSING / f"{fallback}_{field}.png"
    mask, meaning = _mask(values.get("mask"), folder, options, where, row_id, problems)
    metadata, infinite = plain_metadata({k: v for k, v in record.items() if k not in chosen.values()})
    if infinite:
        problems.append(Problem(where, row_id, f"∞ in {', '.join(infinite)}", "row kept: without those cells"))
    if not (texts["instruction"] or texts["target_caption"]):
        problems.append(Problem(where, row_id, "no instruction and no target_caption", "row kept: it will be rejected"))
    return ManifestRow(
        id=row_id,
        source=pictures["source"],
        edited=pictures["edited"],
        mask=mask,
        mask_white_means=meaning,
        # Of several pictures to start from, the first is the source.
        references=_references(
            [*several["source"][1:], *_listed(values.get("references"))], folder, options, where, row_id, problems
        ),
        model=texts["model"] or options.model,
        group=texts["group"],
        instruction=texts["instruction"],
        source_caption=texts["source_caption"],
        target_caption=texts["target_caption"],
        edit_type=texts["edit_type"],
        metadata=metadata,
    )


def _listed(value: object) -> list[object]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _references(
    values: list[object], folder: Path, options: _Options, where: str, row_id: str, problems: list[Problem]
) -> tuple[Path, ...]:
    cells = [picture_cell(one, folder, options.files) for one in values]
    for cell in cells:
        if cell.path is None:
            problems.append(Problem(where, row_id, f"references: {cell.problem}", "row kept: without that reference"))
    return tuple(cell.path for cell in cells if cell.path is not None)


def _mask(
    value: object, folder: Path, options: _Options, where: str, row_id: str, problems: list[Problem]
) -> tuple[Path | None, WhiteMeans]:
    if value is None:
        return None, "edited"
    cell = picture_cell(value, folder, options.files)
    if cell.path is None:
        problems.append(Problem(where, row_id, f"mask: {cell.problem}", "row kept: without a mask"))
        return None, "edited"
    if options.white_means is not None:
        return cell.path, options.white_means
    reading = mask_reading(cell.path) if cell.data is None else mask_bytes_reading(cell.data, cell.path)
    if reading.problem:
        problems.append(Problem(where, row_id, reading.problem, "row kept: without a mask"))
        return None, "edited"
    return cell.path, reading.white_means
