from __future__ import annotations

import numpy as np

from edit_metrics.pixels.crops import MOST_BOXES, boxes_of, crops_round, overlap

SIZE = (1000, 500)


def test_boxes_are_those_of_the_pieces_in_px_of_the_picture_whatever_grid_the_area_lies_on() -> None:
    area = np.zeros((250, 500), np.bool_)
    area[10:20, 30:50] = area[200:201, 499:] = True
    assert sorted(boxes_of(area, SIZE)) == [(60.0, 20.0, 100.0, 40.0), (998.0, 400.0, 1000.0, 402.0)]
    assert boxes_of(np.zeros((5, 5), np.bool_), SIZE) == []


def test_a_crop_holds_its_box_with_as_much_round_it_as_the_box_is_high_and_ends_at_the_frame() -> None:
    assert crops_round([(100.0, 200.0, 300.0, 230.0)], SIZE) == [(70, 170, 330, 260)]
    assert crops_round([(100.0, 200.0, 300.0, 202.0)], SIZE) == [
        (84, 184, 316, 218)
    ]  # 1.6 % of the longer side at least
    assert crops_round([(900.0, 0.0, 1000.0, 200.0)], SIZE) == [(850, 0, 1000, 250)]  # 5 % at most
    assert crops_round([], SIZE) == []


def test_boxes_share_a_crop_where_theirs_would_overlap_or_one_costs_no_more_and_not_across_the_picture() -> None:
    near, far = (100.0, 100.0, 200.0, 120.0), (800.0, 400.0, 900.0, 420.0)
    assert crops_round([near, (210.0, 100.0, 300.0, 120.0)], SIZE) == [(80, 80, 320, 140)]
    apart = crops_round([near, far], SIZE)
    assert apart is not None
    assert len(apart) == 2
    assert overlap(*apart) == 0


def test_a_change_of_most_of_the_picture_or_one_in_very_many_pieces_gets_no_crops() -> None:
    assert crops_round([(0.0, 0.0, 800.0, 400.0)], SIZE) is None
    assert crops_round([(0.0, 0.0, 400.0, 400.0)], SIZE) is not None
    assert crops_round([(8.0 * i, 0.0, 8.0 * i + 1, 1.0) for i in range(MOST_BOXES + 1)], SIZE) is None
