from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from edit_metrics.errors import ImageError
from edit_metrics.io import mask_levels
from edit_metrics.io.images import decode_image
from edit_metrics.io.masks import decode_mask, decode_mask_bytes, fit_mask

Encode = Callable[..., bytes]


@pytest.fixture
def disc() -> NDArray[np.bool_]:
    """A 60×80 mask with a disc left of the middle."""
    rows, columns = np.mgrid[:60, :80]
    return (rows - 30) ** 2 + (columns - 25) ** 2 < 18**2


def levels(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return np.where(mask, 255, 0).astype(np.uint8)


def test_every_way_to_store_a_mask_gives_the_same_mask(disc: NDArray[np.bool_], encode: Encode) -> None:
    gray = Image.fromarray(levels(disc))
    stored = {
        "gray": encode(gray, "PNG"),
        "1bit": encode(Image.fromarray(disc), "PNG"),
        "1bit tiff": encode(Image.fromarray(disc), "TIFF", compression="group4"),
        "rgb": encode(gray.convert("RGB"), "BMP"),
        "palette": encode(gray.convert("P"), "GIF"),
        "webp": encode(gray, "WEBP", lossless=True),
        "16bit": encode(Image.fromarray(levels(disc).astype(np.uint16) * 257), "PNG"),
        "cmyk": encode(gray.convert("RGB").convert("CMYK"), "TIFF"),
    }
    for name, data in stored.items():
        decoded = decode_mask_bytes(data)
        assert np.array_equal(decoded.mask, disc), name
        assert (decoded.kind, decoded.cautions, decoded.mask.dtype) == ("gray", (), np.bool_)


def test_a_jpeg_mask_is_right_but_for_its_border(disc: NDArray[np.bool_], encode: Encode) -> None:
    decoded = decode_mask_bytes(encode(levels(disc), "JPEG", quality=60))
    border = cv2.morphologyEx(levels(disc), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    assert np.array_equal(decoded.mask[~border], disc[~border])


def test_white_may_mean_preserved(disc: NDArray[np.bool_], encode: Encode) -> None:
    data = encode(levels(disc), "PNG")
    assert np.array_equal(decode_mask_bytes(data, white_means="preserved").mask, ~disc)


def test_gray_128_is_white_and_127_is_not(encode: Encode) -> None:
    decoded = decode_mask_bytes(encode(np.array([[127, 128]], np.uint8), "PNG"))
    assert decoded.mask.tolist() == [[False, True]]


def test_alpha_that_varies_is_the_mask(disc: NDArray[np.bool_], encode: Encode, rng: np.random.Generator) -> None:
    photo = rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)
    data = encode(np.dstack([photo, levels(~disc)]), "PNG")
    decoded = decode_mask_bytes(data, white_means="preserved")
    assert decoded.kind == "alpha"
    assert np.array_equal(decoded.mask, disc)


@pytest.mark.parametrize("opacity", [0, 100, 255])
def test_alpha_that_is_constant_is_not_the_mask(opacity: int, disc: NDArray[np.bool_], encode: Encode) -> None:
    gray = levels(disc)
    data = encode(np.dstack([gray, gray, gray, np.full_like(gray, opacity)]), "PNG")
    decoded = decode_mask_bytes(data)
    assert decoded.kind == "gray"
    assert np.array_equal(decoded.mask, disc)


def test_a_transparent_palette_entry_is_alpha(disc: NDArray[np.bool_], encode: Encode) -> None:
    image = Image.new("P", (80, 60))
    image.putdata(disc.astype(np.uint8).ravel().tolist())
    image.putpalette([9, 9, 9, 9, 9, 9])
    decoded = decode_mask_bytes(encode(image, "PNG", transparency=0))
    assert decoded.kind == "alpha"
    assert np.array_equal(decoded.mask, disc)


def test_a_mask_is_turned_upright_like_its_picture(disc: NDArray[np.bool_], encode: Encode) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_mask_bytes(encode(levels(disc), "PNG", exif=exif))
    assert np.array_equal(decoded.mask, np.rot90(disc, -1))
    assert (decoded.width, decoded.height) == (60, 80)


def test_a_colour_profile_does_not_move_the_threshold(linear_gray_profile: bytes, encode: Encode) -> None:
    data = encode(np.array([[100, 200]], np.uint8), "PNG", icc_profile=linear_gray_profile)
    assert decode_mask_bytes(data).mask.tolist() == [[False, True]]


def test_feathered_and_coloured_masks_are_cautioned(disc: NDArray[np.bool_], encode: Encode) -> None:
    sharp = Image.fromarray(levels(disc))
    antialiased = sharp.resize((160, 120), Image.Resampling.LANCZOS).resize((80, 60), Image.Resampling.BOX)
    feathered = sharp.filter(ImageFilter.GaussianBlur(4))
    red = np.dstack([levels(disc), np.zeros_like(levels(disc)), np.zeros_like(levels(disc))])
    assert decode_mask_bytes(encode(antialiased, "PNG")).cautions == ()
    assert decode_mask_bytes(encode(sharp, "JPEG", quality=75)).cautions == ()
    assert decode_mask_bytes(encode(feathered, "PNG")).cautions == ("feathered_mask",)
    assert decode_mask_bytes(encode(red, "PNG")).cautions == ()
    on_green = red + np.array([0, 90, 0], np.uint8)
    assert decode_mask_bytes(encode(on_green, "PNG")).cautions == ("coloured_mask",)


@pytest.mark.parametrize("pair", [(0, 1), (0, 127), (0, 255), (1, 2), (10, 200), (254, 255)])
def test_two_levels_are_a_mask_whatever_they_are(
    pair: tuple[int, int], disc: NDArray[np.bool_], encode: Encode
) -> None:
    stored = np.where(disc, pair[1], pair[0])
    for kind in (np.uint8, np.uint16):
        decoded = decode_mask_bytes(encode(Image.fromarray(stored.astype(kind)), "PNG"))
        assert np.array_equal(decoded.mask, disc), kind
        assert decoded.cautions == ()


@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_coloured_channel_is_read_by_that_channel(channel: int, disc: NDArray[np.bool_], encode: Encode) -> None:
    coloured = np.zeros((*disc.shape, 3), np.uint8)
    coloured[..., channel] = levels(disc)
    for name in ("PNG", "JPEG"):
        decoded = decode_mask_bytes(encode(coloured, name))
        border = cv2.morphologyEx(levels(disc), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8)) > 0
        assert np.array_equal(decoded.mask[~border], disc[~border]), name


def test_a_segmentation_palette_of_two_entries_is_a_mask(disc: NDArray[np.bool_], encode: Encode) -> None:
    image = Image.fromarray(disc.astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    assert np.array_equal(decode_mask_bytes(encode(image, "PNG")).mask, disc)


@pytest.mark.parametrize("half", [40, 64, 127])
def test_soft_masks_are_white_from_half_of_their_range(half: int, disc: NDArray[np.bool_], encode: Encode) -> None:
    soft = cv2.GaussianBlur(np.where(disc, 2 * half, 0).astype(np.float32), (0, 0), 4)
    decoded = decode_mask_bytes(encode(soft.astype(np.uint8), "PNG"))
    assert np.array_equal(decoded.mask, soft.astype(np.uint8) >= (int(soft.max()) + 1) // 2)
    assert decoded.cautions == ("feathered_mask",)


@pytest.mark.parametrize(("level", "white"), [(0, False), (255, True)])
def test_one_level_at_an_end_is_an_empty_or_a_full_mask(level: int, white: bool, encode: Encode) -> None:
    for name in ("PNG", "JPEG"):
        decoded = decode_mask_bytes(encode(np.full((60, 80), level, np.uint8), name))
        assert decoded.mask.all() == white
        assert decoded.mask.any() == white


@pytest.mark.parametrize("found", [(7,), (128,), (0, 1, 2), (0, 1, 255), (0, 5, 9)])
def test_what_cannot_be_told_is_refused_with_the_levels_found(found: tuple[int, ...], encode: Encode) -> None:
    stored = np.resize(np.repeat(np.array(found, np.uint8), 20), (60, 80))
    with pytest.raises(ImageError, match=str(found[-1])) as caught:
        decode_mask_bytes(encode(stored, "PNG"))
    assert caught.value.code == "mask_levels"


def test_a_palette_of_labels_is_refused(disc: NDArray[np.bool_], encode: Encode) -> None:
    labels = disc.astype(np.uint8)
    labels[:10] = 2
    image = Image.fromarray(labels, "P")
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    with pytest.raises(ImageError, match="palette") as caught:
        decode_mask_bytes(encode(image, "PNG"))
    assert caught.value.code == "mask_levels"


def test_a_mask_of_the_sources_size_is_left_alone(disc: NDArray[np.bool_]) -> None:
    assert fit_mask(disc, (80, 60)) is disc


def test_a_mask_of_another_size_is_fitted_by_nearest_neighbour(disc: NDArray[np.bool_]) -> None:
    fitted = fit_mask(disc, (160, 120))
    assert np.array_equal(fitted, disc.repeat(2, axis=0).repeat(2, axis=1))
    assert np.array_equal(fit_mask(fitted, (80, 60)), disc)
    uneven = fit_mask(disc, (101, 76))
    by_opencv = cv2.resize(levels(disc), (101, 76), interpolation=cv2.INTER_NEAREST_EXACT) > 0
    assert np.array_equal(uneven, by_opencv)


@pytest.mark.parametrize(("size", "fits"), [((808, 600), True), ((809, 600), False), ((60, 80), False)])
def test_a_mask_of_another_aspect_is_refused(size: tuple[int, int], fits: bool, disc: NDArray[np.bool_]) -> None:
    if fits:
        assert fit_mask(disc, size).shape == size[::-1]
        return
    with pytest.raises(ImageError, match="80×60") as caught:
        fit_mask(disc, size)
    assert caught.value.code == "mask_size_mismatch"


def test_all_real_masks_fit_their_sources(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text().splitlines()]
    masked = [row for row in rows if row.get("mask")]
    assert len(masked) == 8
    for row in masked:
        source = decode_image(str(shared_data / row["source"]))
        mask = decode_mask(str(shared_data / row["mask"]), white_means=row["mask_white_means"])
        assert (mask.width, mask.height) == (source.width, source.height)
        assert 0.03 < mask.mask.mean() < 0.9
        assert mask.cautions == ()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_are_counted_exactly(dtype: type[np.unsignedinteger], rng: np.random.Generator) -> None:
    drawn = rng.integers(0, np.iinfo(dtype).max, (67, 53), endpoint=True).astype(dtype)
    for stored in (drawn, drawn[:, ::2], drawn.T, np.zeros_like(drawn)):
        counts = mask_levels._counted(stored)
        found, expected = np.unique(stored, return_counts=True)
        np.testing.assert_array_equal(np.flatnonzero(counts), found)
        np.testing.assert_array_equal(counts[found], expected)
