"""Score tables: found, named, signed, and what lies beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from edit_metrics.errors import TableError
from edit_metrics.io.tables import write_csv, write_json, write_jsonl, write_parquet, write_text
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.signatures import Signature
from edit_metrics.scores.table import read_runs, read_scores


@pytest.fixture
def scores() -> pd.DataFrame:
    return pd.DataFrame(
        {"id": ["=1+1", "007", "NA"], "safety.score": [1.0, None, 0.5], "quality.score": [0.1, 0.2, 0.3]}
    )


def test_a_run_folder_is_signed_and_any_other_table_is_not(scores: pd.DataFrame, tmp_path: Path) -> None:
    write_parquet(scores, tmp_path / "run" / "scores.parquet")
    write_parquet(scores, tmp_path / "elsewhere.parquet")
    assert not read_scores(tmp_path / "run").signed
    write_json({"run_signature": {"sha256": "abc"}}, tmp_path / "run" / "run.json")
    for run in (tmp_path / "run", str(tmp_path / "run" / "scores.parquet")):
        table = read_scores(run)
        assert table.signed
        assert table.info == RunInfo(run_signature=Signature(sha256="abc"))
        assert table.path == tmp_path / "run" / "scores.parquet"
    assert not read_scores(tmp_path / "elsewhere.parquet").signed
    assert read_scores(tmp_path / "elsewhere.parquet").frame["id"].tolist() == scores["id"].tolist()


@pytest.mark.parametrize("ids", [[1, 2], [1.0, 2.0], ["1", "2"]])
def test_ids_become_text(ids: list[Any], tmp_path: Path) -> None:
    write_parquet(pd.DataFrame({"id": ids, "x": [0.5, 1.5]}), tmp_path / "t.parquet")
    assert read_scores(tmp_path / "t.parquet").frame["id"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("frame", "expected", "got", "todo"),
    [
        (pd.DataFrame({"item_id": ["a"], "x": [1]}), "a column 'id'", "item_id, x", "'item_id'"),
        (pd.DataFrame({"ID": ["a"], "width": [1]}), "a column 'id'", "ID, width", "Rename 'ID' to 'id'?"),
        (pd.DataFrame({"x": [1]}), "a column 'id'", "x", ""),
        (pd.DataFrame({"id": ["a", "b", "a", "b"]}), "unique ids", "2 repeated: 'a', 'b'", ""),
        (pd.DataFrame({"id": ["a", None]}), "an id in every row", "1 rows", ""),
        (pd.DataFrame({"id": pd.Series([], dtype="str")}), "at least one row", "empty", ""),
    ],
)
def test_a_table_that_cannot_be_joined_says_why(
    frame: pd.DataFrame, expected: str, got: str, todo: str, tmp_path: Path
) -> None:
    write_parquet(frame, tmp_path / "t.parquet")
    with pytest.raises(TableError) as caught:
        read_scores(tmp_path / "t.parquet")
    assert expected in caught.value.expected
    assert got in caught.value.got
    assert todo in caught.value.todo
    assert str(tmp_path / "t.parquet") in caught.value.where


def test_a_broken_run_json_is_a_table_error(scores: pd.DataFrame, tmp_path: Path) -> None:
    write_parquet(scores, tmp_path / "scores.parquet")
    for text in ("{", "[]", '{"counts": {"rows": "many"}}', '{"config": {"dimensions": []}}'):
        write_text(text, tmp_path / "run.json")
        with pytest.raises(TableError, match=r"run\.json"):
            read_scores(tmp_path)


def test_a_folder_without_a_table_asks_whether_the_run_has_finished(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="Has the run finished"):
        read_scores(tmp_path)


def test_a_table_knows_its_dimensions_and_what_lies_beside_it(scores: pd.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    write_parquet(scores, folder / "scores.parquet")
    bare = read_scores(folder)
    assert bare.dimensions == ("safety", "quality")
    assert (bare.pictures_root, bare.evidence, bare.rejected()) == (str(folder), None, ())
    write_json({"manifest": {"path": "m.jsonl", "sha256": "0", "root": "/pictures"}}, folder / "run.json")
    write_jsonl([{"line": 3, "id": "x"}], folder / "rejected.jsonl")
    (folder / "evidence").mkdir()
    full = read_scores(folder)
    assert (full.pictures_root, full.evidence) == ("/pictures", folder / "evidence")
    assert full.rejected() == ({"line": 3, "id": "x"},)
    assert full.run_folder == folder


def test_runs_are_named_after_their_place_and_never_alike(scores: pd.DataFrame, tmp_path: Path) -> None:
    for name in ("a", "b", "deep/a", "v1.0", "v1.1"):
        write_parquet(scores, tmp_path / name / "scores.parquet")
    write_csv(scores, tmp_path / "other.csv")

    def names(*places: str) -> list[str]:
        return [table.name for table in read_runs([tmp_path / place for place in places])]

    assert names("a", "b", "other.csv") == ["a", "b", "other"]
    assert names("a", "deep/a") == [str(tmp_path / "a"), str(tmp_path / "deep" / "a")]
    assert names("v1.0", "v1.1") == ["v1.0", "v1.1"]
    assert names("b", "b") == [str(tmp_path / "b"), f"{tmp_path / 'b'} (2)"]
    assert read_scores(tmp_path / "a" / "scores.parquet").name == "a"
