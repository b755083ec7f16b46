from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile
from skimage.color import lab2rgb

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io import color
from edit_metrics.io.formats import FORMATS, sniff_format
from edit_metrics.io.images import decode_bytes, decode_image
from edit_metrics.io.orientation import exif_orientation

Picture = NDArray[np.uint8]
Encode = Callable[..., bytes]

LOSSLESS = ("PNG", "BMP", "TIFF")


def code_of(data: bytes, limits: DecodeLimits | None = None) -> str:
    with pytest.raises(ImageError) as caught:
        decode_bytes(data, limits or DecodeLimits(), where="here.png")
    assert caught.value.where == "here.png"
    return caught.value.code


def with_orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def upright(stored: Picture, orientation: int) -> Picture:
    """What EXIF 2.32, section 4.6.4 says: which side the stored row 0 and column 0 are."""
    by_hand = {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: stored.swapaxes(0, 1),
        6: stored.swapaxes(0, 1)[:, ::-1],
        7: stored.swapaxes(0, 1)[::-1, ::-1],
        8: stored.swapaxes(0, 1)[::-1],
    }
    return by_hand[orientation]


@pytest.mark.parametrize("kind", LOSSLESS)
def test_a_lossless_rgb_file_comes_back_unchanged(kind: str, picture: Picture, encode: Encode) -> None:
    data = encode(picture, kind)
    decoded = decode_bytes(data)
    assert np.array_equal(decoded.pixels, picture)
    assert (decoded.format, decoded.width, decoded.height) == (kind, 56, 40)
    assert decoded.conversions == ()
    assert decoded.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_a_contiguous_writable_uint8_array(kind: str, picture: Picture, encode: Encode) -> None:
    pixels = decode_bytes(encode(picture, kind)).pixels
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    assert np.abs(pixels.astype(int) - picture).mean() < 8


def test_a_jpeg_decodes_as_pillow_decodes_it(picture: Picture, encode: Encode) -> None:
    data = encode(picture, "JPEG", quality=80)
    assert np.array_equal(decode_bytes(data).pixels, np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_orientation_is_applied(kind: str, orientation: int, picture: Picture, encode: Encode) -> None:
    decoded = decode_bytes(encode(picture, kind, exif=with_orientation(orientation)))
    assert np.array_equal(decoded.pixels, upright(picture, orientation))
    assert ("exif_rotated" in decoded.conversions) == (orientation != 1)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_exif_orientation_is_applied_in_lossy_formats(kind: str, picture: Picture, encode: Encode) -> None:
    plain = decode_bytes(encode(picture, kind)).pixels
    turned = decode_bytes(encode(picture, kind, exif=with_orientation(6)))
    assert np.array_equal(turned.pixels, upright(plain, 6))
    assert turned.conversions == ("exif_rotated",)


def test_transparency_turns_with_the_picture(picture: Picture, encode: Encode) -> None:
    rgba = np.dstack([picture, picture[:, :, 0]])
    decoded = decode_bytes(encode(rgba, "PNG", exif=with_orientation(8)))
    opaque = upright(picture[:, :, 0], 8)[:, :, None] / 255.0
    expected = opaque * upright(picture, 8) + (1 - opaque) * 255
    assert np.abs(decoded.pixels - expected).max() <= 0.51


@pytest.mark.parametrize(
    "block",
    [b"", b"Exif\0\0", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff\x12", b"what is this"],
)
def test_a_broken_exif_block_means_upright(block: bytes) -> None:
    assert exif_orientation(block) == 1


def test_an_orientation_out_of_range_means_upright() -> None:
    assert exif_orientation(with_orientation(9).tobytes()) == 1
    assert exif_orientation(with_orientation(3).tobytes()) == 3


def test_a_jpeg_with_corrupt_exif_decodes_without_a_warning(picture: Picture, encode: Encode) -> None:
    exif = with_orientation(3).tobytes()
    data = encode(picture, "JPEG", exif=exif[:-9])
    assert decode_bytes(data).pixels.shape == (40, 56, 3)


def test_sixteen_bit_colour_and_gray_are_scaled_not_clipped(picture: Picture) -> None:
    for factor in (256, 257):  # The two ways in which programs widen 8 bits to 16.
        wide = picture.astype(np.uint16) * factor
        for suffix in (".png", ".tiff"):
            colour = decode_bytes(cv2.imencode(suffix, wide[:, :, ::-1])[1].tobytes())
            gray = decode_bytes(cv2.imencode(suffix, wide[:, :, 0])[1].tobytes())
            assert np.array_equal(colour.pixels, picture)
            assert np.array_equal(gray.pixels, np.repeat(picture[:, :, :1], 3, axis=2))
            assert colour.conversions == ("16bit",)
            assert gray.conversions == ("16bit", "gray")


def test_big_endian_sixteen_bit_tiff_is_read_as_such(picture: Picture) -> None:
    gray = picture[:, :, 0]
    tags = [(256, 3, 56), (257, 3, 40), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, 0), (277, 3, 1), (278, 3, 40)]
    tags.append((279, 4, gray.size * 2))
    offset = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack(">HHIHxx", tag, kind, 1, value)
        if kind == 3
        else struct.pack(">HHII", tag, kind, 1, value or offset)
        for tag, kind, value in tags
    )
    head = struct.pack(">2sHIH", b"MM", 42, 8, len(tags)) + entries + b"\0\0\0\0"
    decoded = decode_bytes(head + (gray.astype(">u2") * 257).tobytes())
    assert np.array_equal(decoded.pixels[:, :, 1], gray)


def test_one_bit_gray_and_palette_files_become_rgb(picture: Picture, encode: Encode) -> None:
    gray = Image.fromarray(picture).convert("L")
    bits = Image.fromarray(np.asarray(gray) > 128)
    assert set(np.unique(decode_bytes(encode(bits, "PNG")).pixels)) == {0, 255}
    assert decode_bytes(encode(bits, "PNG")).conversions == ("gray", "1bit")
    assert np.array_equal(decode_bytes(encode(gray, "PNG")).pixels, np.asarray(gray.convert("RGB")))
    palette = Image.fromarray(picture).quantize(64)
    decoded = decode_bytes(encode(palette, "PNG"))
    assert np.array_equal(decoded.pixels, np.asarray(palette.convert("RGB")))
    assert decoded.conversions == ("palette",)


def test_alpha_is_composited_over_the_declared_colour(picture: Picture, encode: Encode) -> None:
    alpha = picture[:, :, 2]
    data = encode(np.dstack([picture, alpha]), "PNG")
    for background in ((255, 255, 255), (10, 200, 90)):
        decoded = decode_bytes(data, DecodeLimits(alpha_background=background))
        weight = alpha[:, :, None] / 255.0
        expected = weight * picture + (1 - weight) * np.array(background)
        assert np.abs(decoded.pixels - expected).max() <= 0.51
        assert decoded.conversions == ("alpha_composited",)


def test_gray_with_alpha_is_composited(picture: Picture, encode: Encode) -> None:
    layers = np.dstack([picture[:, :, 0], np.where(np.arange(56) < 28, 0, 255)[None].repeat(40, 0)]).astype(np.uint8)
    decoded = decode_bytes(encode(Image.fromarray(layers, "LA"), "PNG"))
    assert (decoded.pixels[:, :28] == 255).all()
    assert np.array_equal(decoded.pixels[:, 28:, 0], picture[:, 28:, 0])


def test_opaque_alpha_changes_nothing(picture: Picture, encode: Encode) -> None:
    decoded = decode_bytes(encode(np.dstack([picture, np.full((40, 56), 255, np.uint8)]), "PNG"))
    assert np.array_equal(decoded.pixels, picture)
    assert decoded.conversions == ()
    assert decoded.conversions == ()


def test_a_transparent_palette_entry_shows_the_background(encode: Encode) -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((0, 0), 0)
    for kind, transparency in (("PNG", 0), ("GIF", 0), ("PNG", b"\x00\xff")):
        decoded = decode_bytes(encode(image, kind, transparency=transparency))
        assert decoded.pixels[0, 0].tolist() == [255, 255, 255]
        assert decoded.pixels[1, 3].tolist() == [0, 0, 255]


def test_a_transparent_colour_key_is_honoured(picture: Picture, encode: Encode) -> None:
    picture = picture.copy()
    picture[3, 5] = (1, 2, 3)
    decoded = decode_bytes(encode(picture, "PNG", transparency=(1, 2, 3)))
    assert decoded.pixels[3, 5].tolist() == [255, 255, 255]


def with_colour_key(png: bytes, *samples: int) -> bytes:
    body = b"tRNS" + struct.pack(f">{len(samples)}H", *samples)
    at = png.index(b"IDAT") - 4
    return png[:at] + struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body)) + png[at:]


def test_a_sixteen_bit_colour_key_is_compared_before_the_lower_byte_goes() -> None:
    gray = np.array([[0x1234, 0x1299, 0x80FF]], np.uint16)
    decoded = decode_bytes(with_colour_key(cv2.imencode(".png", gray)[1].tobytes(), 0x1234))
    assert decoded.pixels[0, :, 0].tolist() == [255, 0x12, 0x80]


def test_a_sixteen_bit_rgb_colour_key_is_honoured() -> None:
    bgr = np.array([[[0x7856, 0x5634, 0x3412], [0x1111, 0x2222, 0x3333]]], np.uint16)
    decoded = decode_bytes(with_colour_key(cv2.imencode(".png", bgr)[1].tobytes(), 0x3412, 0x5634, 0x7856))
    assert decoded.pixels[0].tolist() == [[255, 255, 255], [0x33, 0x22, 0x11]]


def test_a_tiff_with_odd_tags_decodes_without_a_warning(picture: Picture, encode: Encode) -> None:
    data = encode(picture, "TIFF", tiffinfo={296: 2})
    one_resolution_unit, two_of_them = struct.pack("<HHI", 296, 3, 1), struct.pack("<HHI", 296, 3, 2)
    assert data.count(one_resolution_unit) == 1
    odd = data.replace(one_resolution_unit, two_of_them)
    with pytest.warns(UserWarning, match="too many entries"):
        _ = Image.open(io.BytesIO(odd)).tag_v2[296]  # type: ignore[attr-defined]
    assert np.array_equal(decode_bytes(odd).pixels, picture)


def test_a_cmyk_jpeg_has_the_right_polarity(encode: Encode) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    decoded = decode_bytes(encode(cyan, "JPEG", quality=95))
    assert np.abs(decoded.pixels.astype(int) - [0, 255, 255]).max() <= 3
    assert decoded.conversions == ("cmyk",)


def test_a_cmyk_profile_decides_the_colour(gray_ink_profile: bytes, encode: Encode) -> None:
    cyan = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    decoded = decode_bytes(encode(cyan, "TIFF", icc_profile=gray_ink_profile))
    expected = lab2rgb([[[100 * 2 / 3, 0, 0]]])[0, 0] * 255
    assert np.abs(decoded.pixels[8, 8] - expected).max() <= 2
    assert decoded.conversions == ("cmyk", "icc_converted")


def test_an_rgb_profile_is_converted_to_srgb(swapped_profile: bytes, encode: Encode) -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    for kind in ("PNG", "JPEG", "WEBP", "TIFF"):
        decoded = decode_bytes(encode(red, kind, icc_profile=swapped_profile))
        assert np.abs(decoded.pixels[4, 4].astype(int) - [0, 255, 0]).max() <= 6
        assert decoded.conversions == ("icc_converted",)


def test_a_profile_applies_to_palettes_and_under_transparency(swapped_profile: bytes, encode: Encode) -> None:
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0])
    decoded = decode_bytes(encode(palette, "PNG", icc_profile=swapped_profile))
    assert decoded.pixels[0, 0, 1] >= 250
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 255))
    half.putpixel((0, 0), (255, 0, 0, 0))
    decoded = decode_bytes(encode(half, "PNG", icc_profile=swapped_profile))
    assert decoded.pixels[0, 0].tolist() == [255, 255, 255]
    assert decoded.pixels[2, 2, 1] >= 250


def test_a_gray_profile_is_converted_to_srgb(linear_gray_profile: bytes, encode: Encode) -> None:
    linear = np.full((4, 4), 55, np.uint8)
    expected = 255 * (1.055 * (55 / 255) ** (1 / 2.4) - 0.055)  # IEC 61966-2-1
    decoded = decode_bytes(encode(linear, "PNG", icc_profile=linear_gray_profile))
    assert np.abs(decoded.pixels - expected).max() <= 1
    assert decoded.conversions == ("gray", "icc_converted")


def test_sixteen_bit_gray_keeps_its_profile(linear_gray_profile: bytes, encode: Encode) -> None:
    wide = Image.fromarray(np.full((4, 4), 55 * 257, np.uint16))
    decoded = decode_bytes(encode(wide, "PNG", icc_profile=linear_gray_profile))
    assert decoded.conversions == ("16bit", "gray", "icc_converted")
    assert decoded.pixels[0, 0, 0] > 120


def test_an_srgb_profile_leaves_every_pixel_alone(picture: Picture, encode: Encode) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    decoded = decode_bytes(encode(picture, "PNG", icc_profile=profile))
    assert np.array_equal(decoded.pixels, picture)
    assert decoded.conversions == ()


def test_a_profile_that_cannot_apply_is_ignored_and_recorded(
    picture: Picture, encode: Encode, gray_ink_profile: bytes
) -> None:
    for profile in (b"no profile at all", gray_ink_profile):
        decoded = decode_bytes(encode(picture, "PNG", icc_profile=profile))
        assert np.array_equal(decoded.pixels, picture)
        assert decoded.conversions == ("icc_ignored",)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF"])
def test_of_an_animation_the_first_frame_counts(kind: str, picture: Picture, encode: Encode) -> None:
    frames = {"save_all": True, "append_images": [Image.fromarray(255 - picture)]}
    decoded = decode_bytes(encode(picture, kind, **frames))
    still = decode_bytes(encode(picture, kind)).pixels
    assert np.abs(decoded.pixels.astype(int) - still).mean() < 12
    assert "animated_first_frame" in decoded.conversions


def test_the_type_is_the_contents_not_the_name(tmp_path: Path, picture: Picture, encode: Encode) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(encode(picture, "PNG"))
    decoded = decode_image(str(path))
    assert decoded.format == "PNG"
    assert np.array_equal(decoded.pixels, picture)


def test_other_formats_are_refused_by_their_content(picture: Picture, encode: Encode) -> None:
    for kind in ("PPM", "ICO", "JPEG2000", "TGA", "PCX"):
        assert code_of(encode(picture, kind)) == "not_an_image"
    for data in (b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE"):
        assert code_of(data) == "not_an_image"
    assert sniff_format(b"\0\0\0\x20ftypheic\0\0\0\0mif1heic") is None


def test_floating_point_and_wide_integer_samples_are_refused(picture: Picture, encode: Encode) -> None:
    values = picture[:, :, 0].astype(np.float32)
    assert code_of(encode(Image.fromarray(values), "TIFF")) == "unsupported_samples"
    assert code_of(encode(Image.fromarray(values.astype(np.int32)), "TIFF")) == "unsupported_samples"
    assert code_of(cv2.imencode(".tiff", picture.astype(np.float32))[1].tobytes()) == "unreadable"


@pytest.mark.parametrize(
    ("kind", "options"),
    [(kind, {}) for kind in FORMATS] + [("JPEG", {"progressive": True}), ("WEBP", {"lossless": True})],
)
def test_a_truncated_file_is_unreadable_or_complete(
    kind: str, options: dict[str, Any], picture: Picture, encode: Encode
) -> None:
    data = encode(picture, kind, **options)
    whole = decode_bytes(data).pixels
    outcomes = set()
    for cut in (*range(12, len(data) - 30, max(1, len(data) // 40)), *range(len(data) - 30, len(data))):
        try:
            outcomes.add("complete" if np.array_equal(decode_bytes(data[:cut]).pixels, whole) else "half a picture")
        except ImageError as error:
            outcomes.add(error.code)
    assert "unreadable" in outcomes
    assert outcomes <= {"unreadable", "complete"}


def test_a_jpeg_whose_end_was_never_downloaded_is_unreadable(picture: Picture, encode: Encode) -> None:
    data = encode(picture, "JPEG", quality=95)
    half = len(data) // 2
    assert code_of(data[:half] + b"\0" * (len(data) - half)) == "unreadable"
    assert np.array_equal(decode_bytes(data + b"\0" * 512).pixels, decode_bytes(data).pixels)


def test_pillows_switch_for_truncated_files_is_off_here_and_left_as_found(
    picture: Picture, encode: Encode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    halves = [data[: len(data) // 2] for data in (encode(picture, "JPEG"), encode(picture, "PNG"))]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(code_of, halves * 20)) == {"unreadable"}
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_no_broken_file_raises_anything_else(picture: Picture, encode: Encode, rng: np.random.Generator) -> None:
    seen = set()
    for kind in FORMATS:
        data = np.frombuffer(encode(picture, kind), np.uint8)
        for _ in range(60):
            broken = data.copy()
            broken[rng.integers(8, len(data), 6)] = rng.integers(0, 256, 6)
            try:
                decode_bytes(broken.tobytes(), DecodeLimits(max_pixels=10**6))
            except ImageError as error:
                seen.add(error.code)
    assert "unreadable" in seen
    assert seen <= {"unreadable", "not_an_image", "too_many_pixels", "too_small", "unsupported_samples"}


def bomb_png(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("side", [10_001, 12_000, 60_000, 2**31 - 1])
def test_a_bomb_is_refused_from_its_header(side: int) -> None:
    assert code_of(bomb_png(side, side)) in ("too_many_pixels", "unreadable")
    gif = b"GIF89a" + struct.pack("<HHBBB", min(side, 65535), min(side, 65535), 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, min(side, 65535), min(side, 65535), 0) + b"\x02\x00;"
    assert code_of(gif + frame) == "too_many_pixels"


def test_limits_count_pixels_and_bytes(tmp_path: Path, picture: Picture, encode: Encode) -> None:
    data = encode(picture, "PNG")
    assert decode_bytes(data, DecodeLimits(max_pixels=40 * 56)).width == 56
    assert code_of(data, DecodeLimits(max_pixels=40 * 56 - 1)) == "too_many_pixels"
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(ImageError) as caught:
        decode_image(str(path), DecodeLimits(max_bytes=len(data) - 1))
    assert caught.value.code == "too_large"


def test_a_missing_file_a_folder_and_a_pipe_are_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    for name, code in (("none.png", "missing_file"), (".", "unreadable"), ("pipe.png", "unreadable")):
        with pytest.raises(ImageError) as caught:
            decode_image(str(tmp_path / name))
        assert caught.value.code == code


def test_threads_see_the_same_pixels(picture: Picture, encode: Encode, swapped_profile: bytes) -> None:
    files = [
        encode(picture, "JPEG", icc_profile=swapped_profile),
        encode(picture, "TIFF"),
        encode(np.dstack([picture, picture[:, :, 0]]), "PNG"),
        encode(picture, "GIF"),
    ]
    alone = [decode_bytes(data).pixels for data in files]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda data: decode_bytes(data).pixels, files * 40))
    assert all(np.array_equal(pixels, alone[index % 4]) for index, pixels in enumerate(together))


def test_facts_say_what_was_decoded_without_pixels(picture: Picture, encode: Encode) -> None:
    decoded = decode_bytes(encode(picture, "GIF"))
    facts = decoded.facts
    assert (facts.width, facts.height, facts.format, facts.conversions) == (56, 40, "GIF", ("palette",))
    assert facts.sha256 == decoded.sha256
    with pytest.raises(FrozenInstanceError):
        facts.width = 1  # type: ignore[misc]


def test_all_real_pictures_decode(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "triples.jsonl").read_text().splitlines()]
    assert len(rows) == 71
    paths = {shared_data / row[name] for row in rows for name in ("source", "edited")}
    decoded = {path: decode_image(str(path)) for path in paths}
    assert all(image.pixels.shape == (image.height, image.width, 3) for image in decoded.values())
    misnamed = [path for path, image in decoded.items() if image.format == "PNG" and path.suffix == ".jpg"]
    wide_gamut = [image for image in decoded.values() if "icc_converted" in image.conversions]
    assert len(misnamed) == 8
    assert len(wide_gamut) == 20


@pytest.mark.parametrize("size", [(37, 29), (29, 37), (500, 3), (3, 500), (1, 400), (400, 1)])
def test_a_large_picture_is_taken_over_in_bands(
    size: tuple[int, int], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(color, "_PIXELS_AT_ONCE", 300)
    drawn = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    found = color.rgb_array(Image.fromarray(drawn))
    np.testing.assert_array_equal(found, drawn)
    assert found.flags.writeable
    assert found.flags.c_contiguous
