"""WebDataset shards: tar files in which the members of a sample share a name up to its first dot.

    PATH/shard-000000.tar (or .tar.gz)
        a/000001.source.jpg  a/000001.edited.png  [a/000001.mask.png]  [a/000001.reference_0.jpg …]
        a/000001.json  and/or  a/000001.instruction.txt

Shards are read as streams, member by member, once; nothing is unpacked, and no member's name becomes a path. Pictures
are written out under their content hash, so that a source that many samples share is one file. What a member is tells
the part of its name between the first dot and the suffix, as columns do in Parquet; texts come from the JSON member, or
from a ``.txt`` one.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edit_metrics.choices import WhiteMeans
from edit_metrics.errors import ConfigError, ManifestError
from edit_metrics.io.hf_cells import MISSING, picture_cell, plain_metadata, text_cell
from edit_metrics.io.hf_columns import choose_columns
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import PICTURE_SUFFIXES, Converted, Problem, shared_missing
from edit_metrics.io.mask_reading import mask_bytes_reading
from edit_metrics.types import ManifestRow

_LARGEST: Final = 200_000_000  # bytes of a member, as of a picture file
_TEXTS: Final = ("instruction", "source_caption", "target_caption", "edit_type", "model", "group")
_REFERENCE: Final = re.compile(r"(?:reference|ref)_?(\d+)")
_SHORT: Final = {"txt": "instruction"}
"""A text member without a name of its own."""


@dataclass(slots=True)
class _Sample:
    key: str
    pictures: dict[str, bytes] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Options:
    files: Path
    columns: Mapping[str, str]
    model: str | None
    white_means: WhiteMeans | None


@layout("webdataset")
def read_webdataset(
    path: Path,
    *,
    files: Path,
    columns: Mapping[str, str] | None = None,
    model: str | None = None,
    white_means: WhiteMeans | None = None,
) -> Converted:
    """Read shards with pictures inside.

    Args:
        path: a tar file, or a folder whose tar files are read in the order of their names.
        files: folder for the pictures that are written out.
        columns: field → name of a member or key of the JSON, where the name says too little.
        model: name of the model where no sample has it.
        white_means: what the light part of the masks marks; None: decided for each mask by its content.

    Raises:
        ManifestError: no tar file, or one that cannot be read.
        ConfigError: a field that no sample has, or that cannot be told from another.
    """
    shards = sorted(one for one in path.rglob("*.tar*") if one.is_file()) if path.is_dir() else [path]
    if not shards or not all(shard.is_file() for shard in shards):
        raise ManifestError("a tar file or a folder of them", "none", str(path))
    options = _Options(files, columns or {}, model, white_means)
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    names: dict[str, None] = {}
    for shard in shards:
        for sample in _samples(shard):
            row = _row(sample, shard.name, options, problems)
            if row.id in seen:
                where = f"{shard.name}: {sample.key}"
                problems.append(
                    Problem(where, row.id, "an id that an earlier row has", "row kept: it will be rejected")
                )
            seen.add(row.id)
            rows.append(row)
            names.update(dict.fromkeys((*sample.pictures, *sample.cells)))
    _refuse_unnamed(rows, files / MISSING, tuple(names), str(path))
    nowhere = str(files / MISSING)
    gone = [problem for problem in shared_missing(rows) if not problem.where.startswith(nowhere)]
    return Converted(tuple(rows), (*problems, *gone))


def _refuse_unnamed(rows: list[ManifestRow[Path]], nowhere: Path, names: tuple[str, ...], where: str) -> None:
    """A picture that no sample at all has was not found under its name."""
    for one in ("source", "edited"):
        if rows and all(getattr(row, one).is_relative_to(nowhere) for row in rows):
            todo = f"Name it: --column {one}=NAME"
            raise ConfigError(f"a member for {one!r} in some sample", ", ".join(names), where, todo)


def _samples(shard: Path) -> Iterator[_Sample]:
    """The samples of a shard; members of one lie next to each other."""
    sample: _Sample | None = None
    try:
        with tarfile.open(shard, "r|*") as archive:
            for member in archive:
                folder, _, base = member.name.rpartition("/")
                stem, _, part = base.partition(".")
                if not member.isfile() or not stem or not part:
                    continue
                key = f"{folder}/{stem}".strip("/")
                if sample is None or sample.key != key:
                    if sample is not None:
                        yield sample
                    sample = _Sample(key)
                if member.size > _LARGEST:
                    sample.problems.append(f"{part}: {member.size:,} bytes, more than {_LARGEST:,}")
                    continue
                stream = archive.extractfile(member)
                _put(sample, part, b"" if stream is None else stream.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ManifestError("a whole tar file", " ".join(str(error).split())[:200], str(shard)) from None
    if sample is not None:
        yield sample


def _put(sample: _Sample, part: str, data: bytes) -> None:
    name, dot, suffix = part.rpartition(".")
    if f".{suffix.lower()}" in PICTURE_SUFFIXES:
        sample.pictures[name if dot else "source"] = data
        return
    try:
        if suffix == "json":
            cells = json.loads(data.decode("utf-8"))
            sample.cells |= cells if isinstance(cells, dict) else {name or "json": cells}
        elif suffix in ("txt", "text"):
            sample.cells[name if dot else _SHORT.get(suffix, suffix)] = data.decode("utf-8")
    except ValueError as error:
        sample.problems.append(f"{part}: {error}")


def _row(sample: _Sample, shard: str, options: _Options, problems: list[Problem]) -> ManifestRow[Path]:
    where = f"{shard}: {sample.key}"
    problems += [Problem(where, sample.key, text, "row kept: without it") for text in sample.problems]
    # A null edit has no member; the row is one all the same.
    names = (*sample.pictures, *(name for name in sample.cells if name not in sample.pictures))
    named = choose_columns(names, options.columns, where, pictures=sample.pictures, complete=False)
    texts = {}
    for one in (*_TEXTS, "id"):
        try:
            texts[one] = text_cell(sample.cells.get(named.get(one, one)))
        except ValueError as error:
            texts[one] = None
            problems.append(Problem(where, sample.key, f"{one}: {error}", "row kept: without it"))
    row_id = texts["id"] or sample.key
    pictures = {}
    for one in ("source", "edited"):
        data = sample.pictures.get(named.get(one, ""))
        if data is None:
            problems.append(Problem(where, row_id, f"no {one} picture", "row kept: it will be scored as infeasible"))
        cell = None if data is None else picture_cell(data, options.files, options.files)
        nowhere = options.files / MISSING / f"{sample.key.replace('/', '_')}_{one}.png"
        pictures[one] = nowhere if cell is None or cell.path is None else cell.path
    if not (texts["instruction"] or texts["target_caption"]):
        problems.append(Problem(where, row_id, "no instruction and no target_caption", "row kept: it will be rejected"))
    mask, meaning = _mask(sample.pictures.get(named.get("mask", "")), options, where, row_id, problems)
    further = {k: v for k, v in sample.cells.items() if k not in named.values() and k not in (*_TEXTS, "id")}
    return ManifestRow(
        id=row_id,
        source=pictures["source"],
        edited=pictures["edited"],
        mask=mask,
        mask_white_means=meaning,
        references=_references(sample, options),
        model=texts["model"] or options.model,
        metadata=plain_metadata(further)[0],
        instruction=texts["instruction"],
        source_caption=texts["source_caption"],
        target_caption=texts["target_caption"],
        edit_type=texts["edit_type"],
        group=texts["group"],
    )


def _references(sample: _Sample, options: _Options) -> tuple[Path, ...]:
    numbered = sorted((int(found[1]), name) for name in sample.pictures if (found := _REFERENCE.fullmatch(name)))
    cells = [picture_cell(sample.pictures[name], options.files, options.files) for _, name in numbered]
    return tuple(cell.path for cell in cells if cell.path is not None)


def _mask(
    data: bytes | None, options: _Options, where: str, row_id: str, problems: list[Problem]
) -> tuple[Path | None, WhiteMeans]:
    path = None if data is None else picture_cell(data, options.files, options.files).path
    if data is None or path is None:
        return None, "edited"
    if options.white_means is not None:
        return path, options.white_means
    reading = mask_bytes_reading(data, path)
    if reading.problem:
        problems.append(Problem(where, row_id, reading.problem, "row kept: without a mask"))
        return None, "edited"
    return path, reading.white_means
