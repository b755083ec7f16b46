"""JSONL, CSV and Parquet to records: one mapping a row, with the line it came from."""

from __future__ import annotations

import csv
import difflib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from edit_metrics.errors import ManifestError
from edit_metrics.io.parquet_rows import open_parquet, parquet_rows
from edit_metrics.io.plain import DEEPEST, TooDeepError, plain_value
from edit_metrics.io.remedies import suggested_names
from edit_metrics.types import MANIFEST_COLUMNS, Rejection

_REQUIRED: Final = ("id", "source", "edited")


@dataclass(frozen=True, slots=True)
class Record:
    """One row as it stands in the file.

    Attributes:
        line: 1-based; the row's number for Parquet and for rows given in Python.
        cells: without absent ones (null, NaN, an empty CSV cell).
    """

    line: int
    cells: Mapping[str, Any]


def parse_records(data: bytes, suffix: str, where: str) -> Iterator[Record | Rejection]:
    """The rows of a manifest file, in order; a row that is not one comes as a rejection.

    Args:
        data: the whole file.
        suffix: ``.jsonl``, ``.ndjson``, ``.csv``, ``.parquet`` or ``.pq``.
        where: named in errors.

    Raises:
        ManifestError: another suffix, another encoding, or a header without the columns that a manifest needs.
    """
    parse = _PARSERS.get(suffix.lower())
    if parse is None:
        raise ManifestError("a manifest ending in .jsonl, .csv or .parquet", repr(suffix), where)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ManifestError("UTF-8 text", "UTF-16", where, "Save it as UTF-8.")
    return parse(data, where)


def record_of(line: int, row: Mapping[Any, Any]) -> Record | Rejection:
    """A record of plain Python values, absent cells dropped; a rejection where a cell is not a value but a maze."""
    cells = {}
    for name, value in row.items():
        try:
            cells[str(name)] = plain_value(value)
        except TooDeepError as error:
            label = row.get("id")
            known = str(label) if isinstance(label, (str, int)) else None
            return Rejection(line, known, str(name)[:200], f"a value nested at most {DEEPEST} deep", str(error))
    return Record(line, {name: value for name, value in cells.items() if value is not None})


def _parse_jsonl(data: bytes, where: str) -> Iterator[Record | Rejection]:
    for line, raw in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not raw.strip():
            continue
        try:
            row = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            yield Rejection(line, None, "line", "one JSON object in UTF-8", f"{error}: {_start(raw)}")
            continue
        if isinstance(row, dict):
            yield record_of(line, row)
        else:
            yield Rejection(line, None, "line", "one JSON object", f"{type(row).__name__}: {_start(raw)}")


def _parse_csv(data: bytes, where: str) -> Iterator[Record | Rejection]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ManifestError("UTF-8 text", f"byte {error.start} is not", where, "Save it as UTF-8.") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    # The module refuses cells above 131,072 characters; a caption of a language model's may be longer.
    before = csv.field_size_limit(len(text) + 1)
    try:
        header = _csv_header(next(reader, []), where)
        rows = list(_csv_rows(reader, header))
    except csv.Error as error:
        raise ManifestError("comma-separated values", str(error), f"{where}, line {reader.line_num}") from error
    finally:
        csv.field_size_limit(before)
    kinds = _csv_kinds(rows, header)
    for row in rows:
        yield row if isinstance(row, Rejection) else _typed(row, kinds)


def _csv_header(names: list[str], where: str) -> list[str]:
    header = [name.strip() or f"unnamed_{position}" for position, name in enumerate(names, start=1)]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ManifestError("every column name once", f"{', '.join(repeated)} more than once", where)
    if names:
        _check_columns(header, where)
    return header


def _csv_rows(reader: Any, header: list[str]) -> Iterator[Record | Rejection]:
    line = reader.line_num + 1
    for cells in reader:
        if len(cells) > len(header):
            yield Rejection(line, None, "line", f"{len(header)} cells, as in the header", f"{len(cells)} cells")
        elif cells:
            named = zip(header, cells, strict=False)
            yield Record(line, {name: cell for name, cell in named if cell not in ("", "nan", "NaN")})
        line = reader.line_num + 1


def _csv_kinds(rows: Iterable[Record | Rejection], header: list[str]) -> dict[str, Callable[[str], Any]]:
    """Column → how to read it: a metadata column all of whose cells are whole numbers, numbers or booleans."""
    kinds: dict[str, Callable[[str], Any]] = {}
    records = [row for row in rows if isinstance(row, Record)]
    for name in set(header) - set(MANIFEST_COLUMNS):
        cells = [record.cells[name] for record in records if name in record.cells]
        kinds[name] = next((read for form, read in _CSV_FORMS if all(form.fullmatch(cell) for cell in cells)), str)
    return kinds


def _typed(record: Record, kinds: Mapping[str, Callable[[str], Any]]) -> Record:
    return Record(record.line, {name: kinds.get(name, str)(cell) for name, cell in record.cells.items()})


def _parse_parquet(data: bytes, where: str) -> Iterator[Record | Rejection]:
    import pyarrow as pa

    file = open_parquet(pa.BufferReader(data), where)
    _check_columns(file.schema_arrow.names, where)
    for line, row in enumerate(parquet_rows(file, where), start=1):
        yield record_of(line, row)


def _check_columns(names: Iterable[str], where: str) -> None:
    present = list(names)
    missing = [name for name in _REQUIRED if name not in present]
    if not {"instruction", "target_caption"} & set(present):
        missing.append("instruction")
    if not missing:
        return
    hints = [f"{near!r} → {name!r}" for name in missing for near in _nearest(name, present)]
    todo = f"Rename {', '.join(hints)}?" if hints else ""
    if len(present) == 1 and (mark := next((one for one in (";", "\t", "|") if one in present[0]), None)):
        kind = {";": "semicolons", "\t": "tabs", "|": "bars"}[mark]
        todo = f"The cells are separated by {kind}: save the file with commas, as pandas' to_csv does."
    raise ManifestError(f"the columns {', '.join(missing)}", f"the columns {', '.join(present)}", where, todo)


def _nearest(name: str, present: Iterable[str]) -> list[str]:
    lowered = {other.lower(): other for other in present if other not in MANIFEST_COLUMNS}
    inside = [other for low, other in lowered.items() if name in re.split(r"[^a-z]+", low)]
    inside += suggested_names(name, list(lowered.values()))
    return inside[:1] or [lowered[low] for low in difflib.get_close_matches(name, lowered, n=1, cutoff=0.5)]


def _start(raw: bytes) -> str:
    return repr(raw[:80].decode("utf-8", "replace"))


_CSV_FORMS: Final = (
    (re.compile(r"-?(0|[1-9]\d{0,17})"), int),
    (re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?"), float),
    (re.compile(r"true|false|True|False"), lambda cell: cell in ("true", "True")),
)
_PARSERS: Final[dict[str, Callable[[bytes, str], Iterator[Record | Rejection]]]] = {
    ".jsonl": _parse_jsonl,
    ".ndjson": _parse_jsonl,
    ".csv": _parse_csv,
    ".parquet": _parse_parquet,
    ".pq": _parse_parquet,
}
