"""What a picture file's header says, without decoding its pixels."""

from __future__ import annotations

from dataclasses import dataclass

from edit_metrics.config import DecodeLimits
from edit_metrics.io.color import is_srgb
from edit_metrics.io.formats import peek_picture


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """Facts of a file.

    Attributes:
        format: by content, as in :class:`edit_metrics.io.images.PictureFacts`.
        width: in pixels, as stored (not turned upright).
        height: likewise.
        plain: any decoder gives the pixels that ours gives: 8-bit RGB, upright, one frame, no transparency, and sRGB.
    """

    format: str
    width: int
    height: int
    plain: bool


def read_header(data: bytes, limits: DecodeLimits, where: str) -> PictureHeader:
    """Read the header of a picture file.

    Args:
        data: the file's bytes.
        limits: on its pixels and sides.
        where: named in errors.

    Raises:
        ImageError: ``not_an_image``, ``too_many_pixels``, ``too_small`` or ``unreadable``.
    """
    opened = peek_picture(data, limits, where)
    image = opened.image
    profile = image.info.get("icc_profile")
    plain = (
        image.mode == "RGB"
        and not opened.conversions
        and not image.has_transparency_data
        and (profile is None or is_srgb(profile))
    )
    return PictureHeader(opened.format, image.width, image.height, plain)
