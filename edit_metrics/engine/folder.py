"""The run folder: files only. It knows names, whose they are, and the order of writing, and nothing of scores.

    shards/record.json                  the run's signature and the names that its shards use, written first
    shards/000000.*                     committed shards, see :mod:`edit_metrics.engine.shard_files`
    scores.parquet  scores.csv  scores_compact.csv  rejected.jsonl  run.json

Every write is atomic. ``run.json`` comes last, names the other files with their hashes and marks the run complete; then
the shards go. Nothing is removed, and nothing replaced, that a record does not name; a file of ours that somebody has
changed since is moved aside. Who opens the folder to write holds :func:`edit_metrics.engine.lock.locked`.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from edit_metrics._version import __version__
from edit_metrics.engine.shard_files import SUFFIXES, DoneMark, Part, ShardFiles
from edit_metrics.engine.shards import Shard
from edit_metrics.errors import SignatureError, TableError, UserError
from edit_metrics.evidence.files import item_key
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.tables import write_csv_parts, write_json, write_jsonl, write_parquet_parts
from edit_metrics.scores.compact import NAME as COMPACT_NAME
from edit_metrics.scores.compact import compact_table
from edit_metrics.scores.run_info import OUTPUT_NAMES, RUN_INFO_NAME, RunInfo, file_sha256, read_run_info
from edit_metrics.scores.signatures import Signature, differences
from edit_metrics.scores.table import EVIDENCE_NAME, REJECTED_NAME, TABLE_NAME
from edit_metrics.types import Rejection


@dataclass(frozen=True, slots=True)
class Record:
    """What an unfinished run says of itself.

    Attributes:
        names: of shards that it has written or may have.
        merging: the tables are being written: those that lie there are its own.
    """

    signature: Signature
    names: frozenset[str] = frozenset()
    merging: bool = False


class RunFolder:
    """Where a run's files are, and which files are its.

    Args:
        folder: ``--out``.
        signature: SHA-256 of the run's signature.
    """

    def __init__(self, folder: Path, signature: str = "") -> None:
        self.folder = folder
        self.shards = folder / "shards"
        self.evidence = folder / EVIDENCE_NAME
        self.scores = folder / TABLE_NAME
        self.scores_csv = folder / "scores.csv"
        self.compact_csv = folder / COMPACT_NAME
        self.rejected = folder / REJECTED_NAME
        self.info = folder / RUN_INFO_NAME
        self.files = ShardFiles(self.shards, signature)
        self._record_file = self.shards / "record.json"

    def recognise(self) -> None:
        """Make sure that a run may write here.

        Raises:
            UserError: the folder holds files, and none that say that a run of this program wrote them.
        """
        found = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        empty = [path.name for path in (self.shards, self.evidence) if path.is_dir() and not any(path.iterdir())]
        if not set(found) - set(empty) or self.read_info() or self._record_file.is_file() or self.files.marks():
            return
        if self.info.is_file() and self._is_our_table():  # Of a finished run: its run.json was damaged.
            return
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise UserError(
            "a folder that is new or empty, or one that a run of this program wrote",
            f"a folder with {', '.join(found[:5])}{more}, and no record of a run",
            str(self.folder),
            "Nothing was touched. Choose another --out.",
        )

    def check_signature(self, signature: Signature) -> None:
        """Make sure that what the folder holds was made with these definitions.

        Raises:
            SignatureError: with others; the differences are named.
        """
        record, info = self._record(), self.read_info()
        held = [one for one in (record and record.signature, info and info.run_signature) if one]
        held += [Signature(sha256=part.mark.signature) for part in self.files.marks()]
        other = next((one for one in held if one.sha256 != signature.sha256), None)
        if other is None:
            return
        named = differences([other], [signature]) if other.parts else "its signature is another one"
        raise SignatureError(
            expected="a folder that is new, or that holds this very run",
            got=f"a run made with other definitions: {named}",
            where=str(self.folder),
            todo="Choose another --out, restore the settings, or start over there with --no-resume.",
        )

    def open(self, signature: Signature, names: Iterable[str]) -> None:
        """Say who writes here, and shards of which names, before any of them is written."""
        held = self._record()
        self.shards.mkdir(parents=True, exist_ok=True)
        known = held.names if held else frozenset()
        self._write_record(Record(signature, known | frozenset(names), held is not None and held.merging))

    def taken_names(self, parts: Sequence[Part]) -> set[str]:
        """Names of shards that may not be written anew: of those that are kept, and of files that are not ours."""
        ours = self._own_names()
        there = {path.name.split(".", 1)[0] for path in self.shards.glob("*.*")} if self.shards.is_dir() else set()
        return {part.name for part in parts} | (there - ours)

    def read_info(self) -> RunInfo | None:
        """What ``run.json`` says of a run; None while there is none that is complete, or it cannot be read."""
        try:
            info = read_run_info(self.folder)
        except (TableError, OSError):
            return None
        return info if info is not None and info.run_signature is not None else None

    def mark_of(self, shard: Shard) -> DoneMark | None:
        """See :meth:`edit_metrics.engine.shard_files.ShardFiles.mark_of`."""
        return self.files.mark_of(shard)

    def write_tables(
        self, rows: Sequence[Iterator[pa.Table]], schema: pa.Schema, rejected: Sequence[Rejection]
    ) -> list[str]:
        """Write the tables, one part in memory at a time.

        Args:
            rows: the whole table in parts, three times: for Parquet, CSV and the compact CSV.
            schema: of the rows.
            rejected: of the manifest, then those of decoding.

        Returns:
            Names to which files were moved that were not this run's.
        """
        aside = [] if self._is_merging() else [moved for name in OUTPUT_NAMES if (moved := self._make_way(name))]
        record = self._record()
        if record is not None:
            self._write_record(replace(record, merging=True))
        whole, csv, compact = rows
        write_parquet_parts(whole, schema, self.scores)
        write_csv_parts(csv, self.scores_csv)
        write_csv_parts((compact_table(part.to_pandas()) for part in compact), self.compact_csv)
        self.write_rejected(rejected)
        return aside

    def write_rejected(self, rejected: Sequence[Rejection]) -> None:
        """Write ``rejected.jsonl``."""
        write_jsonl([asdict(one) for one in rejected], self.rejected)

    def close(self, info: RunInfo) -> None:
        """Write ``run.json``, which marks the run complete, and drop the shards."""
        info.write(self.folder)
        self.drop_shards()

    def clear(self, known_ids: Collection[str]) -> list[str]:
        """Remove what a run wrote here, and nothing else.

        Args:
            known_ids: items that it scored.

        Returns:
            Names to which files were moved that are not as the run wrote them.
        """
        known = [name for part in self.files.marks() for name, _ in (*part.mark.scored, *part.mark.rejected)]
        self.drop_evidence({*known_ids, *known})
        merging = self._is_merging()
        self.drop_shards()
        aside = [] if merging else [moved for name in OUTPUT_NAMES if (moved := self._make_way(name))]
        for name in OUTPUT_NAMES:
            (self.folder / name).unlink(missing_ok=True)
        if self.read_info() is None and self.info.is_file():
            aside.append(_move_aside(self.info))
        self.info.unlink(missing_ok=True)
        return aside

    def drop_evidence(self, ids: Iterable[str]) -> None:
        """Remove evidence pictures of these items: those of pictures that have changed would mislead."""
        keys = {item_key(name) for name in ids}
        if not keys or not self.evidence.is_dir():
            return
        for path in self.evidence.iterdir():
            key, dash, _ = path.name.partition("-")
            if dash and key in keys and path.suffix in (".webp", ".json"):
                path.unlink(missing_ok=True)
        _remove_if_empty(self.evidence)

    def drop_shards(self) -> None:
        """Remove the shards that this run, or an earlier one, wrote here by its record."""
        for name in self._own_names():
            for suffix in SUFFIXES:
                self.files.path(name, suffix).unlink(missing_ok=True)
        self._record_file.unlink(missing_ok=True)
        _remove_if_empty(self.shards)

    def move_aside(self, name: str) -> str | None:
        """Make way for one of the tables where it is not as its run wrote it; the new name, if it was moved."""
        return self._make_way(name)

    def _own_names(self) -> set[str]:
        record = self._record()
        return {*(record.names if record else ()), *(part.name for part in self.files.marks())}

    def _is_merging(self) -> bool:
        record = self._record()
        return record is not None and record.merging

    def _make_way(self, name: str) -> str | None:
        path = self.folder / name
        if not path.is_file() or not path.stat().st_size:
            return None
        info = self.read_info()
        if info is not None and info.files.get(name) == file_sha256(path):
            return None
        return _move_aside(path)

    def _is_our_table(self) -> bool:
        import pyarrow.parquet as pq

        from edit_metrics.scores.columns import OVERALL, PRIORITY

        try:
            return {"id", PRIORITY, *OVERALL} <= set(pq.read_schema(self.scores).names)
        except (OSError, ValueError):
            return False

    def _record(self) -> Record | None:
        try:
            data = json.loads(self._record_file.read_text(encoding="utf-8"))
            content: dict[str, Any] = data["content"]
            if data["sha256"] != canonical_json_sha256(content):
                return None
            signature = Signature.model_validate(content["signature"])
            return Record(signature, frozenset(content["names"]), bool(content["merging"]))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _write_record(self, record: Record) -> None:
        content = {
            "edit_metrics": __version__,
            "signature": record.signature.model_dump(mode="json"),
            "names": sorted(record.names),
            "merging": record.merging,
        }
        write_json({"content": content, "sha256": canonical_json_sha256(content)}, self._record_file)


def _move_aside(path: Path) -> str:
    number = 1
    while (other := path.with_name(f"{path.stem}.changed-{number}{path.suffix}")).exists():
        number += 1
    path.rename(other)
    return other.name


def _remove_if_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()
