"""What a low pass takes from a picture's edges: the maps under blur readings, of a whole picture and of parts of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.luma import bt709
from edit_metrics.types import RGB, Float32

SPAN: Final = 11
"""px of the low pass (Crete, Dolmiere, Ladret, Nicolas: The blur effect, SPIE 6492, 2007)."""


@dataclass(frozen=True, slots=True)
class Edges:
    """Of one axis, H×W each, grey levels.

    Attributes:
        strength: absolute Sobel gradient along the axis.
        lost: what a mean over 11 px along the axis takes of it; 0 where it takes nothing.
    """

    strength: Float32
    lost: Float32


@dataclass(frozen=True, slots=True)
class LumaEdges:
    """A picture's BT.709 luma, H×W, and its edges down and across."""

    luma: Float32
    down: Edges
    across: Edges

    @classmethod
    def of(cls, image: RGB) -> LumaEdges:
        """Of a picture, H×W×3."""
        luma = bt709(image)
        return cls(luma, *edges_of(luma))


def edges_of(grey: Float32) -> tuple[Edges, Edges]:
    """Down and across, of one channel H×W."""
    return _along(grey, 0, 1), _along(grey, 1, 0)


def _along(grey: Float32, dx: int, dy: int) -> Edges:
    low_pass = cv2.blur(grey, (SPAN if dx else 1, SPAN if dy else 1), borderType=cv2.BORDER_REFLECT)
    strength, soft = (
        np.asarray(cv2.Sobel(plane, cv2.CV_32F, dx, dy, borderType=cv2.BORDER_REFLECT), np.float32)
        for plane in (grey, low_pass)
    )
    np.abs(strength, out=strength)
    np.subtract(strength, np.abs(soft, out=soft), out=soft)
    return Edges(strength, np.maximum(soft, 0, out=soft))
