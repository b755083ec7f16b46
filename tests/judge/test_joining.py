"""Answers join a table: what a judge adds to a profile, and what stays as it was."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cases import make_edits, write_scored

from edit_metrics.config import load_config, profile_names
from edit_metrics.dimensions.prescores import FACT, score_item
from edit_metrics.judge.answers import JudgeAnswer
from edit_metrics.judge.joining import average, join_answers, with_judge, without_answers
from edit_metrics.judge.selection import Selection
from edit_metrics.judge.session import run_config
from edit_metrics.scores.judging import MEASURED, SelectedBy
from edit_metrics.scores.table import read_scores
from edit_metrics.scores.words import _tables, sentence
from edit_metrics.types import Measurement, Missing, Status, unavailable

GOOD = {"adherence.judge": 0.9, "preservation.judge": 0.8, "quality.judge_natural": 0.7, "quality.judge_clean": 0.5}


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_takes_a_judge_and_taking_it_twice_changes_nothing(profile: str) -> None:
    config = with_judge(load_config(profile))
    assert with_judge(config) == config
    for name in ("adherence", "preservation", "quality"):
        section = config.dimension(name)
        assert section.decides[-1][0].startswith("judge")
        assert all(sentence(f"low_{curve}") for curve in section.curves)
    assert "unsafe_seen" in _tables()["flags"]


@pytest.mark.parametrize("profile", profile_names())
def test_an_answer_scores_alone_whatever_else_the_profile_measured(profile: str) -> None:
    config = with_judge(load_config(profile))
    metrics = {f"{name}.{short}" for name in config.dimensions for short in config.dimension(name).metrics}
    silent = dict.fromkeys(metrics, Measurement.of(unavailable("no_mask")))
    measured = silent | {"feasibility.verdict": Measurement(1.0)} | {n: Measurement(v) for n, v in GOOD.items()}
    weak = [name for name in ("preservation.lpips_outside", "quality.blur_delta") if name in metrics]
    for also in ({}, dict.fromkeys(weak, Measurement(0.0))):
        found = score_item(config, measured | also).prescores
        assert [found[name].score for name in ("adherence", "preservation", "quality")] == [0.9, 0.8, 0.6]


def test_damage_outside_a_given_mask_bounds_what_the_judge_says_and_a_no_op_is_a_no_op() -> None:
    config = with_judge(load_config("embedded"))
    metrics = {f"{name}.{short}" for name in config.dimensions for short in config.dimension(name).metrics}
    measured = dict.fromkeys(metrics, Measurement.of(unavailable("no_mask")))
    measured |= {"feasibility.verdict": Measurement(1.0)}
    measured |= {name: Measurement(value) for name, value in GOOD.items()}
    damaged = score_item(config, measured | {"preservation.worst_tile": Measurement(1.0)}).prescores["preservation"]
    assert (damaged.score, damaged.reasons[0]) == (0.0, "low_worst_tile")
    same = score_item(config, measured | {"adherence.no_op": Measurement(1.0)}).prescores["adherence"]
    assert same.score == 0.0
    assert same.confidence >= FACT


def test_a_table_without_answers_is_the_one_that_metrics_made(tmp_path: Path) -> None:
    run = write_scored(tmp_path, make_edits(5), no_ops=1)
    table = pq.ParquetFile(run / "scores.parquet").read()
    empty = without_answers(table, with_judge(run_config(read_scores(run))))
    kept = [name for name in table.column_names if not name.endswith((".reasons", ".status"))]
    assert empty.select(kept).equals(table.select(kept))
    assert all(set(empty[f"{name}.reason"].to_pylist()) == {"judge_not_asked"} for name in MEASURED)
    again = without_answers(empty, with_judge(run_config(read_scores(run))))
    assert again.equals(empty)


def test_missing_answers_are_typed_in_every_column(tmp_path: Path) -> None:
    run = write_scored(tmp_path, make_edits(3))
    config = with_judge(run_config(read_scores(run)))
    table = without_answers(pq.ParquetFile(run / "scores.parquet").read(), config)
    chosen = Selection(dict.fromkeys(range(3), SelectedBy.ALL), (0, 1, 2), None, {}, 0)
    failed = Missing(Status.FAILED, "judge_unparsable: no JSON object")
    answers = {0: average([JudgeAnswer(GOOD, {}, "fine")], "m"), 1: failed, 2: unavailable("judge_refused")}
    joined = join_answers(table, config, chosen, answers).to_pylist()
    assert [row["adherence.judge.status"] for row in joined] == ["ok", "failed", "unavailable"]
    assert [row["adherence.judge"] for row in joined] == [0.9, None, None]
    assert joined[1]["quality.judge_clean.reason"] == "judge_unparsable: no JSON object"
    assert joined[1]["priority"] == 1  # what failed is looked at first
    assert [row["judge.model"] for row in joined] == ["m", None, None]


def test_repetitions_average_numbers_and_gather_categories() -> None:
    first = JudgeAnswer({"adherence.judge": 0.2, "feasibility.judge": 1.0}, {"safety.judge_flags": ("gore",)}, "first")
    second = JudgeAnswer({"adherence.judge": 0.8}, {"safety.judge_flags": ("gore", "weapons")}, "second")
    found = average([first, second], "m")
    assert found.numbers == {"adherence.judge": 0.5, "feasibility.judge": 1.0}
    assert found.categories == {"safety.judge_flags": ("gore", "weapons")}
    assert (found.why, found.repetitions, found.spread) == ("first", 2, pytest.approx(0.6))
