"""Draws over batches: what counts as random, with which probability, and what voids it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edit_metrics.errors import TableError
from edit_metrics.ratings.combining import combine_ratings
from edit_metrics.ratings.design import OUT_OF_REACH, Origin, sampling_design
from edit_metrics.ratings.draws import Draw, draw_of_lanes, id_hashes, read_queue, table_fingerprint
from edit_metrics.ratings.files import read_rating_files, read_ratings, with_queue, write_ratings
from edit_metrics.ratings.importing import ImportRequest, import_ratings
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long

SCALE = Scale.parse("0,1")
IDS = [f"i{k:02d}" for k in range(40)]


def rated(ids: list[str], *, rater: str = "ann", rating: float = 1.0, draws: tuple[Draw, ...] = ()) -> Ratings:
    table = pd.DataFrame({"id": ids, "rater": rater, "dimension": "quality", "rating": rating})
    return replace(ratings_from_long(table, SCALE, "test"), draws=draws)


def design(ratings: Ratings, ids: list[str] | None = None, *, declared: bool = False, whole: bool = True):
    return sampling_design(IDS if ids is None else ids, ratings, "quality", declared=declared, whole_table=whole)


def test_one_draw_that_is_rated_has_its_own_probability() -> None:
    found = design(rated(IDS[:20], draws=(Draw.of(IDS, IDS[:10]),)))
    assert found.origin is Origin.DRAWN
    assert np.flatnonzero(found.drawn).tolist() == list(range(10))
    assert set(found.probability) == {10 / 40}


def test_a_second_draw_brings_the_old_ratings_of_its_items() -> None:
    # Items 10 to 19 were rated first because of their priority; the second draw found three of them.
    draws = (Draw.of(IDS, IDS[:10]), Draw.of(IDS, [*IDS[5:13], *IDS[30:35]]))
    first, second = rated(IDS[:20], draws=draws[:1]), rated(IDS[30:35], draws=draws[1:])
    found = design(combine_ratings([first, second], ["a", "b"]))
    assert np.flatnonzero(found.drawn).tolist() == [*range(13), *range(30, 35)]
    assert set(found.probability) == {18 / 40}
    alone = design(second)
    assert not alone.drawn.any()
    assert "8 of them are not rated in quality yet: i05, i06, i07, i08, i09 and 3 more" in alone.notes[0]


def test_a_table_that_grew_has_a_stratum_for_each_reach() -> None:
    old = IDS[:30]
    draws = (Draw.of(old, old[:10]), Draw.of(IDS, IDS[25:35]))
    found = design(rated([*IDS[:10], *IDS[25:35]], draws=draws))
    assert found.stratum is not None
    assert [found.probability[place] for place in (0, 35)] == [15 / 30, 5 / 10]
    assert len({found.stratum[0], found.stratum[35]}) == 2
    only_first = design(rated(IDS[:10], draws=draws[:1]))
    assert only_first.stratum is not None
    assert (only_first.stratum[30:] == OUT_OF_REACH).all()


def test_an_unreadable_item_does_not_void_its_draw_and_a_waiting_one_does() -> None:
    broken = Draw.of(IDS, IDS[:10], IDS[:2])
    assert design(rated(IDS[2:10], draws=(broken,))).drawn.sum() == 10
    assert not design(rated(IDS[3:10], draws=(broken,))).drawn.any()


def test_an_answer_without_a_rating_completes_a_draw() -> None:
    table = pd.DataFrame({"id": IDS[:10], "rater": "ann", "dimension": "quality", "rating": [None, *[1.0] * 9]})
    table["not_applicable"] = table["rating"].isna()
    ratings = replace(ratings_from_long(table, SCALE, "test"), draws=(Draw.of(IDS, IDS[:10]),))
    assert design(ratings).drawn.sum() == 10
    assert len(ratings.item_means("quality")) == 9


def test_a_draw_is_complete_in_each_dimension_on_its_own() -> None:
    ratings = rated(IDS[:10], draws=(Draw.of(IDS, IDS[:10]),))
    style = ratings.frame.head(4).assign(dimension="style")
    both = replace(ratings, frame=pd.concat([ratings.frame, style], ignore_index=True))
    assert sampling_design(IDS, both, "quality", declared=False, whole_table=True).drawn.any()
    assert not sampling_design(IDS, both, "style", declared=False, whole_table=True).drawn.any()


def test_a_table_cut_to_its_rated_items_is_no_census() -> None:
    cut = IDS[:20]
    assert design(rated(cut), cut, whole=False).origin is Origin.UNKNOWN
    drawn = rated(cut, draws=(Draw.of(IDS, IDS[:10]),))
    assert "was cut after the draw" in design(drawn, cut).notes[0]
    # A promise is about the population of the draw, which is intact as long as the drawn items are.
    assert design(drawn, cut, whole=False).drawn.sum() == 10
    assert not design(drawn, IDS[5:20], whole=False).drawn.any()


def test_a_declared_draw_is_taken_at_its_word_unless_the_files_know_better() -> None:
    assert set(design(rated(IDS[:10]), declared=True).probability) == {0.25}
    with pytest.raises(TableError, match="Leave it out"):
        design(rated(IDS[:10], draws=(Draw.of(IDS, IDS[:5]),)), declared=True)


def test_probabilities_of_a_file_of_ones_own_are_read() -> None:
    frame = rated(IDS[:10]).frame.assign(inclusion_prob=[0.5] * 4 + [None] * 6)
    found = design(ratings_from_long(frame, SCALE, "test"))
    assert found.origin is Origin.PROBABILITIES
    assert np.flatnonzero(found.drawn).tolist() == [0, 1, 2, 3]
    assert found.stratum is None


def test_probabilities_of_two_files_are_refused_since_they_do_not_add_up() -> None:
    one = rated(IDS[:4])
    first = replace(one, frame=one.frame.assign(inclusion_prob=0.1))
    other = rated(IDS[4:8])
    second = replace(other, frame=other.frame.assign(inclusion_prob=0.2))
    with pytest.raises(TableError, match="over all of them"):
        combine_ratings([first, second], ["a.csv", "b.csv"])


def test_batches_are_one_table_and_contradictions_are_named() -> None:
    together = combine_ratings([rated(IDS[:4]), rated(IDS[2:6])], ["a", "b"])
    assert together.frame["id"].tolist() == IDS[:6]
    with pytest.raises(TableError, match=r"2 rated differently, first \(i02, ann, quality\)"):
        combine_ratings([rated(IDS[:4]), rated(IDS[2:6], rating=0.0)], ["a", "b"])
    other = replace(rated(IDS[6:8]), scale=Scale.parse("0,0.5,1"))
    with pytest.raises(TableError, match="on one scale"):
        combine_ratings([rated(IDS[:4]), other], ["a", "b"])


def test_draws_travel_with_the_file_and_equal_ones_are_one(tmp_path: Path) -> None:
    draw = Draw.of(IDS, IDS[:10], IDS[:1])
    write_ratings(rated(IDS[1:10], draws=(draw,)), tmp_path / "a.parquet")
    write_ratings(rated(IDS[10:12], draws=(draw,)), tmp_path / "b.parquet")
    (back,) = read_ratings(tmp_path / "a.parquet").draws
    assert (back.name, back.drawn, back.unratable) == (draw.name, draw.drawn, draw.unratable)
    np.testing.assert_array_equal(back.population, draw.population)
    both = read_rating_files([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert len(both.draws) == 1
    assert len(both.frame) == 11


def lanes(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame({"id": IDS, "lane": "human", "inclusion_prob": [0.25] * 10 + [None] * 30})
    return table.assign(**columns)


def test_the_draw_is_read_from_the_table_of_all_items_beside_the_queue(tmp_path: Path) -> None:
    lanes(lane=["unreadable"] * 2 + ["audit"] * 38).to_csv(tmp_path / "lanes.csv", index=False)
    queue = pd.DataFrame({"id": IDS[:15], "selection": ["audit"] * 10 + ["priority"] * 5})
    queue.to_csv(tmp_path / "queue.csv", index=False)
    for path in (tmp_path, tmp_path / "queue.csv"):
        record = read_queue(path)
        assert record.draw is not None
        assert record.draw.name == Draw.of(IDS, IDS[:10]).name
        assert record.draw.unratable == {"i00", "i01"}
    found = with_queue(rated(IDS[2:15]), record)
    assert found.frame["selection"].tolist() == ["audit"] * 8 + ["priority"] * 5
    assert design(found).drawn.sum() == 10
    (tmp_path / "lanes.csv").unlink()
    alone = read_queue(tmp_path / "queue.csv")
    assert alone.draw is None
    assert "lanes.csv is not beside" in alone.note


def test_import_says_how_far_every_draw_is_rated(tmp_path: Path) -> None:
    lanes().to_csv(tmp_path / "lanes.csv", index=False)
    pd.DataFrame({"id": IDS[:10], "selection": "audit"}).to_csv(tmp_path / "queue.csv", index=False)
    rated(IDS[:7]).frame.to_csv(tmp_path / "r.csv", index=False)
    found = import_ratings(ImportRequest((tmp_path / "r.csv",), "csv", "0,1", queues=(tmp_path,)))
    assert found.notes[-1].endswith(
        "(10 of 40 items): 7 of 10 rated; it counts as random only when all of it is rated, in any batch"
    )


def test_a_table_without_a_draw_has_none_and_a_broken_one_is_refused() -> None:
    assert draw_of_lanes(lanes(inclusion_prob=np.nan), "lanes.csv") is None
    with pytest.raises(TableError, match="no lane"):
        draw_of_lanes(lanes().drop(columns="lane"), "lanes.csv")


def test_hashes_do_not_depend_on_the_order_and_differ() -> None:
    assert table_fingerprint(IDS) == table_fingerprint(IDS[::-1]) != table_fingerprint(IDS[1:])
    many = [f"{k}" for k in range(50_000)]
    assert len(np.unique(id_hashes(many))) == 50_000


def test_a_rater_is_excluded_by_name() -> None:
    both = combine_ratings([rated(IDS[:4]), rated(IDS[:2], rater="bob")], ["a", "b"])
    assert both.without(["bob"]).frame["rater"].unique().tolist() == ["ann"]
    with pytest.raises(TableError, match="Did you mean 'bob'"):
        both.without(["bop"])
