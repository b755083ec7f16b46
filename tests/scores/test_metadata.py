"""Manifest columns that travel through: their names in the score table, and one type each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from edit_metrics.io.manifest import items_from_rows
from edit_metrics.scores.metadata import metadata_columns


def row(number: int = 0, **cells: Any) -> dict[str, Any]:
    return {"id": f"i{number}", "source": "s.png", "edited": "e.png", "instruction": "make it red"} | cells


def test_names_that_are_ours_travel_under_meta() -> None:
    extra = {
        "flags": 1,
        "overall.min": 2,
        "preservation.lpips": 3,
        "priority.reasons": 4,
        "author": 5,
        "source_phash": 6,
    }
    items = items_from_rows([row() | extra | {"meta.flags": 7, "safety": 8}]).items
    columns = {column.field.name: column for column in metadata_columns(items)}
    assert tuple(columns) == (
        "meta.meta.flags",
        "meta.overall.min",
        "meta.preservation.lpips",
        "meta.priority.reasons",
        "author",
        "meta.source_phash",
        "meta.flags",
        "safety",
    )
    assert columns["meta.meta.flags"].values(items).to_pylist() == [1]
    assert columns["meta.flags"].values(items).to_pylist() == [7]
    assert columns["author"].values(items).to_pylist() == [5]


def schema_of(values: Sequence[Any]) -> tuple[Any, list[Any]]:
    items = items_from_rows([row(index, x=value) for index, value in enumerate(values)]).items
    (column,) = metadata_columns(items)
    return column.field.type, column.values(items).to_pylist()


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        ([1, 2, None], pa.int64(), [1, 2, None]),
        ([1, 2.5], pa.float64(), [1.0, 2.5]),
        ([True, None], pa.bool_(), [True, None]),
        (["x", None, ""], pa.string(), ["x", None, ""]),
        ([1, "x", True, 2.5], pa.string(), ["1", "x", "true", "2.5"]),
        ([True, 1], pa.string(), ["true", "1"]),
        ([[1, 2], {"k": "ä"}], pa.string(), ["[1, 2]", '{"k": "ä"}']),
        ([2**63, 1], pa.string(), ["9223372036854775808", "1"]),
        ([math.nan, 3], pa.int64(), [None, 3]),
        ([np.float32(0.5), np.int64(2)], pa.float64(), [0.5, 2.0]),
        ([np.array([1, 2]), b"abc"], pa.string(), ["[1, 2]", "<3 bytes>"]),
        ([date(2024, 1, 2), pd.NaT], pa.string(), ["2024-01-02", None]),
        ([Decimal("1.5"), pd.NA], pa.float64(), [1.5, None]),
    ],
)
def test_a_metadata_column_has_one_type(values: list[Any], kind: Any, cells: list[Any]) -> None:
    assert schema_of(values) == (kind, cells)
