"""From bytes to an opened picture: type by content, limits from the header, orientation.

The plugin of the recognised format is called directly, not through ``Image.open``: that keeps other formats and
other plugins out, and leaves Pillow's process-wide pixel limit and its warning alone.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from PIL import Image, ImageFile, TiffImagePlugin

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io.jpeg_end import with_end
from edit_metrics.io.libtiff import silence_libtiff
from edit_metrics.io.orientation import ORIENTATION_TAG, orientation_in
from edit_metrics.types import OUT_OF_MEMORY

FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "AVIF")

_MAGIC: Final = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"BM", "BMP"),
)
_PLUGINS: Final = {
    "PNG": ("PngImagePlugin", "PngImageFile"),
    "JPEG": ("JpegImagePlugin", "JpegImageFile"),
    "WEBP": ("WebPImagePlugin", "WebPImageFile"),
    "BMP": ("BmpImagePlugin", "BmpImageFile"),
    "GIF": ("GifImagePlugin", "GifImageFile"),
    "TIFF": ("TiffImagePlugin", "TiffImageFile"),
    "AVIF": ("AvifImagePlugin", "AvifImageFile"),
}
_TRANSPOSES: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS: Final = frozenset({5, 6, 7, 8})
_BITS_TAG: Final = 258
_QUIET_LOCK: Final = threading.Lock()
_SWITCH_LOCK: Final = threading.Lock()
_loading = 0
_host_allows_truncated = False


@dataclass(frozen=True, slots=True)
class OpenedPicture:
    """A loaded, upright Pillow image in the file's own mode.

    Attributes:
        conversions: ``exif_rotated``, ``16bit``, ``animated_first_frame``.
        width, height: of the file's picture, upright; those of ``image``, unless it is a draft.
    """

    image: Image.Image
    format: str
    conversions: tuple[str, ...]
    width: int
    height: int


def open_picture(data: bytes, limits: DecodeLimits, where: str, *, draft: int = 0) -> OpenedPicture:
    """Recognise, check the header's size, load the pixels and turn them upright.

    Args:
        data: the file's bytes.
        limits: on its pixels.
        where: named in errors.
        draft: px; a JPEG comes at 1/2, 1/4 or 1/8 of its size, with sides of this or more, for a fraction of the time
            (its whole stream is read all the same); 0: every picture as it is.

    Raises:
        ImageError: ``not_an_image``, ``too_many_pixels``, ``too_small``, ``unreadable`` (also when truncated) or
            ``out_of_memory``.
    """
    kind = sniff_format(data)
    if kind is None:
        raise ImageError(f"one of {', '.join(FORMATS)}", _first_bytes(data), where, code="not_an_image")
    if kind == "JPEG" and _ends_in_filler(data):
        raise ImageError("a complete JPEG file", "zeros in place of its end", where, code="unreadable")
    with decoder_errors(where), _whole_files_only(), _quiet() if _may_warn(kind, data) else contextlib.nullcontext():
        try:
            return _load(_plugin(kind), data, kind, limits, where, draft)
        except OSError:
            mended = with_end(data, lambda whole: _loaded(whole, limits, where)) if kind == "JPEG" else None
            if mended is None:
                raise
            return _load(_plugin(kind), mended, kind, limits, where, draft)


def peek_picture(data: bytes, limits: DecodeLimits, where: str) -> OpenedPicture:
    """Like :func:`open_picture`, with no pixel decoded: what lies behind a correct header may still be broken.

    Raises:
        ImageError: ``not_an_image``, ``too_many_pixels``, ``too_small`` or ``unreadable``.
    """
    kind = sniff_format(data)
    if kind is None:
        raise ImageError(f"one of {', '.join(FORMATS)}", _first_bytes(data), where, code="not_an_image")
    with decoder_errors(where), _quiet() if _may_warn(kind, data) else contextlib.nullcontext():
        image = _open(_plugin(kind), data, limits, where)
        return OpenedPicture(image, kind, _header_codes(image, data), image.width, image.height)


@contextlib.contextmanager
def decoder_errors(where: str) -> Iterator[None]:
    """Whatever a decoder raises, a broken file may cause it: it leaves as an ImageError; no memory is the machine's."""
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        # Its header has fitted the limits: the machine has no room now, which says nothing of the file.
        raise ImageError("memory for a picture", _text(error), where, code=OUT_OF_MEMORY, passing=True) from error
    except Image.DecompressionBombError as error:
        raise ImageError("a picture that fits the limits", _text(error), where, code="too_many_pixels") from error
    except Exception as error:
        raise ImageError("a complete and correct file", _text(error), where, code="unreadable") from error


def sniff_format(data: bytes) -> str | None:
    """The format by its magic number, one of :data:`FORMATS`, or None."""
    if data[:4] == b"RIFF":
        return "WEBP" if data[8:12] == b"WEBP" else None
    if data[4:8] == b"ftyp":
        return "AVIF" if b"avif" in data[8:64] or b"avis" in data[8:64] else None
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def _load(
    plugin: type[ImageFile.ImageFile], data: bytes, kind: str, limits: DecodeLimits, where: str, draft: int
) -> OpenedPicture:
    image = _open(plugin, data, limits, where)
    codes = _header_codes(image, data)
    width, height = image.size
    if draft:
        image.draft(None, (draft, draft))  # JPEG alone has drafts
    image.load()
    orientation = _orientation(image)
    if orientation != 1 and "exif_rotated" not in codes:  # a PNG may say so behind its pixels
        codes = ("exif_rotated", *codes)
    if kind != "TIFF" and orientation != 1:  # Pillow turns a TIFF upright while loading it.
        image = image.transpose(_TRANSPOSES[orientation])
    if kind != "JPEG":
        width, height = image.size
    elif orientation in _SIDEWAYS:
        width, height = height, width
    return OpenedPicture(image, kind, codes, width, height)


def _loaded(data: bytes, limits: DecodeLimits, where: str) -> Image.Image:
    image = _open(_plugin("JPEG"), data, limits, where)
    image.load()
    return image


def _open(plugin: type[ImageFile.ImageFile], data: bytes, limits: DecodeLimits, where: str) -> Image.Image:
    image = plugin(io.BytesIO(data))
    _check_size(image.size, limits, where)
    return image


def _header_codes(image: Image.Image, data: bytes) -> tuple[str, ...]:
    codes = []
    if _orientation(image) != 1:
        codes.append("exif_rotated")
    if image.mode.startswith("I;16") or _sample_bits(image, data) == 16:
        codes.append("16bit")
    if getattr(image, "is_animated", False):
        codes.append("animated_first_frame")
    return tuple(codes)


def _orientation(image: Image.Image) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        value = image.tag_v2.get(ORIENTATION_TAG)
        return int(value) if value in _TRANSPOSES else 1
    return orientation_in(image.info)


def _sample_bits(image: Image.Image, data: bytes) -> int:
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return int(max(image.tag_v2.get(_BITS_TAG, (8,))))
    return data[24] if image.format == "PNG" else 8


def _check_size(size: tuple[int, int], limits: DecodeLimits, where: str) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise ImageError(f"at most {limits.max_pixels:,} pixels", f"{width}×{height}", where, code="too_many_pixels")
    if min(size) < 1:
        raise ImageError("sides of 1 px or more", f"{width}×{height}", where, code="too_small")


@lru_cache
def _plugin(kind: str) -> type[ImageFile.ImageFile]:
    module, name = _PLUGINS[kind]
    if kind == "TIFF":
        silence_libtiff()
    plugin: type[ImageFile.ImageFile] = getattr(importlib.import_module(f"PIL.{module}"), name)
    # Pillow reads a JPEG's resolution from its EXIF block while opening, and warns when that is corrupt.
    return type("JpegWithoutExif", (plugin,), {"getexif": lambda _self: Image.Exif()}) if kind == "JPEG" else plugin


def _ends_in_filler(data: bytes) -> bool:
    # An interrupted download into a preallocated file: libjpeg would fill the rest with gray, and say nothing.
    tail = data.rstrip(b"\0")
    return len(data) - len(tail) >= 16 and not tail.endswith(b"\xff\xd9")


def _may_warn(kind: str, data: bytes) -> bool:
    return kind in ("TIFF", "GIF") or (kind == "PNG" and b"acTL" in data[:4096])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    # catch_warnings changes process-wide state, hence the lock, and hence only for formats that are rare here.
    with _QUIET_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _whole_files_only() -> Iterator[None]:
    # Other libraries set Pillow's process-wide switch that fills what is missing with gray. It is theirs again when
    # the last of our threads is done.
    global _loading, _host_allows_truncated  # noqa: PLW0603 - mirrors a process-wide switch
    with _SWITCH_LOCK:
        if _loading == 0:
            _host_allows_truncated = ImageFile.LOAD_TRUNCATED_IMAGES
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        _loading += 1
    try:
        yield
    finally:
        with _SWITCH_LOCK:
            _loading -= 1
            if _loading == 0:
                ImageFile.LOAD_TRUNCATED_IMAGES = _host_allows_truncated


def _first_bytes(data: bytes) -> str:
    return f"a file that starts with {data[:8]!r}" if data else "an empty file"


def _text(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
