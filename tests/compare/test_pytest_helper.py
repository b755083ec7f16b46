"""`assert_no_regression`, as a team's own test would call it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edit_metrics.errors import ConfigError
from edit_metrics.testing import InconclusiveWarning, assert_no_regression


def test_it_passes_quietly_and_returns_the_result(make_run, write_run) -> None:
    result = assert_no_regression(write_run(make_run("a", seed=1)), write_run(make_run("b", seed=2)))
    assert result.outcome == "pass"


def test_it_names_the_dimension_the_size_and_the_items(make_run, write_run) -> None:
    before, after = write_run(make_run("a")), write_run(make_run("b", shift={"preservation": -0.2}))
    with pytest.raises(
        AssertionError, match=r"preservation: regression -0\.200 over 60 groups: the score dropped"
    ) as e:
        assert_no_regression(before, after)
    assert "now fails preservation: item" in str(e.value)
    assert "adherence:" not in str(e.value)


def test_doubt_fails_unless_it_is_allowed(make_run, write_run) -> None:
    small = {"n_items": 12, "noise": 0.2}
    before, after = write_run(make_run("a", seed=1, **small)), write_run(make_run("b", seed=2, **small))
    with pytest.raises(AssertionError, match="inconclusive"):
        assert_no_regression(before, after)
    with pytest.warns(InconclusiveWarning, match="more items"):
        assert_no_regression(before, after, allow_inconclusive=True)


def test_settings_go_in_by_name(make_run, write_run) -> None:
    before, after = write_run(make_run("a")), write_run(make_run("b", shift={"preservation": -0.2}))
    assert_no_regression(before, after, dimensions=("adherence", "character"))
    with pytest.raises(ConfigError, match="'margin'"):
        assert_no_regression(before, after, margn=0.3)


def test_only_items_of_dimensions_that_failed_are_named(make_run, write_run) -> None:
    before, after = make_run("a", seed=1), make_run("b", seed=2, shift={"preservation": -0.2})
    with pytest.raises(AssertionError) as caught:
        assert_no_regression(write_run(before), write_run(after))
    flips = [line for line in str(caught.value).splitlines() if "now fails" in line]
    assert flips
    assert all("now fails preservation" in line for line in flips)


def test_columns_of_other_programs_are_judged_paired_and_sliced_by_name(make_run, write_run) -> None:
    runs = []
    for name, penalty in (("a", 0.0), ("b", 0.1)):
        run = make_run(name)
        frame = run.frame[["id", "group", "edit_type"]].assign(task=run.frame["id"], id=name + run.frame["id"])
        frame["distance"] = 0.2 + 0.001 * frame.index + penalty * (frame["edit_type"] == "remove")
        frame["fidelity"] = 0.9
        runs.append(write_run(type(run)(name, frame, run.path)))
    named = {"lower": "distance", "higher": ["fidelity"], "pair_by": "task"}
    with pytest.raises(AssertionError, match=r"distance: regression -0\.050"):
        assert_no_regression(*runs, **named)
    loose = {"margin": 0.06, "minimum_effect": 0.055}
    assert_no_regression(*runs, **named, **loose)
    with pytest.raises(AssertionError, match=r"distance where edit_type=remove: -0\.100"):
        assert_no_regression(*runs, **named, **loose, by="edit_type")


def test_newly_unsafe_items_and_broken_conditions_are_named(make_run, write_run) -> None:
    before, after = make_run("a"), make_run("b")
    before.frame["flags"] = after.frame["flags"] = ""
    after.frame.loc[7, "flags"] = "unsafe"
    with pytest.raises(AssertionError) as caught:
        assert_no_regression(write_run(before), write_run(after), require=("adherence.score >= 0.41",))
    assert "flag unsafe: 1 newly: more items are newly flagged than allowed: item007" in str(caught.value)
    assert "adherence.score >= 0.41: regression: does not hold: item" in str(caught.value)


def test_a_failing_test_shows_the_callers_line(make_run, write_run, tmp_path) -> None:
    before, after = write_run(make_run("a")), write_run(make_run("b", shift={"preservation": -0.2}))
    (tmp_path / "test_ours.py").write_text(
        "from edit_metrics.testing import assert_no_regression\n"
        f"def test_it():\n    assert_no_regression({str(before)!r}, {str(after)!r})\n"
    )
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_ours.py"]
    shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert "regression in preservation" in shown
    assert "raise AssertionError(message)" not in shown
