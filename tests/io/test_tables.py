from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from edit_metrics.errors import TableError
from edit_metrics.io import tables
from edit_metrics.io.atomic import write_atomically
from edit_metrics.io.tables import (
    read_table,
    write_bytes,
    write_csv,
    write_csv_parts,
    write_json,
    write_jsonl,
    write_parquet,
    write_parquet_parts,
    write_text,
)


@pytest.fixture
def scores() -> pa.Table:
    schema = pa.schema(
        [("id", pa.string()), ("preservation.lpips", pa.float64()), ("seed", pa.int64()), ("flags", pa.string())]
    )
    columns = {
        "id": ["=1+1", "007", "NA", 'b,\n"c"'],
        "preservation.lpips": [0.1, None, -2.5, 1e-17],
        "seed": [1, None, 3, 2**53 + 1],
        "flags": ["", None, "-x", "'@y"],
    }
    return pa.table(columns, schema=schema)


def test_parquet_comes_back_as_it_was(scores: pa.Table, tmp_path: Path) -> None:
    write_parquet(scores, tmp_path / "s.parquet")
    assert pq.read_table(tmp_path / "s.parquet").equals(scores)


def test_equal_data_give_equal_parquet_bytes(scores: pa.Table, tmp_path: Path) -> None:
    labelled = scores.replace_schema_metadata({"made": "yesterday"})
    parts = pa.concat_tables([scores.slice(0, 1), scores.slice(1)])
    for number, table in enumerate((scores, labelled, parts, scores.to_pandas(integer_object_nulls=True))):
        write_parquet(table, tmp_path / f"{number}.parquet")
    written = [(tmp_path / f"{number}.parquet").read_bytes() for number in range(3)]
    assert written[0] == written[1] == written[2]
    assert pq.read_schema(tmp_path / "3.parquet").metadata is None


def test_parts_give_the_same_table_as_the_whole(scores: pa.Table, tmp_path: Path) -> None:
    parts = [scores.slice(0, 1), scores.slice(1, 2), scores.slice(3)]
    write_parquet_parts(iter(parts), scores.schema, tmp_path / "parts.parquet")
    assert pq.read_table(tmp_path / "parts.parquet").equals(scores)
    write_csv(scores, tmp_path / "whole.csv")
    write_csv_parts(iter(parts), tmp_path / "parts.csv")
    assert (tmp_path / "parts.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_csv_text_cannot_run_as_a_formula(tmp_path: Path) -> None:
    cells = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "'=x", "'quoted'", "plain", "a=b"]
    frame = pd.DataFrame({"id": cells, "=head": cells, "number": np.arange(9) - 4.5})
    write_csv(frame, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["id", "'=head", "number"]
    assert [row[0] for row in rows] == ["'" + cell for cell in cells[:6]] + cells[6:]
    assert rows[0][2] == "-4.5"
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv"), frame, check_dtype=False)


def test_csv_keeps_ids_whole_numbers_and_gaps(scores: pa.Table, tmp_path: Path) -> None:
    write_csv(scores, tmp_path / "s.csv")
    with (tmp_path / "s.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["seed"] for row in rows] == ["1", "", "3", "9007199254740993"]
    frame = read_table(tmp_path / "s.csv")
    assert frame["id"].tolist() == scores["id"].to_pylist()
    assert frame["preservation.lpips"].isna().tolist() == [False, True, False, False]
    assert frame["preservation.lpips"].dropna().tolist() == [0.1, -2.5, 1e-17]


def test_missing_and_empty_differ_in_csv(tmp_path: Path) -> None:
    table = pa.table(
        {"id": ["a", "b", "c"], "flags": ["", None, "no_op"], "x": [None, 1.5, 2.0], "model": [None, "", "m"]}
    )
    write_csv(table, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines() == ["id,flags,x,model", 'a,"",,', 'b,,1.5,""', "c,no_op,2.0,m"]
    told = pa.csv.ConvertOptions(strings_can_be_null=True, quoted_strings_can_be_null=False)
    assert pa.csv.read_csv(tmp_path / "t.csv", convert_options=told).equals(table)
    assert read_table(tmp_path / "t.csv")["flags"].isna().tolist() == [True, True, False]


def test_lists_in_a_csv_cell_are_json(tmp_path: Path) -> None:
    write_csv(pa.table({"id": ["a", "b"], "references": [["x", "ä"], []]}), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        assert [row["references"] for row in csv.DictReader(file)] == ['["x", "ä"]', "[]"]


def test_nan_words_are_missing_in_numbers_and_words_in_names(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,model,score\nnan,None,nan\nNA,null,1.5\n")
    frame = read_table(tmp_path / "t.csv")
    assert frame["id"].tolist() == ["nan", "NA"]
    assert frame["model"].tolist() == ["None", "null"]
    assert frame["score"].isna().tolist() == [True, False]
    assert frame["score"].dtype == np.float64


def test_json_and_jsonl_tables_are_read(tmp_path: Path) -> None:
    rows = [{"id": "a", "x": 1.5}, {"id": "b\u2028", "x": None}]
    write_jsonl(rows, tmp_path / "t.jsonl")
    write_json(rows, tmp_path / "t.json")
    for name in ("t.jsonl", "t.json"):
        frame = read_table(tmp_path / name)
        assert frame["id"].tolist() == ["a", "b\u2028"]
        assert frame["x"].isna().tolist() == [False, True]


def test_json_is_written_as_given_and_never_with_nan(tmp_path: Path) -> None:
    write_json({"b": np.float64(0.5), "a": [np.int64(1), tmp_path]}, tmp_path / "v.json")
    text = (tmp_path / "v.json").read_text()
    assert list(json.loads(text)) == ["b", "a"]
    assert json.loads(text)["a"] == [1, str(tmp_path)]
    for write in (
        lambda path: write_json({"x": float("nan")}, path),
        lambda path: write_jsonl([{"x": float("inf")}], path),
    ):
        with pytest.raises(ValueError, match="JSON"):
            write(tmp_path / "v.json")
    with pytest.raises(TypeError, match="set has no JSON form"):
        write_json({"x": {1}}, tmp_path / "v.json")
    assert (tmp_path / "v.json").read_text() == text


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text("old", target)

    def interrupted(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, interrupted)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_writers_make_folders_replace_files_and_honour_the_umask(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / ("n" * 250 + ".bin")
    write_bytes(b"one", target)
    write_bytes(b"two", target)
    assert target.read_bytes() == b"two"
    beside = tmp_path / "beside"
    beside.write_bytes(b"")
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(beside.stat().st_mode)
    write_text("a\r\nä\n", tmp_path / "t.txt")
    assert (tmp_path / "t.txt").read_bytes() == "a\r\nä\n".encode()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.parquet", b"nonsense"),
        ("t.jsonl", b"{"),
        ("t.json", b"[1"),
        ("t.csv", b'"'),
        ("t.csv", b""),
        ("t.csv", b"\xff"),
    ],
)
def test_a_broken_table_is_a_table_error(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(TableError, match=name):
        read_table(tmp_path / name)


def test_a_table_that_is_not_there_or_of_another_kind_is_a_table_error(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no such file"):
        read_table(tmp_path / "none.csv")
    (tmp_path / "t.xlsx").write_bytes(b"")
    with pytest.raises(TableError, match=r"\.parquet, \.csv, \.jsonl, \.json"):
        read_table(tmp_path / "t.xlsx")


def test_everything_offered_exists() -> None:
    assert all(hasattr(tables, name) for name in tables.__all__)


def test_columns_that_nobody_wants_are_not_read_and_repeating_text_becomes_a_category(tmp_path) -> None:
    frame = pd.DataFrame(
        {
            "id": [f"item{i}" for i in range(5000)],
            "status": ["ok", "failed"] * 2500,
            "x": 1.0,
            "metric": 2.0,
        }
    )
    frame.loc[7, "status"] = None
    for file, kind in (("a.parquet", "category"), ("a.csv", "str")):
        writer = write_parquet if file.endswith("parquet") else write_csv
        writer(frame, tmp_path / file)
        found = read_table(tmp_path / file, wanted=lambda name: name != "metric")
        assert list(found.columns) == ["id", "status", "x"]
        assert str(found["status"].dtype) == kind
        assert str(found["id"].dtype) == "str"
        assert found["status"].astype("str").where(found["status"].notna(), "").tolist()[6:9] == ["ok", "", "ok"]


def test_a_column_of_several_kinds_is_written_as_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"], "mixed": ["g0", 1.5, None], "n": [1, 2, 3]})
    write_parquet(frame, tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").to_pydict() == {
        "id": ["a", "b", "c"],
        "mixed": ["g0", "1.5", None],
        "n": [1, 2, 3],
    }


def test_what_is_no_file_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text("said", pipe)
    assert os.read(reader, 10) == b"said"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    before = Path("/dev/full").stat()
    with pytest.raises(OSError, match="No space left"):
        write_text("said", "/dev/full")
    assert Path("/dev/full").stat().st_rdev == before.st_rdev != 0
