"""A manifest of every benchmark layout goes through `score` on the embedded profile's real weights."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.weights import store
from edit_metrics.weights.catalogue import CATALOGUE

pytestmark = pytest.mark.weights


@pytest.fixture(autouse=True)
def _weights_are_here() -> None:
    absent = [
        name for name, weight in CATALOGUE.items() if "embedded" in weight.profiles and not store.is_present(weight)
    ]
    if absent:
        pytest.skip(f"not in the model cache: {', '.join(absent)}")


@pytest.mark.parametrize(
    ("layout", "fixture", "first"),
    [
        ("folders", "folders", "a"),
        ("pie-bench", "pie", "flat/000000000000"),
        ("magicbrush", "magicbrush", "30_1"),
        ("hf-parquet", "parquet", "000000"),
    ],
)
def test_score_reads_the_manifest(layout, fixture, first, request, tmp_path) -> None:
    folder: Path = request.getfixturevalue(fixture)
    manifest, run = folder / "m.jsonl", tmp_path / "run"
    assert CliRunner().invoke(app, ["manifest", layout, str(folder), "--out", str(manifest)]).exit_code == 0
    result = CliRunner().invoke(app, ["score", str(manifest), "--out", str(run), "--limit", "1"])
    assert result.exit_code == 0, result.output
    row = pd.read_parquet(run / "scores.parquet").iloc[0]
    assert row["id"] == first
    assert row["feasibility.status"] == "ok"
    assert row["preservation.status"] == "ok"
