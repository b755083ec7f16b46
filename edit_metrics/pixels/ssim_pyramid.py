"""MS-SSIM's scales (Wang, Simoncelli, Bovik 2003) of two lumas over a region, in float32."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.pixels.ssim_window import BAND, LEVELS, MARGIN, SsimBand, window_sums
from edit_metrics.types import RGB, Float32, Mask

_HALF: Final = 0.5
"""Of a pixel, and of its window, that must lie in R."""


class ScalePyramid:
    """Sum and difference of the lumas, and the weight, at one scale after the other.

    Args:
        x: H×W, 8 bits.
        y: the same.
        region: R, H×W.
    """

    def __init__(self, x: RGB, y: RGB, region: Mask) -> None:
        self._sum = np.asarray(cv2.addWeighted(x, 1, y, 1, -LEVELS, dtype=cv2.CV_32F), np.float32)
        self._difference = np.asarray(cv2.subtract(x, y, dtype=cv2.CV_32F), np.float32)
        # Most pictures have R everywhere, and most rows of the others: there nothing is weighted.
        self._weight = None if region.all() else region.astype(np.float32)

    def halve(self) -> None:
        """To half the size: weighted means of 2×2 blocks."""
        weight = self._weight
        if weight is None:
            self._sum, self._difference = halve(self._sum), halve(self._difference)
            return
        self._weight = halve(weight)
        scale = _reciprocal(self._weight, self._weight > 0)
        self._sum, self._difference = (halve(plane * weight) * scale for plane in (self._sum, self._difference))

    def mean(self, *, with_luminance: bool) -> float | None:
        """Of the SSIM map, or of its contrast-structure part; None when no window is half in R."""
        height, width = self._sum.shape
        windows = height - 2 * MARGIN
        band = SsimBand(min(BAND, windows), width)
        total, count = 0.0, 0
        for top in range(0, windows, BAND):
            bottom = min(top + BAND, windows)
            rows = slice(top, bottom + 2 * MARGIN)
            planes = band.planes(bottom - top)
            planes[0], planes[1] = self._sum[rows], self._difference[rows]
            inside = self._weigh(band, rows)
            values = (band.similarity() if with_luminance else band.contrast())[:, MARGIN:-MARGIN]
            if inside is not None:
                values *= inside[:, MARGIN:-MARGIN]
            total += cv2.sumElems(values)[0]
            count += values.size if inside is None else int(np.count_nonzero(inside[:, MARGIN:-MARGIN]))
        return total / count if count else None

    def _weigh(self, band: SsimBand, rows: slice) -> Mask | None:
        """Take the means, and say which windows of the band count; None = all."""
        weight = None if self._weight is None else self._weight[rows]
        if weight is None or (weight == 1).all():
            band.blur()
            return None
        band.blur(weight)
        share = window_sums(weight)[MARGIN:-MARGIN]
        inside: Mask = (share >= _HALF) & (weight[MARGIN:-MARGIN] >= _HALF)
        band.scale(_reciprocal(share, inside))
        return inside


def halve(values: Float32) -> Float32:
    """Means of 2×2 blocks; an odd last row or column is left out."""
    height, width = values.shape[0] // 2, values.shape[1] // 2
    even = values[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA), np.float32)


def _reciprocal(values: Float32, where: Mask) -> Float32:
    return np.divide(np.float32(1), values, out=np.ones_like(values), where=where)
