"""Which way up a picture is, wherever its file says so: EXIF in any integer type, PNG's raw profile, XMP.

Read by hand because Pillow's parser reports corrupt blocks as warnings, which cannot be silenced for one thread. The
order is Pillow's own (``ImageOps.exif_transpose``), which is what most models' preprocessing turns pictures by.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any, Final

ORIENTATION_TAG: Final = 0x0112
_RAW_PROFILE: Final = "Raw profile type exif"  # as ImageMagick writes EXIF into a PNG: length and bytes in hexadecimal
_XMP: Final = re.compile(r'tiff:Orientation(?:="|>)([1-8])')
_FORMS: Final = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i"}
"""TIFF type → form of an integer (TIFF 6.0, section 2)."""


def orientation_in(info: Mapping[Any, Any]) -> int:
    """The orientation (1..8) that a picture's metadata name; 1 where they name none.

    Args:
        info: Pillow's ``image.info``.
    """
    found = _in_exif(_bytes(info.get("exif"))) or _in_exif(_raw_profile(info.get(_RAW_PROFILE)))
    return found or _xmp_orientation(info.get("xmp") or info.get("XML:com.adobe.xmp")) or 1


def exif_orientation(exif: bytes) -> int:
    """The orientation (1..8) in an EXIF block; 1 when it holds none or is broken."""
    return _in_exif(exif) or 1


def _in_exif(exif: bytes) -> int | None:
    block = exif.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", block, 4)
        (count,) = struct.unpack_from(order + "H", block, start)
        for index in range(count):
            place = start + 2 + 12 * index
            tag, kind, number = struct.unpack_from(order + "HHI", block, place)
            if tag == ORIENTATION_TAG and kind in _FORMS and number == 1:
                (value,) = struct.unpack_from(order + _FORMS[kind], block, place + 8)
                return int(value) if 1 <= value <= 8 else None
    except struct.error:
        return None
    return None


def _raw_profile(text: Any) -> bytes:
    if not isinstance(text, str):
        return b""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""


def _xmp_orientation(packet: Any) -> int | None:
    text = packet.decode("utf-8", "replace") if isinstance(packet, bytes) else packet
    found = _XMP.search(text) if isinstance(text, str) else None
    return int(found[1]) if found else None


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else b""
