"""Masks: from a gray, 1-bit, palette, JPEG or alpha-only file to "may change here"."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from edit_metrics.choices import WhiteMeans
from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io.color import Layers, is_constant, split_layers
from edit_metrics.io.formats import decoder_errors, open_picture
from edit_metrics.io.images import MaskFacts
from edit_metrics.io.sources import read_bytes
from edit_metrics.types import Mask

_THRESHOLD: Final = 128
_ASPECT_TOLERANCE: Final = 0.01
_FEATHER_PX: Final = 3.0
_COLOUR_SPREAD: Final = 32
_COLOURED_SHARE: Final = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class DecodedMask:
    """A mask on its own file's grid.

    Attributes:
        mask: H×W, True = may change.
        kind: ``alpha`` when the file's transparency is not constant, else ``gray``.
        white_means: what white, or opaque, marked in the file.
        cautions: ``feathered_mask`` (its borders are more than 3 px wide, so their place is uncertain),
            ``coloured_mask`` (more than 1 % of it is not gray, so that a threshold on luma may not be what was meant).
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

    Values of 128 and above are white. Colour profiles are not applied: a mask holds labels, not colours.

    Raises:
        ImageError: as :func:`edit_metrics.io.images.decode_image`.
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
        levels, kind, cautions = _levels(split_layers(opened, where))
    white = levels >= _THRESHOLD
    if _is_feathered(levels, white):
        cautions = (*cautions, "feathered_mask")
    height, width = white.shape
    mask = white if white_means == "edited" else ~white
    return DecodedMask(mask, hashlib.sha256(data).hexdigest(), width, height, kind, white_means, cautions)


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


def _levels(layers: Layers) -> tuple[NDArray[np.uint8], Literal["gray", "alpha"], tuple[str, ...]]:
    if layers.alpha is not None and not is_constant(layers.alpha):
        return np.asarray(layers.alpha), "alpha", ()
    colours = layers.colours
    coloured = colours.mode != "L" and _is_coloured(colours.convert("RGB"))
    return np.asarray(colours.convert("L")), "gray", ("coloured_mask",) if coloured else ()


def _is_coloured(colours: Image.Image) -> bool:
    red, green, blue = colours.split()
    highest = ImageChops.lighter(ImageChops.lighter(red, green), blue)
    lowest = ImageChops.darker(ImageChops.darker(red, green), blue)
    spreads = ImageChops.subtract(highest, lowest).histogram()
    return sum(spreads[_COLOUR_SPREAD + 1 :]) > _COLOURED_SHARE * sum(spreads)


def _is_feathered(levels: NDArray[np.uint8], white: Mask) -> bool:
    # Pixels of neither colour, per pixel of border: the mean width of the transition.
    between = int(np.count_nonzero((levels >= 32) & (levels < 224)))
    border = int(np.count_nonzero(white[1:] != white[:-1]) + np.count_nonzero(white[:, 1:] != white[:, :-1]))
    return between > _FEATHER_PX * max(border, 1)
