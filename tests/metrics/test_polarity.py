"""A mask that is read the wrong way round is suspected, and one that is not is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from resolving import Resolver
from skimage import data

from edit_metrics.io.images import decode_image
from edit_metrics.io.masks import decode_mask
from edit_metrics.types import RGB, Mask


def verdicts(source: RGB, edited: RGB, mask: Mask) -> tuple[float | None, float | None]:
    """As given, and turned round."""
    first, second = (Resolver(source, edited, m).measure("preservation.polarity_suspect").value for m in (mask, ~mask))
    return first, second


def test_every_real_mask_is_right_as_it_is_and_wrong_turned_round(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text().splitlines()]
    masked = [row for row in rows if row.get("mask")]
    found = {}
    for row in masked:
        source, edited = (decode_image(str(shared_data / row[key])).pixels for key in ("source", "edited"))
        mask = decode_mask(str(shared_data / row["mask"]), white_means=row["mask_white_means"]).mask
        found[row["id"]] = verdicts(source, edited, mask)
    # One whose E has another shape finds no place on S's grid once the part that was drawn anew counts as kept.
    assert found.pop("brushnet_1") == (0, None)
    assert set(found.values()) == {(0, 1)}
    assert len(found) == 7


@pytest.fixture
def source() -> RGB:
    return np.ascontiguousarray(data.astronaut()[:300, :400])


@pytest.fixture
def mask() -> Mask:
    mask = np.zeros((300, 400), np.bool_)
    mask[80:200, 100:260] = True
    return mask


def test_an_edit_that_spills_over_its_mask_or_that_was_not_made_is_no_doubt_about_the_mask(
    source: RGB, mask: Mask
) -> None:
    spilt = source.copy()
    spilt[60:220, 80:400] = (20, 180, 60)
    assert verdicts(source, spilt, mask)[0] == 0
    assert verdicts(source, source, mask) == (0, 0)
    elsewhere = source.copy()
    elsewhere[10:50, 10:50] = (20, 180, 60)
    assert verdicts(source, elsewhere, mask)[0] == 0


def test_the_doubt_is_a_caution_of_the_score(source: RGB, mask: Mask) -> None:
    edited = source.copy()
    edited[~mask] = (20, 180, 60)
    worst = Resolver(source, edited, mask).measure("preservation.worst_tile")
    assert "mask_polarity_suspect" in worst.cautions
    assert "mask_polarity_suspect" not in Resolver(source, edited, ~mask).measure("preservation.worst_tile").cautions
