"""A look at a file that costs little: does it decode, how large is it, and about what does it show.

The whole file is read, so that a broken end is found; a JPEG is decoded at a fraction of its size.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from PIL import Image

from edit_metrics.config import DecodeLimits
from edit_metrics.io.color import composite, rgb_array, split_layers, to_srgb
from edit_metrics.io.formats import decoder_errors, open_picture
from edit_metrics.io.hashing import perceptual_hash
from edit_metrics.io.masks import decode_mask_bytes
from edit_metrics.io.sources import read_bytes
from edit_metrics.types import RGB, Float32

GRID: Final = 24
"""Cells a side; halves, thirds and quarters of it are whole cells too."""
_SIDE: Final = 96  # px of the smaller picture that is looked at: three for each cell of the perceptual hash
_REDUCIBLE: Final = frozenset({"L", "RGB", "RGBA", "LA", "CMYK"})


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What was seen of a picture.

    Attributes:
        width, height: of the file's picture, upright, in px.
        sha256: of the file's bytes.
        phash: :func:`edit_metrics.io.hashing.perceptual_hash` of the smaller picture, as a number: a bit or two may
            differ from that of the whole.
        grid: GRID×GRID×3, means of the picture's cells, its aspect given up.
    """

    width: int
    height: int
    sha256: str
    phash: int
    grid: RGB


@dataclass(frozen=True, slots=True, eq=False)
class MaskGlance:
    """What was seen of a mask.

    Attributes:
        width, height: in px.
        share: of the frame that may change, in [0, 1].
        grid: GRID×GRID, the share of each cell that may change.
        cautions: as in :class:`edit_metrics.io.masks.DecodedMask`.
    """

    width: int
    height: int
    share: float
    grid: Float32
    cautions: tuple[str, ...]


def glance(path: str, limits: DecodeLimits = DecodeLimits()) -> Glance:  # noqa: B008 - frozen
    """Look at a picture; safe to call from several threads.

    Raises:
        ImageError: as :func:`edit_metrics.io.images.decode_image`.
    """
    data = read_bytes(path, limits.max_bytes)
    opened = open_picture(data, limits, path, draft=_SIDE)
    with decoder_errors(path):
        image, times = opened.image, min(opened.image.size) // _SIDE
        if times > 1 and image.mode in _REDUCIBLE and "transparency" not in image.info:
            opened = replace(opened, image=image.reduce(times))
        layers = split_layers(opened, path)
        small = to_srgb(layers, opened.image.info.get("icc_profile"))[0]
        if layers.alpha is not None:
            small = composite(small, layers.alpha, limits.alpha_background)
        phash = int(perceptual_hash(rgb_array(small)), 16)
        grid = rgb_array(small.resize((GRID, GRID), Image.Resampling.BOX))
    return Glance(opened.width, opened.height, hashlib.sha256(data).hexdigest(), phash, grid)


def glance_at_mask(path: str, limits: DecodeLimits = DecodeLimits()) -> MaskGlance:  # noqa: B008 - frozen
    """Look at a mask of which white marks what may change.

    Raises:
        ImageError: as :func:`edit_metrics.io.masks.decode_mask`.
    """
    found = decode_mask_bytes(read_bytes(path, limits.max_bytes), limits, where=path)
    white = Image.fromarray(found.mask.astype(np.uint8) * 255)
    grid = np.asarray(white.resize((GRID, GRID), Image.Resampling.BOX), np.float32) / np.float32(255)
    return MaskGlance(found.width, found.height, float(found.mask.mean()), grid, found.cautions)
