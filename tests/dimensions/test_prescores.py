"""Curves, gates, confidence with named reasons, flags and the summary."""

from __future__ import annotations

import pytest

from edit_metrics.config import ConfidenceConfig, DimensionConfig, validate_config
from edit_metrics.dimensions.prescores import apply_curve, to_flags, to_overall, to_prescore
from edit_metrics.types import Measurement, PreScore, Status, not_applicable, unavailable, undefined

RULES = ConfidenceConfig(cautions={"resized": 0.9}, threshold_margin=0.0)


def section(**values: object) -> DimensionConfig:
    return DimensionConfig.model_validate(values)


def one_curve(**more: object) -> DimensionConfig:
    return section(metrics=["a"], curves={"a": {"anchors": [[0, 0], [10, 1]]}}, **more)


TWO = {"a": {"anchors": [[0, 0], [10, 1]]}, "b": {"anchors": [[0, 1], [1, 0]], "trust": 0.5}}


def missing(kind: object) -> Measurement:
    return Measurement.of(kind)  # type: ignore[arg-type]


def measured(value: float, *cautions: str) -> Measurement:
    return Measurement.of(value, cautions)


@pytest.mark.parametrize(("value", "score"), [(-5, 0), (0, 0), (2.5, 0.25), (10, 1), (99, 1)])
def test_a_curve_is_linear_between_its_anchors_and_flat_outside(value: float, score: float) -> None:
    assert apply_curve([(0, 0), (10, 1)], value) == pytest.approx(score)


def test_the_minimum_names_the_metric_that_limits_it() -> None:
    both = section(metrics=["a", "b"], curves=TWO, combine="min")
    result = to_prescore(both, RULES, {"a": measured(8), "b": measured(0.9)})
    assert result.score == pytest.approx(0.1)
    assert result.reasons[0] == "low_b"


def test_the_mean_weighs_by_trust() -> None:
    both = section(metrics=["a", "b"], curves=TWO, combine="mean")
    result = to_prescore(both, RULES, {"a": measured(8), "b": measured(0.5)})
    assert result.score == pytest.approx((0.8 * 1 + 0.5 * 0.5) / 1.5)


def test_confidence_is_the_trust_of_the_best_metric_that_is_there() -> None:
    both = section(metrics=["a", "b"], curves=TWO)
    result = to_prescore(both, RULES, {"a": missing(unavailable("no_caption")), "b": measured(0.1)})
    assert result.confidence == pytest.approx(0.5)


def test_a_degenerate_metric_lowers_confidence_and_is_named_but_one_that_does_not_apply_is_not() -> None:
    both = section(metrics=["a", "b"], curves=TWO)
    degenerate = to_prescore(both, RULES, {"a": measured(9), "b": missing(undefined("flat"))})
    irrelevant = to_prescore(both, RULES, {"a": measured(9), "b": missing(not_applicable("no_mask"))})
    assert degenerate.confidence == pytest.approx(RULES.missing)
    assert degenerate.reasons == ("missing_b",)
    assert irrelevant.confidence == 1
    assert irrelevant.reasons == ()


def test_cautions_and_disagreement_lower_confidence_once_each() -> None:
    both = section(metrics=["a", "b"], curves=TWO)
    result = to_prescore(both, RULES, {"a": measured(10, "resized"), "b": measured(1, "resized")})
    assert result.confidence == pytest.approx(0.9 * RULES.disagreement_factor)
    assert result.reasons == ("low_b", "resized", "metrics_disagree")


def test_a_score_close_to_the_threshold_is_uncertain() -> None:
    rules = ConfidenceConfig(threshold_margin=0.1)
    assert to_prescore(one_curve(), rules, {"a": measured(5.5)}).reasons == ("near_threshold",)
    assert to_prescore(one_curve(), rules, {"a": measured(7)}).reasons == ()


def test_a_cap_bounds_the_confidence_and_says_why() -> None:
    result = to_prescore(one_curve(cap=0.6, cap_reason="geometry_only"), RULES, {"a": measured(9)})
    assert result.confidence == pytest.approx(0.6)
    assert result.reasons == ("geometry_only",)


def test_a_gate_settles_the_dimension_before_any_curve() -> None:
    gated = section(
        metrics=["a", "no_op"],
        curves={"a": {"anchors": [[0, 0], [10, 1]]}},
        gates={"no_op": {"above": 1, "score": 0, "confidence": 0.9}},
    )
    fired = to_prescore(gated, RULES, {"a": measured(10), "no_op": measured(1)})
    quiet = to_prescore(gated, RULES, {"a": measured(10), "no_op": measured(0)})
    assert (fired.score, fired.confidence, fired.reasons) == (0, 0.9, ("no_op",))
    assert quiet.score == 1


def test_without_any_value_the_most_alarming_status_and_its_reason_are_told() -> None:
    both = section(metrics=["a", "b"], curves=TWO)
    result = to_prescore(both, RULES, {"a": missing(not_applicable("no_mask")), "b": missing(undefined("flat"))})
    assert (result.score, result.confidence) == (None, None)
    assert (result.status, result.reasons) == (Status.UNDEFINED, ("flat",))


def test_a_dimension_that_the_profile_does_not_measure_is_unavailable() -> None:
    assert to_prescore(section(), RULES, {}).reasons == ("not_in_profile",)


def test_without_a_required_metric_nothing_is_said() -> None:
    both = section(metrics=["a", "b"], curves=TWO, required=["b"])
    seen = to_prescore(both, RULES, {"a": measured(9), "b": measured(0)})
    unseen = to_prescore(both, RULES, {"a": measured(9), "b": missing(undefined("edited_unreadable"))})
    assert seen.score is not None
    assert (unseen.score, unseen.status, unseen.reasons) == (None, Status.UNDEFINED, ("edited_unreadable",))


def test_overall_is_the_weakest_and_the_geometric_mean_of_what_is_scored() -> None:
    prescores = {
        "safety": PreScore(0.9, 1, Status.OK),
        "quality": PreScore(0.4, 1, Status.OK),
        "style": PreScore(None, None, Status.UNAVAILABLE, ("not_in_profile",)),
    }
    overall = to_overall(prescores)
    assert overall.minimum == pytest.approx(0.4)
    assert overall.geometric_mean == pytest.approx(0.6)
    assert to_overall({}).minimum is None


def test_flags_read_values_and_ignore_missing_ones() -> None:
    config = validate_config(
        {"profile": "x", "flags": {"no_op": {"metric": "m", "above": 1}, "unsafe": {"metric": "s", "below": 0}}}, "test"
    )
    assert to_flags(config.flags, {"m": measured(1), "s": measured(1)}) == ("no_op",)
    assert to_flags(config.flags, {"m": missing(undefined("x")), "s": measured(0)}) == ("unsafe",)


def weakest_and_others(**values: float | None) -> float | None:
    line = {"anchors": [[0, 0], [1, 1]]}
    own = section(metrics=["a", "b", "c"], curves=dict.fromkeys("abc", line), combine="min", others=0.1)
    absent = missing(not_applicable("nothing"))
    given = {n: absent if values.get(n) is None else measured(values[n]) for n in "abc"}
    return to_prescore(own, RULES, given).score


def test_the_others_count_a_tenth_beside_the_weakest() -> None:
    assert weakest_and_others(a=0.5, b=0.8, c=1.0) == pytest.approx(0.9 * 0.5 + 0.1 * 0.5 * 0.8)
    assert weakest_and_others(a=0.5, b=1.0, c=1.0) == pytest.approx(0.5)


def test_a_curve_that_is_missing_neither_raises_nor_removes_what_the_others_say() -> None:
    assert weakest_and_others(b=0.8) == pytest.approx(0.8)
    assert weakest_and_others(a=0.5, c=0.8) == pytest.approx(weakest_and_others(a=0.5, b=1.0, c=0.8))
    assert weakest_and_others() is None


def test_a_score_does_not_rise_with_the_jitter_of_its_weakest_while_another_curve_falls() -> None:
    """A JPEG of the rest of an edit: the region reads a ten-thousandth less, and the rest is a little worse."""
    before, after = weakest_and_others(a=1.0, b=0.95), weakest_and_others(a=0.99, b=0.9501)
    assert before is not None
    assert after is not None
    assert after < before


def test_others_belong_to_the_weakest() -> None:
    with pytest.raises(ValueError, match="'others' belongs to 'combine: min'"):
        section(metrics=["a", "b"], curves=TWO, combine="mean", others=0.1)


def test_that_parts_see_other_damage_is_no_disagreement_and_that_opinions_differ_is() -> None:
    readings = {"a": measured(10), "b": measured(0.9)}
    apart = {
        n: to_prescore(section(metrics=["a", "b"], curves=TWO, combine=n), RULES, readings) for n in ("min", "mean")
    }
    assert "metrics_disagree" not in apart["min"].reasons
    assert "metrics_disagree" in apart["mean"].reasons
