"""The fixtures' known truth, on the real weights of the embedded profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import edit_metrics

FIXTURES = Path(__file__).resolve().parent.parent / "data" / "fixtures"
EXPECTED = yaml.safe_load((FIXTURES / "expected.yaml").read_text(encoding="utf-8"))

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    out = tmp_path_factory.mktemp("fixtures") / "run"
    return edit_metrics.score(FIXTURES / "manifest.jsonl", profile="embedded", out=out).set_index("id")


def name_of(expectation: dict[str, Any]) -> str:
    return "-".join(str(value) for value in expectation.values())


@pytest.mark.parametrize("relation", EXPECTED["relations"], ids=name_of)
def test_the_better_item_reads_better(scored: pd.DataFrame, relation: dict[str, Any]) -> None:
    better, worse = (scored.loc[relation[side], relation["column"]] for side in ("better", "worse"))
    assert better - worse >= relation["by"], f"{better} against {worse}"


@pytest.mark.parametrize("expected", EXPECTED["missing"], ids=name_of)
def test_what_has_no_value_says_why(scored: pd.DataFrame, expected: dict[str, Any]) -> None:
    row, column = scored.loc[expected["id"]], expected["column"]
    assert pd.isna(row[column])
    assert (row[f"{column}.status"], row[f"{column}.reason"]) == (expected["status"], expected["reason"])


@pytest.mark.parametrize("expected", EXPECTED["codes"], ids=name_of)
def test_the_reason_is_named(scored: pd.DataFrame, expected: dict[str, Any]) -> None:
    assert expected["code"] in scored.loc[expected["id"], expected["column"]].split(";")


def test_the_cleanest_edit_is_looked_at_after_every_damaged_one(scored: pd.DataFrame) -> None:
    damaged = ["coffee_recolour_leaks", "coffee_recolour_blurred", "coffee_no_op", "face_removed", "cat_missing_file"]
    assert (scored.loc[damaged, "priority"] < scored.loc["coffee_recolour_clean", "priority"]).all()


def test_every_fixture_is_scored_once(scored: pd.DataFrame) -> None:
    lines = (FIXTURES / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(scored) == len(lines) >= 24
    assert scored.index.is_unique
