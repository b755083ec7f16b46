"""The run folder while it grows: shards written atomically, the done mark last, merged when all are there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edit_metrics.config import Config
from edit_metrics.dimensions import table_priorities
from edit_metrics.errors import RunError, SignatureError
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.sources import stat_tags
from edit_metrics.io.tables import write_csv_parts, write_json, write_jsonl, write_parquet, write_parquet_parts
from edit_metrics.scores.priority import PRIORITY_FIELDS, priority_columns
from edit_metrics.types import EditItem, Rejection


@dataclass(frozen=True, slots=True)
class Shard:
    """Consecutive rows of the manifest, scored and committed together."""

    index: int
    items: tuple[EditItem, ...]

    @property
    def name(self) -> str:
        """File stem, sortable."""
        return f"{self.index:06d}"

    def inputs_tag(self) -> str:
        """Sizes and modification times of every file the shard reads: a changed picture is scored again."""
        paths = [p for i in self.items for p in (i.source, i.edited, i.mask, *i.references) if p]
        return canonical_json_sha256(stat_tags(paths))


@dataclass(frozen=True, slots=True)
class DoneMark:
    """What a committed shard says of itself."""

    inputs_tag: str
    scored: int
    rejected: int
    seconds: Mapping[str, float]


def cut_into_shards(items: Sequence[EditItem], size: int) -> list[Shard]:
    """Shards of ``size`` consecutive items, the last one shorter."""
    starts = range(0, len(items), size)
    return [Shard(n, tuple(items[start : start + size])) for n, start in enumerate(starts)]


class RunFolder:
    """Where a run's files are; every write is atomic.

    Args:
        folder: ``--out``.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shards = folder / "shards"
        self.scores = folder / "scores.parquet"
        self.scores_csv = folder / "scores.csv"
        self.rejected = folder / "rejected.jsonl"
        self.info = folder / "run.json"
        self._signature = self.shards / "signature.json"

    def open(self, signature: Mapping[str, Any], *, resume: bool) -> None:
        """Make the folder ready for a run with that signature.

        Raises:
            SignatureError: the folder holds a run made with other definitions; the differences are named.
        """
        if not resume:
            self.drop_evidence()
            shutil.rmtree(self.shards, ignore_errors=True)
            for path in (self.scores, self.scores_csv, self.rejected, self.info):
                path.unlink(missing_ok=True)
        held = self._held_signature()
        if held is not None and held["sha256"] != signature["sha256"]:
            raise SignatureError(
                expected="a folder that is new, or that holds this very run",
                got="a run made with other definitions: " + "; ".join(differences(held["parts"], signature["parts"])),
                where=str(self.folder),
                todo="Choose another --out, restore the settings, or start over there with --no-resume.",
            )
        self.shards.mkdir(parents=True, exist_ok=True)
        write_json(dict(signature), self._signature)

    def drop_evidence(self) -> None:
        """Remove evidence pictures: those of pictures that have changed would mislead."""
        shutil.rmtree(self.folder / "evidence", ignore_errors=True)

    def _held_signature(self) -> dict[str, Any] | None:
        if self._signature.is_file():
            held: dict[str, Any] = json.loads(self._signature.read_text(encoding="utf-8"))
            return held
        if self.info.is_file():
            signature: dict[str, Any] = self.read_info()["run_signature"]
            return signature
        return None

    def read_info(self) -> dict[str, Any]:
        """What ``run.json`` holds."""
        info: dict[str, Any] = json.loads(self.info.read_text(encoding="utf-8"))
        return info

    def finished_inputs(self) -> str | None:
        """The inputs tag of a complete run, or None while there is none."""
        if not (self.info.is_file() and self.scores.is_file()):
            return None
        tag: str = self.read_info()["inputs_tag"]
        return tag

    def done_mark(self, shard: Shard) -> DoneMark | None:
        """The done mark of a shard whose inputs have not changed since."""
        path = self.shards / f"{shard.name}.done"
        if not path.is_file():
            return None
        mark = DoneMark(**json.loads(path.read_text(encoding="utf-8")))
        return mark if mark.inputs_tag == shard.inputs_tag() else None

    def commit(
        self,
        shard: Shard,
        inputs_tag: str,
        table: pa.Table,
        rejections: Sequence[Rejection],
        seconds: Mapping[str, float],
    ) -> None:
        """Write a shard; the done mark comes last, so that a kill leaves it whole or not there."""
        write_parquet(table, self.shards / f"{shard.name}.parquet")
        rows = [_rejection_row(rejection) for rejection in rejections]
        write_jsonl(rows, self.shards / f"{shard.name}.rejected.jsonl")
        mark = DoneMark(inputs_tag, table.num_rows, len(rows), dict(seconds))
        write_json(_fields(mark), self.shards / f"{shard.name}.done")

    def merge(
        self, shards: Sequence[Shard], schema: pa.Schema, config: Config, rejections: Sequence[Rejection]
    ) -> None:
        """Write the final files from all shards, one shard in memory at a time, and drop the shards.

        Raises:
            RunError: a shard is missing (deleted while the run was going on).
        """
        missing = [shard.name for shard in shards if not (self.shards / f"{shard.name}.parquet").is_file()]
        if missing:
            raise RunError("every shard of the run", f"none for {', '.join(missing[:5])}", str(self.shards))
        read = priority_columns(config)
        parts = [self._read(shard, read) for shard in shards] or [schema.empty_table().select(read)]
        priorities = table_priorities(pa.concat_tables(parts), config)
        full_schema = pa.schema([*schema, *PRIORITY_FIELDS])
        write_parquet_parts(self._with_priorities(shards, priorities), full_schema, self.scores)
        write_csv_parts(self._with_priorities(shards, priorities), self.scores_csv)
        write_jsonl([*map(_rejection_row, rejections), *self._rejected_rows(shards)], self.rejected)

    def close(self, info: Mapping[str, Any]) -> None:
        """Write ``run.json``, which marks the run complete, and drop the shards."""
        write_json(dict(info), self.info)
        shutil.rmtree(self.shards, ignore_errors=True)

    def _with_priorities(self, shards: Sequence[Shard], priorities: pa.Table) -> Iterator[pa.Table]:
        start = 0
        for shard in shards:
            table = self._read(shard, None)
            part = priorities.slice(start, table.num_rows)
            for index, field in enumerate(PRIORITY_FIELDS):
                table = table.append_column(field, part.column(index))
            start += table.num_rows
            yield table

    def _read(self, shard: Shard, columns: list[str] | None) -> pa.Table:
        return pq.read_table(self.shards / f"{shard.name}.parquet", columns=columns)

    def _rejected_rows(self, shards: Sequence[Shard]) -> Iterator[dict[str, Any]]:
        for shard in shards:
            text = (self.shards / f"{shard.name}.rejected.jsonl").read_text(encoding="utf-8")
            yield from (json.loads(line) for line in text.splitlines())


def differences(held: Any, wanted: Any, path: str = "") -> list[str]:
    """Where two signatures' parts differ, in words: ``a.b: 1 → 2``; at most 8 of them."""
    if isinstance(held, Mapping) and isinstance(wanted, Mapping):
        found: list[str] = []
        for key in dict.fromkeys((*held, *wanted)):
            found += differences(held.get(key), wanted.get(key), f"{path}.{key}" if path else str(key))
        return found[:8]
    if held == wanted:
        return []
    return [f"{path}: {_short(held)} → {_short(wanted)}"]


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "…"


def _rejection_row(rejection: Rejection) -> dict[str, Any]:
    return _fields(rejection)


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}
