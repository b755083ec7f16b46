"""Was the picture made square, where that was asked?"""

from __future__ import annotations

from edit_metrics.registry import metric
from edit_metrics.types import RGB, Direction, Missing, Noted, not_applicable


@metric(
    "adherence.mine.check_square",
    direction=Direction.HIGHER_IS_BETTER,
    bounds=(0.0, 1.0),
    unit="",
    evidence="adherence.check_evidence",
    identity="depends on the picture's own sides",
)
def check_square(instruction: str, edited_native: RGB) -> Noted | Missing:
    """1 where E's sides are equal within a pixel, else 0; ``not_applicable(not_a_square_edit)`` where nobody asked."""
    if "square" not in instruction.lower().split():
        return not_applicable("not_a_square_edit")
    height, width = edited_native.shape[:2]
    return Noted(float(abs(height - width) <= 1), evidence=f"square: {width}×{height} px")
