"""Scored items to rows, under a schema built once from the plan, and back: a table alone is enough to rescore."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from edit_metrics.io.sources import relative_to_root
from edit_metrics.scores.columns import (
    EDITED_PHASH,
    EDITED_SHA256,
    FLAGS,
    OVERALL,
    OVERALL_GEOMETRIC_MEAN,
    OVERALL_MINIMUM,
    SOURCE_PHASH,
    SOURCE_SHA256,
    DimensionColumns,
    MetricColumns,
    dimension_of,
)
from edit_metrics.scores.metadata import MetadataColumn, metadata_columns
from edit_metrics.types import (
    DIMENSIONS,
    MANIFEST_COLUMNS,
    EditItem,
    ItemScores,
    Measurement,
    PreScore,
    Status,
    join_codes,
    split_codes,
)

_ROWS_AT_A_TIME = 1024


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """Everything the table says of one item, apart from its place in the queue.

    Attributes:
        unsettled: a file could not be fetched, or there was no memory: a later run scores the item again.
        absent: a file was not there.
    """

    item: EditItem
    group: str
    source_phash: str | None
    edited_phash: str | None
    measurements: Mapping[str, Measurement]
    labels: Mapping[str, str | None]
    scores: ItemScores
    source_sha256: str | None = None
    edited_sha256: str | None = None
    unsettled: bool = False
    absent: bool = False


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How scored items become rows of one run's table.

    Attributes:
        schema: columns in order; a shard whose column is all null has the same type there.
        metadata: further manifest columns, decided over the whole manifest.
        root: paths below it are written relative to it, so that the table is the same wherever the folder lies.
    """

    schema: pa.Schema
    metadata: tuple[MetadataColumn, ...]
    root: str

    @classmethod
    def of(cls, metrics: Sequence[str], labels: Sequence[str], items: Sequence[EditItem], root: str) -> TableLayout:
        """The layout of a run.

        Args:
            metrics: columns of the metrics.
            labels: names of the text columns.
            items: every item of the manifest.
            root: see the attributes.
        """
        metadata = metadata_columns(items, labels)
        return cls(_schema(metrics, labels, metadata), metadata, root)

    @property
    def stored(self) -> pa.Schema:
        """What scoring found, and the id: the columns of a shard, which do not depend on the rest of the manifest."""
        of_manifest = {*MANIFEST_COLUMNS, *(column.field.name for column in self.metadata)} - {"id", "group"}
        return pa.schema([field for field in self.schema if field.name not in of_manifest])

    def to_stored(self, scored: Sequence[ScoredItem]) -> pa.Table:
        """Rows with the columns of :attr:`stored`, in the order given."""
        return pa.Table.from_pylist([_stored_cells(item) for item in scored], schema=self.stored)

    def complete(self, items: Sequence[EditItem], stored: pa.Table) -> pa.Table:
        """Whole rows: what scoring found, with what the manifest says.

        Args:
            items: one a row.
            stored: with the columns of :attr:`stored`.
        """
        own = pa.schema([self.schema.field(name) for name in MANIFEST_COLUMNS if name not in ("id", "group")])
        said = pa.Table.from_pylist([_manifest_cells(item, self.root) for item in items], schema=own)
        columns = {name: table.column(name) for table in (said, stored) for name in table.column_names}
        columns |= {column.field.name: column.values(items) for column in self.metadata}
        return pa.Table.from_arrays([columns[name] for name in self.schema.names], schema=self.schema)

    def to_table(self, scored: Sequence[ScoredItem]) -> pa.Table:
        """Whole rows, in the order given."""
        return self.complete([one.item for one in scored], self.to_stored(scored))


def metric_fields(name: str) -> list[pa.Field]:
    """The columns of one metric."""
    columns = MetricColumns(name)
    return [
        pa.field(columns.value, pa.float64()),
        pa.field(columns.status, pa.string()),
        pa.field(columns.reason, pa.string()),
    ]


def dimension_fields(name: str) -> list[pa.Field]:
    """The columns of one dimension's pre-score."""
    columns = DimensionColumns(name)
    numbers = [pa.field(column, pa.float64()) for column in (columns.score, columns.confidence)]
    return numbers + [pa.field(column, pa.string()) for column in (columns.status, columns.reasons)]


def summary_fields() -> list[pa.Field]:
    """The columns that sum an item up."""
    return [*(pa.field(name, pa.float64()) for name in OVERALL), pa.field(FLAGS, pa.string())]


def score_cells(scores: ItemScores) -> dict[str, Any]:
    """Column → cell of all that follows from the measurements of one item."""
    cells: dict[str, Any] = {}
    for name, prescore in scores.prescores.items():
        values = (prescore.score, prescore.confidence, prescore.status.value, join_codes(prescore.reasons))
        cells |= dict(zip(DimensionColumns(name).all, values, strict=True))
    cells[OVERALL_MINIMUM] = scores.overall.minimum
    cells[OVERALL_GEOMETRIC_MEAN] = scores.overall.geometric_mean
    cells[FLAGS] = join_codes(scores.flags)
    return cells


def measurement_cells(measurements: Mapping[str, Measurement]) -> dict[str, Any]:
    """Column → cell of the measurements of one item."""
    cells: dict[str, Any] = {}
    for name, one in measurements.items():
        cells |= dict(zip(MetricColumns(name).all, (one.value, one.status.value, one.reason), strict=True))
    return cells


def read_measurements(table: pa.Table, metrics: Sequence[str]) -> Iterator[dict[str, Measurement]]:
    """The measurements of each row; a cell without a status was not asked for, and is not among them.

    Args:
        table: with the three columns of each metric.
        metrics: which to read.
    """
    columns = [MetricColumns(name) for name in metrics]
    for row in _rows_of(table, [name for column in columns for name in column.all]):
        yield {
            c.value: Measurement(row[c.value], Status(row[c.status]), row[c.reason] or "")
            for c in columns
            if row[c.status] is not None
        }


def read_prescores(table: pa.Table) -> Iterator[dict[str, PreScore]]:
    """The pre-scores of each row."""
    columns = [DimensionColumns(name) for name in DIMENSIONS]
    for row in _rows_of(table, [name for column in columns for name in column.all]):
        yield {
            c.dimension: PreScore(row[c.score], row[c.confidence], Status(row[c.status]), split_codes(row[c.reasons]))
            for c in columns
        }


def _rows_of(table: pa.Table, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    # A part at a time: as Python objects a long table would take many times the memory that it takes in Arrow's.
    for part in table.select(columns).to_batches(max_chunksize=_ROWS_AT_A_TIME):
        yield from part.to_pylist()


def _schema(metrics: Sequence[str], labels: Sequence[str], metadata: Sequence[MetadataColumn]) -> pa.Schema:
    lists = {"references": pa.list_(pa.string())}
    fields = [pa.field(name, lists.get(name, pa.string())) for name in MANIFEST_COLUMNS if name != "group"]
    fields += [column.field for column in metadata]
    # The group that an item ends up in, not the manifest's own column: every row has one.
    fields += [pa.field(name, pa.string()) for name in ("group", SOURCE_PHASH, EDITED_PHASH, *labels)]
    fields += [pa.field(name, pa.string()) for name in (SOURCE_SHA256, EDITED_SHA256)]
    for dimension in DIMENSIONS:
        fields += dimension_fields(dimension)
        for name in metrics:
            fields += metric_fields(name) if dimension_of(name) == dimension else []
    return pa.schema([*fields, *summary_fields()])


def _manifest_cells(item: EditItem, root: str) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(item, name) for name in MANIFEST_COLUMNS}
    row |= {name: relative_to_root(row[name], root) for name in ("source", "edited", "mask") if row[name]}
    row["references"] = [relative_to_root(path, root) for path in item.references]
    return row


def _stored_cells(scored: ScoredItem) -> dict[str, Any]:
    row: dict[str, Any] = {"id": scored.item.id, "group": scored.group}
    row |= {SOURCE_PHASH: scored.source_phash, EDITED_PHASH: scored.edited_phash}
    row |= {SOURCE_SHA256: scored.source_sha256, EDITED_SHA256: scored.edited_sha256}
    return row | {**scored.labels, **score_cells(scored.scores), **measurement_cells(scored.measurements)}
