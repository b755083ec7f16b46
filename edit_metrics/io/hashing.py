"""Content hashes: of pictures, as they look, and of JSON values, as they mean."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import numpy as np
from PIL import Image

from edit_metrics.types import RGB, Float64

_GRID: Final = 32
_KEPT: Final = 8
_ROWS: Final = 1024


def perceptual_hash(pixels: RGB) -> str:
    """64-bit DCT hash of the luma, as 16 hexadecimal digits.

    The picture is reduced to a 32×32 luma grid by area averaging; of its 2-D DCT-II the coefficients (1..8, 1..8)
    are compared with their median. Near-duplicates (re-encodes, resizes) differ in few bits. The hash is
    colour-blind: a pure change of hue leaves it unchanged, so it can find near-duplicates and cannot tell that an
    edit did nothing. A flat picture has hash zero. Zauner, "Implementation and Benchmarking of Perceptual Image Hash
    Functions", 2010.

    Args:
        pixels: H×W×3.
    """
    # In bands: Pillow holds four bytes a pixel, and the picture is there already.
    rows = [np.asarray(Image.fromarray(band).convert("L")) for band in np.array_split(pixels, -(-len(pixels) // _ROWS))]
    luma = Image.fromarray(np.concatenate(rows)).resize((_GRID, _GRID), Image.Resampling.BOX)
    kept = _BASIS @ np.asarray(luma, dtype=np.float64) @ _BASIS.T
    # Rounded, so that the bits of a flat or symmetric picture are not decided by floating-point noise.
    coefficients = np.round(kept, 6).ravel()
    bits = np.packbits(coefficients > np.median(coefficients))
    return bits.tobytes().hex()


def canonical_json_sha256(value: Any) -> str:
    """SHA-256 of the value as JSON with sorted keys and no spaces: equal values, equal hash.

    Raises:
        ValueError: the value holds NaN or an infinity.
        TypeError: it holds something that JSON has no word for.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _dct_rows() -> Float64:
    positions = np.arange(_GRID) + 0.5
    frequencies = np.arange(1, _KEPT + 1)
    rows: Float64 = np.cos(np.pi / _GRID * np.outer(frequencies, positions))
    return rows


_BASIS: Final = _dct_rows()
