"""`assert_no_regression`, as a team's own test would call it."""

from __future__ import annotations

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
