"""The table for spreadsheets: few columns, plain names, reasons in words, and no doubt about what is missing."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from conftest_report import score_rows

from edit_metrics.api.scoring import score
from edit_metrics.config import validate_config
from edit_metrics.io.tables import read_table
from edit_metrics.scores.compact import NAME, compact_table
from edit_metrics.types import DIMENSIONS

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"


def test_at_most_thirty_columns_with_names_that_pandas_takes_as_they_are() -> None:
    table = compact_table(pd.DataFrame(score_rows(4)))
    assert len(table.columns) == 6 + 3 * len(DIMENSIONS) == 30
    assert all(name.isidentifier() for name in table.columns)
    assert list(table.query("preservation < .5 and preservation_confidence > .5")["id"]) == ["item-0002", "item-0003"]


def test_a_missing_score_says_why_and_a_score_without_reasons_says_nothing() -> None:
    table = compact_table(pd.DataFrame(score_rows(4)))
    assert table["character"].isna().all()
    assert set(table["character_why"]) == {"No score, does not apply: No face was found in the source."}
    assert table.loc[0, "quality"] == 1
    assert table.loc[0, "quality_why"] == ""
    assert table.loc[3, "quality_why"] == "No mask was given. The score is close to the pass mark."
    assert table.loc[0, "flags"] == "nothing changed"


def test_a_run_writes_it_in_the_manifests_order(tmp_path: Path) -> None:
    profile = {
        "profile": "x",
        "dimensions": {"preservation": {"metrics": ["psnr"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}}},
    }
    frame = score(FIXTURES / "manifest.jsonl", profile=validate_config(profile, "x"), out=tmp_path / "run")
    read = read_table(tmp_path / "run" / NAME)
    assert list(read["id"]) == list(frame["id"])
    pd.testing.assert_series_equal(read["preservation"], frame["preservation.score"].round(4), check_names=False)
    assert read["safety_why"].str.startswith("No score, not available: ").all()
