"""Means, slices and reasons over a table, against hand-worked values."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from edit_metrics.io.tables import write_parquet
from edit_metrics.scores.summary import Cause, Cell, by_dimension, slice_rows, summarise, summarise_file

TABLE = pd.DataFrame(
    {
        "id": ["a", "b", "c", "d", "e"],
        "model": ["x", "x", "y", None, "x"],
        "flags": ["no_op", "no_op;unsafe", "", None, ""],
        "style.score": [0.2, 0.4, 0.9, None, None],
        "style.confidence": [0.5, 0.7, 0.6, None, None],
        "style.status": ["ok", "ok", "ok", "failed", "not_applicable"],
        "style.reasons": ["no_mask", "", "", "ValueError: 17", "no_style_named;x"],
        "style.gram": [1.0, None, None, None, 3.0],
        "style.gram.status": ["ok", "failed", "failed", "undefined", "ok"],
        "style.gram.reason": ["resized", "ValueError: a", "ValueError: b", "flat", ""],
    }
)


def test_a_mean_is_over_the_items_that_have_a_score() -> None:
    (found,) = summarise(TABLE).dimensions
    assert (found.name, found.n) == ("style", 3)
    assert found.mean == pytest.approx(0.5)
    assert found.confidence == pytest.approx(0.6)
    assert set(found.missing) == {Cause("failed", "ValueError", 1), Cause("not_applicable", "no_style_named", 1)}


def test_failures_of_one_kind_count_together_and_cautions_do_not() -> None:
    (found,) = summarise(TABLE).metrics
    assert (found.name, found.n, found.mean) == ("style.gram", 2, 2.0)
    assert found.missing == (Cause("failed", "ValueError", 2), Cause("undefined", "flat", 1))


def test_slices_say_on_how_many_values_a_mean_rests() -> None:
    rows = slice_rows(TABLE, ["style"], "model")
    assert [(row.value, row.n) for row in rows] == [("x", 3), ("(none)", 1), ("y", 1)]
    assert rows[0].cells[0].n == 2
    assert rows[0].cells[0].mean == pytest.approx(0.3)
    assert rows[1].cells == (Cell(None, 0),)


def test_turns_of_a_chain_are_whole_numbers_also_where_some_rows_have_none() -> None:
    rows = slice_rows(TABLE.assign(turn=[1, 2, 2, None, None]), ["style"], "turn")
    assert {(row.value, row.n) for row in rows} == {("(none)", 2), ("1", 1), ("2", 2)}


def test_a_column_without_any_value_makes_no_slices() -> None:
    assert slice_rows(TABLE.assign(model=None), ["style"], "model") == []
    assert slice_rows(TABLE, ["style"], "edit_type") == []


def test_flags_are_counted_one_by_one() -> None:
    assert summarise(TABLE).flags == (("no_op", 2), ("unsafe", 1))
    assert summarise(TABLE.drop(columns="flags")).flags == ()


def test_a_file_read_column_by_column_says_the_same(tmp_path: Path) -> None:
    write_parquet(TABLE, tmp_path / "scores.parquet")
    assert summarise_file(tmp_path / "scores.parquet") == summarise(TABLE)
    TABLE.to_parquet(tmp_path / "long.parquet", row_group_size=2)
    assert summarise_file(tmp_path / "long.parquet") == summarise(TABLE)


def test_causes_of_equal_number_stand_in_the_order_of_the_table() -> None:
    def causes(*reasons: str) -> list[str]:
        frame = pd.DataFrame(
            {"id": list(reasons), "style.score": None, "style.status": "undefined", "style.reasons": reasons}
        )
        return [cause.code for cause in summarise(frame).dimensions[0].missing]

    assert causes("b", "a", "c", "c") == ["undefined(c)", "undefined(b)", "undefined(a)"]
    assert causes("a;x", "b", "a;y") == ["undefined(a)", "undefined(b)"]


def test_a_table_without_statuses_still_has_means() -> None:
    found = summarise(pd.DataFrame({"id": ["a", "b"], "style.score": [0.5, None]}))
    assert found.metrics == ()
    assert (found.dimensions[0].n, found.dimensions[0].mean, found.dimensions[0].missing) == (1, 0.5, ())


def test_metrics_stand_under_their_dimensions() -> None:
    (group,) = by_dimension(summarise(TABLE).metrics)
    assert (group[0], [one.short for one in group[1]]) == ("style", ["gram"])
