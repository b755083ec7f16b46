"""Estimates: equal to ppi_py where items are independent, honest where they are not, refused where nothing holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from calibration_cases import only, world
from ppi_py import ppi_mean_ci
from scipy.stats import norm
from scipy.stats import t as student

from edit_metrics.calibration.difference import DrawnItems, difference_estimate, tuned_power, width
from edit_metrics.calibration.estimate import Method, cross_fitted_ratings, estimate_means
from edit_metrics.calibration.features import ScoreColumn
from edit_metrics.calibration.predictor import Recipe
from edit_metrics.calibration.rated_table import RatedTable, rated_table
from edit_metrics.errors import NotEnoughDataError, TableError
from edit_metrics.ratings.draws import Draw

WIDE = (-1e4, 1e4)
"""A scale so wide that the logit is a straight line over any interval."""
GOOD = [ScoreColumn("good", 0)]
ISOTONIC = Recipe("isotonic", ("good",))


def test_the_estimate_equals_ppi_pys_where_items_are_independent(rng: np.random.Generator) -> None:
    n, m = 400, 3600
    truth = rng.normal(size=n + m)
    prediction = truth + rng.normal(0, 0.6, n + m)
    rating, own = truth[:n], prediction[:n]
    power = tuned_power(rating, own)
    ours = difference_estimate(DrawnItems(rating, own, np.ones(n), range(n)), prediction, power, WIDE, 0.9)
    assert ours is not None
    # Our predictions average over all items, theirs over the unrated ones: λ is the same up to that factor.
    low, high = ppi_mean_ci(rating, own, prediction[n:], alpha=0.1, lam=power * m / (n + m))
    assert ours.value == pytest.approx(float((low + high)[0]) / 2, abs=1e-9)
    # Theirs is about new items, ours about these ones: they differ by the variance of the mean of all items.
    theirs = (float((high - low)[0]) / 2 / norm.ppf(0.95)) ** 2
    here = ((ours.interval.high - ours.interval.low) / 2 / student.ppf(0.95, n - 1)) ** 2
    assert here + rating.var(ddof=1) / (n + m) == pytest.approx(theirs, rel=0.01)
    tuned_low, tuned_high = ppi_mean_ci(rating, own, prediction[n:], alpha=0.1)
    assert ours.value == pytest.approx(float((tuned_low + tuned_high)[0]) / 2, abs=5e-3)


def test_no_predictions_is_the_plain_mean_with_a_finite_population_correction(rng: np.random.Generator) -> None:
    rating = rng.uniform(size=100)
    drawn = DrawnItems(rating, np.zeros(100), np.ones(100), range(100))
    found = difference_estimate(drawn, np.zeros(200), 0.0, WIDE)
    assert found is not None
    assert found.value == pytest.approx(rating.mean())
    half = 1.98422 * rating.std(ddof=1) / 10 * np.sqrt(0.5)
    assert found.interval.high - found.value == pytest.approx(half, rel=1e-5)


def test_unequal_inclusion_probabilities_are_undone(rng: np.random.Generator) -> None:
    rating = rng.uniform(size=4000)
    probability = np.where(rating > 0.5, 0.5, 0.1)
    drawn = rng.uniform(size=4000) < probability
    n = int(drawn.sum())
    sample = DrawnItems(rating[drawn], np.zeros(n), 1 / probability[drawn], range(n))
    found = difference_estimate(sample, np.zeros(4000), 0.0, (0, 1))
    assert found is not None
    assert found.value == pytest.approx(rating.mean(), abs=0.02)
    assert rating[drawn].mean() > rating.mean() + 0.1


def test_every_item_is_predicted_without_its_group(rng: np.random.Generator) -> None:
    frame, ratings = world()
    table = rated_table(frame, ratings, "adherence", ["good"], random=False)
    before = cross_fitted_ratings(table, GOOD, ISOTONIC, 0)
    changed = table.rating.copy()
    changed[table.groups == "g7"] = 1.0
    after = cross_fitted_ratings(
        replace(table, rating=changed),
        GOOD,
        ISOTONIC,
        0,
    )
    np.testing.assert_array_equal(before[table.groups == "g7"], after[table.groups == "g7"])
    assert (before != after).any()


def test_predictions_narrow_the_interval_and_it_covers() -> None:
    frame, ratings = world(n_groups=150)
    truth = ratings.item_means("adherence")["mean"].mean()
    rng = np.random.default_rng(1)
    covered, gains = [], []
    for _ in range(60):
        drawn = set(rng.choice(frame["id"].to_numpy(), 120, replace=False).tolist())
        table = rated_table(frame, only(ratings, drawn), "adherence", ["good"], random=True)
        (found,) = estimate_means(table, GOOD, ISOTONIC, seed=int(rng.integers(1000)))
        assert found.estimate is not None
        assert found.effective_gain is not None
        covered.append(found.estimate.interval.low <= truth <= found.estimate.interval.high)
        gains.append(found.effective_gain)
    assert np.mean(covered) >= 0.88
    assert np.mean(gains) > 1.3


def test_ratings_of_unknown_selection_are_refused_and_declared_ones_are_not() -> None:
    frame, ratings = world()
    some = only(ratings, set(frame["id"][:200]))
    with pytest.raises(TableError, match="prioritised queue"):
        rated_table(frame, some, "adherence", ["good"], random=False)
    table = rated_table(frame, some, "adherence", ["good"], random=True)
    assert np.isfinite(table.rating).sum() == 200


def test_only_randomly_drawn_ratings_count_where_some_are() -> None:
    frame, ratings = world()
    mixed = only(ratings, set(frame["id"][:300]))
    mixed.frame["inclusion_prob"] = np.where(mixed.frame["id"].isin(set(frame["id"][:100])), 0.2, np.nan)
    table = rated_table(frame, mixed, "adherence", ["good"], random=False)
    assert np.isfinite(table.rating).sum() == 100


def test_every_item_rated_leaves_nothing_to_predict() -> None:
    frame, ratings = world()
    table = rated_table(frame, ratings, "adherence", ["good"], random=False)
    (found,) = estimate_means(table, GOOD, ISOTONIC)
    assert found.method is Method.RATINGS_ONLY
    assert found.estimate is not None
    assert found.estimate.interval.low == pytest.approx(found.estimate.value)
    assert "every item is rated" in found.reason


def test_models_with_few_or_uniform_ratings_are_not_estimated_with_predictions() -> None:
    frame, ratings = world(n_groups=150)
    rng = np.random.default_rng(2)
    sizes = {"m0": 20, "m1": 60, "m2": 100}
    drawn = {
        str(name)
        for model, n in sizes.items()
        for name in rng.choice(frame["id"][frame["model"] == model].to_numpy(), n, replace=False)
    }
    table = rated_table(frame, only(ratings, drawn), "adherence", ["good"], random=True)
    by_name = {found.name: found for found in estimate_means(table, GOOD, ISOTONIC, by_model=True)}
    methods = {name: by_name[name].method for name in sizes}
    assert methods == {"m0": Method.REFUSED, "m1": Method.RATINGS_ONLY, "m2": Method.PREDICTION_POWERED}
    assert "40 needed" in by_name["m0"].reason
    assert "90 needed" in by_name["m1"].reason


def test_ratings_that_never_differ_are_refused() -> None:
    rating = np.full(300, np.nan)
    rating[:100] = 0.0
    nobody = np.full(300, "", dtype=object)
    groups = np.arange(300).astype(str).astype(object)
    alike = np.zeros(300, dtype=np.intp)
    features = np.arange(300.0)[:, None]
    table = RatedTable(rating, np.isfinite(rating), np.full(300, 1 / 3), alike, groups, features, nobody, 0.0, 1.0)
    with pytest.raises(NotEnoughDataError, match="0 ratings off the end of the scale, 1 needed"):
        estimate_means(table, GOOD, ISOTONIC)


def test_a_gap_in_a_feature_does_not_stop_an_estimate() -> None:
    frame, ratings = world()
    frame.loc[::7, "good"] = np.nan
    table = rated_table(frame, only(ratings, set(frame["id"][::2])), "adherence", ["good"], random=True)
    (found,) = estimate_means(table, GOOD, ISOTONIC)
    assert found.method is Method.PREDICTION_POWERED
    assert pd.notna(found.power)


def test_the_interval_of_a_rare_pass_stays_inside_the_scale() -> None:
    rating = np.zeros(60)
    rating[:2] = 1.0
    drawn = DrawnItems(rating, np.zeros(60), np.ones(60), range(60))
    found = difference_estimate(drawn, np.zeros(600), 0.0, (0.0, 1.0))
    assert found is not None
    assert 0 < found.interval.low < found.value < found.interval.high
    assert found.interval.high - found.value > 2 * (found.value - found.interval.low)


def test_by_design_items_of_one_group_count_as_they_were_drawn(rng: np.random.Generator) -> None:
    # A table of 400 groups of 5 alike items: 300 items drawn one by one say more than their groups do.
    groups = np.repeat(np.arange(400), 5)
    truth = rng.uniform(0.2, 0.8, 400)[groups] + 0.02 * rng.normal(size=2000)
    covered, widths = [], []
    for _ in range(200):
        drawn = rng.choice(2000, 300, replace=False)
        nothing, weights = np.zeros(300), np.full(300, 2000 / 300)
        alike = np.zeros(300, dtype=np.intp)
        sample = DrawnItems(truth[drawn], nothing, weights, groups[drawn].tolist(), alike)
        by_design = difference_estimate(sample, np.zeros(2000), 0.0, (0.0, 1.0))
        by_group = difference_estimate(replace(sample, strata=None), np.zeros(2000), 0.0, (0.0, 1.0))
        assert by_design is not None
        assert by_group is not None
        assert by_design.value == by_group.value
        covered.append(by_design.interval.low <= truth.mean() <= by_design.interval.high)
        widths.append(width(by_group) / width(by_design))
    assert np.mean(covered) >= 0.91
    assert np.mean(widths) > 1.1


def test_the_design_variance_equals_the_textbooks_stratified_one(rng: np.random.Generator) -> None:
    rating = rng.uniform(size=90)
    strata = np.repeat([0, 1], [30, 60])
    weights = np.where(strata == 0, 100 / 30, 200 / 60)
    found = difference_estimate(DrawnItems(rating, np.zeros(90), weights, range(90), strata), np.zeros(300), 0.0, WIDE)
    assert found is not None
    first, second = rating[:30], rating[30:]
    assert found.value == pytest.approx((100 * first.mean() + 200 * second.mean()) / 300)
    # Residuals are centred at the overall mean, so that a stratum's spread is that around its own.
    variance = sum(
        (size / 300) ** 2 * (1 - len(part) / size) * part.var(ddof=1) / len(part)
        for size, part in ((100, first), (200, second))
    )
    assert width(found) / 2 == pytest.approx(student.ppf(0.975, 88) * np.sqrt(variance), rel=1e-5)


def test_drawn_items_that_nobody_can_rate_leave_a_mean_of_the_others(rng: np.random.Generator) -> None:
    n = 3000
    applies = rng.uniform(size=n) < 0.8
    quality = rng.uniform(size=n)
    # Predictions are much lower where the item does not apply: left out on one side alone, they would shift the mean.
    prediction = np.where(applies, quality, 0.0)
    covered = []
    for _ in range(200):
        drawn = rng.choice(n, 250, replace=False)
        rating = np.where(applies, quality, np.nan)[drawn]
        alike = np.zeros(250, dtype=np.intp)
        sample = DrawnItems(rating, prediction[drawn], np.full(250, n / 250), range(250), alike)
        found = difference_estimate(sample, prediction, 0.5, (0.0, 1.0))
        assert found is not None
        covered.append(found.interval.low <= quality[applies].mean() <= found.interval.high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_unreadable_items_are_left_out_and_counted() -> None:
    frame, ratings = world()
    broken = frame["id"][:10]
    frame["feasibility.reasons"] = np.where(frame["id"].isin(broken), "edited_missing_file", "")
    drawn = frame["id"][::4]
    draw = Draw.of(frame["id"], drawn, broken)
    known = replace(only(ratings, set(drawn) - set(broken)), draws=(draw,))
    table = rated_table(frame, known, "adherence", ["good"], random=False)
    assert len(table.rating) == len(frame) - 10
    assert table.notes == ("10 unreadable items are left out: nobody can rate them",)
    assert estimate_means(table, GOOD, ISOTONIC)[0].n_rated == len(set(drawn) - set(broken))


def test_a_table_that_was_cut_after_the_draw_is_refused() -> None:
    frame, ratings = world()
    drawn = frame["id"][::4]
    known = replace(only(ratings, set(drawn)), draws=(Draw.of(frame["id"], drawn),))
    with pytest.raises(TableError, match="cut after the draw"):
        rated_table(frame.iloc[:-8], only(known, set(frame["id"][:-8])), "adherence", ["good"], random=False)


def test_items_that_came_after_the_draw_are_out_of_reach() -> None:
    frame, ratings = world()
    old = frame["id"][:300]
    known = replace(only(ratings, set(old[::3])), draws=(Draw.of(old, old[::3]),))
    table = rated_table(frame, known, "adherence", ["good"], random=False)
    with pytest.raises(NotEnoughDataError, match="120 items came into the table after the last complete draw"):
        estimate_means(table, GOOD, ISOTONIC)
