from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edit_metrics.backends.factory import build_backend, describe_backend, weights_of
from edit_metrics.backends.rapid_ocr import RapidOcr
from edit_metrics.backends.rapid_ocr_parts import LEAST_SIDE, PartView
from edit_metrics.features.changed_text import read_changed
from edit_metrics.types import RGB

pytest.importorskip("rapidocr", reason="the extra [ocr] is not installed")

SECTION = {"use": "rapidocr"}


def sign(text: str) -> RGB:
    return board((260, 90), 30, {(20, 25): text})


def board(size: tuple[int, int], height: int, texts: dict[tuple[int, int], str]) -> RGB:
    matplotlib = pytest.importorskip("matplotlib", reason="its fonts are drawn")
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), height)
    canvas = Image.new("RGB", size, "white")
    for place, text in texts.items():
        ImageDraw.Draw(canvas).text(place, text, font=font, fill=(150, 20, 20))
    return np.asarray(canvas, np.uint8)


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


@pytest.mark.weights
def test_a_word_that_was_replaced_is_read_in_a_crop_as_it_is_in_the_whole_picture() -> None:
    source, edited = (
        board((500, 500), 24, {(25, 50): "Bakery", (250, 250): word, (50, 450): "Main Street"})
        for word in ("Since 2023", "Until 2024")
    )
    reader = RapidOcr(threads=1)
    before, whole = reader.read_text([source, edited])
    found = read_changed(reader, source, edited, before, (source != edited).any(axis=2), [False, True, False])
    assert found is not None
    assert [line.text for line in found] == [line.text for line in whole] == ["Bakery", "Until 2024", "Main Street"]
    np.testing.assert_allclose([line.box for line in found], [line.box for line in whole], atol=6)
    assert (found[0], found[2]) == (before[0], before[2])
    assert reader._reader.text_det.limit_side_len == LEAST_SIDE  # the next whole picture is read as ever


def test_a_part_is_seen_at_the_scale_of_the_whole_picture() -> None:
    small = PartView.of((512, 512), (100, 100, 200, 130))
    assert max(small.crop[:2]) <= 100
    assert small.crop[2] >= 200
    assert small.crop[3] >= 130
    assert small.size == (small.crop[2] - small.crop[0], small.crop[3] - small.crop[1])
    assert small.limit / min(small.size) == pytest.approx(736 / 512, rel=0.02)
    assert [round(side * 736 / 512 / 32, 1) for side in small.size] == [5, 2]
    full = PartView.of((1024, 1024), (0, 0, 300, 200))
    assert (full.size, full.limit) == ((320, 224), 32)
    large = PartView.of((4096, 2048), (4000, 1000, 4096, 1100))
    assert (large.crop[2] - large.crop[0]) / large.size[0] == pytest.approx(4096 / 1984, rel=0.02)
    assert large.back((0, 0, *large.size)) == pytest.approx(large.crop)


@pytest.mark.weights
def test_a_flat_picture_which_the_reader_pads_is_read_whole() -> None:
    reader = RapidOcr(threads=1)
    strip = board((900, 60), 30, {(20, 12): "Bakery", (700, 12): "Butcher"})
    ((line,),) = reader.read_parts(strip, [(650, 0, 900, 60)])
    assert line.text == "Butcher"
    assert 680 < line.box[0] < 720
