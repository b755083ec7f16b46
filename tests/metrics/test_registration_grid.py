"""E on S's grid: same size untouched, resized, fitted after a crop, or refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from resolving import Resolver
from skimage import data

from edit_metrics.io.images import decode_image
from edit_metrics.io.masks import decode_mask
from edit_metrics.metrics.grid import GridFit, fit_to_grid
from edit_metrics.types import RGB, undefined


@pytest.fixture
def source() -> RGB:
    return np.ascontiguousarray(data.coffee()[:330, :500])


def test_the_same_size_is_passed_through(source: RGB) -> None:
    fit = fit_to_grid(source, source[::-1])
    assert isinstance(fit, GridFit)
    assert np.array_equal(fit.edited, source[::-1])
    assert (fit.relation, fit.resample_ceiling_db, fit.cautions) == ("same", None, ())


@pytest.mark.parametrize("factor", [0.5, 0.992, 2.048])
def test_another_size_of_the_same_aspect_is_resized_with_its_ceiling(source: RGB, factor: float) -> None:
    size = (round(500 * factor), round(330 * factor))
    fit = fit_to_grid(source, np.asarray(Image.fromarray(source).resize(size, Image.Resampling.LANCZOS)))
    assert isinstance(fit, GridFit)
    assert fit.edited.shape == source.shape
    assert (fit.relation, fit.cautions) == ("resized", ("resized",))
    assert fit.scale_x == pytest.approx(1 / factor, rel=0.01)
    assert fit.resample_ceiling_db is not None
    assert 25 < fit.resample_ceiling_db < 60


@pytest.mark.parametrize("method", ["resize", "centre_crop", "top_left_crop"])
def test_a_side_rounded_to_a_multiple_of_64_is_fitted_the_way_it_was_made(source: RGB, method: str) -> None:
    if method == "resize":
        edited = np.asarray(cv2.resize(source, (500, 312), interpolation=cv2.INTER_AREA), np.uint8)
    else:
        top = 9 if method == "centre_crop" else 0
        edited = np.ascontiguousarray(source[top : top + 312])
    fit = fit_to_grid(source, edited)
    assert isinstance(fit, GridFit)
    assert (fit.relation, fit.method) == ("fitted", method)
    if method != "resize":
        assert np.array_equal(fit.edited, source)
        assert fit.covered.sum() == 312 * 500


def test_an_unrelated_picture_of_a_near_aspect_is_refused(source: RGB) -> None:
    assert fit_to_grid(source, np.ascontiguousarray(data.astronaut()[:312, :500])) == undefined("geometry_mismatch")


def test_another_aspect_is_a_geometry_mismatch_and_nothing_is_scored(source: RGB) -> None:
    resolver = Resolver(source, np.ascontiguousarray(data.astronaut()), np.zeros(source.shape[:2], np.bool_))
    for name in ("preservation.psnr", "preservation.ssim", "preservation.changed_share", "adherence.no_op"):
        assert resolver.measure(name).reason == "geometry_mismatch"
    assert resolver.label("geometry") == "mismatch"


def test_what_the_crop_took_away_is_not_compared(source: RGB) -> None:
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[100:140, 100:160] = True
    resolver = Resolver(source, np.ascontiguousarray(source[9:321]), mask)
    assert not resolver["kept"][:9].any()
    assert resolver.measure("preservation.identical").value == 1
    assert resolver.measure("preservation.psnr").cautions == ("fitted",)
    assert resolver.label("geometry") == "fitted:centre_crop"
    empty = Resolver(source, np.ascontiguousarray(source[9:321]), np.zeros_like(mask))
    assert empty.measure("preservation.psnr").cautions == ("fitted", "empty_mask")


def test_the_real_crop_to_a_multiple_of_64_is_fitted(shared_data: Path) -> None:
    folder = shared_data / "triples" / "brushnet"
    mask = decode_mask(str(folder / "example_1_mask.jpg"), white_means="preserved").mask
    source, edited = (decode_image(str(next(folder.glob(f"example_1{end}.*")))).pixels for end in ("", "_result"))
    resolver = Resolver(source, edited, mask)
    assert resolver.label("geometry").startswith("fitted")
    assert resolver.measure("preservation.psnr_core").value > 28
