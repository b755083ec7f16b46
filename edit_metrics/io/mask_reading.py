"""What a benchmark's mask file marks, where the benchmark does not say."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np

from edit_metrics.choices import WhiteMeans

_BINARY_SHARE: Final = 0.98


@dataclass(frozen=True, slots=True)
class MaskReading:
    """How to read one mask file.

    Attributes:
        white_means: for the light part, or the opaque one.
        problem: why it cannot be used; empty when it can.
    """

    path: Path
    white_means: WhiteMeans
    problem: str


def mask_reading(path: Path) -> MaskReading:
    """Decide by content.

    A mask for inpainting services is the picture with the part to edit made transparent: opaque means preserved. A
    black and white picture marks the edited part white. Anything else is a photograph, and no mask.
    """
    if not path.is_file():
        return MaskReading(path, "edited", f"no mask file {path.name}")
    return _reading(path, path.read_bytes())


def mask_bytes_reading(data: bytes, path: Path) -> MaskReading:
    """Like :func:`mask_reading`, from the bytes."""
    return _reading(path, data)


def _reading(path: Path, data: bytes) -> MaskReading:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(BytesIO(data)) as picture:
            picture.draft("L", None)
            alpha = np.asarray(picture.convert("RGBA").getchannel("A"))
            gray = np.asarray(picture.convert("L"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        return MaskReading(path, "edited", f"a mask that cannot be read: {error}")
    if alpha.min() != alpha.max():
        return MaskReading(path, "preserved", "")
    if ((gray < 16) | (gray > 239)).mean() >= _BINARY_SHARE or len(np.unique(gray)) <= 2:
        return MaskReading(path, "edited", "")
    return MaskReading(path, "edited", "a mask file that is a photograph without transparency")
