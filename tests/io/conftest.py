"""Files that a decoder meets in the wild, made here: colour profiles, encoded pictures."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image


@pytest.fixture
def picture(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A smooth random 40×56 RGB picture: no two of its flips and rotations are equal."""
    small = Image.fromarray(rng.integers(0, 256, (5, 7, 3), dtype=np.uint8))
    return np.asarray(small.resize((56, 40), Image.Resampling.BICUBIC))


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encode an array or a Pillow image: ``encode(picture, "PNG", **options)``."""

    def to_bytes(image: Any, kind: str, **options: Any) -> bytes:
        buffer = io.BytesIO()
        (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **options)
        return buffer.getvalue()

    return to_bytes


def _icc(colour_space: bytes, connection_space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A version-2 profile with the given tags (ICC.1:2001-04, sections 6.1 to 6.3)."""
    header = struct.pack(
        ">8xI4s4s4s12x4s28x3I48x",
        0x02400000,
        b"prtr" if colour_space == b"CMYK" else b"mntr",
        colour_space,
        connection_space,
        b"acsp",
        0x0000F6D6,
        0x00010000,
        0x0000D32D,
    )
    table, body, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += struct.pack(">4sII", name, offset + len(body), len(content))
        body += padded
    profile = header + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(profile)) + profile[4:]


def _xyz(x: float, y: float, z: float) -> bytes:
    return struct.pack(">4s4x3i", b"XYZ ", *(round(value * 65536) for value in (x, y, z)))


def _gamma(exponent: float) -> bytes:
    return struct.pack(">4s4xIH", b"curv", 1, round(exponent * 256))


_WHITE = _xyz(0.9642, 1.0, 0.8249)
_RED, _GREEN, _BLUE = (
    _xyz(0.4361, 0.2225, 0.0139),
    _xyz(0.3851, 0.7169, 0.0971),
    _xyz(0.1431, 0.0606, 0.7141),
)


@pytest.fixture(scope="session")
def swapped_profile() -> bytes:
    """An RGB profile whose red is sRGB's green and whose green is sRGB's red."""
    curves = {name: _gamma(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return _icc(b"RGB ", b"XYZ ", {b"wtpt": _WHITE, b"rXYZ": _GREEN, b"gXYZ": _RED, b"bXYZ": _BLUE} | curves)


@pytest.fixture(scope="session")
def linear_gray_profile() -> bytes:
    """A gray profile with gamma 1."""
    return _icc(b"GRAY", b"XYZ ", {b"wtpt": _WHITE, b"kTRC": _gamma(1.0)})


@pytest.fixture(scope="session")
def gray_ink_profile() -> bytes:
    """A CMYK profile of four gray inks: L* = 100·(1−K)·(1−(C+M+Y)/3), a* = b* = 0."""
    ramp = bytes(range(256))
    corners = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    lightness = (1 - corners[:, 3]) * (1 - corners[:, :3].mean(axis=1)) * 255
    grid = np.stack([lightness.round(), np.full(16, 128.0), np.full(16, 128.0)], axis=-1).astype(np.uint8)
    identity = struct.pack(">9i", *(65536 if k % 4 == 0 else 0 for k in range(9)))
    lut = b"mft1" + struct.pack(">4xBBBx", 4, 3, 2) + identity + ramp * 4 + grid.tobytes() + ramp * 3
    return _icc(b"CMYK", b"Lab ", {b"wtpt": _WHITE, b"A2B0": lut, b"A2B1": lut, b"A2B2": lut})
