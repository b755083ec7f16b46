"""A folder whose run is complete: what it holds, mending it, and taking its rows over when the manifest has changed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from edit_metrics.config import Config
from edit_metrics.dimensions.rescoring import rescore
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.kept import Kept
from edit_metrics.engine.shard_files import DoneMark, Part
from edit_metrics.engine.shards import Shard
from edit_metrics.io.manifest import Manifest
from edit_metrics.io.tables import write_csv_parts
from edit_metrics.scores.compact import NAME as COMPACT_NAME
from edit_metrics.scores.compact import compact_table
from edit_metrics.scores.judging import MEASURED
from edit_metrics.scores.run_info import OUTPUT_NAMES, RunInfo, file_sha256
from edit_metrics.scores.signatures import Signature
from edit_metrics.scores.table import REJECTED_NAME, TABLE_NAME
from edit_metrics.types import Rejection


@dataclass(frozen=True, slots=True)
class Finished:
    """A complete run whose ``scores.parquet`` is as it was written.

    Attributes:
        part: its items as one part; the table is read by :meth:`adopt` alone.
        rejections: rows that decoding rejected, in the part's order.
    """

    folder: RunFolder
    info: RunInfo
    part: Part
    rejections: tuple[dict[str, Any], ...]

    @property
    def signature(self) -> Signature:
        """Of the run."""
        return self.info.run_signature or Signature(sha256=self.part.mark.signature)

    @property
    def ids(self) -> list[str]:
        """Of its table, in its order."""
        return [name for name, _ in self.part.mark.scored]

    def is_of(self, manifest: Manifest, kept: Kept) -> bool:
        """Whether its tables are those of this very manifest, given that every item of it is kept."""
        held = self.info.manifest
        rows = len(manifest.items) + len(manifest.rejections)
        same = held is not None and (held.sha256, held.root) == (manifest.sha256, manifest.root)
        same = same and self.info.counts is not None and self.info.counts.rows == rows
        return same and not kept.gone and kept.count == len(manifest.items) and self._in_order(manifest, kept)

    def adopt(
        self, manifest: Manifest, tags: Sequence[str], kept: Kept, columns: Sequence[str], config: Config
    ) -> None:
        """Commit the rows that still hold as shards, so that a kill while the difference is scored loses none.

        Args:
            manifest: as it is now.
            tags: of its items.
            kept: its items held against :attr:`part` alone.
            columns: of a shard's table.
            config: of the run; what a judge added to the rows is taken out again, by scoring their measurements anew.
        """
        size = config.engine.shard_size
        labels = self._labels(len(manifest.items) // size + 1, len(self.ids) // size + self._groups() + 1)
        place = {item.id: n for n, item in enumerate(manifest.items)}
        scored = {manifest.items[n].id for n in kept.scored}

        def commit(positions: Sequence[int], rows: pa.Table, rejections: Sequence[Rejection]) -> None:
            items = tuple(manifest.items[n] for n in positions)
            shard = Shard(0, items, tuple(tags[n] for n in positions), next(labels))
            self.folder.files.commit(shard, rows.select(list(columns)), rejections, {})

        for table in self._tables(size):
            names = table.column("id").to_pylist()
            chosen = [row for row, name in enumerate(names) if name in scored]
            if chosen:
                rows = table.take(pa.array(chosen))
                rows = rescore(rows, config) if self.info.judge is not None else rows
                commit([place[names[row]] for row in chosen], rows, [])
        if kept.rejected:
            empty = pq.read_schema(self.folder.scores).empty_table()
            commit(kept.rejected, empty, kept.rejections(lambda _: self.rejections))

    def mend(self, manifest: Manifest) -> list[str]:
        """Write those of the other tables anew that are lost or damaged; their names, and whither a file was moved."""
        told = []
        for name in OUTPUT_NAMES:
            path = self.folder.folder / name
            if name == TABLE_NAME or file_sha256(path) == self.info.files.get(name):
                continue
            moved = self.folder.move_aside(name)
            told.append(f"{name} (the one that was there is {moved} now)" if moved else name)
            if name == REJECTED_NAME:
                self.folder.write_rejected([*manifest.rejections, *(Rejection(**one) for one in self.rejections)])
            elif name == COMPACT_NAME:
                write_csv_parts((compact_table(part.to_pandas()) for part in self._tables()), path)
            else:
                write_csv_parts(self._tables(), path)
        if told:
            self.info.with_files(self.folder.folder).write(self.folder.folder)
        return told

    def _in_order(self, manifest: Manifest, kept: Kept) -> bool:
        rejected = [manifest.items[n].id for n in kept.rejected]
        scored = [manifest.items[n].id for n in kept.scored]
        return scored == self.ids and rejected == [name for name, _ in self.part.mark.rejected]

    def _tables(self, at_a_time: int | None = None) -> Iterator[pa.Table]:
        file = pq.ParquetFile(self.folder.scores)
        yielded = False
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            step = at_a_time or max(1, len(table))
            for start in range(0, len(table), step):
                yielded = True
                yield table.slice(start, step)
        if not yielded:
            yield file.read()

    def _groups(self) -> int:
        return int(pq.read_metadata(self.folder.scores).num_row_groups)

    def _labels(self, first: int, count: int) -> Iterator[str]:
        """Names for that many shards, all of them in the record before any is written."""
        taken = self.folder.taken_names(self.folder.files.parts())
        names = (f"{number:06d}" for number in itertools.count(first))
        labels = list(itertools.islice((name for name in names if name not in taken), count))
        self.folder.open(self.signature, labels)
        return iter(labels)


def read_finished(folder: RunFolder) -> Finished | None:
    """What a complete run left; None where there is none, or its table is not as it was written."""
    info = folder.read_info()
    if info is None or info.items is None or info.run_signature is None:
        return None
    if file_sha256(folder.scores) is None or file_sha256(folder.scores) != info.files.get(TABLE_NAME):
        return None
    names = pq.read_table(folder.scores, columns=["id"]).column("id").to_pylist()
    try:
        tags, rejected_tags = info.items.scored_tags(), info.items.rejected_tags()
    except ValueError:  # not base64: somebody has been at it
        return None
    if len(names) != len(tags):
        return None
    lines = _rejected_while_decoding(folder, info, len(rejected_tags))
    rejected = tuple((str(line["id"]), tag) for line, tag in zip(lines, rejected_tags, strict=False))
    mark = DoneMark(info.run_signature.sha256, "", "", tuple(zip(names, tags, strict=True)), rejected, {})
    return Finished(folder, info, Part("", mark), tuple(lines))


def can_be_adopted(info: RunInfo, columns: Sequence[str]) -> bool:
    """Whether what a judge added can be told from what scoring measured."""
    return info.judge is None or not set(MEASURED) & set(columns)


def _rejected_while_decoding(folder: RunFolder, info: RunInfo, count: int) -> list[dict[str, Any]]:
    """The last lines of ``rejected.jsonl``; none where it is not as it was written: those items are then read again."""
    if not count or file_sha256(folder.rejected) != info.files.get(REJECTED_NAME):
        return []
    lines = [line for line in folder.rejected.read_text(encoding="utf-8").split("\n") if line]
    return [json.loads(line) for line in lines[-count:]]
