"""Contrast of what the edit made of the picture."""

from __future__ import annotations

import numpy as np

from edit_metrics.registry import feature, metric
from edit_metrics.types import RGB, Direction, Missing, undefined


@feature()
def mine_contrasts(source: RGB, edited: RGB) -> tuple[float, float]:
    """RMS contrast of S and of E on S's grid, 8-bit levels (Peli, JOSA A 1990)."""
    return float(np.std(source.mean(axis=2))), float(np.std(edited.mean(axis=2)))


@metric("quality.mine.contrast", direction=Direction.NEITHER, bounds=(0.0, None), unit="", identity=1.0)
def contrast(mine_contrasts: tuple[float, float], *, smallest: float = 1.0) -> float | Missing:
    """Contrast of E over that of S.

    Args:
        mine_contrasts: of S and of E.
        smallest: of S, in 8-bit levels, under which there is nothing to compare with.

    Returns:
        1 = unchanged; ``undefined(flat)`` for a flat S.
    """
    before, after = mine_contrasts
    return undefined("flat") if before < smallest else after / before
