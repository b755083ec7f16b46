"""From a file's own colours to 8-bit sRGB: sample depth, palette, transparency, colour profiles.

Embedded ICC profiles are applied; a PNG's ``gAMA`` and ``cHRM`` chunks are not, since encoders write them at random.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageCms

from edit_metrics.errors import ImageError
from edit_metrics.io.formats import OpenedPicture
from edit_metrics.types import RGB

_CODES: Final = {
    "1": ("gray", "1bit"),
    "L": ("gray",),
    "LA": ("gray",),
    "P": ("palette",),
    "PA": ("palette",),
    "CMYK": ("cmyk",),
    "YCbCr": ("ycbcr",),
}
_PIXELS_AT_ONCE: Final = 2**22
_PROFILE_MODES: Final = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}


@dataclass(frozen=True, slots=True)
class Layers:
    """A picture's colours and its transparency, apart.

    Attributes:
        colours: mode L, RGB or CMYK, 8 bits, not composited.
        alpha: mode L, or None where the file has no transparency.
        conversions: codes of what was done so far.
    """

    colours: Image.Image
    alpha: Image.Image | None
    conversions: tuple[str, ...]


def split_layers(opened: OpenedPicture, where: str) -> Layers:
    """Bring the file's mode to 8-bit L, RGB or CMYK and its transparency, of whatever kind, to an alpha layer.

    16-bit samples keep their upper byte: exact for 8-bit data widened by ×256 or by ×257, and the same for gray and
    colour, by Pillow's own decoders and here.

    Raises:
        ImageError: ``unsupported_samples`` for floating-point, 32-bit or LAB pictures, which have no fixed range.
    """
    image, codes = opened.image, opened.conversions + _CODES.get(opened.image.mode, ())
    if image.mode.startswith("I;16"):
        image, codes = _upper_byte(image), (*codes, "gray")
    if image.mode in ("F", "I", "LAB", "HSV"):
        raise ImageError("8-bit or 16-bit integer samples", f"mode {image.mode}", where, code="unsupported_samples")
    if "transparency" in image.info and "16bit" in codes and image.mode == "RGB":
        image.info["transparency"] = tuple(sample >> 8 for sample in image.info["transparency"])
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Layers(image.convert("RGB"), image.getchannel("A"), codes)
    if image.mode in ("L", "RGB", "CMYK"):
        return Layers(image, None, codes)
    return Layers(image.convert("L" if image.mode == "1" else "RGB"), None, codes)


def to_srgb(layers: Layers, profile: bytes | None) -> tuple[Image.Image, str | None]:
    """The colours as RGB, and ``icc_converted``, ``icc_ignored`` (broken, or of another colour space) or None.

    Relative colorimetric with black-point compensation. A profile that moves no colour by more than two levels is an
    sRGB profile under one of its many names, and is left out, so that tagged and untagged copies stay equal.
    """
    image = layers.colours
    transform = _transform(profile) if profile else None
    if transform is None:
        return _as_rgb(image), "icc_ignored" if profile else None
    if transform.mode == "RGB" and image.mode == "L":
        image = image.convert("RGB")
    if transform.mode == "L" and image.mode == "RGB" and "gray" in layers.conversions:
        image = image.convert("L")
    if transform.mode != image.mode:
        return _as_rgb(image), "icc_ignored"
    if transform.identity:
        return _as_rgb(image), None
    converted = ImageCms.applyTransform(image, transform.to_srgb)
    return (_as_rgb(image), "icc_ignored") if converted is None else (converted, "icc_converted")


def is_srgb(profile: bytes) -> bool:
    """Whether an RGB profile moves no colour by more than two levels: sRGB under one of its many names."""
    transform = _transform(profile)
    return transform is not None and transform.mode == "RGB" and transform.identity


def composite(image: Image.Image, alpha: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    """The picture over a plain colour, blended in sRGB values as browsers do."""
    return Image.composite(image, Image.new("RGB", image.size, background), alpha)


def is_constant(layer: Image.Image) -> bool:
    """Whether all values of a one-band layer are equal."""
    extrema = layer.getextrema()
    return extrema[0] == extrema[1]


def rgb_array(image: Image.Image) -> RGB:
    """A writable, contiguous H×W×3 array of a picture in RGB."""
    width, height = image.size
    if width * height <= _PIXELS_AT_ONCE:
        return np.asarray(image).copy()
    # In bands: Pillow hands its pixels out in pieces and joins them; of a large picture that is one more copy of it.
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(_PIXELS_AT_ONCE // (4 * width), 1)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def _as_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode == "RGB" else image.convert("RGB")  # convert would copy


def _upper_byte(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.uint16)
    narrow = Image.fromarray((values >> 8).astype(np.uint8))
    if "transparency" in image.info:
        # A 16-bit colour key must be compared before the lower byte goes, or near values would turn transparent.
        key = Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8))
        narrow = Image.merge("LA", (narrow, key))
    return narrow


@dataclass(frozen=True, slots=True)
class _Transform:
    to_srgb: ImageCms.ImageCmsTransform
    mode: str
    identity: bool


@lru_cache(maxsize=64)
def _transform(profile: bytes) -> _Transform | None:
    try:
        source = ImageCms.getOpenProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get(source.profile.xcolor_space)
        if mode is None:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return _Transform(transform, mode, _is_identity(transform, mode))


def _is_identity(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    if mode == "CMYK":
        return False
    probe = _probe(mode)
    moved = ImageCms.applyTransform(probe, transform)
    if moved is None:
        return False
    change = rgb_array(moved).astype(np.int16) - rgb_array(probe.convert("RGB"))
    return bool(np.abs(change).max() <= 2)


def _probe(mode: str) -> Image.Image:
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    lattice = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1)
    return Image.fromarray(lattice.reshape(1, -1, 3))
