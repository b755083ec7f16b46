"""Text of E read in crops, with a reader whose lines are bars: a bar that is cut reads otherwise than the whole one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import pytest

from edit_metrics.backends.base import Fingerprint, PartReader
from edit_metrics.features import instruction as features
from edit_metrics.features.alignment import SteadiedLabs
from edit_metrics.features.changed_text import in_reading_order, read_changed
from edit_metrics.instruction.instruction import understand
from edit_metrics.metrics.grid import fit_to_grid
from edit_metrics.perceived import TextLine
from edit_metrics.pixels.change import ChangeMap
from edit_metrics.pixels.crops import Crop
from edit_metrics.pixels.lab import LabPair
from edit_metrics.types import RGB, Mask, Missing

SIDE = 400
Bar = tuple[int, int, int, int, int]
"""Left, top, width, height, colour."""
TOP, MIDDLE, LOW = (40, 40, 80, 12, 50), (200, 160, 90, 12, 100), (30, 340, 300, 12, 150)


class Bars:
    """A line is a bar; it says which colour and how wide it is as far as it is shown."""

    fingerprint = Fingerprint("bars", {}, "none")

    def __init__(self) -> None:
        self.shown: list[Crop] = []
        self.whole = 0

    def read_text(self, images: Sequence[RGB]) -> list[tuple[TextLine, ...]]:
        self.whole += len(images)
        return [_bars(image, (0, 0, image.shape[1], image.shape[0]), 0.9) for image in images]

    def read_parts(self, image: RGB, parts: Sequence[Crop]) -> list[tuple[TextLine, ...]]:
        self.shown += parts
        return [_bars(image, part, 0.6) for part in parts]


def _bars(image: RGB, part: Crop, score: float) -> tuple[TextLine, ...]:
    left, top, right, bottom = part
    plane = np.ascontiguousarray(image[top:bottom, left:right, 0])
    _, labels, stats, _ = cv2.connectedComponentsWithStats((plane > 0).astype(np.uint8))
    lines = []
    for number, (x, y, w, h, _) in enumerate(np.asarray(stats).tolist()[1:], start=1):
        box = (float(x + left), float(y + top), float(x + w + left), float(y + h + top))
        lines.append(TextLine(f"{plane[labels == number][0]}:{w}", box, score))
    return in_reading_order(lines)


def picture(*bars: Bar) -> RGB:
    canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
    for left, top, width, height, colour in bars:
        canvas[top : top + height, left : left + width] = colour
    return canvas


def changed(source: RGB, edited: RGB) -> Mask:
    mask: Mask = (source != edited).any(axis=2)
    return mask


def read(
    source: RGB, edited: RGB, where: Mask | None = None, again: Sequence[int] = ()
) -> tuple[Bars, list[str] | None]:
    """What is read in crops; where that is not None, it must be what the whole of E reads, boxes included."""
    reader = Bars()
    before, whole = reader.read_text([source, edited])
    mask = changed(source, edited) if where is None else where
    found = read_changed(reader, source, edited, before, mask, [number in again for number in range(len(before))])
    if found is None:
        return reader, None
    assert [(line.text, line.box) for line in found] == [(line.text, line.box) for line in whole]
    return reader, [f"{line.text} {'S' if line.score > 0.8 else 'E'}" for line in found]


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        ((TOP, (200, 160, 70, 12, 110), LOW), ["50:80 S", "110:70 E", "150:300 S"]),  # another string in its place
        ((TOP, (200, 160, 120, 12, 100), LOW), ["50:80 S", "100:120 E", "150:300 S"]),  # the same, going on
        ((TOP, LOW), ["50:80 S", "150:300 S"]),
        ((TOP, MIDDLE, (300, 250, 90, 12, 20), LOW), ["50:80 S", "100:90 S", "20:90 E", "150:300 S"]),
        ((TOP, MIDDLE, (0, 386, 60, 12, 20), LOW), ["50:80 S", "100:90 S", "150:300 S", "20:60 E"]),  # at the border
    ],
)
def test_lines_that_nothing_touched_are_the_sources_and_the_others_are_read_in_their_place(
    after: tuple[Bar, ...], lines: list[str]
) -> None:
    reader, found = read(picture(TOP, MIDDLE, LOW), picture(*after))
    assert found == lines
    assert 0 < sum((right - left) * (bottom - top) for left, top, right, bottom in reader.shown) < 0.25 * SIDE**2


def test_where_nothing_changed_nothing_is_read_but_the_lines_that_are_asked_for() -> None:
    same = picture(TOP, MIDDLE, LOW)
    reader, found = read(same, same)
    assert (reader.shown, found) == ([], ["50:80 S", "100:90 S", "150:300 S"])
    reader, found = read(same, same, again=[1])
    assert (len(reader.shown), found) == (1, ["50:80 S", "100:90 E", "150:300 S"])
    small = picture(TOP, (200, 160, 89, 12, 100), LOW)  # under the map's floor
    assert read(same, small, np.zeros((SIDE, SIDE), np.bool_), again=[1])[1] == ["50:80 S", "100:89 E", "150:300 S"]


def test_a_line_that_a_change_touches_is_read_whole_however_small_the_change_is() -> None:
    end = (30 + 290, 340, 10, 12, 150)
    edited = picture(TOP, MIDDLE, LOW)
    edited[end[1] : end[1] + 6, end[0] : end[0] + 10] = 151
    reader, found = read(picture(TOP, MIDDLE, LOW), edited)
    assert found == ["50:80 S", "100:90 S", "150:300 E"]
    assert reader.shown == [(18, 328, 342, 364)]


def test_a_line_that_its_crop_cuts_is_read_again_in_a_larger_one_and_at_last_with_the_whole_picture() -> None:
    source, edited = picture(TOP), picture(TOP, (100, 200, 80, 12, 20))
    seen = changed(source, edited)
    seen[:, 130:] = False  # the map misses what lies right of it
    reader, found = read(source, edited, seen)
    assert found == ["50:80 S", "20:80 E"]
    assert len(reader.shown) > 1
    longer = picture(TOP, (100, 200, 290, 12, 20))
    assert read(source, longer, seen)[1] is None


def test_that_a_line_is_gone_is_believed_of_crops_which_show_it_in_the_source() -> None:
    class Shy(Bars):
        def read_parts(self, image: RGB, parts: Sequence[Crop]) -> list[tuple[TextLine, ...]]:
            found = super().read_parts(image, parts)
            return [tuple(line for line in lines if not line.text.startswith("100:")) for lines in found]

    source, edited = picture(TOP, MIDDLE), picture(TOP)
    before = Bars().read_text([source])[0]
    ways = [(Bars(), True, ["50:80"]), (Shy(), True, None), (Shy(), False, ["50:80"])]
    for reader, asked, lines in ways:
        found = read_changed(reader, source, edited, before, changed(source, edited), [False, asked])
        assert (found if found is None else [line.text for line in found]) == lines
    nothing = np.zeros((SIDE, SIDE), np.bool_)
    assert read_changed(Shy(), source, source, before, nothing, [False, True]) is None


@pytest.mark.parametrize(("shown", "believed"), [("Temporary notice", True), ("Tempo notice", False)])
def test_two_lines_of_the_source_may_be_one_in_its_crop(shown: str, believed: bool) -> None:
    class Canned(Bars):
        def read_parts(self, image: RGB, parts: Sequence[Crop]) -> list[tuple[TextLine, ...]]:
            text = shown if image is source else "Happy Birthday"
            return [(TextLine(text, (100.0, 100.0, 260.0, 120.0), 1.0),) for _ in parts]

    source, edited = picture(), picture((100, 100, 160, 20, 9))
    before = (
        TextLine("Temporary", (100.0, 100.0, 190.0, 120.0), 1.0),
        TextLine("notice", (195.0, 101.0, 260.0, 120.0), 1.0),
    )
    found = read_changed(Canned(), source, edited, before, changed(source, edited), [True, True])
    assert (found is not None) == believed
    assert found is None or [line.text for line in found] == ["Happy Birthday"]


def test_a_map_on_a_coarser_grid_says_the_same() -> None:
    source, edited = picture(TOP, MIDDLE, LOW), picture(TOP, (200, 160, 70, 12, 110), LOW)
    coarse = np.ascontiguousarray(changed(source, edited)[::2, ::2])
    assert read(source, edited, coarse)[1] == ["50:80 S", "110:70 E", "150:300 S"]


def test_a_change_of_most_of_the_picture_is_read_whole() -> None:
    edited = picture(TOP, (0, 100, 400, 300, 20))
    reader, found = read(picture(TOP), edited)
    assert (reader.shown, found) == ([], None)


def test_lines_beside_each_other_are_read_from_left_to_right() -> None:
    lines = [
        TextLine(text, (left, top, left + 5, top + 8), 1.0)
        for text, left, top in (("b", 50, 3), ("c", 9, 30), ("a", 1, 9))
    ]
    assert "".join(line.text for line in in_reading_order(lines)) == "abc"


def test_e_is_read_in_crops_where_it_lies_on_s_and_the_reader_can_and_else_whole() -> None:
    source, edited = picture(TOP, MIDDLE), picture(TOP, (200, 160, 70, 12, 110))
    reader, asked = Bars(), understand('write "OPEN"')
    assert isinstance(reader, PartReader)
    (before,) = features.source_text([source], [asked], reader)
    assert not isinstance(before, Missing)
    mask = changed(source, edited)
    ways = features.edited_text(
        [source] * 3, [edited] * 3, [asked] * 3, reader, [before, before, None], [mask, None, mask]
    )
    assert [[line.text for line in way] for way in ways if not isinstance(way, Missing)] == [["50:80", "110:70"]] * 3
    assert (reader.whole, len(reader.shown)) == (3, 1)
    features.edited_text([source], [edited], [understand("remove the car")], reader, [before], [mask])
    assert (reader.whole, len(reader.shown)) == (3, 1)


def test_e_is_read_whole_where_crops_show_a_part_of_the_string_that_is_to_stand_in_it() -> None:
    source, edited = picture(TOP), picture(TOP, (200, 160, 70, 12, 110))
    reader = Bars()
    (before,) = reader.read_text([source])
    for text, whole in (("110:70", False), ("110:955", True), ("qqqqqq", False)):
        found = features.read_in_crops(
            source, edited, understand(f'write "{text}"'), before, changed(source, edited), reader
        )
        assert (found is None) == whole, text


@pytest.mark.parametrize(
    ("size", "shift", "saturated", "reason"),
    [
        ((SIDE, SIDE), 0, 0.0, None),
        ((SIDE + 2, SIDE + 2), 0, 0.0, "not_on_the_sources_grid"),
        ((SIDE, SIDE), 1, 0.0, "not_on_the_sources_grid"),
        ((SIDE, SIDE), 0, 0.9, "change_is_everywhere"),
    ],
)
def test_a_change_is_in_place_on_the_same_size_unmoved_and_above_a_floor(
    size: tuple[int, int], shift: int, saturated: float, reason: str | None
) -> None:
    source = picture(TOP, MIDDLE)
    grid = fit_to_grid(source, cv2.resize(source, size).astype(np.uint8))
    assert not isinstance(grid, Missing)
    mask = np.zeros((SIDE, SIDE), np.bool_)
    plane = np.zeros((SIDE, SIDE, 3), np.float32)
    changes = ChangeMap(mask, plane[..., 0], 3.0, saturated)
    found = features.changed_in_place(grid, SteadiedLabs(LabPair(plane, plane), shift, 0), changes)
    assert found is mask if reason is None else isinstance(found, Missing) and found.reason == reason


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ('Change the text to "你好世界"', "script_not_read"),
        ('Change the text "OK" to "A"', "text_too_short"),
        ('Change the text "Hello" to "HELLO"', "same_letters"),
        ("Make the sky green", "no_quoted_text"),
    ],
)
def test_no_picture_is_read_for_a_string_that_the_check_refuses(instruction: str, reason: str) -> None:
    reader, asked = Bars(), [understand(instruction)]
    first = features.source_text([picture(TOP)], asked, reader)
    second = features.edited_text([picture(TOP)], [picture(LOW)], asked, reader, [None], [None])
    assert [one.reason for one in (*first, *second) if isinstance(one, Missing)] == [reason] * 2
    assert not reader.whole
