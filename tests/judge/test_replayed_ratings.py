"""The recorded judge of the 250 rated edits, replayed through the command line: what arrives is what people see.

``benchmarks/judge_replay.py`` prints the same with intervals.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from cases import edit_metrics
from oracle import canary_numbers
from replay import ReplayServer, recorded_book, serving
from scipy.stats import spearmanr

DATA = (
    Path(os.environ.get("EDIT_METRICS_SHARED", Path(__file__).resolve().parents[3] / "shared" / "data")) / "rated_edits"
)
PROFILE = """\
profile: readable
dimensions: {feasibility: {metrics: [verdict], curves: {verdict: {anchors: [[0, 0], [1, 1]]}}}}
"""


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    if not (DATA / "judge.jsonl").is_file():
        pytest.skip(f"the rated edits are not in {DATA}")
    work = tmp_path_factory.mktemp("rated")
    (work / "readable.yaml").write_text(PROFILE)
    edit_metrics("score", DATA / "manifest.jsonl", "--config", work / "readable.yaml", "--out", work / "run")
    with serving(ReplayServer(recorded_book(DATA), rest=canary_numbers)) as url:
        edit_metrics("judge", work / "run", "--base-url", url, "--all", "--cache", work / "answers")
    return pd.read_parquet(work / "run" / "scores.parquet").set_index("id")


def test_every_recorded_answer_arrives_in_its_row(judged: pd.DataFrame) -> None:
    lines = [json.loads(line) for line in (DATA / "judge.jsonl").read_text().splitlines()]
    first = {line["id"]: [*line["sc"], *line["pq"]] for line in lines if line["repetition"] == 1}
    columns = ["adherence.judge", "preservation.judge", "quality.judge_natural", "quality.judge_clean"]
    assert {name: [round(10 * value) for value in judged.loc[name, columns]] for name in judged.index} == first


@pytest.mark.parametrize(
    ("column", "construct", "at_least"),
    [("adherence.score", "alignment", 0.66), ("quality.score", "quality", 0.55), ("overall.min", "overall", 0.6)],
)
def test_pre_scores_order_the_edits_as_their_raters_do(
    judged: pd.DataFrame, column: str, construct: str, at_least: float
) -> None:
    ratings = pd.read_csv(DATA / "ratings.csv", dtype={"id": str})
    means = ratings[ratings["dimension"] == construct].groupby("id")["rating"].mean()
    assert judged[column].notna().all()
    assert spearmanr(judged[column], means.reindex(judged.index), nan_policy="omit").statistic >= at_least
