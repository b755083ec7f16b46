"""Masks: from a gray, 1-bit, palette, JPEG or alpha-only file to "may change here"."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PIL import Image, ImageChops

from edit_metrics.choices import WhiteMeans
from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io.color import is_constant, split_layers
from edit_metrics.io.formats import OpenedPicture, decoder_errors, open_picture
from edit_metrics.io.images import MaskFacts
from edit_metrics.io.mask_levels import Levels, to_black_and_white
from edit_metrics.io.sources import read_bytes
from edit_metrics.types import Mask

_ASPECT_TOLERANCE: Final = 0.01
_COLOUR_SPREAD: Final = 32
_COLOURED_SHARE: Final = 0.01
_LOSSY: Final = frozenset({"JPEG", "AVIF"})
"""WebP can be either; its few levels are believed."""
_DARK: Final = 64
"""8-bit level up to which the darker of two colours passes as black."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedMask:
    """A mask on its own file's grid.

    Attributes:
        mask: H×W, True = may change.
        kind: ``alpha`` when the file's transparency is not constant, else ``gray``.
        white_means: what white, or opaque, marked in the file.
        cautions: ``feathered_mask`` (its borders are more than 3 px wide, so their place is uncertain),
            ``coloured_mask`` (more than 1 % of it is not gray, and it is not one colour on black: what is white is a
            guess).
        sha256: of the file's bytes.
    """

    mask: Mask
    sha256: str
    width: int
    height: int
    kind: Literal["gray", "alpha"]
    white_means: WhiteMeans
    cautions: tuple[str, ...]

    @property
    def facts(self) -> MaskFacts:
        """The same without pixels."""
        return MaskFacts(self.width, self.height, self.kind, self.white_means, self.cautions, self.sha256)


def decode_mask(
    path: str,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008 - frozen
    white_means: WhiteMeans = "edited",
) -> DecodedMask:
    """Read and decode one mask file; safe to call from several threads.

    What is white: :func:`edit_metrics.io.mask_levels.to_black_and_white`; of a coloured file the channel that varies
    most is read. Colour profiles are not applied: a mask holds labels, not colours.

    Raises:
        ImageError: as :func:`edit_metrics.io.images.decode_image`; ``mask_levels`` where what is white cannot be told.
    """
    return decode_mask_bytes(read_bytes(path, limits.max_bytes), limits, white_means, where=path)


def decode_mask_bytes(
    data: bytes,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008 - frozen
    white_means: WhiteMeans = "edited",
    *,
    where: str = "",
) -> DecodedMask:
    """Like :func:`decode_mask`, from the file's bytes."""
    opened = open_picture(data, limits, where)
    with decoder_errors(where):
        read = _read_levels(opened, where)
    found = to_black_and_white(read.levels, lossy=opened.format in _LOSSY, where=where)
    cautions = ("coloured_mask",) * read.coloured + ("feathered_mask",) * found.feathered
    height, width = found.white.shape
    mask = found.white if white_means == "edited" else ~found.white
    return DecodedMask(mask, hashlib.sha256(data).hexdigest(), width, height, read.kind, white_means, cautions)


def fit_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """The mask on the source's grid, by nearest neighbour where the size differs and the aspect is within 1 %.

    Args:
        mask: H×W.
        size: (width, height) of the source.

    Raises:
        ImageError: code ``mask_size_mismatch``; such a row is rejected.
    """
    height, width = mask.shape
    if (width, height) == size:
        return mask
    if abs((width * size[1]) / (height * size[0]) - 1) > _ASPECT_TOLERANCE:
        raise ImageError(
            f"a mask of the source's size {size[0]}×{size[1]}, or of its aspect within 1 %",
            f"{width}×{height}",
            code="mask_size_mismatch",
        )
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(np.intp)
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(np.intp)
    fitted: Mask = mask[np.ix_(rows, columns)]
    return fitted


@dataclass(frozen=True, slots=True)
class _Read:
    """The channel that holds the mask, and what is known of it."""

    levels: Levels
    kind: Literal["gray", "alpha"]
    coloured: bool = False


def _read_levels(opened: OpenedPicture, where: str) -> _Read:
    image = opened.image
    if image.mode.startswith("I;16") and "transparency" not in image.info:
        # Not through the upper byte, where a mask of 0 and 1 would be all black.
        return _Read(np.asarray(image).astype(np.uint16), "gray")
    palette = image.mode == "P"
    layers = split_layers(opened, where)
    if layers.alpha is not None and not is_constant(layers.alpha):
        return _Read(np.asarray(layers.alpha), "alpha")
    colours = layers.colours
    if colours.mode == "L" or not _is_coloured(colours.convert("RGB")):
        return _Read(np.asarray(colours.convert("L")), "gray")
    channels = np.asarray(colours.convert("RGB"))
    used = np.unique(channels.reshape(-1, 3), axis=0)
    if palette and len(used) > 2:
        raise ImageError(
            "a mask of two colours", f"a palette of which {len(used)} colours are used", where,
            "Save the part that may change as white (255) and the rest as black (0).", code="mask_levels",
        )  # fmt: skip
    widest = int(channels.reshape(-1, 3).std(axis=0).argmax())
    doubtful = len(used) > 2 or int(used.max(axis=1).min()) > _DARK
    return _Read(np.ascontiguousarray(channels[..., widest]), "gray", doubtful)


def _is_coloured(colours: Image.Image) -> bool:
    red, green, blue = colours.split()
    highest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    lowest = ImageChops.darker(ImageChops.darker(red, green), blue)
    spreads = ImageChops.subtract(highest, lowest).histogram()
    return sum(spreads[_COLOUR_SPREAD + 1 :]) > _COLOURED_SHARE * sum(spreads)
