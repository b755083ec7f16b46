"""Who still has to be asked: raters counted by item and dimension, disputes sent to one more."""

from __future__ import annotations

import pandas as pd

from edit_metrics.ratings.progress import Progress, rating_progress
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long


def rated(*rows: tuple[str, str, str, float | None]) -> Ratings:
    table = pd.DataFrame(rows, columns=["id", "rater", "dimension", "rating"])
    return ratings_from_long(table.assign(not_applicable=table["rating"].isna()), Scale.parse("1,2,3,4,5"), "test")


def test_one_rating_in_one_dimension_does_not_finish_an_item_that_three_should_rate() -> None:
    ratings = rated(("a", "r1", "quality", 3), ("b", "r1", "quality", 3), ("b", "r2", "quality", 3))
    assert rating_progress(ratings, 3) == Progress(frozenset(), {"a": 2, "b": 1})
    assert rating_progress(ratings, 2) == Progress(frozenset({"b"}), {"a": 1})
    assert rating_progress(ratings, 1).done == {"a", "b"}


def test_every_asked_dimension_needs_its_raters() -> None:
    ratings = rated(("a", "r1", "quality", 3), ("a", "r1", "style", 3), ("b", "r1", "quality", 3))
    assert rating_progress(ratings, 1) == Progress(frozenset({"a"}), {"b": 1})
    assert rating_progress(ratings, 1, ("quality",)).done == {"a", "b"}
    assert rating_progress(ratings, 1, ("safety",)) == Progress()


def test_raters_who_are_far_apart_ask_for_one_more_and_only_once() -> None:
    two = [
        ("a", "r1", "quality", 1.0),
        ("a", "r2", "quality", 5.0),
        ("b", "r1", "quality", 2.0),
        ("b", "r2", "quality", 4.0),
    ]
    found = rating_progress(rated(*two), 2)
    assert found == Progress(frozenset({"b"}), {"a": 1}, frozenset({"a"}))
    assert rating_progress(rated(*two), 2, dispute=1.5).disputed == {"a", "b"}
    third = rating_progress(rated(*two, ("a", "r3", "quality", 3.0)), 2)
    assert third.done == {"a", "b"}


def test_an_answer_without_a_rating_counts_as_one() -> None:
    ratings = rated(("a", "r1", "quality", None), ("a", "r2", "quality", 4), ("b", "r1", "quality", 4))
    assert rating_progress(ratings, 2) == Progress(frozenset({"a"}), {"b": 1})
