from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edit_metrics.backends.factory import build_backend, describe_backend, weights_of
from edit_metrics.backends.rapid_ocr import RapidOcr
from edit_metrics.types import RGB

pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")

SECTION = {"use": "rapidocr"}


def sign(text: str) -> RGB:
    matplotlib = pytest.importorskip("matplotlib", reason="its fonts are drawn")
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 30)
    board = Image.new("RGB", (260, 90), "white")
    ImageDraw.Draw(board).text((20, 25), text, font=font, fill=(150, 20, 20))
    return np.asarray(board, np.uint8)


def test_it_needs_no_weights_beyond_its_package_and_names_them_by_hash() -> None:
    assert weights_of("ocr", SECTION) == ()
    described = describe_backend("ocr", SECTION)
    assert set(described.weights) == {"Det", "Cls", "Rec"}
    assert all(len(digest) == 64 for digest in described.weights.values())


@pytest.mark.weights
def test_it_reads_a_sign_and_nothing_off_a_blank_one() -> None:
    reader = build_backend("ocr", SECTION, threads=1)
    (lines, nothing) = reader.read_text([sign("Bakery"), sign("")])  # type: ignore[attr-defined]
    assert [line.text for line in lines] == ["Bakery"]
    left, top, right, bottom = lines[0].box
    assert 0 <= left < 40 < right <= 260
    assert 0 <= top < 45 < bottom <= 90
    assert lines[0].score > 0.5
    assert nothing == ()
    assert reader.fingerprint == describe_backend("ocr", SECTION)


@pytest.mark.weights
def test_the_reader_comes_with_the_first_picture_and_reads_each_once() -> None:
    reader = RapidOcr(threads=1)
    assert reader._reader is None
    assert reader.read_text([]) == []
    assert reader._reader is None
    first = reader.read_text([sign("Bakery"), sign("Butcher")])
    assert [line.text for lines in first for line in lines] == ["Bakery", "Butcher"]
    reader._reader = None  # what was read is remembered; another picture asks for the reader again
    assert reader.read_text([sign("Butcher"), sign("Bakery")]) == first[::-1]
    assert reader._reader is None
    assert [line.text for line in reader.read_text([sign("Grocer")])[0]] == ["Grocer"]
