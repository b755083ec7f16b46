"""Masks as outlines: the same area as the mask, whatever its shape, in little room."""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from conftest_report import embedded_table, score_rows

from edit_metrics.report.overlays import ROW_SIDE, overlay_svg, overlay_uri
from edit_metrics.report.write import ReportOptions, write_report
from edit_metrics.types import Mask

SVG = "{http://www.w3.org/2000/svg}"


def disc(height: int, width: int, hole: bool = False) -> Mask:
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 3)
    inside: Mask = distance < height / 3
    return inside & ~(distance < height / 8) if hole else inside


def clear_area(svg: str, shape: tuple[int, int]) -> Mask:
    """What an SVG leaves clear, drawn at another size: even-odd filling of its outlines."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    width, height = (float(value) for value in root.attrib["viewBox"].split()[2:])
    outlines = root.findall(f"{SVG}path")[1].attrib["d"]
    area = np.zeros(shape, np.uint8)
    for outline in re.findall(r"M([^Z]+)Z", outlines):
        points = np.array([[float(v) for v in point.split()] for point in outline.split("L")])
        points *= [shape[1] / width, shape[0] / height]
        one = cv2.fillPoly(np.zeros(shape, np.uint8), [np.round(points - 0.5).astype(np.int32)], 1)
        area ^= one
    return area > 0


@pytest.mark.parametrize(
    "mask", [disc(300, 400), disc(300, 400, hole=True), disc(90, 60)], ids=["disc", "ring", "small"]
)
def test_the_outline_holds_the_masks_area(mask: Mask) -> None:
    found = clear_area(overlay_svg(mask), mask.shape)
    assert (found & mask).sum() / (found | mask).sum() > 0.95


def test_a_small_hole_stays_one() -> None:
    mask = disc(300, 400, hole=True)
    assert not clear_area(overlay_svg(mask), mask.shape)[150, 133]


def test_full_and_empty_masks_are_clear_and_dark() -> None:
    full = clear_area(overlay_svg(np.ones((50, 80), np.bool_)), (50, 80))
    assert full.mean() > 0.95
    assert 'd=""' in overlay_svg(np.zeros((50, 80), np.bool_))


def test_an_outline_drawn_by_hand_stays_small() -> None:
    noise = cv2.GaussianBlur(np.random.default_rng(0).normal(size=(900, 1200)).astype(np.float32), (0, 0), 40)
    svg = overlay_uri(noise > 0.01)
    assert len(svg) < 12_000
    assert unquote(svg).startswith("data:image/svg+xml,<svg")
    assert f"0 0 {ROW_SIDE} 144" in unquote(svg)


def test_a_row_without_a_card_has_its_mask(make_run) -> None:  # type: ignore[no-untyped-def]
    rows = score_rows(6)
    rows[0] |= {"mask": None}
    page = write_report(make_run(rows), None, ReportOptions(thumbnails=2)).path.read_text(encoding="utf-8")
    table = embedded_table(page)
    key = next(n for n, column in enumerate(table["columns"]) if column["kind"] == "id")
    looks = {row[key]: detail[0] for row, detail in zip(table["rows"], table["details"], strict=True) if detail[0]}
    assert len(looks) == 4
    for name, look in looks.items():
        assert look[5].startswith("data:image/svg+xml,") == (name != "item-0000")
        assert bool(look[5]) == (name != "item-0000")
