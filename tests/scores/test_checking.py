"""A table that somebody else has written: its scores are numbers in [0, 1] or nothing, or the row is named."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edit_metrics.errors import TableError
from edit_metrics.scores.table import read_scores


def table(folder: Path, **columns: Any) -> Path:
    n = len(next(iter(columns.values())))
    pq.write_table(pa.table({"id": [f"i{k}" for k in range(n)], **columns}), folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize(
    ("column", "cells", "got"),
    [
        ("quality.score", [0.5, 71.0], "71 (id 'i1')"),
        ("quality.score", [-0.1, 0.5], "-0.1 (id 'i0')"),
        ("quality.score", [0.5, math.inf], "inf (id 'i1')"),
        ("quality.confidence", [1.5, None], "1.5 (id 'i0')"),
        ("overall.min", [0.5, 2.0], "2 (id 'i1')"),
        ("quality.score", ["good", "bad"], "'good' (id 'i0')"),
        ("quality.score", [True, False], "True (id 'i0')"),
        ("quality.score", [{"mean": 0.5}, {"mean": 0.7}], "{'mean': 0.5} (id 'i0')"),
        ("quality.score", [[0.5], [0.7]], "[0.5] (id 'i0')"),
        ("group", [{"a": "x"}, None], "{'a': 'x'} (id 'i0')"),
        ("model", [["a"], ["b"]], "['a'] (id 'i0')"),
    ],
)
def test_what_is_no_score_is_refused_with_its_row(column: str, cells: list[Any], got: str, tmp_path: Path) -> None:
    with pytest.raises(TableError) as refused:
        read_scores(table(tmp_path, **{column: cells}))
    assert column in str(refused.value)
    assert got in str(refused.value)


@pytest.mark.parametrize(
    "cells",
    [
        [0.0, 1.0, None],
        [0, 1, None],
        [0.5, math.nan, 1 + 1e-7],
        [Decimal("0.5"), None, Decimal("1.0")],
        [None, None, None],
    ],
)
def test_every_kind_of_number_is_a_score_and_comes_as_float64(cells: list[Any], tmp_path: Path) -> None:
    read = read_scores(table(tmp_path, **{"quality.score": cells})).frame["quality.score"]
    assert read.dtype == "float64"
    expected = [math.nan if cell is None else float(cell) for cell in cells]
    assert read.to_numpy() == pytest.approx(expected, nan_ok=True)


def test_another_programs_columns_are_its_own_business(tmp_path: Path) -> None:
    frame = read_scores(table(tmp_path, fid=[71.0, 3.0], note=[{"a": 1}, {"a": 2}])).frame
    assert frame["fid"].tolist() == [71.0, 3.0]


def test_rows_of_json_objects_are_read_as_such(tmp_path: Path) -> None:
    lines = [{"id": 1, "quality.score": 0.5}, {"id": 2}]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_scores(tmp_path / "t.jsonl").frame["quality.score"].isna().tolist() == [False, True]
    assert isinstance(read_scores(tmp_path / "t.jsonl").frame, pd.DataFrame)
