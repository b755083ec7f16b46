"""Tables: atomic, repeatable writers, one reader for every suffix, and ids as text.

Spreadsheets run a CSV cell that starts with ``=``, ``+``, ``-`` or ``@`` as a formula, and manifests come from
strangers. :func:`write_csv` therefore puts an apostrophe before such *text* cells (numbers stay as they are), and
:func:`read_table` takes it off again, so that ids still join. A cell with any control character is quoted: many readers
end a row at a lone carriage return, some at other separators. A missing cell is written as nothing, an empty text as
``""``: a reader that minds quotation marks (pyarrow, DuckDB, PostgreSQL) tells them apart; pandas takes both for
missing. Parquet is exact and needs none of that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

from edit_metrics.errors import TableError
from edit_metrics.io.atomic import (
    write_atomically,
    write_bytes,
    write_json,
    write_jsonl,
    write_text,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = [
    "as_name",
    "as_names",
    "json_lines",
    "read_table",
    "write_bytes",
    "write_csv",
    "write_csv_parts",
    "write_json",
    "write_jsonl",
    "write_parquet",
    "write_parquet_parts",
    "write_text",
]

_ROW_GROUP: Final = 16 * 1024
_FEW_BYTES: Final = 1.0  # a value of a text column that repeats: less than one byte of the file, before compression
_START: Final = r"(?:[\t\r\n]|[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\ufeff]*[=+\-@＝＋－＠])"
"""Of a formula: what OWASP lists on CSV injection (wide signs too), also behind blanks that a spreadsheet drops."""
_FORMULA: Final = re.compile(rf"'*{_START}")
_GUARDED: Final = re.compile(rf"'+{_START}")
_ROW_END: Final = "\n" + "".join(chr(n) for n in (*range(10), *range(11, 32), *range(0x7F, 0xA0), 0x2028, 0x2029))
"""The csv module quotes a cell that holds any character of the line terminator: so this one has them all."""
_EMPTY: Final = "\ufdd0\ufdd1"
"""Stands for an empty text until the row is written, since the csv module quotes none: two code points that are no
characters."""
_ID_NAMES: Final = ("uid", "item", "key", "name", "index")
_TEXT_COLUMNS: Final = ("id", "group", "model", "edit_type", "rater", "instruction")


def write_parquet(table: pa.Table | pd.DataFrame, path: str | Path) -> None:
    """Write Parquet atomically; equal data give equal bytes (with the same pyarrow)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrow = table if isinstance(table, pa.Table) else _to_arrow(table)
    bare = arrow.replace_schema_metadata(None).combine_chunks()
    write_atomically(path, lambda file: pq.write_table(bare, file, compression="zstd", row_group_size=_ROW_GROUP))


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Columns of one kind keep it; one that mixes kinds, as other programs' tables may, becomes text."""
    import pyarrow as pa

    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, OverflowError):
        mixed: dict[str, Any] = {name: list(map(_as_text, frame[name])) for name in _text_columns(frame)}
        return pa.Table.from_pandas(frame.assign(**mixed), preserve_index=False)


def _as_text(value: Any) -> str | None:
    # NaN and NaT are the only values that differ from themselves.
    if value is None or (not hasattr(value, "__len__") and value != value):  # noqa: PLR0124
        return None
    return value if isinstance(value, str) else str(_csv_cell(value))


def write_parquet_parts(parts: Iterable[pa.Table], schema: pa.Schema, path: str | Path) -> None:
    """Like :func:`write_parquet`, one part in memory at a time."""
    import pyarrow.parquet as pq

    def write(file: Path) -> None:
        with pq.ParquetWriter(file, schema.remove_metadata(), compression="zstd") as writer:
            for part in parts:
                writer.write_table(part.replace_schema_metadata(None).combine_chunks(), row_group_size=_ROW_GROUP)

    write_atomically(path, write)


def write_csv(table: pa.Table | pd.DataFrame, path: str | Path) -> None:
    """Write UTF-8 CSV atomically, text cells guarded against being run as formulas; missing is an empty cell."""
    write_csv_parts([table], path)


def write_csv_parts(parts: Iterable[pa.Table | pd.DataFrame], path: str | Path) -> None:
    """Like :func:`write_csv`, one part in memory at a time; every part has the same columns."""

    def write(file: Path) -> None:
        with file.open("w", encoding="utf-8", newline="") as stream:
            rows = _Rows(stream)
            for number, part in enumerate(parts):
                _guarded(part).to_csv(cast("Any", rows), index=False, header=number == 0, lineterminator=_ROW_END)

    write_atomically(path, write)


class _Rows:
    """Takes one row at a time, as the csv module writes them, and ends each by a line feed instead of ``_ROW_END``."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: str) -> int:
        return self._stream.write(f"{row.removesuffix(_ROW_END)}\n".replace(_EMPTY, '""'))


def _guarded(table: pa.Table | pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    frame = table if isinstance(table, pd.DataFrame) else table.to_pandas(integer_object_nulls=True)
    # Not Series.map, which would turn a column of whole numbers and gaps back into floats.
    cells = {name: pd.Series(list(map(_csv_cell, frame[name])), frame.index, object) for name in _text_columns(frame)}
    frame = frame.assign(**cells)
    frame.columns = pd.Index([_csv_cell(name) for name in frame.columns])
    return frame


def read_table(
    path: str | Path, *, text: Collection[str] = (), wanted: Callable[[str], bool] | None = None
) -> pd.DataFrame:
    """Read ``.parquet``, ``.csv``, ``.jsonl`` or ``.json`` (a list of objects, or an object of columns).

    Args:
        path: of the table.
        text: further columns of a CSV file that hold names, not numbers: ``007`` stays ``007`` there.
        wanted: which columns to keep; of a Parquet file the others are not even read, and text that repeats within a
            column comes as a category, which takes a tenth of the memory.

    Raises:
        TableError: absent, another suffix, or broken.
    """
    file = Path(path)
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise TableError(f"a table ending in {', '.join(_READERS)}", repr(file.suffix), str(file))
    if not file.is_file():
        raise TableError("a table file", "no such file", str(file))
    try:
        if reader is _read_parquet:
            return _read_parquet(file, wanted)
        frame = _read_csv(file, text) if reader is _read_csv else reader(file)
        return frame if wanted is None else frame[[name for name in frame.columns if wanted(str(name))]]
    except (ValueError, OSError) as error:  # pandas' and pyarrow's parse errors are ValueErrors.
        raise TableError(f"a readable {file.suffix} table", " ".join(str(error).split())[:300], str(file)) from error


def json_lines(path: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of every line of a JSONL file. Only a line feed ends a line: cells hold other separators.

    Raises:
        TableError: a line that is no JSON object.
        OSError: unreadable.
    """
    text = Path(path).read_text(encoding="utf-8-sig")
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise TableError("one JSON object a line", " ".join(str(error).split())[:200], where) from None
        if not isinstance(row, dict):
            raise TableError("one JSON object a line", f"{type(row).__name__} {line[:60]!r}", where)
        yield number, row


def with_text_ids(frame: pd.DataFrame, where: str | Path) -> pd.DataFrame:
    """The frame with ``id`` as text; ids may repeat, as they do in a table of ratings.

    Raises:
        TableError: no ``id`` column, no rows, or a row without an id.
    """
    if "id" not in frame.columns:
        columns = [str(name) for name in frame.columns]
        near = [name for name in columns if "id" in re.split(r"[^a-z]+", name.lower()) or name.lower() in _ID_NAMES]
        todo = f"Rename {' or '.join(repr(name) for name in near)} to 'id'?" if near else ""
        raise TableError("a column 'id'", f"the columns {', '.join(columns[:20])}", str(where), todo)
    if frame.empty:
        raise TableError("at least one row", "an empty table", str(where))
    absent = frame["id"].isna()
    if absent.any():
        raise TableError("an id in every row", f"{int(absent.sum())} rows without one", str(where))
    return frame.assign(id=as_names(frame["id"]))


def as_names(values: pd.Series[Any]) -> pd.Series[str]:
    """Ids of any type as text; whole numbers that a reader turned into floats lose their ``.0`` again.

    Args:
        values: without missing ones.
    """
    import pandas as pd

    return pd.Series([as_name(value) for value in values.tolist()], values.index, "str")


def as_name(value: Any) -> str:
    """One of them: 7, 7.0 and "7" are the same name; 0.5 and "007" stay as they are."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)


def _read_parquet(path: Path, wanted: Callable[[str], bool] | None = None) -> pd.DataFrame:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    if wanted is None:
        frame: pd.DataFrame = file.read().to_pandas()
        return frame
    names = [name for name in file.schema_arrow.names if wanted(name)]
    file = pq.ParquetFile(path, read_dictionary=_repeating(file, names))
    kept: pd.DataFrame = file.read(columns=names).to_pandas(split_blocks=True, self_destruct=True)
    return kept


def _repeating(file: pq.ParquetFile, names: Collection[str]) -> list[str]:
    """Text columns whose every page the writer found worth a dictionary that is small beside the column."""
    import pyarrow as pa

    found = []
    for index, name in enumerate(file.schema_arrow.names):
        kind = file.schema_arrow.field(name).type
        if name not in names or not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        chunks = [file.metadata.row_group(group).column(index) for group in range(file.metadata.num_row_groups)]
        if all(c.total_uncompressed_size < _FEW_BYTES * c.num_values for c in chunks):
            found.append(name)
    return found


def _read_csv(path: Path, text: Collection[str] = ()) -> pd.DataFrame:
    import pandas as pd

    names = pd.read_csv(path, encoding="utf-8-sig", nrows=0, keep_default_na=False).columns
    text = (*_TEXT_COLUMNS, *text)
    # "NA", "null" and "None" are words that people use as names; "nan" is missing where a number is expected.
    empty = {name: [""] if name in text else ["", "nan", "NaN"] for name in names}
    types = dict.fromkeys(text, "str")
    frame = pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False, na_values=empty, dtype=types)
    frame = frame.assign(**{name: frame[name].map(_plain_cell, na_action="ignore") for name in _text_columns(frame)})
    frame.columns = pd.Index([_plain_cell(name) for name in frame.columns])
    return frame


def _read_jsonl(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame.from_records([row for _, row in json_lines(path)])


def _read_json(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(json.loads(path.read_text(encoding="utf-8-sig")))


_READERS: Final[dict[str, Callable[[Path], pd.DataFrame]]] = {
    ".parquet": _read_parquet,
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".json": _read_json,
}


def _csv_cell(value: Any) -> Any:
    if hasattr(value, "tolist") and not isinstance(value, str):
        value = value.tolist()
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return value
    return _EMPTY if not value else f"'{value}" if _FORMULA.match(value) else value


def _plain_cell(value: Any) -> Any:
    return value[1:] if isinstance(value, str) and _GUARDED.match(value) else value


def _text_columns(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if frame[name].dtype.kind not in "biufcmM"]
