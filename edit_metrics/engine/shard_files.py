"""Committed shards on the disk. A shard counts when its mark and both its files are whole; anything else is not done.

    shards/000000.parquet               rows of a shard: what scoring found, not what the manifest says
    shards/000000.rejected.jsonl        rows that it rejected
    shards/000000.done                  its mark, written last

A mark carries the run's signature, the hashes of both files, the items with what their scores rest on
(:func:`edit_metrics.engine.shards.item_tags`), and a hash over itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from edit_metrics.engine.shards import Shard
from edit_metrics.errors import RunError
from edit_metrics.io.atomic import write_bytes, write_text
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.scores.run_info import file_sha256
from edit_metrics.types import Rejection

TABLE, REJECTED, DONE, ATTEMPTS = "parquet", "rejected.jsonl", "done", "attempts"
SUFFIXES: Final = (TABLE, REJECTED, DONE, ATTEMPTS)
"""Of the files of a shard."""
_SIGNATURE_KEY: Final = b"edit_metrics.run_signature"

Tagged: TypeAlias = tuple[tuple[str, str], ...]
"""Items, each with its tag."""


@dataclass(frozen=True, slots=True)
class DoneMark:
    """What a committed shard says of itself.

    Attributes:
        signature: of the run.
        table: SHA-256 of its Parquet file.
        rejections: SHA-256 of its rejected rows.
        scored: items in the order of the table's rows.
        rejected: items in the order of the rejected rows.
        seconds: stage → time spent in it.
        unsettled: of the scored items, those with a file that could not be fetched, or no memory: a later run scores
            them again.
    """

    signature: str
    table: str
    rejections: str
    scored: Tagged
    rejected: Tagged
    seconds: Mapping[str, float]
    unsettled: tuple[str, ...] = ()

    def to_json(self) -> str:
        """With a hash over all of it."""
        content = asdict(self)
        return json.dumps({"content": content, "sha256": canonical_json_sha256(content)}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> DoneMark:
        """The inverse of :meth:`to_json`.

        Raises:
            ValueError: it is not whole.
        """
        try:
            data = json.loads(text)
            content = data["content"]
            if data["sha256"] != canonical_json_sha256(content):
                raise ValueError("the hash is another one")
            return cls(
                signature=content["signature"],
                table=content["table"],
                rejections=content["rejections"],
                scored=tuple((str(name), str(tag)) for name, tag in content["scored"]),
                rejected=tuple((str(name), str(tag)) for name, tag in content["rejected"]),
                seconds=content["seconds"],
                unsettled=tuple(content["unsettled"]),
            )
        except (KeyError, TypeError, RecursionError) as error:
            raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Part:
    """A committed shard: the name of its files, and its mark."""

    name: str
    mark: DoneMark


class ShardFiles:
    """The files of the shards of one run.

    Args:
        folder: ``shards/`` of the run folder.
        signature: SHA-256 of the run's signature; shards of another one are not this run's.
    """

    def __init__(self, folder: Path, signature: str) -> None:
        self._folder = folder
        self._signature = signature

    def commit(
        self,
        shard: Shard,
        table: pa.Table,
        rejections: Sequence[Rejection],
        seconds: Mapping[str, float],
        unsettled: Sequence[str] = (),
    ) -> DoneMark:
        """Write a shard; the done mark comes last, so that a kill leaves it whole or not there.

        Args:
            shard: whose items are the table's rows, or rejected.
            table: with a column ``id``.
            rejections: of the other items.
            seconds: stage → time.
            unsettled: items to be scored again by a later run.
        """
        tag_of = dict(zip((item.id for item in shard.items), shard.tags, strict=True))
        rows = _parquet_bytes(table, self._signature)
        lines = "".join(json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in rejections).encode()
        mark = DoneMark(
            signature=self._signature,
            table=hashlib.sha256(rows).hexdigest(),
            rejections=hashlib.sha256(lines).hexdigest(),
            scored=tuple((name, tag_of[name]) for name in table.column("id").to_pylist()),
            rejected=tuple((str(one.id), tag_of[str(one.id)]) for one in rejections),
            seconds=dict(seconds),
            unsettled=tuple(unsettled),
        )
        write_bytes(rows, self.path(shard.name, TABLE))
        write_bytes(lines, self.path(shard.name, REJECTED))
        write_text(mark.to_json() + "\n", self.path(shard.name, DONE))
        return mark

    def mark_of(self, shard: Shard) -> DoneMark | None:
        """The mark of a shard that is done: of these very items, none of which has changed since."""
        mark = self.whole_mark(shard.name)
        if mark is None or mark.signature != self._signature:
            return None
        wanted = {(item.id, tag) for item, tag in zip(shard.items, shard.tags, strict=True)}
        return mark if {*mark.scored, *mark.rejected} == wanted else None

    def marks(self) -> list[Part]:
        """Every mark that can be read, of any run, whatever its files are worth."""
        found = ((path.name.removesuffix(f".{DONE}"), path) for path in sorted(self._folder.glob(f"*.{DONE}")))
        return [Part(name, mark) for name, path in found if (mark := _read_mark(path)) is not None]

    def parts(self) -> list[Part]:
        """The shards of this run that are done and whole."""
        found = [part for part in self.marks() if part.mark.signature == self._signature]
        return [part for part in found if self._is_whole(part.name, part.mark)]

    def whole_mark(self, name: str) -> DoneMark | None:
        """The mark of that name, where it and its files are as they were written."""
        mark = _read_mark(self.path(name, DONE))
        return mark if mark is not None and self._is_whole(name, mark) else None

    def read_table(self, part: Part, columns: Sequence[str] | None = None) -> pa.Table:
        """Those columns of a shard's rows.

        Raises:
            RunError: the file went or was changed while the run was going on.
        """
        data = self._read(part.name, TABLE, part.mark.table)
        return pq.read_table(pa.BufferReader(data), columns=None if columns is None else list(columns))

    def read_rejections(self, part: Part) -> list[dict[str, Any]]:
        """The rows that a shard rejected.

        Raises:
            RunError: as for :meth:`read_table`.
        """
        data = self._read(part.name, REJECTED, part.mark.rejections)
        return [json.loads(line) for line in data.decode().split("\n") if line]

    def path(self, name: str, suffix: str) -> Path:
        """One of a shard's files."""
        return self._folder / f"{name}.{suffix}"

    def _read(self, name: str, suffix: str, sha256: str) -> bytes:
        path = self.path(name, suffix)
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != sha256 or not path.is_file():
            got = f"{path.name} changed" if path.is_file() else f"no {path.name}"
            todo = "Something else writes there. The same command scores that shard again."
            raise RunError("every shard as this run wrote it", got, str(self._folder), todo)
        return data

    def _is_whole(self, name: str, mark: DoneMark) -> bool:
        files = ((TABLE, mark.table), (REJECTED, mark.rejections))
        return all(file_sha256(self.path(name, suffix)) == sha256 for suffix, sha256 in files)


def _parquet_bytes(table: pa.Table, signature: str) -> bytes:
    signed = table.replace_schema_metadata({_SIGNATURE_KEY: signature.encode()}).combine_chunks()
    stream = pa.BufferOutputStream()
    pq.write_table(signed, stream, compression="zstd")
    data: bytes = stream.getvalue().to_pybytes()
    return data


def _read_mark(path: Path) -> DoneMark | None:
    try:
        return DoneMark.from_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
