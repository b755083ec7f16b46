"""A JPEG that lost its last two bytes, the end mark, and nothing else: every browser shows it, and so do we.

Pillow refuses it as truncated, which it would also say of a file that lost half of its rows. Adding the mark makes
either decode, and libjpeg would then fill what is missing with gray, in silence. Whether anything is missing can be
seen: of a complete scan the decoder reads no further byte, so noise before the mark changes no pixel.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

import numpy as np
from PIL import Image

_END: Final = b"\xff\xd9"
_SOME: Final = bytes(random.Random(0).choices(range(1, 255), k=256))
"""No 0xFF in it, which would be a mark; long enough to spoil several blocks of any picture."""
_NOISE: Final = _SOME + b"".join(bytes([0xFF, 0xD0 + n]) + _SOME for n in range(8))
"""Also behind every restart mark: a decoder that waits for one skips all that is not one."""
_FRAMES: Final = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})


def with_end(data: bytes, decode: Callable[[bytes], Image.Image]) -> bytes | None:
    """The file with its end mark, where that is all that it lacks; None for any other.

    Args:
        data: a JPEG file that does not decode.
        decode: raises what the decoder raises.
    """
    body = data.removesuffix(b"\xff")
    if data.endswith(_END) or not _all_scans_begun(body):
        return None
    plain, noisy = (np.asarray(decode(body + more + _END)) for more in (b"", _NOISE))
    return body + _END if np.array_equal(plain, noisy) else None


def _all_scans_begun(data: bytes) -> bool:
    """Whether the file has a scan for every coefficient, down to its last bit: a progressive one may lack some."""
    wanted: set[tuple[int, int]] = set()
    found: set[tuple[int, int]] = set()
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF or data[place + 1] in (0x00, 0xFF):
            place += 1
            continue
        mark = data[place + 1]
        if mark in _ALONE:
            place += 2
            continue
        length = int.from_bytes(data[place + 2 : place + 4], "big")
        segment = data[place + 4 : place + 2 + length]
        if mark in _FRAMES and len(segment) >= 6:
            progressive = mark in (0xC2, 0xC6, 0xCA, 0xCE)
            names = [segment[6 + 3 * n] for n in range(segment[5]) if 6 + 3 * n < len(segment)]
            wanted = {(name, n) for name in names for n in (range(64) if progressive else (0,))}
        elif mark == 0xDA and segment:
            count = segment[0]
            if len(segment) < 4 + 2 * count:
                return False
            names = [segment[1 + 2 * n] for n in range(count)]
            first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
            if bits & 0x0F == 0:
                found |= {(name, n) for name in names for n in range(first, last + 1)}
        place += 2 + length
    return bool(wanted) and wanted <= found
