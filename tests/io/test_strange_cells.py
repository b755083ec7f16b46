"""Cells, names and rows that a stranger may write: what is written is what is read, and one of them stops nothing."""

from __future__ import annotations

import csv
import datetime
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edit_metrics.errors import ManifestError, TableError
from edit_metrics.io.layouts.hf_parquet import read_hf_parquet
from edit_metrics.io.manifest import Manifest, items_from_rows, read_manifest
from edit_metrics.io.tables import json_lines, read_table, write_csv
from edit_metrics.scores.rows import TableLayout
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.table import ScoreTable

CHARACTERS = st.characters(exclude_categories=["Cs"])  # all of Unicode that an encoding takes
CELLS = st.text(CHARACTERS, min_size=1, max_size=12) | st.text(
    st.sampled_from("\r\n\t\x00\x0b\x1c\x85\u2028\u2029\ufeff\"',;=+-@＝＠ a"), min_size=1, max_size=6
)
COLUMN = ["id", "instruction", "note"]


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6))
@example(rows=[("a", "red\r=1+cmd|A0", "x"), ("b", "\r", "\x00"), ("c", "'=1", "''=1")])
def test_what_a_csv_file_is_given_is_what_is_read_from_it(
    rows: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    frame = pd.DataFrame(rows, columns=COLUMN)
    write_csv(frame, path)
    read = read_table(path, text=("note",))
    assert read.astype(object).to_numpy().tolist() == frame.to_numpy().tolist()
    # Others find the same rows in it, each under its heading.
    text = path.read_bytes().decode("utf-8")
    assert [len(row) for row in csv.reader(io.StringIO(text, newline=""))] == [3] * (len(rows) + 1)
    assert len(pd.read_csv(path, dtype=str, keep_default_na=False)) == len(rows)


FORMULAS = [
    "=1",
    "+1",
    "-1",
    "@x",
    "\t1",
    "\r=1",
    "\n=1",
    " =1",
    "\x00=1",
    "\ufeff=1",
    "\u00a0=1",
    "＝1",
    "＠x",
    "\x0b+1",
]


@pytest.mark.parametrize("cell", [*FORMULAS, *[f"'{cell}" for cell in FORMULAS]])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded(cell: str, tmp_path: Path) -> None:
    write_csv(pd.DataFrame({"id": [cell]}), tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        _, (written,) = csv.reader(file)
    assert written == f"'{cell}"
    assert read_table(tmp_path / "t.csv")["id"].tolist() == [cell]


def test_plain_rows_are_written_as_they_always_were(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": ["a", "b,c", 'd"e', None], "n": [1.5, None, 1e-17, 2.0], "k": [1, 2, 3, 4]})
    write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes() == b'id,n,k\na,1.5,1\n"b,c",,2\n"d""e",1e-17,3\n,2.0,4\n'


def row(name: Any = "a", **cells: Any) -> dict[str, Any]:
    return {"id": name, "source": "s.png", "edited": "e.png", "instruction": "make it red", **cells}


def parquet(path: Path, **columns: Any) -> Path:
    n = len(next(iter(columns.values())))
    own = {"id": [f"i{k}" for k in range(n)], "source": ["s.png"] * n, "edited": ["e.png"] * n}
    pq.write_table(pa.table({**own, "instruction": ["x"] * n, **columns}), path)
    return path


@pytest.mark.parametrize("depth", [65, 900, 5000])
def test_a_value_nested_too_deep_costs_its_row_alone(depth: int, tmp_path: Path) -> None:
    deep = json.dumps(row("b"))[:-1] + ', "m": ' + "[" * depth + "]" * depth + "}"
    (tmp_path / "m.jsonl").write_text(f"{json.dumps(row('a'))}\n{deep}\n{json.dumps(row('c'))}\n")
    found = read_manifest(tmp_path / "m.jsonl")
    assert [item.id for item in found.items] == ["a", "c"]
    assert [rejection.line for rejection in found.rejections] == [2]


def test_a_value_nested_too_deep_costs_its_row_alone_in_python_too() -> None:
    value: list[Any] = []
    for _ in range(900):
        value = [value]
    found = items_from_rows([row("a"), row("b", m=value), row("c")])
    assert [item.id for item in found.items] == ["a", "c"]
    (rejection,) = found.rejections
    assert (rejection.line, rejection.id, rejection.field) == (2, "b", "m")
    assert rejection.expected == "a value nested at most 64 deep"


def test_a_csv_cell_may_be_as_long_as_a_language_model_makes_it(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    (tmp_path / "m.csv").write_text(f"id,source,edited,instruction\na,s.png,e.png,{'x' * 200_000}\n")
    found = read_manifest(tmp_path / "m.csv")
    assert len(found.items[0].instruction or "") == 200_000
    assert csv.field_size_limit() == before


def test_a_parquet_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    names = ["id", "source", "edited", "instruction", "instruction"]
    pq.write_table(pa.table([["a"]] * 5, names=names), tmp_path / "m.parquet")
    with pytest.raises(ManifestError, match="instruction more than once"):
        read_manifest(tmp_path / "m.parquet")


def test_a_date_that_python_lacks_comes_as_text(tmp_path: Path) -> None:
    far = pa.array([2**62, 0], pa.timestamp("us"))
    nowhere = pa.array([0, 1], pa.timestamp("us", tz="Mars/Olympus"))
    found = read_manifest(parquet(tmp_path / "m.parquet", far=far, nowhere=nowhere, near=[1, 2]))
    assert [item.id for item in found.items] == ["i0", "i1"]
    assert [item.metadata["near"] for item in found.items] == [1, 2]
    assert all(isinstance(item.metadata[name], str) for item in found.items for name in ("far", "nowhere"))


def test_dates_that_python_has_stay_as_they_were(tmp_path: Path) -> None:
    found = read_manifest(parquet(tmp_path / "m.parquet", day=[datetime.date(2026, 1, 2)]))
    assert found.items[0].metadata == {"day": "2026-01-02"}


def test_a_page_that_breaks_late_is_one_error_that_says_how_far_it_went(tmp_path: Path) -> None:
    path = parquet(tmp_path / "m.parquet", note=[f"{k:064d}" for k in range(20_000)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = b"\xff" * 4000
    path.write_bytes(bytes(data))
    with pytest.raises(ManifestError, match=r"(whole|readable) Parquet file"):
        read_manifest(path)


def test_hugging_face_numbers_that_json_lacks_are_absent_and_said(tmp_path: Path) -> None:
    picture = {"bytes": b"\x89PNG\r\n\x1a\n", "path": None}
    columns = {"source": [picture] * 3, "edited": [picture] * 3, "instruction": ["x"] * 3}
    table = pa.table({**columns, "id": [1.0, float("nan"), 3.0], "n": [0.5, float("nan"), float("inf")]})
    pq.write_table(table, tmp_path / "h.parquet")
    found = read_hf_parquet(tmp_path / "h.parquet", files=tmp_path / "files")
    assert [one.id for one in found.rows] == ["1", "000001", "3"]
    assert [dict(one.metadata) for one in found.rows] == [{"n": 0.5}, {}, {}]
    assert [problem.id for problem in found.problems if "∞" in problem.what] == ["3"]


def test_names_of_our_own_text_columns_travel_under_meta() -> None:
    labels = ["geometry", "mask_source", "edit_type_parsed"]
    found = items_from_rows([row("a", **dict.fromkeys(labels, "round"), **{"judge.why": "because"})])
    layout = TableLayout.of(["preservation.psnr"], labels, found.items, found.root)
    assert len(set(layout.schema.names)) == len(layout.schema.names)
    further = {column.name: column.field.name for column in layout.metadata}
    assert further == {name: f"meta.{name}" for name in (*labels, "judge.why")}


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x1c"])
def test_a_rejected_row_may_hold_any_separator(separator: str, tmp_path: Path) -> None:
    lines = [{"line": 1, "id": f"a{separator}b", "got": separator}, {"line": 2, "id": None}]
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in lines)
    (tmp_path / "rejected.jsonl").write_text(text, encoding="utf-8")
    table = ScoreTable("x", pd.DataFrame({"id": ["a"]}), tmp_path / "scores.parquet", RunInfo())
    assert list(table.rejected()) == lines


@pytest.mark.parametrize("text", ["[1, 2]", "7", '"a"', "null", "{", "[" * 5000])
def test_a_line_that_is_no_object_is_one_error_with_its_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text(f'{{"id": "a"}}\n\n{text}\n')
    with pytest.raises(TableError, match=r"one JSON object a line.*line 3"):
        list(json_lines(tmp_path / "t.jsonl"))
    with pytest.raises(TableError, match="one JSON object a line"):
        read_table(tmp_path / "t.jsonl")


# Rows are accounted for: whatever a manifest holds, each of its rows is an item or a rejection, once.

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = st.sampled_from(["id", "source", "edited", "instruction", "mask", "references", "group", "geometry", "x"])
ROWS = st.lists(
    st.dictionaries(FIELDS | st.text(st.characters(), max_size=4), VALUES, max_size=6).map(
        lambda changed: {**row("a"), **changed}
    ),
    min_size=1,
    max_size=8,
)


def read_rows(rows: list[dict[str, Any]], folder: Path) -> Manifest:
    (folder / "m.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return read_manifest(folder / "m.jsonl")


@settings(max_examples=200, deadline=None)
@given(rows=ROWS, random=st.randoms())
def test_every_row_is_accounted_for_in_any_order_and_in_any_parts(
    rows: list[dict[str, Any]], random: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # Ids of their own, so that a row's fate is its own and not that of a namesake before it.
    rows = [{**one, "id": f"{n}"} if isinstance(one["id"], str) else one for n, one in enumerate(rows)]
    folder = tmp_path_factory.mktemp("rows")
    whole = read_rows(rows, folder)
    assert len(whole.items) + len(whole.rejections) == len(rows)
    lines = [item.line for item in whole.items] + [one.line for one in whole.rejections]
    assert sorted(lines) == list(range(1, len(rows) + 1))
    named = [item.id for item in whole.items]
    order = list(rows)
    random.shuffle(order)
    assert sorted(item.id for item in read_rows(order, folder).items) == sorted(named) or repeated(rows)
    cut = random.randrange(len(rows) + 1)
    parts = [part for part in (rows[:cut], rows[cut:]) if part]
    assert [item.id for part in parts for item in read_rows(part, folder).items] == named or repeated(rows)
    layout = TableLayout.of(["preservation.psnr"], ["geometry"], whole.items, whole.root)
    for column in layout.metadata:
        assert len(column.values(whole.items)) == len(whole.items)


def repeated(rows: list[dict[str, Any]]) -> bool:
    """Whether two rows would have one id: then only the first of them, in this order, is an item."""
    names = [str(one["id"]) for one in rows]
    return len(set(names)) < len(names)
