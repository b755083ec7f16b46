"""Text of E where it is S but for some places: only those are read, and S's own lines stand everywhere else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edit_metrics.backends.base import PartReader
from edit_metrics.instruction.letters import plain
from edit_metrics.perceived import TextLine
from edit_metrics.pixels.crops import Box, Crop, boxes_of, crops_round, overlap, pixels_of
from edit_metrics.types import RGB, Mask

ROUNDS: Final = 3
"""Of reading; each takes in the lines that a crop of the round before has cut."""
REACH: Final = 3.0
"""Heights of letters by which a line that was cut is looked for further: about five letters."""
RIM: Final = 2.0
"""px from the crop's border within which a line may be cut."""
HALF: Final = 0.5
"""Share of a line's box from which on it lies in another one."""
_SAME_ROW: Final = 10.0
"""px between the upper edges of lines that stand beside each other: as RapidOCR itself sorts."""


def read_changed(
    reader: PartReader, source: RGB, edited: RGB, before: Sequence[TextLine], changed: Mask, asked: Sequence[bool]
) -> tuple[TextLine, ...] | None:
    """Lines of text in E, read in crops of the change.

    Read are the boxes of what changed and, whole, every line of S in whose box something did. A line that reaches its
    crop's border is read again in a larger crop. Of what a crop shows, only lines in which something changed count, or
    that stand in the place of such a line of S; all other lines are S's, with S's boxes.

    Args:
        reader: of text.
        source: S, H×W×3.
        edited: E, pixel for pixel on S's grid.
        before: lines that were read off the whole of S.
        changed: where E differs visibly from S; its frame is E's, its grid may be coarser.
        asked: of each line of S, whether the verdict hangs on it. It is read in E whatever the change map says of it;
            and where it is not found there, a crop of S must show it, or a crop is not enough to say so.

    Returns:
        In reading order. None where E had better be read as a whole: crops would cover most of it, still cut lines, or
        do not show what the whole of S shows.
    """
    frame = _Frame(changed, (edited.shape[1], edited.shape[0]))
    stale = {number for number, line in enumerate(before) if asked[number] or frame.changed_in(line.box)}
    boxes = [*boxes_of(changed, frame.size), *(before[number].box for number in sorted(stale))]
    read: dict[Crop, tuple[TextLine, ...]] = {}
    for _ in range(ROUNDS):
        crops = crops_round(boxes, frame.size)
        if crops is None:
            return None
        new = [crop for crop in crops if crop not in read]
        read.update(zip(new, reader.read_parts(edited, new), strict=True))
        places = [before[number].box for number in stale]
        fresh = [(line, crop) for crop in crops for line in read[crop] if frame.is_fresh(line.box, places)]
        cut = [_reaching(line.box) for line, crop in fresh if frame.is_cut(line.box, crop)]
        replaced = {
            number
            for number, line in enumerate(before)
            if number not in stale and any(_lies_in(line.box, other.box) for other, _ in fresh)
        }
        if not cut and not replaced:
            found = [line for line, _ in fresh]
            gone = [line for line, one in zip(before, asked, strict=True) if one and not _is_among(line, found)]
            if not _shows(reader, source, crops, gone):
                return None
            return in_reading_order([line for number, line in enumerate(before) if number not in stale] + found)
        stale |= replaced
        boxes += [*cut, *(before[number].box for number in sorted(replaced))]
    return None


def in_reading_order(lines: Sequence[TextLine]) -> tuple[TextLine, ...]:
    """From top to bottom, and from left to right where lines stand beside each other."""
    rows: list[list[TextLine]] = []
    for line in sorted(lines, key=lambda one: one.box[1]):
        if rows and line.box[1] - rows[-1][-1].box[1] < _SAME_ROW:
            rows[-1].append(line)
        else:
            rows.append([line])
    return tuple(line for row in rows for line in sorted(row, key=lambda one: one.box[0]))


@dataclass(frozen=True, slots=True)
class _Frame:
    """E's frame: where it changed, and its width and height."""

    changed: Mask
    size: tuple[int, int]

    def changed_in(self, box: Box) -> bool:
        across, down = self.changed.shape[1] / self.size[0], self.changed.shape[0] / self.size[1]
        left, top, right, bottom = (max(edge, 0.0) for edge in box)
        rows, columns = (
            slice(int(top * down), int(bottom * down) + 1),
            slice(int(left * across), int(right * across) + 1),
        )
        return bool(self.changed[rows, columns].any())

    def is_fresh(self, box: Box, places: Sequence[Box]) -> bool:
        """Whether a line of a crop is not S's: something changed there, or in the line of S whose place it has."""
        return self.changed_in(box) or any(_lies_in(box, place) for place in places)

    def is_cut(self, box: Box, crop: Crop) -> bool:
        """Whether a line may go on beyond its crop: it reaches the border, and that is not the frame's own."""
        low = any(edge > 0 and at < edge + RIM for at, edge in zip(box[:2], crop[:2], strict=True))
        high = any(edge < end and at > edge - RIM for at, edge, end in zip(box[2:], crop[2:], self.size, strict=True))
        return low or high


def _shows(reader: PartReader, picture: RGB, crops: Sequence[Crop], lines: Sequence[TextLine]) -> bool:
    """Whether all these lines are read in the crops of their picture as in the whole of it."""
    needed = [crop for crop in crops if any(overlap(crop, line.box) > 0 for line in lines)]
    found = [line for part in reader.read_parts(picture, needed) for line in part] if needed else []
    return all(_is_among(line, found) for line in lines)


def _is_among(line: TextLine, found: Sequence[TextLine]) -> bool:
    """Whether a line's letters are read in its place; a line may be two in the crop, or two be one."""
    there = [other for other in found if _lies_in(line.box, other.box) or _lies_in(other.box, line.box)]
    return plain(line.text) in plain(" ".join(other.text for other in in_reading_order(there)))


def _reaching(box: Box) -> Box:
    more = REACH * min(box[2] - box[0], box[3] - box[1])
    return box[0] - more, box[1] - more, box[2] + more, box[3] + more


def _lies_in(box: Box, other: Box) -> bool:
    return overlap(box, other) >= HALF * pixels_of(box)
