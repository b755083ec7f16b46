"""One channel of lightness from an 8-bit sRGB picture, and the smallest picture that is worth reading."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.types import RGB, Float32

SMALLEST_SIDE: Final = 32
"""px under which a reading of a whole picture is undefined(too_small)."""
_BT709: Final = np.array([[0.2125, 0.7154, 0.0721]], np.float32)


def bt709(image: RGB) -> Float32:
    """ITU-R BT.709 luma, 0..255, H×W float32: what scikit-image calls grey."""
    return np.asarray(cv2.transform(image.astype(np.float32), _BT709), np.float32)


def bt601(image: RGB) -> RGB:
    """ITU-R BT.601 luma, 0..255, H×W, rounded to 8 bits: what codecs and most papers call luma."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
