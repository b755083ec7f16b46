"""Files as they come: a JPEG without its end mark, orientations in odd places, a library that talks on stderr."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from edit_metrics.errors import ImageError
from edit_metrics.io.images import decode_bytes

Picture = Any
Encode = Callable[..., bytes]

JPEGS = [
    {},
    {"progressive": True},
    {"subsampling": 0},
    {"subsampling": 2, "quality": 30},
    {"restart_marker_rows": 1},
    {"optimize": True, "quality": 98},
]


@pytest.mark.parametrize("options", JPEGS, ids=str)
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_without_its_end_mark_decodes_as_the_whole_file_does(
    options: dict[str, Any], lost: int, picture: Picture, encode: Encode
) -> None:
    data = encode(picture, "JPEG", **options)
    decoded = decode_bytes(data[:-lost])
    assert np.array_equal(decoded.pixels, decode_bytes(data).pixels)


@pytest.mark.parametrize("options", JPEGS, ids=str)
def test_a_jpeg_that_lost_any_more_is_unreadable(options: dict[str, Any], picture: Picture, encode: Encode) -> None:
    data = encode(picture, "JPEG", **options)
    whole = decode_bytes(data).pixels
    for kept in range(20, len(data) - 2, 7):
        # The last bits of a scan may be padding: then nothing of the picture is lost.
        assert code_of(data[:kept], whole) in ("unreadable", "not_an_image", "the whole picture"), kept


def code_of(data: bytes, whole: Any) -> str:
    try:
        return "the whole picture" if np.array_equal(decode_bytes(data).pixels, whole) else "another picture"
    except ImageError as error:
        return error.code


def exif(orientation: int, kind: int, order: str) -> bytes:
    """An EXIF block whose only tag is the orientation, in a TIFF type of choice."""
    form = {1: "B3x", 3: "H2x", 4: "I", 8: "h2x", 9: "i"}[kind]
    head = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(f"{order}HHI", 0x0112, kind, 1) + struct.pack(f"{order}{form}", orientation)
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, 1) + entry + b"\0\0\0\0"


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [1, 3, 4, 8, 9])
@pytest.mark.parametrize("orientation", [3, 6])
def test_the_orientation_may_stand_in_any_integer_type(
    orientation: int, kind: int, order: str, picture: Picture, encode: Encode
) -> None:
    data = encode(picture, "PNG", exif=exif(orientation, kind, order))
    turned = {3: np.rot90(picture, 2), 6: np.rot90(picture, -1)}[orientation]
    decoded = decode_bytes(data)
    assert np.array_equal(decoded.pixels, turned)
    assert "exif_rotated" in decoded.conversions


XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description {} xmlns:tiff="http://ns.adobe.com/tiff/1.0/">{}'
PACKETS = [
    XMP.format('tiff:Orientation="6"', ""),
    XMP.format("", "<tiff:Orientation>6</tiff:Orientation>"),
]


@pytest.mark.parametrize("packet", PACKETS, ids=["attribute", "element"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_an_orientation_in_xmp_alone_counts_as_it_does_for_pillow(
    kind: str, packet: str, picture: Picture, encode: Encode
) -> None:
    if kind == "PNG":
        text = PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet)
        data = encode(picture, kind, pnginfo=text)
    else:
        lossless = {"lossless": True} if kind == "WEBP" else {"quality": 95}
        data = encode(picture, kind, xmp=packet.encode(), **lossless)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert expected.shape == (56, 40, 3)
    assert np.array_equal(decode_bytes(data).pixels, expected)


def test_exif_speaks_before_xmp(picture: Picture, encode: Encode) -> None:
    data = encode(picture, "JPEG", exif=exif(1, 3, ">"), xmp=PACKETS[0].encode())
    assert decode_bytes(data).pixels.shape == (40, 56, 3)


@pytest.mark.parametrize("position", ["before", "after"])
def test_an_orientation_in_a_raw_profile_of_a_png_counts(position: str, picture: Picture, encode: Encode) -> None:
    block = exif(6, 3, ">")
    text = PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(block):8d}\n{block.hex()}\n", zip=True)
    data = encode(picture, "PNG", pnginfo=text)
    if position == "after":
        start = data.index(b"zTXt") - 4
        end = start + 12 + int.from_bytes(data[start : start + 4], "big")
        data = data[:start] + data[end:-12] + data[start:end] + data[-12:]
    decoded = decode_bytes(data)
    assert np.array_equal(decoded.pixels, np.rot90(picture, -1))
    assert "exif_rotated" in decoded.conversions


@pytest.mark.parametrize("text", ["", "\nexif\n", "\nexif\n 4\nzz", "6", "\n\n\n" + "00" * 40])
def test_a_raw_profile_that_is_none_means_upright(text: str, picture: Picture, encode: Encode) -> None:
    info = PngInfo()
    info.add_text("Raw profile type exif", text)
    assert np.array_equal(decode_bytes(encode(picture, "PNG", pnginfo=info)).pixels, picture)


def test_damaged_tiffs_leave_no_line_on_stderr() -> None:
    code = """
import io, random
from PIL import Image
from edit_metrics.errors import ImageError
from edit_metrics.io.images import decode_bytes
stream = io.BytesIO()
Image.effect_noise((48, 48), 50).convert("RGB").save(stream, "TIFF", compression="tiff_deflate")
data, draw, refused = stream.getvalue(), random.Random(1), 0
for _ in range(60):
    broken = bytearray(data)
    for _ in range(6):
        broken[draw.randrange(len(broken))] = draw.randrange(256)
    try:
        decode_bytes(bytes(broken))
    except ImageError:
        refused += 1
entry = b"\\x15\\x01\\x03\\x00\\x01\\x00\\x00\\x00"  # samples per pixel
place = data.index(entry) + len(entry)
try:
    decode_bytes(data[:place] + b"\\x13\\x00" + data[place + 2 :])
except ImageError:
    refused += 1
print(refused)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert int(done.stdout) > 30
    assert done.stderr == ""
