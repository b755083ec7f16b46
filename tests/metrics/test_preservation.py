"""Pixel differences over the kept area, and that no preservation metric looks inside the mask."""

from __future__ import annotations

import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resolving import Resolver, blob_mask, measure_all
from skimage import data

from edit_metrics.io.images import DecodeInfo, decode_image
from edit_metrics.io.masks import decode_mask
from edit_metrics.metrics.preservation import (
    kept_share,
    masked_identical,
    masked_mae,
    masked_mse,
    masked_psnr,
)
from edit_metrics.types import RGB, Mask, Status


@pytest.fixture
def source() -> RGB:
    return np.ascontiguousarray(data.coffee()[:256, :320])


def reencoded(image: RGB) -> RGB:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 60])[1], 1), np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.05, 1.0))
def test_mae_mse_and_psnr_are_the_hand_formulas(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    S, E = rng.integers(0, 256, (2, 24, 31, 3), dtype=np.uint8)
    U = rng.random((24, 31)) < share
    U[0, 0] = True
    difference = np.abs(S / 255 - E / 255) * U[..., None]
    mae, mse = difference.sum() / (3 * U.sum()), (difference**2).sum() / (3 * U.sum())
    assert masked_mae(S, E, U) == pytest.approx(mae, rel=1e-12)
    assert masked_mse(S, E, U) == pytest.approx(mse, rel=1e-12)
    assert masked_psnr(S, E, U) == pytest.approx(-10 * math.log10(mse), rel=1e-12)


def test_one_level_in_one_sample_is_not_identical_and_psnr_is_capped(source: RGB) -> None:
    kept = np.ones(source.shape[:2], np.bool_)
    edited = source.copy()
    edited[3, 4, 1] ^= 1
    assert masked_psnr(source, edited, kept) == 100.0
    assert masked_identical(source, edited, kept) == 0.0
    assert masked_psnr(source, source, kept) == 100.0
    assert masked_identical(source, source, kept) == 1.0


def test_nothing_kept_is_undefined_not_zero(source: RGB) -> None:
    nothing = np.zeros(source.shape[:2], np.bool_)
    for metric in (masked_mae, masked_mse, masked_psnr, masked_identical):
        assert metric(source, source, nothing).status is Status.UNDEFINED


@pytest.mark.parametrize("kind", ["blobs", "salt", "stripe", "thin"])
def test_changing_pixels_inside_the_mask_changes_no_preservation_metric(source: RGB, kind: str) -> None:
    rng = np.random.default_rng(len(kind))
    shape = (source.shape[0], source.shape[1])
    mask = blob_mask(rng, shape) if kind == "blobs" else np.zeros(shape, np.bool_)
    if kind == "salt":
        mask |= rng.random(shape) < 0.1
    elif kind == "stripe":
        mask[:, :140] = True
    elif kind == "thin":
        mask[100:104] = True
    edited = reencoded(np.roll(source, (1, 2), (0, 1)))
    edited[30:60, 200:240] = (200, 30, 160)
    other = edited.copy()
    other[mask] = rng.integers(0, 256, (np.count_nonzero(mask), 3))
    first, second = measure_all(Resolver(source, edited, mask)), measure_all(Resolver(source, other, mask))
    for values in (first, second):
        del values["preservation.lpips_unfilled"]  # the diagnostic that does look there
    assert first == second
    assert first["preservation.psnr"].status is Status.OK
    if kind in ("stripe", "thin"):
        assert first["preservation.shift_px"].value == pytest.approx(math.sqrt(5), abs=0.1)
        assert first["preservation.psnr_aligned"].value > first["preservation.psnr"].value


def test_damage_outside_the_mask_does_change_them(source: RGB) -> None:
    mask = np.zeros(source.shape[:2], np.bool_)
    mask[100:150, 100:150] = True
    damaged = source.copy()
    damaged[20:60, 200:240] = 0
    before, after = (measure_all(Resolver(source, picture, mask)) for picture in (source, damaged))
    for name in ("mae", "mse", "psnr", "ssim", "identical", "changed_share", "worst_tile", "lpips", "mae_core"):
        assert before[f"preservation.{name}"].value != after[f"preservation.{name}"].value, name


def full(shape: tuple[int, ...]) -> Mask:
    return np.ones(shape[:2], np.bool_)


def test_a_full_mask_is_not_applicable_and_a_sliver_is_undefined(source: RGB) -> None:
    result = Resolver(source, source, full(source.shape)).measure("preservation.psnr")
    assert (result.status, result.reason) == (Status.NOT_APPLICABLE, "full_mask")
    sliver = full(source.shape)
    sliver[:2] = False
    result = Resolver(source, source, sliver).measure("preservation.psnr")
    assert (result.status, result.reason) == (Status.UNDEFINED, "kept_area_too_small")


def test_an_empty_mask_is_scored_on_the_whole_frame_with_a_caution(source: RGB) -> None:
    edited = reencoded(source)
    resolver = Resolver(source, edited, ~full(source.shape))
    for name in ("psnr", "ssim", "lpips", "changed_share"):
        assert resolver.measure(f"preservation.{name}").cautions == ("empty_mask",)
    expected = -10 * math.log10(((source / 255 - edited / 255) ** 2).mean())
    assert resolver.measure("preservation.psnr").value == pytest.approx(expected, rel=1e-9)


def test_the_core_leaves_out_four_pixels_and_eight_where_the_mask_is_feathered(source: RGB, tmp_path: Path) -> None:
    soft = np.zeros(source.shape[:2], np.uint8)
    soft[80:180, 80:180] = 255
    for name, picture, rim in (("hard", soft, 4), ("soft", cv2.GaussianBlur(soft, (0, 0), 8), 8)):
        path = str(tmp_path / f"{name}.png")
        cv2.imwrite(path, picture)
        decoded = decode_mask(path)
        cv2.imwrite(str(tmp_path / "s.png"), source)
        facts = decode_image(str(tmp_path / "s.png")).facts
        resolver = Resolver(source, source, decoded.mask, decode_info=DecodeInfo(facts, facts, decoded.facts))
        kept, core = resolver["kept"], resolver["kept_core"]
        row = 130
        edge = np.flatnonzero(~kept[row])[0]
        assert core[row, edge - rim - 1]
        assert not core[row, edge - rim]
        assert kept_share(core) < kept_share(kept)


def test_real_inpainting_keeps_its_background(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text("utf-8").splitlines()]
    for row in rows:
        if not row["id"].startswith(("ia_remove", "ia_replace", "brushnet_test")):
            continue
        source, edited = (decode_image(str(shared_data / row[key])).pixels for key in ("source", "edited"))
        mask = decode_mask(str(shared_data / row["mask"]), white_means=row["mask_white_means"]).mask
        resolver = Resolver(source, edited, mask)
        core = resolver.measure("preservation.psnr_core").value
        assert core is not None
        assert core >= 50, row["id"]
        if row["id"].startswith("ia_remove"):
            assert resolver.measure("preservation.psnr").value >= 50
            assert resolver.measure("preservation.identical_core").value == 1
