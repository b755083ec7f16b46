"""Means, slices and reasons over a table, against hand-worked values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from conftest_report import MakeRun, score_rows
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.report.run_page import rows_to_show
from edit_metrics.report.summary import Cause, Cell, count_flags, slice_rows, summarise_dimensions, summarise_metrics
from edit_metrics.report.table import MAX_ROWS
from edit_metrics.report.write import write_report

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
    (found,) = summarise_dimensions(TABLE, ["style"])
    assert found.scores == (0.2, 0.4, 0.9)
    assert found.mean == pytest.approx(0.5)
    assert found.confidence == pytest.approx(0.6)
    assert set(found.missing) == {Cause("failed", "ValueError", 1), Cause("not_applicable", "no_style_named", 1)}


def test_failures_of_one_kind_count_together_and_cautions_do_not() -> None:
    (found,) = summarise_metrics(TABLE)
    assert (found.name, found.n, found.mean) == ("style.gram", 2, 2.0)
    assert found.missing == (Cause("failed", "ValueError", 2), Cause("undefined", "flat", 1))


def test_slices_say_on_how_many_values_a_mean_rests() -> None:
    rows = slice_rows(TABLE, ["style"], "model")
    assert [(row.value, row.n) for row in rows] == [("x", 3), ("(none)", 1), ("y", 1)]
    assert rows[0].cells[0].n == 2
    assert rows[0].cells[0].mean == pytest.approx(0.3)
    assert rows[1].cells == (Cell(None, 0),)


def test_a_column_without_any_value_makes_no_slices() -> None:
    assert slice_rows(TABLE.assign(model=None), ["style"], "model") == []
    assert slice_rows(TABLE, ["style"], "edit_type") == []


def test_flags_are_counted_one_by_one() -> None:
    assert count_flags(TABLE) == [("no_op", 2), ("unsafe", 1)]
    assert count_flags(TABLE.drop(columns="flags")) == []


def test_a_very_long_table_shows_the_head_of_the_queue_and_the_worst() -> None:
    n = MAX_ROWS + 500
    frame = pd.DataFrame({"id": np.arange(n), "priority": np.arange(n) + 1, "overall.min": np.linspace(1, 0, n)})
    shown = rows_to_show(frame, 10)
    assert len(shown) == MAX_ROWS + 10
    assert shown["id"].tolist()[-10:] == list(range(n - 10, n))
    assert len(rows_to_show(frame.head(MAX_ROWS), 10)) == MAX_ROWS


def test_the_baseline_of_a_gate_can_be_reported_on(make_run: MakeRun) -> None:
    runs = [make_run(score_rows(6), name) for name in ("old", "new")]
    baseline = runs[0].parent / "baseline"
    CliRunner().invoke(app, ["gate", *map(str, runs), "--accept", str(baseline)])
    page = write_report(baseline).path.read_text(encoding="utf-8")
    assert "<b>6</b> scored" in page
    assert "Profile <b>tests</b>" in page
