"""Without a mask: what may be said outside a region that was derived from the difference itself."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from resolving import Resolver, measure_all
from skimage import data

from edit_metrics.io.images import decode_image
from edit_metrics.types import RGB, Measurement, Status

ALLOWED = {
    "preservation.lpips_outside",
    "preservation.over_edit_share",
    "preservation.locality",
    "preservation.colour_shift",
    "preservation.change_floor",
    "preservation.resample_ceiling_db",
}
ON_ITS_FRAME = {
    f"preservation.{name}"
    for name in (
        "frame_kept", "frame_new", "zoom", "lpips_registered", "ssim_registered", "psnr_registered",
        "changed_share_registered",
    )
}  # fmt: skip


@pytest.fixture
def source() -> RGB:
    return np.ascontiguousarray(data.astronaut()[:300, :400])


@pytest.fixture
def edited(source: RGB) -> RGB:
    edited = source.copy()
    edited[100:160, 220:290] = (20, 180, 60)
    return edited


def test_only_what_a_derived_region_leaves_open_is_measured_outside_it(source: RGB, edited: RGB) -> None:
    values = measure_all(Resolver(source, edited))
    scored = {name for name, value in values.items() if value.status is Status.OK}
    assert scored <= ALLOWED
    for name in set(values) - ALLOWED - ON_ITS_FRAME:
        assert values[name] == Measurement(None, Status.NOT_APPLICABLE, "no_mask"), name
    for name in ON_ITS_FRAME:
        assert values[name] == Measurement(None, Status.NOT_APPLICABLE, "same_frame"), name


def test_the_derived_region_is_the_change_and_carries_its_cautions(source: RGB, edited: RGB) -> None:
    resolver = Resolver(source, edited)
    region = resolver["derived_region"]
    assert region[100:160, 220:290].mean() > 0.99
    assert region.mean() < 1.3 * 60 * 70 / region.size
    assert resolver.label("mask_source") == "derived"
    over = resolver.measure("preservation.over_edit_share")
    assert over.value == pytest.approx(region.mean())
    assert over.cautions == ("expected_region_unknown",)
    assert resolver.measure("preservation.colour_shift") == Measurement(0.0, Status.OK, "derived_region")


def test_a_given_mask_is_named_and_no_region_is_derived(source: RGB, edited: RGB) -> None:
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[90:170, 210:300] = True
    resolver = Resolver(source, edited, mask)
    assert resolver.label("mask_source") == "given"
    assert resolver.measure("preservation.locality").reason == "mask_given"
    assert resolver.measure("preservation.over_edit_share").value == 0
    assert resolver.measure("preservation.colour_shift").value == 0


def test_the_rest_lies_a_rim_away_from_the_change_and_what_is_in_it_alone_counts(source: RGB, edited: RGB) -> None:
    resolver = Resolver(source, edited)
    rest = resolver["derived_rest"]
    assert not rest[84:176, 204:306].any()
    assert rest[:80].all()
    assert resolver.measure("preservation.lpips_outside") == Measurement(0.0, Status.OK, "derived_region")


def test_a_rest_that_was_softened_is_seen_though_no_pixel_of_it_changed_visibly(source: RGB, edited: RGB) -> None:
    softened = cv2.GaussianBlur(edited, (0, 0), 1.0)
    resolver = Resolver(source, softened)
    assert resolver["derived_region"].mean() < 0.1
    value = resolver.measure("preservation.lpips_outside").value
    assert value is not None
    assert value > 0


@pytest.mark.parametrize(
    ("instruction", "applies"),
    [("make the ball green", True), ("turn it into an oil painting", False), ("change the season to autumn", False)],
)
def test_how_much_changed_counts_only_where_not_everything_was_to_change(
    source: RGB, edited: RGB, instruction: str, applies: bool
) -> None:
    resolver = Resolver(source, edited, instruction=instruction)
    for name in ("over_edit_share", "lpips_outside"):
        found = resolver.measure(f"preservation.{name}")
        assert (found.status is Status.OK) == applies
        assert applies or found.reason == "whole_picture_edit"


def test_over_a_given_mask_over_edit_counts_whatever_was_asked(source: RGB, edited: RGB) -> None:
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[90:170, 210:300] = True
    painted = Resolver(source, edited, mask, instruction="turn it into an oil painting")
    assert painted.measure("preservation.over_edit_share").value == 0


def test_grids_that_do_not_match_have_no_region(source: RGB) -> None:
    resolver = Resolver(source, np.ascontiguousarray(data.coffee()[:, :200]))
    assert (resolver.label("mask_source"), resolver.label("geometry")) == ("none", "mismatch")


def test_a_drift_of_tone_outside_the_edit_is_a_colour_shift(source: RGB, edited: RGB) -> None:
    warmer = np.clip(edited + np.array([4, 0, -4]), 0, 255).astype(np.uint8)
    value = Resolver(source, warmer).measure("preservation.colour_shift").value
    assert value is not None
    assert 1 < value < 6


@pytest.mark.parametrize("item", ["kubric_04", "kubric_05", "kubric_45"])
def test_the_region_of_an_exact_render_is_small_and_compact(shared_data: Path, item: str) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text("utf-8").splitlines()]
    row = next(row for row in rows if row["id"] == item)
    pair = [decode_image(str(shared_data / row[key])).pixels for key in ("source", "edited")]
    region = Resolver(*pair)["derived_region"]
    visible = np.abs(pair[0].astype(int) - pair[1]).max(axis=2) > 60
    assert region[visible].mean() > 0.95
    assert region.mean() < 0.03
