"""Phase correlation of many windows of one size at a time: how far each has moved, to parts of a pixel."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.types import Float32, Float64

_REACH: Final = np.arange(-2, 3)  # px around the peak that its centroid is taken over
_FOOT: Final = 0.1
"""Share of the peak under which a neighbour is noise, and has no say in the centroid."""


def spectra(windows: Float32) -> NDArray[np.complex64]:
    """N×S×S windows, tapered → their transforms, for :func:`shifts_between`."""
    from scipy import fft  # slow to import, and only pairs that are laid over each other need it

    return np.asarray(fft.rfft2(windows), np.complex64)


def shifts_between(first: NDArray[np.complex64], second: NDArray[np.complex64], size: int) -> Float64:
    """How far the second windows show what the first ones do: N×2, dx and dy, px.

    The peak of the phase correlation, by the centroid of its surroundings.

    Args:
        first: :func:`spectra` of N windows.
        second: those of as many others.
        size: S, the side of a window.
    """
    from scipy import fft

    cross = second * np.conj(first)
    length = np.sqrt(np.square(cross.real) + np.square(cross.imag))
    cross /= np.maximum(length, 1e-6 * length.max(axis=(1, 2), keepdims=True) + 1e-12)
    surface = fft.irfft2(cross, s=(size, size), overwrite_x=True)
    y, x = np.divmod(surface.reshape(len(surface), -1).argmax(axis=1), size)
    rows, columns = (y[:, None] + _REACH) % size, (x[:, None] + _REACH) % size
    near = np.maximum(surface[np.arange(len(surface))[:, None, None], rows[:, :, None], columns[:, None, :]], 0)
    near = np.where(near >= _FOOT * near.max(axis=(1, 2), keepdims=True), near, 0).astype(np.float64)
    total = near.sum(axis=(1, 2))
    centre = np.stack([x + near.sum(axis=1) @ _REACH / total, y + near.sum(axis=2) @ _REACH / total], axis=1)
    return np.asarray((centre + size / 2) % size - size / 2, np.float64)
