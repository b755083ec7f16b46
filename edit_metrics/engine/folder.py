"""The run folder: files only. It knows names and the order of writing, and nothing of scores.

    shards/signature.json               the run's signature, written first
    shards/000000.parquet               rows of a shard
    shards/000000.rejected.jsonl        rows that it rejected
    shards/000000.done                  its mark, written last: without it the shard is not there
    scores.parquet  scores.csv  scores_compact.csv  rejected.jsonl  run.json

Every write is atomic. ``run.json`` comes last and marks the run complete; then the shards go.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edit_metrics.engine.shards import Shard
from edit_metrics.errors import RunError, SignatureError
from edit_metrics.io.tables import (
    json_lines,
    write_csv_parts,
    write_json,
    write_jsonl,
    write_parquet,
    write_parquet_parts,
)
from edit_metrics.scores.compact import NAME as COMPACT_NAME
from edit_metrics.scores.compact import compact_table
from edit_metrics.scores.run_info import RUN_INFO_NAME, RunInfo, read_run_info
from edit_metrics.scores.signatures import Signature, differences
from edit_metrics.scores.table import EVIDENCE_NAME, REJECTED_NAME, TABLE_NAME
from edit_metrics.types import Rejection


@dataclass(frozen=True, slots=True)
class DoneMark:
    """What a committed shard says of itself.

    Attributes:
        inputs_tag: the shard's when it was scored, see :class:`Shard`.
        seconds: stage → time spent in it.
    """

    inputs_tag: str
    scored: int
    rejected: int
    seconds: Mapping[str, float]


class RunFolder:
    """Where a run's files are.

    Args:
        folder: ``--out``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards = folder / "shards"
        self.evidence = folder / EVIDENCE_NAME
        self.scores = folder / TABLE_NAME
        self.scores_csv = folder / "scores.csv"
        self.compact_csv = folder / COMPACT_NAME
        self.rejected = folder / REJECTED_NAME
        self.info = folder / RUN_INFO_NAME
        self._signature = self.shards / "signature.json"

    def open(self, signature: Signature, *, resume: bool) -> None:
        """Make the folder ready for a run with that signature.

        Raises:
            SignatureError: the folder holds a run made with other definitions; the differences are named.
        """
        if not resume:
            self._clear()
        held = self._held_signature()
        if held is not None and held.sha256 != signature.sha256:
            raise SignatureError(
                expected="a folder that is new, or that holds this very run",
                got=f"a run made with other definitions: {differences([held], [signature])}",
                where=str(self.folder),
                todo="Choose another --out, restore the settings, or start over there with --no-resume.",
            )
        self.shards.mkdir(parents=True, exist_ok=True)
        write_json(signature.model_dump(mode="json"), self._signature)

    def drop_evidence(self) -> None:
        """Remove evidence pictures: those of pictures that have changed would mislead."""
        shutil.rmtree(self.evidence, ignore_errors=True)

    def read_info(self) -> RunInfo | None:
        """What ``run.json`` says; None while the run is not complete.

        Raises:
            TableError: broken, or not what a run writes.
        """
        return read_run_info(self.folder) if self.scores.is_file() else None

    def mark_of(self, shard: Shard) -> DoneMark | None:
        """The done mark of a shard whose inputs have not changed since."""
        path = self._file(shard, "done")
        if not path.is_file():
            return None
        mark = DoneMark(**json.loads(path.read_text(encoding="utf-8")))
        return mark if mark.inputs_tag == shard.inputs_tag else None

    def commit(
        self, shard: Shard, table: pa.Table, rejections: Sequence[Rejection], seconds: Mapping[str, float]
    ) -> DoneMark:
        """Write a shard; the done mark comes last, so that a kill leaves it whole or not there."""
        write_parquet(table, self._file(shard, "parquet"))
        write_jsonl([asdict(rejection) for rejection in rejections], self._file(shard, "rejected.jsonl"))
        mark = DoneMark(shard.inputs_tag, table.num_rows, len(rejections), dict(seconds))
        write_json(asdict(mark), self._file(shard, "done"))
        return mark

    def read_rows(self, shards: Sequence[Shard], schema: pa.Schema) -> pa.Table:
        """Those columns of all shards, in order.

        Raises:
            RunError: a shard is missing (deleted while the run was going on).
        """
        missing = [shard.name for shard in shards if not self._file(shard, "parquet").is_file()]
        if missing:
            raise RunError("every shard of the run", f"none for {', '.join(missing[:5])}", str(self.shards))
        return pa.concat_tables([schema.empty_table(), *(self._read(shard, schema.names) for shard in shards)])

    def merge(
        self, shards: Sequence[Shard], schema: pa.Schema, added: pa.Table, rejections: Sequence[Rejection]
    ) -> None:
        """Write the tables from all shards, one shard in memory at a time.

        Args:
            shards: all of the run, committed.
            schema: of a shard's rows.
            added: one row an item in the shards' order: columns that only the whole run could give.
            rejections: of the manifest; the shards' own follow.
        """
        full = pa.schema([*schema, *added.schema])
        write_parquet_parts(self._rows_with(shards, added), full, self.scores)
        write_csv_parts(self._rows_with(shards, added), self.scores_csv)
        parts = (compact_table(part.to_pandas()) for part in self._rows_with(shards, added))
        write_csv_parts(parts, self.compact_csv)
        write_jsonl([*map(asdict, rejections), *self._rejected_rows(shards)], self.rejected)

    def close(self, info: RunInfo) -> None:
        """Write ``run.json``, which marks the run complete, and drop the shards."""
        info.write(self.folder)
        shutil.rmtree(self.shards, ignore_errors=True)

    def _clear(self) -> None:
        self.drop_evidence()
        shutil.rmtree(self.shards, ignore_errors=True)
        for path in (self.scores, self.scores_csv, self.compact_csv, self.rejected, self.info):
            path.unlink(missing_ok=True)

    def _held_signature(self) -> Signature | None:
        if self._signature.is_file():
            return Signature.model_validate_json(self._signature.read_bytes())
        info = read_run_info(self.folder)
        return None if info is None else info.run_signature

    def _file(self, shard: Shard, suffix: str) -> Path:
        return self.shards / f"{shard.name}.{suffix}"

    def _read(self, shard: Shard, columns: list[str] | None = None) -> pa.Table:
        return pq.read_table(self._file(shard, "parquet"), columns=columns)

    def _rows_with(self, shards: Iterable[Shard], added: pa.Table) -> Iterator[pa.Table]:
        start = 0
        for shard in shards:
            table = self._read(shard)
            part = added.slice(start, table.num_rows)
            start += table.num_rows
            for field, column in zip(added.schema, part.columns, strict=True):
                table = table.append_column(field, column)
            yield table

    def _rejected_rows(self, shards: Iterable[Shard]) -> Iterator[dict[str, Any]]:
        for shard in shards:
            yield from (row for _, row in json_lines(self._file(shard, "rejected.jsonl")))
