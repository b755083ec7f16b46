"""Where the edit made the picture darker."""

from __future__ import annotations

import numpy as np

from edit_metrics.evidence.drawing import heat_picture
from edit_metrics.evidence.registry import evidence
from edit_metrics.types import RGB


@evidence("mine.darker", caption="made darker")
def darker(source: RGB, edited: RGB) -> RGB:
    """Heat of what was lost in brightness; full from 64 levels."""
    lost = source.mean(axis=2, dtype=np.float32) - edited.mean(axis=2, dtype=np.float32)
    return heat_picture(source, np.maximum(lost, 0), 64)
