"""Missing is typed, a value is finite, an error is one sentence a part."""

from __future__ import annotations

import math

import pytest

from edit_metrics import errors
from edit_metrics.types import (
    Measurement,
    Missing,
    Noted,
    Status,
    failed,
    not_applicable,
    unavailable,
    undefined,
    with_cautions,
)


def test_a_measurement_has_a_value_exactly_when_it_is_ok() -> None:
    with pytest.raises(ValueError, match="exactly when"):
        Measurement(None)
    with pytest.raises(ValueError, match="exactly when"):
        Measurement(1.0, Status.UNDEFINED, "flat")
    with pytest.raises(ValueError, match="exactly when"):
        Measurement(math.nan)


def test_missing_needs_a_reason_and_cannot_be_ok() -> None:
    with pytest.raises(ValueError, match="reason"):
        Missing(Status.OK, "x")
    with pytest.raises(ValueError, match="reason"):
        Missing(Status.UNDEFINED, "")


@pytest.mark.parametrize(
    ("missing", "status"),
    [
        (not_applicable("a"), Status.NOT_APPLICABLE),
        (undefined("a"), Status.UNDEFINED),
        (unavailable("a"), Status.UNAVAILABLE),
    ],
)
def test_what_a_metric_returns_becomes_a_measurement(missing: Missing, status: Status) -> None:
    assert Measurement.of(missing) == Measurement(None, status, "a")
    assert Measurement.of(0.5) == Measurement(0.5)
    assert Measurement.of(Noted(0.5, ("b",), "seen"), ["a"]) == Measurement(0.5, Status.OK, "a;b", "seen")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_is_a_failure(value: float) -> None:
    for made in (Measurement.of(value), Measurement.of(Noted(value)), Measurement.of(value, ["resized"])):
        assert made.value is None
        assert made.status is Status.FAILED
        assert made.reason.startswith("non_finite_value")


def test_cautions_are_kept_in_order_and_empty_ones_dropped() -> None:
    twice = with_cautions(with_cautions(1, "resized", ""), "empty_mask")
    assert Measurement.of(twice).cautions == ("resized", "empty_mask")
    assert with_cautions(1, "") == 1
    assert Measurement.of(1).cautions == ()
    assert with_cautions(undefined("flat"), "resized") == undefined("flat")
    assert Measurement.of(undefined("flat")).cautions == ()


def test_a_failure_keeps_the_exceptions_text_on_one_line() -> None:
    assert failed(ValueError("two\nlines")).reason == "ValueError: two lines"
    assert len(failed(ValueError("x" * 1000)).reason) == 300


def test_an_error_says_what_was_expected_what_was_found_where_and_what_to_do() -> None:
    error = errors.UserError("a file", "a folder", "m.jsonl", "Give a file.")
    assert str(error) == "Expected a file, got a folder (m.jsonl). Give a file."
    assert str(errors.UserError("a", "b")) == "Expected a, got b."


def test_a_missing_extra_names_the_command_that_installs_it() -> None:
    assert "pip install 'edit-metrics[ray]'" in str(errors.MissingExtraError("ray", "ray", "--engine ray"))


@pytest.mark.parametrize(("kind", "code"), [(errors.ConfigError, 2), (errors.WeightsError, 2), (errors.RunError, 4)])
def test_exit_codes_follow_the_tree(kind: type[errors.EditMetricsError], code: int) -> None:
    assert kind("a", "b").exit_code == code


def test_a_near_name_is_proposed_and_else_the_known_ones_are_listed() -> None:
    assert errors.suggest("embeded", ("embedded", "clip", "large")) == "Did you mean 'embedded'?"
    assert errors.suggest("clip_t", ("adherence.clip_t", "preservation.psnr")) == "Did you mean 'adherence.clip_t'?"
    assert errors.suggest("banana", ("large", "clip")) == "Known: clip, large."
    assert errors.suggest("x", (f"column{n:03}" for n in range(100))).endswith("column039.")
