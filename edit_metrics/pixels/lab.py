"""CIELAB from 8-bit sRGB, and the CIEDE2000 colour difference, in float32.

Colour science in float32 and in blocks that stay in the processor's cache: the change map compares whole pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels import torch_kernels
from edit_metrics.pixels.placement import kernel_device
from edit_metrics.types import RGB, Float32

_CODES: Final = np.arange(256) / 255.0
_LINEAR: Final = np.where(_CODES > 0.04045, ((_CODES + 0.055) / 1.055) ** 2.4, _CODES / 12.92).astype(np.float32)
_D65: Final = np.array([[0.95047], [1.0], [1.08883]])
# IEC 61966-2-1 primaries, rows divided by the D65 white (2 degree observer).
_RGB_TO_XYZ: Final = (
    np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]) / _D65
).astype(np.float32)
_F_TO_LAB: Final = np.array([[0, 116, 0, -16], [500, -500, 0, 0], [0, 200, -200, 0]], np.float32)
_NEAR_BLACK: Final = np.float32(0.008856)
"""Of the white: up to here CIELAB is linear."""
_BLOCK: Final = 16_384
"""Pixels a block: about twenty float32 temporaries then fit the second-level cache."""


@dataclass(frozen=True, slots=True)
class LabPair:
    """CIELAB of S and of E on S's grid, H×W×3 float32 each."""

    source: Float32
    edited: Float32


def rgb_to_lab(image: RGB) -> Float32:
    """CIELAB (D65, 2 degrees) of an 8-bit sRGB picture.

    Args:
        image: H×W×3.

    Returns:
        H×W×3: L in [0, 100], a and b about [-128, 128]; within 2e-3 of float64.
    """
    device = kernel_device(*image.shape[:2])
    if device is not None:
        return torch_kernels.rgb_to_lab(image, _LINEAR, _RGB_TO_XYZ, _F_TO_LAB, device)
    lab = np.empty(image.shape, np.float32)
    rows = max(_BLOCK // max(image.shape[1], 1), 1)
    for top in range(0, len(image), rows):
        band = slice(top, top + rows)
        xyz = np.asarray(cv2.transform(cv2.LUT(np.ascontiguousarray(image[band]), _LINEAR), _RGB_TO_XYZ), np.float32)
        # Not NumPy's power, which is slow where there is no AVX-512.
        f = np.asarray(cv2.pow(xyz, 1 / 3), np.float32)
        near_black = xyz <= _NEAR_BLACK
        if near_black.any():
            np.copyto(f, np.float32(7.787) * xyz + np.float32(16 / 116), where=near_black)
        lab[band] = cv2.transform(f, _F_TO_LAB)
    return lab


def delta_e_2000(first: Float32, second: Float32) -> Float32:
    """CIEDE2000 colour difference of two Lab arrays.

    Args:
        first: …×3 Lab.
        second: same shape.

    Returns:
        The difference, without the last axis; 0 for equal colours, about 1 where people begin to notice. Within .01 of
        float64, except where the two hues are opposite and the definition itself jumps.

    References:
        Sharma, Wu, Dalal: The CIEDE2000 color-difference formula, Color Research and Application 30 (2005).
    """
    left = np.ascontiguousarray(first, np.float32).reshape(-1, 3)
    right = np.ascontiguousarray(second, np.float32).reshape(-1, 3)
    result = np.empty(len(left), np.float32)
    for start in range(0, len(left), _BLOCK):
        part = slice(start, start + _BLOCK)
        result[part] = delta_e_planes(*left[part].T.copy(), *right[part].T.copy())
    return result.reshape(first.shape[:-1])


def shift_lab(lab: Float32, dx: float, dy: float) -> Float32:
    """The Lab picture whose pixel (x, y) is the input's (x + dx, y + dy), linear; the frame's edge is repeated."""
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (lab.shape[1], lab.shape[0])
    return np.asarray(cv2.warpAffine(lab, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32)


def delta_e_planes(L1: Float32, a1: Float32, b1: Float32, L2: Float32, a2: Float32, b2: Float32) -> Float32:
    """:func:`delta_e_2000` of planes of equal shape: no copies, for callers that work in blocks."""
    stretch = 1.5 - 0.5 * _seventh_power_ratio(np.float32(0.5) * (_norm(a1, b1) + _norm(a2, b2)))
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = _norm(a1, b1), _norm(a2, b2)
    mean_chroma = np.float32(0.5) * (C1 + C2)
    da, db, dC = a2 - a1, b2 - b1, C2 - C1
    # 2·sqrt(C1·C2)·sin(Δh/2) without angles; its sign is the sense of rotation from the first to the second hue.
    dH = np.copysign(np.sqrt(np.maximum(da * da + db * db - dC * dC, 0)), a1 * b2 - b1 * a2)

    # The mean hue is the bisector of the shorter arc; a colour without chroma has no say in it.
    cos_h = a1 / np.maximum(C1, 1e-9) + a2 / np.maximum(C2, 1e-9)
    sin_h = b1 / np.maximum(C1, 1e-9) + b2 / np.maximum(C2, 1e-9)
    hue = np.arctan2(sin_h, cos_h)
    T = (
        1
        - 0.17 * np.cos(hue - np.float32(np.pi / 6))
        + 0.24 * np.cos(2 * hue)
        + 0.32 * np.cos(3 * hue + np.float32(np.deg2rad(6)))
        - 0.20 * np.cos(4 * hue - np.float32(np.deg2rad(63)))
    )
    from_blue = (np.rad2deg(hue) + np.where(hue < 0, np.float32(85), np.float32(-275))) / 25
    rotation = -2 * _seventh_power_ratio(mean_chroma) * np.sin(np.float32(np.pi / 3) * np.exp(-from_blue * from_blue))

    mid = ((L1 + L2) / 2 - 50) ** 2
    x = (L2 - L1) / (1 + 0.015 * mid / np.sqrt(20 + mid))
    y = dC / (1 + 0.045 * mean_chroma)
    z = dH / (1 + 0.015 * mean_chroma * T)
    difference: Float32 = np.sqrt(np.maximum(x * x + y * y + z * z + rotation * y * z, 0))
    return difference


def _norm(a: Float32, b: Float32) -> Float32:
    length: Float32 = np.sqrt(a * a + b * b)
    return length


def _seventh_power_ratio(chroma: Float32) -> Float32:
    square = chroma * chroma
    power = square * square * square * chroma
    ratio: Float32 = np.sqrt(power / (power + np.float32(25.0**7)))
    return ratio
