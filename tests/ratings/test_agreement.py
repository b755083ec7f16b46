"""Agreement against the krippendorff package called by hand, and hand-worked cases."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import krippendorff
import numpy as np
import pandas as pd
import pytest

from edit_metrics.choices import Level
from edit_metrics.ratings.agreement import MOST_PAIRED, measure_agreement
from edit_metrics.ratings.alpha import alpha_of_coincidences, alpha_with_interval, coincidences, value_counts
from edit_metrics.ratings.files import read_ratings
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long

SCALE = Scale.parse("1,2,3,4,5")


def simulated(rng: np.random.Generator, *, n: int = 60, bias: float = 0.0) -> pd.DataFrame:
    truth = rng.uniform(1, 5, n)
    shifts = {"ann": 0.0, "bob": 0.0, "cyd": bias}
    rows = [
        (f"i{item:02d}", rater, "quality", float(np.clip(np.round(value + shift + rng.normal(0, 0.7)), 1, 5)), item)
        for item, value in enumerate(truth)
        for rater, shift in shifts.items()
    ]
    return pd.DataFrame(rows, columns=["id", "rater", "dimension", "rating", "time"])


def checked(table: pd.DataFrame) -> Ratings:
    times = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(table["time"], unit="min")
    return ratings_from_long(table.assign(time=times.astype(str)), SCALE, "simulated")


def test_alpha_equals_the_package_called_by_hand_when_ratings_are_missing(rng: np.random.Generator) -> None:
    table = simulated(rng).sample(frac=0.8, random_state=1)
    (found,) = measure_agreement(checked(table), n_resamples=200)
    by_hand = krippendorff.alpha(
        reliability_data=table.pivot_table(index="rater", columns="id", values="rating").to_numpy(),
        value_domain=[1, 2, 3, 4, 5],
        level_of_measurement="ordinal",
    )
    assert found.alpha is not None
    assert found.alpha.estimate == pytest.approx(by_hand, abs=1e-12)
    assert found.alpha.interval.low < by_hand < found.alpha.interval.high


def test_the_closed_form_of_a_continuous_scale_equals_the_package(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(25, 1)) + rng.normal(size=(25, 4))
    matrix[rng.uniform(size=matrix.shape) < 0.3] = np.nan
    by_hand = krippendorff.alpha(reliability_data=matrix.T, level_of_measurement="interval")
    found = alpha_with_interval(pd.DataFrame(matrix), [str(i) for i in range(25)], Scale.parse("-9:9"))
    assert found.estimate == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("level", get_args(Level))
def test_alpha_from_coincidences_equals_the_package_at_every_level(rng: np.random.Generator, level: Level) -> None:
    matrix = np.round(np.clip(rng.normal(3, 1, (60, 1)) + rng.normal(0, 0.7, (60, 5)), 1, 5))
    matrix[rng.uniform(size=matrix.shape) < 0.3] = np.nan
    matrix = matrix[np.isfinite(matrix).sum(axis=1) >= 2]
    domain = np.arange(1.0, 6.0)
    by_hand = krippendorff.alpha(reliability_data=matrix.T, value_domain=domain, level_of_measurement=level)
    table = coincidences(value_counts(matrix, domain)).sum(axis=0)
    assert alpha_of_coincidences(table, domain, level) == pytest.approx(by_hand, abs=1e-12)


def test_hundreds_of_raters_are_all_reported_and_the_busiest_are_paired(rng: np.random.Generator) -> None:
    rows = [
        (f"i{item}", f"r{rater:03d}", "quality", float(rng.integers(1, 6)))
        for item in range(200)
        for rater in rng.choice(400, 5, replace=False)
    ]
    rows += [(f"i{item}", "r007", "style", 3.0) for item in range(5)]
    table = pd.DataFrame(rows, columns=["id", "rater", "dimension", "rating"])
    found, _ = measure_agreement(ratings_from_long(table, SCALE, "many"))
    by_hand = krippendorff.alpha(
        reliability_data=table[table["dimension"] == "quality"].pivot(index="rater", columns="id", values="rating"),
        value_domain=[1, 2, 3, 4, 5],
        level_of_measurement="ordinal",
    )
    assert found.alpha is not None
    assert found.alpha.estimate == pytest.approx(by_hand, abs=1e-12)
    assert len(found.raters) == table["rater"].nunique()
    assert len({name for pair in found.pairs for name in (pair.rater_a, pair.rater_b)}) <= MOST_PAIRED


def test_groups_of_copies_widen_the_interval(rng: np.random.Generator) -> None:
    matrix = checked(simulated(rng, n=40)).matrix("quality")
    copies = pd.concat([matrix] * 4)
    alone = alpha_with_interval(copies, [str(i) for i in range(160)], SCALE, n_resamples=300)
    grouped = alpha_with_interval(copies, [str(i % 40) for i in range(160)], SCALE, n_resamples=300)
    assert grouped.standard_error > 1.5 * alone.standard_error


def test_the_harsh_rater_is_found(rng: np.random.Generator) -> None:
    (found,) = measure_agreement(checked(simulated(rng, bias=-1.0)), n_resamples=200)
    bias = {r.rater: r.bias for r in found.raters}
    assert bias["cyd"] is not None
    assert bias["cyd"].interval.high < -0.4
    assert found.pairs[-1].rater_a == "ann"
    assert found.pairs[-1].rater_b == "bob"


def test_a_rater_who_grows_milder_drifts(rng: np.random.Generator) -> None:
    table = simulated(rng, n=120)
    late = (table["rater"] == "bob") & (table["time"] >= 60)
    table.loc[late, "rating"] = (table.loc[late, "rating"] + 1.5).clip(upper=5).round()
    (found,) = measure_agreement(checked(table), n_resamples=200)
    drift = {r.rater: r.drift for r in found.raters}
    assert drift["bob"] is not None
    assert drift["bob"].interval.low > 0
    assert drift["ann"] is not None
    assert drift["ann"].interval.low < 0


def test_gold_items_screen_raters() -> None:
    rows = [("g1", "ann", 5), ("g2", "ann", 1), ("g1", "bob", 3), ("g2", "bob", 1), ("x", "ann", 2)]
    table = pd.DataFrame([(i, r, "quality", v, n) for n, (i, r, v) in enumerate(rows)])
    table.columns = ["id", "rater", "dimension", "rating", "time"]
    gold = pd.DataFrame({"id": ["g1", "g2"], "dimension": "quality", "rating": [5, 1]})
    (found,) = measure_agreement(checked(table), gold=gold, n_resamples=200)
    scores = {r.rater: (r.gold_exact, r.gold_error) for r in found.raters}
    assert scores == {"ann": (1.0, 0.0), "bob": (0.5, 1.0)}


def test_the_widest_disagreement_comes_first() -> None:
    rows = [("a", "ann", 1), ("a", "bob", 2), ("b", "ann", 5), ("b", "bob", 1), ("c", "ann", 3), ("c", "bob", 3)]
    table = pd.DataFrame([(i, r, "quality", v, 0) for i, r, v in rows])
    table.columns = ["id", "rater", "dimension", "rating", "time"]
    (found,) = measure_agreement(checked(table), n_resamples=200)
    first = found.widest[0]
    assert (first.id, first.rater_low, first.low, first.rater_high, first.high) == ("b", "bob", 1.0, "ann", 5.0)
    assert [d.id for d in found.widest] == ["b", "a"]


def test_ratings_by_one_rater_have_no_alpha_and_say_why() -> None:
    table = pd.DataFrame([("a", "ann", "quality", 1, 0), ("b", "ann", "quality", 2, 1)])
    table.columns = ["id", "rater", "dimension", "rating", "time"]
    (found,) = measure_agreement(checked(table))
    assert found.alpha is None
    assert "rated twice" in found.alpha_missing


def test_real_ratings_give_the_packages_alpha_and_the_published_correlation(shared_data: Path) -> None:
    path = shared_data / "human_ratings" / "ratings.csv"
    scores = pd.read_csv(path.with_name("scores.csv"))
    groups = dict(zip(scores["id"], scores["group"], strict=True))
    raw = pd.read_csv(path)
    for found in measure_agreement(read_ratings(path), groups=groups, n_resamples=200):
        rows = raw[raw["dimension"] == found.dimension]
        by_hand = krippendorff.alpha(
            reliability_data=rows.pivot_table(index="rater", columns="id", values="rating").to_numpy(),
            level_of_measurement="ordinal",
        )
        assert found.alpha is not None
        assert found.alpha.estimate == pytest.approx(by_hand, abs=1e-12)
        assert all(pair.spearman is not None and 0.64 <= pair.spearman <= 0.76 for pair in found.pairs)
