"""Curves and heads: monotone, equal to independent fits, and back from JSON as they were."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression

from edit_metrics.calibration.curves import fit_isotonic, fit_ranks
from edit_metrics.calibration.features import ScoreColumn, default_features, parse_features
from edit_metrics.calibration.folds import cross_predict, group_folds
from edit_metrics.calibration.heads import IsotonicHead, OrdinalHead, _loss
from edit_metrics.calibration.predictor import Recipe, Sample, fit_predictor, head_from_json
from edit_metrics.errors import TableError

Floats = np.ndarray[Any, np.dtype[np.float64]]


def noisy(rng: np.random.Generator, n: int = 400) -> tuple[Floats, Floats, Floats]:
    features = rng.normal(size=(n, 3))
    score = features[:, 0] + 0.5 * features[:, 1]
    rating = np.clip(np.round(2 * (score + rng.normal(0, 0.7, n) + 1)) / 4, 0, 1)
    return features, rating, (rating >= 0.5).astype(float)


def test_ranks_count_ties_half() -> None:
    curve = fit_ranks(np.array([0.0, 0.0, 1.0, 3.0]))
    assert curve(np.array([0.0, 1.0, 3.0, 9.0])).tolist() == [0.25, 0.625, 0.875, 0.875]


def test_the_isotonic_curve_stays_near_the_plain_isotonic_fit(rng: np.random.Generator) -> None:
    x = rng.uniform(size=500)
    y = (rng.uniform(size=500) < x).astype(float)
    ours = fit_isotonic(x, y, 0.0, 1.0)(x)
    plain = IsotonicRegression(out_of_bounds="clip").fit(x, y).predict(x)
    assert np.abs(ours - plain).mean() < 0.03
    assert (np.diff(ours[np.argsort(x)]) > 0).all()


@pytest.mark.parametrize("kind", ["isotonic", "ordinal"])
@pytest.mark.parametrize("binary", [True, False])
def test_heads_rise_with_every_feature_and_survive_json(rng: np.random.Generator, kind: str, binary: bool) -> None:
    features, rating, passed = noisy(rng)
    target = passed if binary else rating
    head: Any = {
        "isotonic": lambda: IsotonicHead.fit(features, target, 0.0, 1.0),
        "ordinal": lambda: OrdinalHead.fit(features, target),
    }[kind]()
    before = head.predict(features)
    for column in range(3):
        raised = features.copy()
        raised[:, column] += 0.7
        assert (head.predict(raised) >= before - 1e-9).all()
    assert before.min() >= -1e-9
    assert before.max() <= 1 + 1e-9
    assert np.corrcoef(before, target)[0, 1] > 0.5
    back = head_from_json(json.loads(json.dumps(head.to_json())))
    np.testing.assert_array_equal(back.predict(features), before)


def test_the_ordinal_loss_has_the_gradient_that_finite_differences_give(rng: np.random.Generator) -> None:
    basis, codes = rng.normal(size=(30, 2)), rng.integers(4, size=30)
    point = np.array([0.3, 0.2, -1.0, 0.1, -0.4])
    _, gradient = _loss(point, basis, codes, 4)
    step = 1e-6 * np.eye(5)
    numeric = [(_loss(point + s, basis, codes, 4)[0] - _loss(point - s, basis, codes, 4)[0]) / 2e-6 for s in step]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-4, atol=1e-5)


def test_two_levels_are_logistic_regression(rng: np.random.Generator) -> None:
    from statsmodels.api import Logit, add_constant

    x = rng.normal(size=(4000, 1))
    y = (rng.uniform(size=4000) < 1 / (1 + np.exp(-x[:, 0]))).astype(float)
    reference = Logit(y, add_constant(x)).fit(disp=0).predict(add_constant(x))
    assert np.abs(OrdinalHead.fit(x, y).predict(x) - reference).max() < 0.06


def test_an_unknown_head_is_refused() -> None:
    with pytest.raises(TableError, match="isotonic"):
        head_from_json({"kind": "pickle"})


def test_the_direction_is_learned_unless_it_is_declared(rng: np.random.Generator) -> None:
    features, rating, passed = noisy(rng)
    flipped = features * np.array([-1.0, 1.0, 1.0])
    sample = Sample(flipped, rating, passed, np.full(len(rating), "", dtype=object))
    recipe = Recipe("ordinal")
    learned = fit_predictor(
        sample, [ScoreColumn("a", 0), ScoreColumn("b", 0), ScoreColumn("c", 1)], recipe, recipe, (0, 1)
    )
    assert learned.signs[:2] == (-1, 1)
    declared = fit_predictor(sample, [ScoreColumn(n, 1) for n in "abc"], recipe, recipe, (0, 1))
    assert declared.signs == (1, 1, 1)
    assert np.corrcoef(learned.predict(flipped).p_pass, declared.predict(flipped).p_pass)[0, 1] < 0.9


def test_a_missing_feature_takes_the_median_and_is_marked_incomplete(rng: np.random.Generator) -> None:
    features, rating, passed = noisy(rng)
    sample = Sample(features, rating, passed, np.full(len(rating), "", dtype=object))
    specs = [ScoreColumn(name, 1) for name in "abc"]
    fitted = fit_predictor(sample, specs, Recipe("ordinal"), Recipe("ordinal"), (0, 1))
    gap, median = features[:1].copy(), features[:1].copy()
    gap[0, 1], median[0, 1] = np.nan, np.median(features[:, 1])
    assert fitted.predict(gap).p_pass == pytest.approx(fitted.predict(median).p_pass)
    assert fitted.predict(gap).complete.tolist() == [False]


def test_identities_are_never_features() -> None:
    frame = pd.DataFrame(
        {"id": ["a", "b"], "model": [1, 2], "lpips": [0.1, 0.2], "note": ["x", "y"], "same": [1.0, 1.0]}
    )
    found = default_features(frame, pd.Series([True, True]), exclude=())
    assert [spec.name for spec in found] == ["lpips"]
    with pytest.raises(TableError, match="names it"):
        parse_features("model", frame)
    with pytest.raises(TableError, match="numeric"):
        parse_features("note", frame)
    assert parse_features("lpips:-", frame) == [ScoreColumn("lpips", -1)]


def test_a_group_is_never_on_both_sides(rng: np.random.Generator) -> None:
    groups = [f"g{k}" for k in rng.integers(23, size=200)]
    folds = group_folds(groups, seed=1)
    assert all(len({f for f, g in zip(folds, groups, strict=True) if g == name}) == 1 for name in set(groups))

    def seen(train: Any, left_out: Any) -> Any:
        shared = {groups[i] for i in train} & {groups[i] for i in left_out}
        return np.full((len(left_out), 1), float(len(shared)))

    assert cross_predict(folds, seen, 1).max() == 0
