"""An id is the same text on every path into the program, whatever it looks like and whatever its column is called."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edit_metrics.calibration.joining import join_table
from edit_metrics.cli.triage import _ids as gold_ids
from edit_metrics.io.layouts.hf_parquet import read_hf_parquet
from edit_metrics.io.manifest import read_manifest
from edit_metrics.io.tables import as_name, write_csv, write_json, write_jsonl, write_parquet
from edit_metrics.ratings.draws import read_queue
from edit_metrics.ratings.entries import Entry, Kind
from edit_metrics.ratings.files import read_ratings
from edit_metrics.ratings.importing import ImportRequest, import_ratings
from edit_metrics.ratings.scale import Scale
from edit_metrics.scores.table import read_scores

SCALE = Scale.parse("0,1")
SUFFIXES = (".csv", ".jsonl", ".json", ".parquet")
AWKWARD = (
    "0", "7", "007", "1.0", "1e5", "-0", "+7", "0x1F", "1_000", "9007199254740993", "123456789012345678901234567890",
    "NA", "nan", "NaN", "None", "null", "true", "False", "inf", "2024-05-01", "=1+1", "@x", "'quoted'", "a,b",
    'say "x"', " 7", "7 ", "٣", "ä", "a/b", "#1",
)  # fmt: skip
NAMES = st.lists(
    st.one_of(
        st.sampled_from(AWKWARD),
        st.integers(0, 10**6).map(str),
        st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=6,
    unique=True,
)
Reader = Callable[[Path, list[Any], str], list[str]]


def write(rows: list[dict[str, Any]], file: Path) -> Path:
    if file.suffix == ".csv":
        write_csv(pd.DataFrame(rows), file)
    elif file.suffix == ".parquet":
        write_parquet(pd.DataFrame(rows), file)
    elif file.suffix == ".jsonl":
        write_jsonl(rows, file)
    else:
        write_json(rows, file)
    return file


def long(names: list[Any], column: str = "id") -> list[dict[str, Any]]:
    return [{column: name, "rater": "ann", "dimension": "quality", "rating": 1.0} for name in names]


def scores(folder: Path, names: list[Any], suffix: str) -> list[str]:
    rows = [{"id": name, "x": 0.5 + place} for place, name in enumerate(names)]
    return list(read_scores(write(rows, folder / f"s{suffix}")).frame["id"])


def ratings(folder: Path, names: list[Any], suffix: str) -> list[str]:
    return list(read_ratings(write(long(names), folder / f"r{suffix}"), SCALE).frame["id"])


def imported(folder: Path, names: list[Any], suffix: str) -> list[str]:
    file = write(long(names, "uid"), folder / f"u{suffix}")
    return list(import_ratings(ImportRequest((file,), "csv", "0,1", id_column="uid")).ratings.frame["id"])


def wide(folder: Path, names: list[Any], suffix: str) -> list[str]:
    file = write([{"uid": name, "ann": 1.0} for name in names], folder / f"w{suffix}")
    request = ImportRequest((file,), "csv", "0,1", columns=("ann=ann:quality",), id_column="uid")
    return list(import_ratings(request).ratings.frame["id"])


def logged(folder: Path, names: list[Any], suffix: str) -> list[str]:
    file = folder / "rate.jsonl"
    time = "2024-05-01T10:00:00+00:00"
    # Only the program writes this file, and its ids are text.
    lines = [Entry(Kind.RATING, as_name(name), "ann", time, "quality", 1.0).to_line() for name in names]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return list(import_ratings(ImportRequest((file,), "rate", "0,1")).ratings.frame["id"])


def exported(folder: Path, names: list[Any], suffix: str) -> list[str]:
    choice = {"from_name": "quality", "type": "choices", "value": {"choices": ["4"]}}
    tasks = [
        {"id": 90 + place, "data": {"item_id": name}, "annotations": [{"completed_by": 1, "result": [choice]}]}
        for place, name in enumerate(names)
    ]
    (folder / "e.json").write_text(json.dumps(tasks))
    return list(import_ratings(ImportRequest((folder / "e.json",), "label-studio")).ratings.frame["id"])


def joined(folder: Path, names: list[Any], suffix: str) -> list[str]:
    file = write([{"id": name, "judge": 1.0} for name in names], folder / f"j{suffix}")
    frame = join_table(pd.DataFrame({"id": [as_name(name) for name in names]}), file)
    return list(frame["id"][frame["judge"].notna()])


def queued(folder: Path, names: list[Any], suffix: str) -> list[str]:
    write_csv(pd.DataFrame({"id": names, "selection": "audit"}), folder / "queue.csv")
    write_csv(pd.DataFrame({"id": names, "lane": "audit", "inclusion_prob": 0.5}), folder / "lanes.csv")
    record = read_queue(folder)
    assert record.draw is not None
    assert sorted(record.draw.drawn) == sorted(record.selection)
    return list(record.selection)


def gold(folder: Path, names: list[Any], suffix: str) -> list[str]:
    found = gold_ids(write([{"id": name, "x": 1} for name in names], folder / f"g{suffix}"))
    return [as_name(name) for name in names if as_name(name) in found]


READERS: tuple[Reader, ...] = (scores, ratings, imported, wide, logged, exported, joined, queued, gold)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: str(reader.__name__))
@settings(max_examples=15, deadline=None)
@given(names=NAMES, suffix=st.sampled_from(SUFFIXES))
def test_a_text_is_read_as_it_stands(reader: Reader, names: list[str], suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        assert reader(Path(folder), names, suffix) == names


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: str(reader.__name__))
@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".parquet"])
@pytest.mark.parametrize("names", [[0, 7, 12], [0.0, 7.0, 12.0]], ids=["whole", "float"])
def test_a_whole_number_is_its_digits(reader: Reader, suffix: str, names: list[Any], tmp_path: Path) -> None:
    if reader is queued:
        names = [int(name) for name in names]
    assert reader(tmp_path, names, suffix) == ["0", "7", "12"]


def test_names_of_a_mixed_column() -> None:
    assert [as_name(name) for name in (7, 7.0, "7", "7.0", 0.5, 1e22, True)] == [
        "7", "7", "7", "7.0", "0.5", "10000000000000000000000", "True",
    ]  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_a_manifest_keeps_ids_as_they_stand(suffix: str, tmp_path: Path) -> None:
    names = [name for name in AWKWARD if name == name.strip()]
    rows = [{"id": name, "source": "a.png", "edited": "b.png", "instruction": "x"} for name in names]
    file = tmp_path / f"m{suffix}"
    if suffix == ".csv":
        # A manifest is written by hand or by other programs, which guard no formulas.
        pd.DataFrame(rows).to_csv(file, index=False)
    else:
        write(rows, file)
    found = read_manifest(str(file))
    # In a manifest's CSV the word nan is an empty cell in every column: such rows are rejected, and no id is changed.
    empty = [name for name in names if suffix == ".csv" and name.lower() == "nan"]
    assert [item.id for item in found.items] == [name for name in names if name not in empty]
    assert len(found.rejections) == len(empty)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([0.0, 7.0]), ["0", "7"]),
        (pa.array([0, 7]), ["0", "7"]),
        (pa.array(["007", "1.0"]), ["007", "1.0"]),
        (pa.array([None, 7.0]), ["000000", "7"]),
    ],
    ids=["float", "whole", "text", "gap"],
)
def test_hugging_face_ids_are_digits_or_text(column: pa.Array, expected: list[str], tmp_path: Path) -> None:
    buffer = BytesIO()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(buffer, format="PNG")
    picture = pa.array([{"bytes": buffer.getvalue(), "path": None}] * 2)
    table = pa.table({"id": column, "source": picture, "edited": picture, "instruction": ["x", "y"], "group": column})
    pq.write_table(table, tmp_path / "t.parquet")
    found = read_hf_parquet(tmp_path / "t.parquet", files=tmp_path / "files")
    assert [row.id for row in found.rows] == expected
