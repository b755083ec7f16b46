"""Decode once, one convention: any supported file becomes upright 8-bit sRGB, and says what was done to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from edit_metrics.choices import WhiteMeans
from edit_metrics.config import DecodeLimits
from edit_metrics.io.color import composite, rgb_array, split_layers, to_srgb
from edit_metrics.io.formats import OpenedPicture, decoder_errors, open_picture
from edit_metrics.io.sources import read_bytes
from edit_metrics.types import RGB, Missing

__all__ = ["DECODE_VERSION", "DecodeInfo", "DecodedImage", "MaskFacts", "PictureFacts", "decode_bytes", "decode_image"]

DECODE_VERSION: Final = 2
"""To be raised when a file may decode to other pixels; part of every signature. 2: orientation in XMP, in a PNG's raw
profile and in any integer type; a JPEG that lacks its end mark alone."""


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a decoded picture without its pixels.

    Attributes:
        width: in pixels, upright.
        height: in pixels, upright.
        format: by content: ``PNG``, ``JPEG``, ``WEBP``, ``BMP``, ``GIF``, ``TIFF`` or ``AVIF``.
        conversions: codes in order: ``exif_rotated``, ``16bit``, ``animated_first_frame``, ``gray``, ``1bit``,
            ``palette``, ``cmyk``, ``ycbcr``, ``icc_converted``, ``icc_ignored``, ``alpha_composited``.
        sha256: of the file's bytes.
    """

    width: int
    height: int
    format: str
    conversions: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """What is known of a decoded mask without its pixels.

    Attributes:
        kind: whether the luma or the alpha channel was read.
        white_means: what white, or opaque, marks.
        cautions: see :class:`edit_metrics.io.masks.DecodedMask`; ``mask_resized`` when it was fitted to the source.
    """

    width: int
    height: int
    kind: Literal["gray", "alpha"]
    white_means: WhiteMeans
    cautions: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class DecodeInfo:
    """The base input ``decode_info``: facts of an item's files; ``Missing`` where a file is absent or broken."""

    source: PictureFacts | Missing
    edited: PictureFacts | Missing
    mask: MaskFacts | Missing
    references: tuple[PictureFacts | Missing, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A picture in the one convention of this package.

    Attributes:
        pixels: contiguous, writable H×W×3.
        sha256: of the file's bytes.
        format: see :class:`PictureFacts`.
        width: in pixels, upright.
        height: in pixels, upright.
        conversions: see :class:`PictureFacts`.
    """

    pixels: RGB
    sha256: str
    format: str
    width: int
    height: int
    conversions: tuple[str, ...]

    @property
    def facts(self) -> PictureFacts:
        """The same without pixels."""
        return PictureFacts(self.width, self.height, self.format, self.conversions, self.sha256)


def decode_image(path: str, limits: DecodeLimits = DecodeLimits()) -> DecodedImage:  # noqa: B008 - frozen
    """Read and decode one picture; safe to call from several threads.

    Args:
        path: a local path or an fsspec URL.
        limits: size limits, and the colour under transparency.

    Raises:
        ImageError: with a code: ``missing_file``, ``unreadable`` (also truncated), ``too_large`` (bytes),
            ``not_an_image``, ``too_many_pixels``, ``too_small``, ``unsupported_samples``, ``out_of_memory``.
    """
    return decode_bytes(read_bytes(path, limits.max_bytes), limits, where=path)


def decode_bytes(
    data: bytes,
    limits: DecodeLimits = DecodeLimits(),  # noqa: B008 - frozen
    *,
    where: str = "",
) -> DecodedImage:
    """Like :func:`decode_image`, from the file's bytes; ``where`` is named in errors."""
    opened = open_picture(data, limits, where)
    with decoder_errors(where):
        image, codes = _to_rgb(opened, limits, where)
        pixels = rgb_array(image)
    sha256 = hashlib.sha256(data).hexdigest()
    return DecodedImage(pixels, sha256, opened.format, image.width, image.height, codes)


def _to_rgb(opened: OpenedPicture, limits: DecodeLimits, where: str) -> tuple[Image.Image, tuple[str, ...]]:
    layers = split_layers(opened, where)
    image, profile_code = to_srgb(layers, opened.image.info.get("icc_profile"))
    codes = layers.conversions + ((profile_code,) if profile_code else ())
    if layers.alpha is None or layers.alpha.getextrema() == (255, 255):
        return image, codes
    return composite(image, layers.alpha, limits.alpha_background), (*codes, "alpha_composited")
