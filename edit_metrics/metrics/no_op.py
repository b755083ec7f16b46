"""An edit that left the picture as it was cannot follow an instruction."""

from __future__ import annotations

from typing import Final

import cv2

from edit_metrics.metrics.reframing import Frame
from edit_metrics.metrics.registration import Registration
from edit_metrics.pixels.change import ChangeMap, mean_coarse_difference
from edit_metrics.pixels.lab import LabPair, shift_lab
from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction, Grid, Missing, undefined

MAX_CHANGED: Final = 0.001
"""Share of the frame. With the next, no real edit of triples.jsonl is flagged and every JPEG-75 copy is (by test)."""
MAX_COARSE_DIFFERENCE: Final = 1.5
"""Mean ΔE2000 of the blurred, shift-aligned pair; a tone edit lies above it even where no pixel stands out."""

LEAST_NEW: Final = 0.02
"""Share of E that S does not hold, from which the picture was extended; chosen, not measured: sides rounded to
multiples of 16 add less from 800 px up."""


@metric(
    "adherence.no_op", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="flag", identity=1.0, version=3,
    grid=Grid.WORKING, features={"source": "source", "edited": "edited"}, off_grid=("source", "edited"),
)  # fmt: skip
def no_op(
    source: RGB,
    edited: RGB,
    labs: LabPair,
    whole_change_map: ChangeMap,
    registration: Registration | None = None,
    asks_for_letters: bool | None = None,
    asks_for_more: bool | None = None,
    found_frame: Frame | None = None,
) -> float | Missing:
    """1 when nothing was edited: equal pixels, or no more than a re-encode, a resize or a shift.

    Args:
        source: S's own pixels, H×W×3, for equality alone.
        edited: E on S's grid, likewise.
        labs: CIELAB of both.
        whole_change_map: changed pixels at U = 1.
        registration: where E lies; None = not registered, taken as in place.
        asks_for_letters: the instruction is about written text.
        asks_for_more: the instruction asks for more around the picture (outpainting).
        found_frame: E's frame, where it is another one than S's. What E shows beside S is then new, and was asked for.

    Returns:
        ``undefined(too_small_to_see)`` where letters were asked for and hardly anything changed: the strokes of small
        ones lie under the change map's floor (2 of 423 real edits), so that only equal pixels are proof.
    """
    if asks_for_more and found_frame is not None and found_frame.new >= LEAST_NEW:
        return 0.0
    if cv2.norm(source, edited, cv2.NORM_INF) == 0:
        return 1.0
    if whole_change_map.changed.mean() >= MAX_CHANGED:
        return 0.0
    moved = labs.edited if registration is None else shift_lab(labs.edited, registration.dx, registration.dy)
    nothing = mean_coarse_difference(labs.source, moved) < MAX_COARSE_DIFFERENCE
    return undefined("too_small_to_see") if nothing and asks_for_letters else float(nothing)
