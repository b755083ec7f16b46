"""Ratings: what is accepted, what is refused, and that errors name the rows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from edit_metrics.errors import TableError, UserError
from edit_metrics.ratings.files import read_ratings, write_ratings
from edit_metrics.ratings.importing import ImportRequest, import_ratings
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import ratings_from_long
from edit_metrics.ratings.wide import RatingColumn, ratings_from_wide

FIVE = Scale.parse("1,2,3,4,5")


def long_table(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["id", "rater", "dimension", "rating"])


def test_a_scale_of_listed_values_is_ordinal_and_a_range_is_interval() -> None:
    assert FIVE.level == "ordinal"
    assert Scale.parse("0:100").level == "interval"
    assert FIVE.midpoint == 3


@pytest.mark.parametrize("text", ["", "a,b", "3", "0:1:2", "5:1"])
def test_a_scale_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(TableError):
        Scale.parse(text)


def test_item_means_average_over_raters() -> None:
    ratings = ratings_from_long(long_table(("a", "r1", "q", 1), ("a", "r2", "q", 4), ("b", "r1", "q", 5)), FIVE, "x")
    means = ratings.item_means("q")
    assert means.loc["a", "mean"] == 2.5
    assert means["n_raters"].to_dict() == {"a": 2, "b": 1}


def test_two_ratings_by_one_rater_name_the_item() -> None:
    table = long_table(("a", "r1", "q", 1), ("b", "r1", "q", 2), ("a", "r1", "q", 3))
    with pytest.raises(TableError, match=r"row 1 \(a, r1, q, 1.*row 3 \(a, r1, q, 3"):
        ratings_from_long(table, FIVE, "x")


def test_a_rating_off_the_scale_names_the_row() -> None:
    with pytest.raises(TableError, match=r"row 2 \(b, r1, q, 7"):
        ratings_from_long(long_table(("a", "r1", "q", 1), ("b", "r1", "q", 7)), FIVE, "x")


def test_text_in_place_of_a_rating_names_the_row() -> None:
    table = long_table(("a", "r1", "q", 1), ("b", "r1", "q", 2)).astype({"rating": object})
    table.loc[1, "rating"] = "good"
    with pytest.raises(TableError, match=r"row 2 \(b, r1, q, good"):
        ratings_from_long(table, FIVE, "x")


def test_an_absent_column_is_named() -> None:
    with pytest.raises(TableError, match="no rater"):
        ratings_from_long(long_table(("a", "r1", "q", 1)).drop(columns="rater"), FIVE, "x")


def test_unknown_ids_are_named() -> None:
    ratings = ratings_from_long(long_table(("a", "r1", "q", 1), ("z", "r1", "q", 2)), FIVE, "x")
    with pytest.raises(TableError, match="1 unknown ids: z"):
        ratings.check_ids(["a", "b"], "x")


def test_a_wide_table_with_a_column_a_rater_becomes_long() -> None:
    wide = pd.DataFrame({"name": ["a", "b"], "q1": [1, 2], "q2": [3, None]})
    columns = [RatingColumn.parse("q1=ann:quality"), RatingColumn.parse("q2=bob:quality")]
    ratings = ratings_from_wide(wide, columns, FIVE, "x", id_column="name")
    assert sorted(ratings.frame.itertuples(index=False, name=None)) == [
        ("a", "ann", "quality", 1.0),
        ("a", "bob", "quality", 3.0),
        ("b", "ann", "quality", 2.0),
    ]


def test_a_wide_table_with_a_rater_column_becomes_long() -> None:
    wide = pd.DataFrame({"id": ["a", "a"], "rater": ["ann", "bob"], "quality": [1, 2], "style": [3, 4]})
    columns = [RatingColumn.parse("quality=quality"), RatingColumn.parse("style=style")]
    assert len(ratings_from_wide(wide, columns, FIVE, "x").frame) == 4


def test_an_undeclared_scale_is_taken_from_the_data_and_says_so() -> None:
    ratings = ratings_from_long(long_table(("a", "r1", "q", 0), ("b", "r1", "q", 0.5)), None, "x")
    assert ratings.scale.values == (0.0, 0.5)
    assert not ratings.scale.declared


def test_the_scale_travels_with_the_file(tmp_path: Path) -> None:
    ratings = ratings_from_long(long_table(("a", "r1", "q", 2), ("b", "r1", "q", 4)), FIVE, "x")
    write_ratings(ratings, tmp_path / "r.parquet")
    back = read_ratings(tmp_path / "r.parquet")
    assert back.scale == FIVE
    pd.testing.assert_frame_equal(back.frame, ratings.frame)


def test_an_unknown_format_suggests_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="csv"):
        import_ratings(ImportRequest((tmp_path / "r.csv",), "cvs"))
