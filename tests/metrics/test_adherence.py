"""Cosine metrics of adherence: directions, bounds, views, and every way of having no value."""

from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.metrics import adherence, clip_views
from edit_metrics.pixels.change import ChangeMap
from edit_metrics.registry import all_metrics, get_label, get_metric
from edit_metrics.types import Measurement, Missing, Noted, Result, Status, undefined

X, Y, Z = np.eye(3, dtype=np.float32)


def value(result: Result) -> float:
    assert not isinstance(result, Missing), result
    return result.value if isinstance(result, Noted) else result


def test_the_caption_that_equals_the_picture_scores_one_and_the_opposite_minus_one() -> None:
    assert value(adherence.clip_t(X, X)) == 1.0
    assert value(adherence.clip_t(X, -X)) == -1.0


def test_clip_t_does_not_depend_on_the_scale_of_the_vectors() -> None:
    assert value(adherence.clip_t(3 * X + Y, X)) == pytest.approx(value(adherence.clip_t(X + Y / 3, 7 * X)), abs=1e-7)


def test_gain_is_positive_towards_the_caption_and_negative_away_from_it() -> None:
    towards = adherence.clip_t_gain(X, Y, Y, 0.1)
    away = adherence.clip_t_gain(Y, X, Y, 0.1)
    assert value(towards) == pytest.approx(1.0)
    assert value(away) == pytest.approx(-1.0)


def test_a_picture_that_did_not_change_gains_exactly_zero_and_says_that_the_encoder_is_blind() -> None:
    result = adherence.clip_t_gain(X, X.copy(), Y, 0.1)
    assert result == Noted(0.0, ("encoder_blind",))


def test_directional_similarity_equals_the_hand_worked_value() -> None:
    # ΔI = y − x and ΔT = z − x share one of two components: cos = 1/2.
    assert value(adherence.clip_directional(X, Y, X, Z, 0.1)) == pytest.approx(0.5)
    assert value(adherence.clip_directional(X, Y, X, Y, 0.1)) == pytest.approx(1.0)
    assert value(adherence.clip_directional(X, Y, Y, X, 0.1)) == pytest.approx(-1.0)


def test_the_direction_of_an_edit_that_the_encoder_cannot_see_is_undefined() -> None:
    nearly = (X + 0.05 * Y) / np.linalg.norm(X + 0.05 * Y)
    for edited in (X, nearly):
        result = adherence.clip_directional(X, edited, X, Y, 0.1)
        assert (result.status, result.reason) == (Status.UNDEFINED, "encoder_blind")
    assert isinstance(adherence.clip_directional(X, nearly, X, Y, 0.01), float)


def test_equal_captions_have_no_direction() -> None:
    result = adherence.clip_directional(X, Y, Z, Z.copy(), 0.1)
    assert (result.status, result.reason) == (Status.UNDEFINED, "equal_captions")


def test_a_truncated_text_is_a_caution_on_the_metrics_that_read_it_and_only_there() -> None:
    cut = frozenset({"instruction"})
    assert adherence.clip_instruction_gain(X, Y, Y, 0.1, cut).cautions == ("truncated_text",)
    assert isinstance(adherence.clip_t(X, X, cut), float)
    both = adherence.clip_instruction_gain(X, X, Y, 0.1, cut)
    assert both.cautions == ("encoder_blind", "truncated_text")
    assert adherence.clip_directional(X, Y, X, Y, 0.1, {"source_caption"}).cautions == ("truncated_text",)


def test_a_truncated_text_does_not_hide_a_missing_value() -> None:
    assert adherence.clip_directional(X, X, X, Y, 0.1, {"target_caption"}).reason == "encoder_blind"


def test_views_are_clipped_at_zero_and_scaled_as_published() -> None:
    half = np.array([1.0, np.sqrt(3), 0.0], dtype=np.float32)
    assert value(clip_views.clip_t_x100(X, half)) == pytest.approx(50.0, abs=1e-5)
    assert value(clip_views.clip_score(X, half)) == pytest.approx(1.25, abs=1e-6)
    assert value(clip_views.clip_t_x100(X, -X)) == 0.0
    assert value(clip_views.clip_score(X, -X)) == 0.0


def test_the_hundredfold_view_equals_torchmetrics_formula(rng: np.random.Generator) -> None:
    image, text = rng.normal(size=(2, 16))
    expected = max(100 * (image / np.linalg.norm(image) * text / np.linalg.norm(text)).sum(), 0.0)
    assert value(clip_views.clip_t_x100(image, text)) == pytest.approx(expected)


def test_views_exist_for_clip_alone_and_every_cosine_for_both_encoders() -> None:
    assert get_metric("adherence.clip_t").inputs["edited_embedding"] == "clip_edited_embedding"
    assert get_metric("adherence.conse_t").inputs["edited_embedding"] == "conse_edited_embedding"
    assert get_metric("adherence.conse_directional").inputs["blind_below"] == "conse_blind_below"
    names = {spec.name for spec in all_metrics()}
    assert "adherence.clip_t_x100" in names
    assert "adherence.conse_t_x100" not in names
    assert get_label("adherence.clip_encoder").inputs == {"encoder_name": "clip_encoder_name"}


def test_clip_i_is_one_for_the_same_picture_and_unrelated_flags_what_is_below_the_floor() -> None:
    assert value(adherence.clip_i(X, X)) == 1.0
    assert value(adherence.unrelated(X, X)) == 0.0
    assert value(adherence.unrelated(X, Y)) == 1.0
    assert value(adherence.unrelated(X, X + Y, floor=0.8)) == 1.0


def test_a_zero_vector_is_undefined_and_never_a_number() -> None:
    zero = np.zeros(3, dtype=np.float32)
    assert adherence.clip_t(zero, X).reason == "zero_embedding"
    assert adherence.clip_instruction_gain(zero, X, Y, 0.1).reason == "zero_embedding"
    assert adherence.unrelated(X, zero) == undefined("zero_embedding")


def change_map(changed: np.ndarray) -> ChangeMap:
    return ChangeMap(changed, np.zeros(changed.shape, np.float32), floor=3.0, saturated=0.0)


def test_changes_in_the_margins_of_a_wide_picture_are_outside_the_centre_crop() -> None:
    changed = np.zeros((10, 30), dtype=bool)
    changed[:, :5] = True
    assert adherence.changed_outside_crop(change_map(changed), "center") == 1.0
    assert adherence.changed_outside_crop(change_map(changed), "squash") == 0.0
    changed[:, 12:17] = True
    assert adherence.changed_outside_crop(change_map(changed), "center") == pytest.approx(0.5)


def test_nothing_changed_has_no_share_outside_the_crop() -> None:
    result = adherence.changed_outside_crop(change_map(np.zeros((4, 4), dtype=bool)), "center")
    assert Measurement.of(result).status is Status.NOT_APPLICABLE
