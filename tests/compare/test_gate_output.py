"""The gate's files: JUnit that parses, Markdown that cannot be injected into, a baseline that can be committed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest_compare import lose, signed

from edit_metrics.compare.baseline import write_baseline
from edit_metrics.compare.gate import run_gate
from edit_metrics.compare.gate_config import GateConfig, load_gate_config
from edit_metrics.compare.gate_junit import error_to_junit, gate_to_junit
from edit_metrics.compare.gate_output import gate_to_dict, gate_to_markdown, headline
from edit_metrics.compare.verdict import EXIT_CODES, Outcome
from edit_metrics.errors import ConfigError
from edit_metrics.scores.table import read_runs

HOSTILE = "<script>alert(1)</script> | `x` ]] \x00\x1b[31m \ud7ff ]]>"


@pytest.fixture
def mixed(make_run):
    """One dimension each: a regression, a broken measurement, a pass."""
    after = make_run("b", shift={"preservation": -0.1})
    lose(after.frame, "character", slice(0, 90), "failed", f"RuntimeError: {HOSTILE}")
    return run_gate(make_run("a"), after, GateConfig())


def _parse(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - our own output


def _cases(text: str) -> dict[str, ET.Element]:
    return {case.attrib["name"]: case for case in _parse(text).iter("testcase")}


def test_junit_says_failure_for_a_regression_and_error_for_a_broken_measurement(mixed) -> None:
    cases = _cases(gate_to_junit(mixed))
    assert [child.tag for child in cases["preservation"]] == ["failure"]
    assert [child.tag for child in cases["character"]] == ["error"]
    assert list(cases["adherence"]) == []
    suite = _parse(gate_to_junit(mixed))[0].attrib
    assert (suite["tests"], suite["failures"], suite["errors"], suite["skipped"]) == ("3", "1", "1", "0")


def test_junit_skips_what_is_inconclusive(make_run) -> None:
    small = {"n_items": 12, "noise": 0.2}
    result = run_gate(make_run("a", seed=1, **small), make_run("b", seed=2, **small), GateConfig())
    undecided = [found.name for found in result.dimensions if found.outcome is Outcome.INCONCLUSIVE]
    assert undecided
    cases = _cases(gate_to_junit(result))
    assert all([child.tag for child in cases[name]] == ["skipped"] for name in undecided)


@pytest.fixture
def unsafe(make_run):
    """One newly unsafe picture, a slice that drops, and a dimension in one group."""
    before, after = (make_run(name, n_items=240, per_group=4) for name in "ab")
    kinds = pd.Series(["recolour", "remove", "add", "style"] * 60)
    for run in (before, after):
        run.frame["edit_type"] = kinds
        run.frame["flags"] = ""
        lose(run.frame, "character", slice(4, None), "not_applicable", "no_face")
    after.frame.loc[5, "flags"] = "unsafe"
    after.frame["adherence.score"] += kinds.map({"style": -0.3}).fillna(0.1)
    return run_gate(before, after, GateConfig(by=("edit_type",)))


def test_flags_and_slices_that_decide_are_failures_and_the_unjudged_is_skipped(unsafe) -> None:
    cases = _cases(gate_to_junit(unsafe))
    tags = {name: [child.tag for child in case] for name, case in cases.items()}
    assert tags["flag unsafe"] == ["failure"]
    assert "newly flagged: item005" in cases["flag unsafe"][0].text
    assert tags["adherence [edit_type=style]"] == ["failure"]
    assert tags["character"] == ["skipped"]
    assert tags["flag no_op"] == []


def test_the_headline_and_the_summary_name_flags_slices_and_the_unjudged(unsafe) -> None:
    assert headline(unsafe) == (
        "regression in unsafe picture, adherence (edit_type=style): b against a (not judged: character)"
    )
    text = gate_to_markdown(unsafe)
    assert "| unsafe picture | regression | 1 | 0 | 0 |" in text
    assert "| adherence | edit\\_type=style | -0.300 |" in text
    assert "Newly flagged (1)" in text


def test_junit_names_the_items_that_now_fail(make_run) -> None:
    result = run_gate(make_run("a"), make_run("b", shift={"preservation": -0.2}), GateConfig())
    failing = [flip.id for flip in result.flips if flip.change == "now_fails"]
    text = _cases(gate_to_junit(result))["preservation"][0].text
    assert failing
    assert failing[0] in text


def test_a_gate_that_cannot_run_leaves_a_junit_error() -> None:
    case = _cases(error_to_junit(ConfigError("a known key", HOSTILE)))["gate"]
    assert [child.tag for child in case] == ["error"]


def test_the_verdict_decides_the_exit_code(mixed) -> None:
    assert gate_to_dict(mixed)["exit_code"] == 1
    assert [EXIT_CODES[o] for o in ("pass", "regression", "inconclusive", "broken")] == [0, 1, 3, 4]


def test_json_is_complete_and_plain(mixed) -> None:
    loaded = json.loads(json.dumps(gate_to_dict(mixed), allow_nan=False))
    assert loaded["format"] == "edit-metrics/gate"
    assert loaded["outcome"] == "regression"
    assert {"difference", "lower_bound", "p_adjusted", "missingness", "more_data"} <= set(loaded["dimensions"][0])


def test_text_of_strangers_stays_text_in_markdown(make_run) -> None:
    after = make_run("b")
    lose(after.frame, "character", slice(0, 90), "undefined", HOSTILE)
    before = make_run("a")
    for run in (before, after):
        run.frame["id"] = HOSTILE + run.frame["id"]
    text = gate_to_markdown(run_gate(before, after, GateConfig()))
    assert "<script" not in text
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if "item000" in line]
    assert rows
    assert all(line.replace("\\|", "").count("|") == 5 for line in rows)


def test_an_accepted_baseline_gives_the_same_verdict_and_is_small(make_run, write_run, tmp_path) -> None:
    first = write_run(make_run("a", seed=1, info=signed() | {"config": {"big": "x" * 50_000}, "seconds": {"total": 3}}))
    second = write_run(make_run("b", seed=2, info=signed(), shift={"adherence": -0.03}))
    baseline = write_baseline(read_runs([first])[0], tmp_path / "accepted")
    full = run_gate(*read_runs([first, second]), GateConfig())
    small = run_gate(*read_runs([baseline, second]), GateConfig())
    assert small.dimensions == full.dimensions
    assert small.warnings == ()
    assert sum(file.stat().st_size for file in baseline.iterdir()) < 40_000
    assert "preservation.psnr" not in pq.read_schema(baseline / "scores.parquet").names


def test_accepting_an_unsigned_run_drops_an_older_signature(make_run, tmp_path) -> None:
    write_baseline(make_run("a", info=signed()), tmp_path)
    assert (tmp_path / "run.json").is_file()
    write_baseline(make_run("a"), tmp_path)
    assert not (tmp_path / "run.json").exists()


def test_the_shipped_config_is_the_default() -> None:
    from edit_metrics.config import configs_folder

    assert load_gate_config(configs_folder() / "gate.yaml") == GateConfig()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("margn: 0.1", "'margin'"),
        ("alpha: 0.7", "less than 0.5"),
        ("margin: 0.005", "minimum_effect must not exceed margin"),
        ("per_dimension: {safety: {margn: 1}}", "margn"),
        ("- 1", "mapping"),
        ("a: [", "YAML"),
    ],
)
def test_a_wrong_config_is_refused_in_words(tmp_path, text, message) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_gate_config(file)


def test_options_outweigh_the_file(tmp_path) -> None:
    file = tmp_path / "gate.yaml"
    file.write_text("margin: 0.1\nalpha: 0.01")
    config = load_gate_config(file, margin=0.3, alpha=None)
    assert (config.margin, config.alpha) == (0.3, 0.01)
