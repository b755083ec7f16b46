"""SSIM's window and constants (Wang, Bovik, Sheikh, Simoncelli 2004), and SSIM in a band of rows.

With s = x + y and d = x − y, means μ and variances σ² in a window, SSIM is

    (μs² − μd² + 2·C1) (σs² − σd² + 2·C2)  /  ((μs² + μd² + 2·C1) (σs² + σd² + 2·C2)):

four blurs instead of five, no products of two planes, and where the pictures are equal d is 0 and SSIM is 1, exactly.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from edit_metrics.types import Float32

WINDOW: Final = 11
"""px."""
MARGIN: Final = WINDOW // 2
"""px of a window on either side of its pixel."""
SIGMA: Final = 1.5
"""px, of the gaussian in the window."""
C1: Final = 0.01**2
C2: Final = 0.03**2
"""K1 and K2 squared, for a data range of 1."""
BAND: Final = 96
"""Rows computed at a time, so that temporaries stay in the processor's cache."""
LEVELS: Final = 255
"""The data range of 8 bits, in which :class:`SsimBand` computes."""
_TWICE_C1: Final = np.float32(2 * C1 * LEVELS**2)
_TWICE_C2: Final = np.float32(2 * C2 * LEVELS**2)


class SsimBand:
    """SSIM of a band of rows in float32, in room that one band after the other uses: fresh memory costs as much again.

    Call :meth:`planes` and fill them, :meth:`blur`, :meth:`scale` where windows are not whole, and then
    :meth:`contrast` or :meth:`similarity`, once.

    Args:
        rows: of the tallest band.
        width: of the picture.
    """

    def __init__(self, rows: int, width: int) -> None:
        self._width = width
        self._room = np.empty((2, 4 * (rows + 2 * MARGIN) * width), np.float32)
        self._rows = 0

    def planes(self, rows: int) -> Float32:
        """To be filled with s − 255 and d in levels, 2×(rows + 10)×W: 5 rows above and below the band belong to it.

        About zero variances are exact to one bit more.
        """
        if rows != self._rows:
            self._rows, tall = rows, rows + 2 * MARGIN
            used = self._room[:, : 4 * tall * self._width]
            self._planes, self._blurred = used.reshape(2, 4, tall, self._width)
            self._moments, self._spare = (room[:, MARGIN:-MARGIN] for room in (self._blurred, self._planes))
        return self._planes[:2]

    def blur(self, weight: Float32 | None = None) -> None:
        """Sums over the windows of what was filled in and of its squares, with a weight, (rows + 10)×W, or 1."""
        planes = self._planes
        np.multiply(planes[:2], planes[:2], out=planes[2:])
        if weight is not None:
            planes *= weight
        window_sums(planes.reshape(-1, self._width), self._blurred.reshape(-1, self._width))

    def scale(self, factor: Float32, columns: slice = slice(None)) -> None:
        """From sums to means: times a factor, rows×columns."""
        self._moments[..., columns] *= factor

    def contrast(self) -> Float32:
        """The contrast-structure term alone, rows×W."""
        above, below = self._contrast()
        above /= below
        return above

    def similarity(self) -> Float32:
        """SSIM, rows×W."""
        above, below = self._contrast()
        mean, (square, other) = self._moments[0], self._spare[:2]
        mean += LEVELS
        np.multiply(mean, mean, out=square)
        square += _TWICE_C1
        above *= np.subtract(square, other, out=mean)
        square += other
        below *= square
        above /= below
        return above

    def _contrast(self) -> tuple[Float32, Float32]:
        """Numerator and denominator; the squared means are left in the spare planes."""
        squares = np.multiply(self._moments[:2], self._moments[:2], out=self._spare[:2])
        variances = self._moments[2:]
        variances -= squares
        variances[0] += _TWICE_C2
        above = np.subtract(variances[0], variances[1], out=self._spare[2])
        variances[0] += variances[1]
        return above, variances[0]


def window_sums(planes: Float32, out: Float32 | None = None) -> Float32:
    """Gaussian-weighted sums over the window of each pixel; zeros beyond the frame."""
    blurred = cv2.GaussianBlur(planes, (WINDOW, WINDOW), SIGMA, dst=out, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(blurred, np.float32)
