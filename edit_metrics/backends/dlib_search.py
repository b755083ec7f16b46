"""dlib's frontal face detector on a doubled picture: its own boxes and scores, in two fifths of its time.

The detector slides five filters over HOG cells of 8 px, at scales 5/6 apart. On a doubled picture that is about what
cells of 4 px are on the picture itself, for a quarter of the gradients. So a coarse pass over the grey picture, at
every other scale, says where a face may be; a closer look at some scales says whether to go on; and there the detector
itself runs, on cuts of the very pyramid that it would have built. A HOG cell depends on the cells around it only: well
inside a cut, boxes are the same, and so are scores but for the last digits at a cut's end. What is found is what
:meth:`FaceSearch.everywhere` finds where neither pass misses a face; ``benchmarks/measure_face_search.py`` counts that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edit_metrics.backends.base import require_package
from edit_metrics.backends.dlib_state import CELL, SMALLEST, DetectorState
from edit_metrics.types import RGB
from edit_metrics.weights.derived import derived_array

_BOX: Final = 9 * CELL
"""px, side of a found box, less the last row and column that dlib counts in."""
_STEP: Final = 6 / 5
_COARSE_EVERY: Final = 2
_COARSE_MARGIN: Final = 1.0
"""How far under the detector's threshold the coarse pass may read a face that the detector finds."""
_COARSE_PARTS: Final = 40
"""Of about sixty that make up a filter: the rest is little, and costs as much."""
_CLOSE_MARGIN: Final = 0.9
"""The same of the closer look; the lowest that was measured is .73."""
_SECOND_LOOK_UNDER: Final = 0.45
"""How far under the threshold it has to read less than for a second look."""
_SECOND_MARGIN: Final = 0.65
"""The same of both looks together; the lowest that was measured is .54."""
_CLOSE_REACH: Final = 20
"""px, at the finest of its levels, how far around a place it looks beside the window itself."""
_SLACK: Final = 2 * CELL
"""px of a level, how far the detector's own windows may lie from those of the closer look."""
_RIM: Final = 4 * CELL
"""px, of a cut inside which the cells are not those of the whole level."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in px, the last row and column counted in as dlib does."""


@dataclass(frozen=True, slots=True)
class _Window:
    """A window over the threshold: box on the doubled picture, and its score."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a face may be: the middle of its box in px of the picture, and the level of the pyramid."""

    x: float
    y: float
    level: int


class FaceSearch:
    """A search by one detector; it works in buffers of its own, so each thread needs its own.

    Args:
        state: the detector as dlib writes it, see :meth:`state_of_dlib`.

    Raises:
        WeightsError: the detector is written in another format, or is another one.
    """

    def __init__(self, state: bytes) -> None:
        self._dlib = require_package("dlib", "embedded", "face detection by dlib")
        self._detector = self._restored(state)
        known = DetectorState.read(state)
        self._same_face, self._inside_other = known.match, known.overlap
        self._coarse = self._restored(known.written(levels=1, cell=CELL // 2, suppress=True, keep=_COARSE_PARTS))
        self._close = self._restored(known.written(levels=3, cell=CELL // 2))
        # dlib's suppression of overlapping windows must see those of all levels and cuts together.
        self._one_level = self._restored(known.written(levels=1))
        self._halving, self._shrinking = self._dlib.pyramid_down(2), self._dlib.pyramid_down(6)

    @staticmethod
    def state_of_dlib() -> bytes:
        """The frontal face detector in dlib's own package.

        dlib takes most of a second to unpack it, so that it is kept beside the weights; to read it takes 1 ms.
        """
        dlib = require_package("dlib", "embedded", "face detection by dlib")

        def unpacked() -> NDArray[np.uint8]:
            return np.frombuffer(dlib.get_frontal_face_detector().__getstate__()[0], np.uint8)

        return derived_array("dlib-frontal-faces", str(dlib.__version__), unpacked).tobytes()

    def everywhere(self, image: RGB, upsample: int, min_score: float) -> list[tuple[Box, float]]:
        """Faces by dlib's own search, best first: box and score.

        Args:
            image: H×W×3.
            upsample: times that the picture is doubled first.
            min_score: score over the detector's threshold from which a window counts.
        """
        boxes, scores, _ = self._detector.run(image, upsample, min_score)
        return [(_corners(box), float(score)) for box, score in zip(boxes, scores, strict=True)]

    def doubled(self, image: RGB, min_score: float) -> list[tuple[Box, float]]:
        """The same as :meth:`everywhere` with one doubling, looking closely only where a coarse pass saw something.

        Args:
            image: H×W×3.
            min_score: see :meth:`everywhere`.
        """
        if min(image.shape[:2]) < SMALLEST:
            return self.everywhere(image, 1, min_score)
        # The margins hold at the detector's own threshold: sure faces read lower in the first passes by more than that.
        places = self._places(image, min(min_score, 0.0))
        if not places:
            return []
        found = self._without_overlaps(list(self._windows(image, places, min_score)))
        return [(_corners(self._halving.rect_down(self._rectangle(window.box))), window.score) for window in found]

    def _places(self, image: RGB, min_score: float) -> list[_Place]:
        """Where a coarse pass over the whole picture, and then a closer look at what it points to, see something."""
        height, width = image.shape[:2]
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        seen: list[_Place] = []
        for level in itertools.count(0, _COARSE_EVERY):
            rows, columns = (round(side / _STEP**level) for side in (height, width))
            if level and min(rows, columns) < SMALLEST // 2:
                break
            small = grey if level == 0 else cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA)
            boxes = self._coarse.run(small, 0, min_score - _COARSE_MARGIN)[0]
            seen += [_Place(*_middle(box, width / columns, height / rows), level) for box in boxes]
        return [closer for place in seen for closer in self._looked_at(image, place, min_score)]

    def _looked_at(self, image: RGB, place: _Place, min_score: float) -> list[_Place]:
        """What a closer look sees around a place; where that is little, a second look at the scales in between."""
        seen = self._close_windows(image, place, 0.0, min_score - _CLOSE_MARGIN)
        if seen and max(score for score, _ in seen) < min_score - _SECOND_LOOK_UNDER:
            seen += self._close_windows(image, place, 0.5, min_score - _SECOND_MARGIN)
        return [closer for score, closer in seen if score >= min_score - _SECOND_MARGIN]

    def _close_windows(self, image: RGB, place: _Place, between: float, min_score: float) -> list[tuple[float, _Place]]:
        """Scores and places of windows at the level of a place and the two beside it, on the picture's own colours.

        Args:
            image: H×W×3.
            place: where.
            between: how far the levels are moved, as a share of the step to the next one.
            min_score: score from which a window counts.
        """
        height, width = image.shape[:2]
        level = place.level - 1 + between
        scale = _STEP**level
        reach = (_BOX / 4 * _STEP**2 + _CLOSE_REACH) * scale
        left, top = (max(0, int(at - reach)) for at in (place.x, place.y))
        part = image[top : min(height, int(place.y + reach) + 1), left : min(width, int(place.x + reach) + 1)]
        rows, columns = (max(1, round(side / scale)) for side in part.shape[:2])
        how = cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR
        small = np.ascontiguousarray(part) if scale == 1 else cv2.resize(part, (columns, rows), interpolation=how)
        boxes, scores, _ = self._close.run(small, 0, min_score)
        found = []
        for box, score in zip(boxes, scores, strict=True):
            x, y = _middle(box, part.shape[1] / columns, part.shape[0] / rows)
            beside = math.log((box.width() - 1) / (_BOX / 2), _STEP)
            found.append((score, _Place(x + left, y + top, round(level + beside))))
        return found

    def _windows(self, image: RGB, places: Sequence[_Place], min_score: float) -> Iterator[_Window]:
        """The detector's windows at and around the places, boxes on the doubled picture."""
        levels = {place.level + step for place in places for step in (-1, 0, 1)}
        for level, pixels in enumerate(self._pyramid(image)):
            if level > max(levels):
                return
            height, width = pixels.shape[:2]
            across, down = width / image.shape[1], height / image.shape[0]
            near = [(one.x * across, one.y * down) for one in places if abs(one.level - level) <= 1]
            for cut in _merged([_cut_around(x, y, width, height) for x, y in near]):
                yield from self._windows_in(pixels, cut, level, min_score)

    def _windows_in(self, pixels: RGB, cut: Box, level: int, min_score: float) -> Iterator[_Window]:
        left, top, right, bottom = cut
        height, width = pixels.shape[:2]
        # A box that reaches over the frame does so at the frame only.
        inner = (
            left + _RIM if left else -width,
            top + _RIM if top else -height,
            right - _RIM if right < width else 2 * width,
            bottom - _RIM if bottom < height else 2 * height,
        )
        boxes, scores, _ = self._one_level.run(np.ascontiguousarray(pixels[top:bottom, left:right]), 0, min_score)
        for box, score in zip(boxes, scores, strict=True):
            x0, y0, x1, y1 = box.left() + left, box.top() + top, box.right() + left, box.bottom() + top
            if x0 >= inner[0] and y0 >= inner[1] and x1 < inner[2] and y1 < inner[3]:
                whole = self._shrinking.rect_up(self._rectangle((x0, y0, x1, y1)), level)
                yield _Window(_corners(whole), float(score))

    def _pyramid(self, image: RGB) -> Iterator[RGB]:
        """The levels that dlib looks at, the doubled picture first."""
        height, width = image.shape[:2]
        doubled = self._halving.rect_up(self._rectangle((0, 0, width - 1, height - 1)))
        pixels: RGB = self._dlib.resize_image(image, doubled.bottom() + 1, doubled.right() + 1)
        frame = self._rectangle((0, 0, pixels.shape[1] - 1, pixels.shape[0] - 1))
        while True:
            yield pixels
            frame = self._shrinking.rect_down(frame)
            if min(frame.width(), frame.height()) < SMALLEST:
                return
            pixels = self._shrinking(pixels)

    def _without_overlaps(self, windows: list[_Window]) -> list[_Window]:
        """The rule of dlib itself: best first, and none that covers one that is kept."""
        kept: list[_Window] = []
        for window in sorted(windows, key=lambda one: one.score, reverse=True):
            if not any(self._overlap(other.box, window.box) for other in kept):
                kept.append(window)
        return kept

    def _overlap(self, first: Box, second: Box) -> bool:
        a, b = self._rectangle(first), self._rectangle(second)
        shared = a.intersect(b).area()
        if not shared:
            return False
        around = (a + b).area()
        return bool(shared / around > self._same_face or shared / min(a.area(), b.area()) > self._inside_other)

    def _rectangle(self, box: Box) -> Any:
        return self._dlib.rectangle(*box)

    def _restored(self, state: bytes) -> Any:
        detector = self._dlib.fhog_object_detector.__new__(self._dlib.fhog_object_detector)
        detector.__setstate__((state,))
        return detector


def _middle(box: Any, across: float, down: float) -> tuple[float, float]:
    """Of a box on a picture that was shrunk by these factors, in px of the picture."""
    return (box.left() + box.right() + 1) / 2 * across, (box.top() + box.bottom() + 1) / 2 * down


def _cut_around(x: float, y: float, width: int, height: int) -> Box:
    """Part of a level in which windows there are read right, on its grid of cells; right and bottom left out."""
    reach = _BOX / 2 + _SLACK + _RIM
    left, top = (max(0, int(at - reach) // CELL * CELL) for at in (x, y))
    right, bottom = (-(-int(at + reach) // CELL) * CELL for at in (x, y))
    return left, top, min(right, width), min(bottom, height)


def _merged(cuts: list[Box]) -> list[Box]:
    """Boxes that overlap, in one."""
    apart: list[Box] = []
    for cut in cuts:
        whole = cut
        while touching := [one for one in apart if _meet(one, whole)]:
            apart = [one for one in apart if one not in touching]
            sides = list(zip(whole, *touching, strict=True))
            whole = (min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3]))
        apart.append(whole)
    return apart


def _meet(first: Box, second: Box) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def _corners(box: Any) -> Box:
    return box.left(), box.top(), box.right(), box.bottom()
