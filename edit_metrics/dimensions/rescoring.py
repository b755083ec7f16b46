"""A table's scores computed again from its measurements: what a later tier adds counts like what scoring measured."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from edit_metrics.config import Config
from edit_metrics.dimensions.order import table_priorities
from edit_metrics.dimensions.prescores import score_item
from edit_metrics.errors import TableError
from edit_metrics.scores.codes import NOT_IN_PROFILE
from edit_metrics.scores.columns import MetricColumns, metric_name
from edit_metrics.scores.priority import watched_metrics
from edit_metrics.scores.rows import dimension_fields, read_measurements, score_cells, summary_fields
from edit_metrics.types import DIMENSIONS, Measurement, unavailable


def rescore(table: pa.Table, config: Config) -> pa.Table:
    """Pre-scores, summary, flags and priority of every row, from its measurements alone.

    A run's own table and config give the same table again. A judge adds the three columns of each of its metrics, and
    the metrics with their curves to the config; a changed curve needs no picture to be looked at.

    Args:
        table: with ``group`` and the three columns of every metric that the config draws on.
        config: curves, gates, flags, rules of confidence and priority.

    Returns:
        The same rows; those columns replaced where they stand, or put last where the table lacks them.

    Raises:
        TableError: it lacks the columns of a metric that a gate, a curve or a requirement of the config needs.
    """
    schema = pa.schema([field for name in DIMENSIONS for field in dimension_fields(name)] + summary_fields())
    parts = [score_cells(score_item(config, row)) for row in _measured(table, config)]
    scored = _with_columns(table, pa.Table.from_pylist(parts, schema=schema))
    return _with_columns(scored, table_priorities(scored, config))


def _measured(table: pa.Table, config: Config) -> Iterator[dict[str, Measurement]]:
    required = [metric_name(name, short) for name in DIMENSIONS for short in config.dimension(name).required]
    needed = [*watched_metrics(config), *required]
    there = set(table.column_names)
    absent = [name for name in needed if not there.issuperset(MetricColumns(name).all)]
    if absent:
        raise TableError(
            "the columns of every metric that the config draws on",
            f"none for {', '.join(absent[:5])}",
            todo="Add them to the table, or take the metrics out of the config's gates and curves.",
        )
    flagging = [flag.metric for flag in config.flags.values() if there.issuperset(MetricColumns(flag.metric).all)]
    nothing = dict.fromkeys(needed, Measurement.of(unavailable(NOT_IN_PROFILE)))
    for row in read_measurements(table, list(dict.fromkeys([*needed, *flagging]))):
        yield nothing | row


def _with_columns(table: pa.Table, columns: pa.Table) -> pa.Table:
    for field, column in zip(columns.schema, columns.columns, strict=True):
        position = table.schema.get_field_index(field.name)
        table = table.append_column(field, column) if position < 0 else table.set_column(position, field, column)
    return table
