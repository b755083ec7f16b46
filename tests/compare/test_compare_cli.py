"""`compare` and `gate` on the command line: exit codes, stdout for data, stderr for words."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from conftest_compare import signed
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import ConfigError, SignatureError, TableError, UserError


@pytest.fixture
def runs(make_run, write_run) -> dict[str, str]:
    small = {"n_items": 12, "noise": 0.2}
    made = [
        make_run("base", seed=1, info=signed()),
        make_run("same", seed=2, info=signed()),
        make_run("worse", seed=3, info=signed(), shift={"preservation": -0.1}),
        make_run("other", seed=3, info=signed(5.0)),
        make_run("few_a", seed=1, **small),
        make_run("few_b", seed=2, **small),
    ]
    return {run.name: str(write_run(run)) for run in made}


def _call(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("before", "after", "code"), [("base", "same", 0), ("base", "worse", 1), ("few_a", "few_b", 3), ("base", "base", 0)]
)
def test_the_gate_exits_with_its_verdict(runs, before, after, code) -> None:
    result = _call("gate", runs[before], runs[after])
    assert result.exit_code == code
    assert "adherence" in result.stdout
    assert " against " in result.stderr


def test_the_gate_writes_its_files_and_json(runs, tmp_path) -> None:
    files = {name: tmp_path / "new" / name for name in ("g.xml", "g.md")}
    result = _call(
        "gate", runs["base"], runs["worse"], "--junit", files["g.xml"], "--markdown", files["g.md"], "--json"
    )
    assert json.loads(result.stdout)["outcome"] == "regression"
    assert "<failure" in files["g.xml"].read_text()
    assert "regression in preservation" in files["g.md"].read_text()


def test_mixed_definitions_are_refused_and_leave_a_junit_error(runs, tmp_path) -> None:
    result = _call("gate", runs["base"], runs["other"], "--junit", tmp_path / "g.xml")
    assert isinstance(result.exception, SignatureError)
    assert result.exception.exit_code == 2
    assert '<error type="SignatureError"' in (tmp_path / "g.xml").read_text()


def _accept(run, into, *more):
    return _call("accept", run, "--into", into, "--reason", "the new captioner", *more)


def _record(folder) -> dict:
    return json.loads((folder / "accepted.json").read_text())


def test_an_accepted_run_is_the_next_baseline_whatever_the_verdict(runs, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GITHUB_SHA", "abc123")
    folder = tmp_path / "baseline"
    assert _accept(runs["base"], folder).exit_code == 0
    assert _record(folder)["verdict"] == "first"
    assert _call("gate", folder, runs["worse"]).exit_code == 1
    assert _accept(runs["worse"], folder).exit_code == 0
    record = _record(folder)
    assert (record["verdict"], record["reason"], record["commit"]) == ("regression", "the new captioner", "abc123")
    assert record["said"] == "regression in preservation: worse against baseline"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", record["date"])
    assert _call("gate", folder, runs["worse"]).exit_code == 0


def test_scores_of_other_definitions_can_be_accepted_and_the_record_says_so(runs, tmp_path) -> None:
    folder = tmp_path / "baseline"
    _accept(runs["base"], folder)
    assert _accept(runs["other"], folder).exit_code == 0
    assert _record(folder)["verdict"] == "not_comparable"
    assert "preservation" in _record(folder)["said"]


def test_another_baseline_can_be_named_for_the_record(runs, tmp_path) -> None:
    _accept(runs["worse"], tmp_path / "baseline", "--baseline", runs["base"], "--commit", "def")
    assert _record(tmp_path / "baseline")["verdict"] == "regression"
    assert _record(tmp_path / "baseline")["commit"] == "def"


def test_accepting_twice_gives_the_same_bytes_but_for_the_record(runs, tmp_path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    _accept(runs["base"], first)
    _accept(runs["base"], second)
    for name in ("scores.parquet", "run.json", "summary.txt"):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    assert "finished" not in (first / "run.json").read_text()


def test_a_run_folder_is_never_made_a_baseline_and_a_reason_is_needed(runs, tmp_path) -> None:
    wrong = _accept(runs["base"], runs["base"])
    assert isinstance(wrong.exception, UserError)
    (Path(runs["same"]) / "rejected.jsonl").write_text("")
    assert isinstance(_accept(runs["base"], runs["same"]).exception, UserError)
    assert isinstance(_call("accept", runs["base"], "--into", tmp_path / "b", "--reason", " ").exception, UserError)


def test_one_run_is_held_against_conditions(runs, tmp_path) -> None:
    holds = ("gate", runs["base"], "--require", "preservation.psnr >= 20")
    result = _call(*holds, "--junit", tmp_path / "g.xml", "--markdown", tmp_path / "g.md")
    assert result.exit_code == 0
    assert "pass: base against its conditions" in result.stderr
    assert "preservation.psnr &gt;= 20" in (tmp_path / "g.md").read_text()
    failing = _call("gate", runs["base"], "--require", "preservation.psnr >= 31 in 99 %", "--json")
    assert failing.exit_code == 1
    assert json.loads(failing.stdout)["conditions"][0]["outcome"] == "regression"
    assert _call("gate", runs["base"], "--require", "preservation.psnr >= 20 in 99 %").exit_code == 3


def test_conditions_count_beside_a_baseline(runs) -> None:
    assert _call("gate", runs["base"], runs["same"], "--require", "preservation.psnr >= 40").exit_code == 1


def test_a_plan_judges_nothing(runs) -> None:
    result = _call("gate", runs["base"], runs["worse"], "--plan")
    assert result.exit_code == 0
    assert "groups give 80%" in result.stderr
    alone = _call("gate", runs["base"], "--plan", "--json")
    assert alone.exit_code == 0
    assert json.loads(alone.stdout)["format"] == "edit-metrics/plan"


def test_options_change_the_verdict(runs) -> None:
    assert _call("gate", runs["base"], runs["worse"], "--margin", 0.3, "--minimum-effect", 0.2).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("gate", "base", "nowhere"), TableError),
        (("gate", "base", "same", "--alpha", "0.9"), ConfigError),
        (("gate", "base"), UserError),
        (("gate", "base", "--require", "preservation.psnr is fine"), ConfigError),
        (("gate", "base", "--require", "preservation.psnr >= 3 in 0 %"), ConfigError),
        (("gate", "base", "--require", "preservation.psnrr >= 3"), TableError),
        (("gate", "base", "--require", "instruction >= 3"), TableError),
        (("compare", "base", "--by", "model", "--baseline", "same", "--out", "out"), UserError),
        (("compare", "base", "same", "--by", "model", "--out", "out"), UserError),
        (("compare", "base", "same", "--reference", "base", "--out", "out"), UserError),
        (("compare", "base", "same", "--margin", "0", "--out", "out"), UserError),
        (("compare", "base", "same", "--metric-margin", "preservation.psnr", "--out", "out"), UserError),
        (("compare", "base", "nowhere", "--out", "out"), TableError),
    ],
)
def test_a_wrong_call_is_the_users_error(runs, tmp_path, monkeypatch, arguments, error) -> None:
    monkeypatch.chdir(tmp_path)
    result = _call(*(runs.get(argument, argument) for argument in arguments))
    assert isinstance(result.exception, error)
    assert result.exception.exit_code == 2


def test_compare_writes_a_folder_and_prints_a_table(runs, tmp_path) -> None:
    result = _call("compare", runs["base"], runs["same"], runs["worse"], "--out", tmp_path / "out")
    assert result.exit_code == 0
    assert "Ranking" in result.stdout
    assert {"comparison.json", "comparison.md", "differences.csv", "flips.csv"} <= {
        file.name for file in (tmp_path / "out").iterdir()
    }


def test_compare_says_who_won_and_shows_the_slices_that_differ(make_run, write_run, tmp_path) -> None:
    before = make_run("before", seed=1)
    after = make_run("after", seed=2, shift={"preservation": -0.1})
    recoloured = after.frame["edit_type"] == "recolour"
    after.frame["adherence.score"] += recoloured.map({True: 0.1, False: -0.1})
    result = _call("compare", write_run(before), write_run(after), "--out", tmp_path / "out")
    assert "after against before: worse in preservation (-0." in result.stderr
    assert "yet worse in adherence where edit_type=remove (-0.1" in result.stderr
    assert "Slices that differ, of 6" in result.stdout
    assert "adherence [edit_type=recolour]" in result.stdout
    # Every slice of preservation drops as the whole does, and stands behind those that the whole does not tell.
    assert result.stdout.index("adherence [edit_type=remove]") < result.stdout.index("preservation [edit_type")
    assert "after against before: worse in preservation" in (tmp_path / "out/comparison.md").read_text()


def test_one_run_alone_has_its_means_with_intervals(runs, tmp_path) -> None:
    result = _call("compare", runs["base"], "--out", tmp_path / "out", "--json")
    assert result.exit_code == 0
    loaded = json.loads(result.stdout)
    first = loaded["means"][0]
    assert first["low"] < first["mean"] < first["high"]
    assert (loaded["differences"], loaded["ranking"]) == ([], [])
    shown = _call("compare", runs["base"], "--out", tmp_path / "out").stdout
    assert "adherence" in shown
    assert "missing" in shown


def test_every_run_can_be_compared_with_several_baselines(runs, tmp_path) -> None:
    command = (
        "compare",
        runs["worse"],
        "--baseline",
        runs["base"],
        "--baseline",
        runs["same"],
        "--out",
        tmp_path / "o",
    )
    loaded = json.loads(_call(*command, "--json").stdout)
    pairs = {(row["run"], row["reference"]) for row in loaded["differences"]}
    assert pairs == {("worse", "base"), ("worse", "same")}
    assert len(loaded["headline"]) == 3
    assert "worse against same" in _call(*command).stdout


def test_long_tables_are_cut_on_the_terminal_and_whole_in_the_file(runs, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("edit_metrics.cli.compare._MOST_ROWS", 2)
    result = _call("compare", runs["base"], runs["same"], "--out", tmp_path / "out")
    assert "and 1 more rows in" in result.stderr
    assert "character" not in result.stdout
    assert "character" in (tmp_path / "out/differences.csv").read_text()


def test_one_run_is_compared_by_model_against_the_named_reference(make_run, write_run, tmp_path) -> None:
    frames = []
    for index, name in enumerate(("m1", "m2")):
        frame = make_run(name, seed=index).frame
        frames.append(frame.assign(model=name, task=frame["id"], id=name + frame["id"]))
    run = make_run("both")
    folder = write_run(type(run)("both", pd.concat(frames, ignore_index=True), run.path))
    out = tmp_path / "out"
    command = ("compare", folder, "--by", "model", "--pair-by", "task", "--out", out, "--json")
    loaded = json.loads(_call(*command, "--reference", "m2").stdout)
    assert [run["name"] for run in loaded["runs"]] == ["m2", "m1"]
    assert {row["n_items"] for row in loaded["differences"] if row["kind"] == "dimension"} == {180}
    wrong = _call(*command, "--reference", "m3")
    assert isinstance(wrong.exception, UserError)
