"""Manifests: which edits to score. Every row becomes an item or a rejection, exactly once."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edit_metrics.errors import ManifestError
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.records import Record, parse_records, record_of
from edit_metrics.io.rows import RowReader
from edit_metrics.io.sources import is_url, parent_of, read_all
from edit_metrics.types import MANIFEST_COLUMNS, EditItem, Rejection


@dataclass(frozen=True, slots=True)
class Manifest:
    """The checked rows.

    Attributes:
        items: in file order; ``item.row`` counts every row, also rejected ones.
        rejections: in file order.
        sha256: of the file's bytes (of the rows as canonical JSON, where there is no file), whatever the limit.
        path: the file, or ``<rows>``.
        columns: names of the metadata columns, in order of appearance.
        root: what relative paths start from.
    """

    items: tuple[EditItem, ...]
    rejections: tuple[Rejection, ...]
    sha256: str
    path: str
    columns: tuple[str, ...]
    root: str


def read_manifest(
    path: str | Path,
    *,
    root: str | Path | None = None,
    allow_outside_root: bool = False,
    limit: int | None = None,
) -> Manifest:
    """Read and check a manifest.

    In CSV an empty cell is absent, and a metadata column whose cells are all whole numbers, all numbers or all
    ``true``/``false`` is read as such. In JSONL, null and NaN are absent and ``""`` is present but blank: a blank
    instruction is left for the feasibility check to report, blank captions, masks and labels count as absent.

    Args:
        path: ``.jsonl``, ``.csv`` or ``.parquet``; a local path or an fsspec URL.
        root: what relative paths start from, and what no path may leave; the manifest's folder by default.
        allow_outside_root: lets paths leave the root.
        limit: only the first rows.

    Raises:
        ManifestError: the file as a whole cannot be read. A bad row is a rejection, never an error.
    """
    location = str(path)
    data = _read_file(location)
    records = itertools.islice(parse_records(data, PurePosixPath(location).suffix, location), limit)
    base = str(root) if root is not None else parent_of(location)
    reader = RowReader(base, allow_outside_root)
    return _build(records, reader, hashlib.sha256(data).hexdigest(), location, base)


def items_from_rows(
    rows: Iterable[Mapping[str, Any]],
    *,
    root: str | Path | None = None,
    allow_outside_root: bool = False,
) -> Manifest:
    """Check rows given in Python, by the rules of a manifest file.

    Args:
        rows: mappings with the manifest's column names.
        root: as for :func:`read_manifest`. None: paths start from the working folder and may lead anywhere.
        allow_outside_root: lets paths leave the root.

    Raises:
        ManifestError: there are no rows.
    """
    records = [record_of(line, row) for line, row in enumerate(rows, start=1)]
    reader = RowReader(str(root or Path.cwd()), allow_outside_root or root is None)
    sha256 = canonical_json_sha256([_hashable(record) for record in records])
    return _build(records, reader, sha256, "<rows>", str(root or Path.cwd()))


def _build(records: Iterable[Record | Rejection], reader: RowReader, sha256: str, path: str, root: str) -> Manifest:
    rows = list(records)
    if not rows:
        raise ManifestError("at least one row", "none", path)
    own = [row.cells for row in rows if isinstance(row, Record)]
    names = dict.fromkeys(name for cells in own for name in cells if name not in MANIFEST_COLUMNS)
    items: list[EditItem] = []
    rejections: list[Rejection] = []
    for row, record in enumerate(rows):
        checked = record if isinstance(record, Rejection) else reader.item_of(row, record)
        if isinstance(checked, Rejection):
            rejections.append(checked)
        else:
            items.append(checked)
    return Manifest(tuple(items), tuple(rejections), sha256, path, tuple(names), root)


def _read_file(path: str) -> bytes:
    try:
        return read_all(path)
    except FileNotFoundError:
        raise ManifestError("a manifest file", "no such file", path) from None
    except IsADirectoryError:
        todo = "" if is_url(path) else f"Make a manifest of it: edit-metrics manifest folders {path} --out FILE"
        raise ManifestError("a manifest file", "a folder", path, todo) from None
    except OSError as error:
        raise ManifestError("a readable manifest file", str(error), path) from error


def _hashable(record: Record | Rejection) -> dict[str, str]:
    if isinstance(record, Rejection):
        return {"rejected": repr(record)}
    return {name: repr(value) for name, value in record.cells.items()}
