"""Readings of one picture without a reference: blur, noise, blocks, clipping, banding, colour, bandwidth.

Each is a function of one H×W×3 8-bit sRGB picture and returns a number, or the typed reason why there is none. They
read the whole picture, and all of them depend on its size: compare only readings taken on the same grid.

Each has two columns, of E and of E minus S, so that a bad source does not fail a good edit. Both pictures are read on
S's grid; where E has no place there it is read on its own, with the caution ``other_grid``; where it had to be resized,
with ``resized``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from edit_metrics.metrics.artefacts import banding, blockiness
from edit_metrics.metrics.readings import QualityReadings, reading_columns
from edit_metrics.pixels.bands import bands
from edit_metrics.pixels.edges import LumaEdges
from edit_metrics.pixels.luma import SMALLEST_SIDE, bt709
from edit_metrics.pixels.quantile import median
from edit_metrics.types import RGB, Direction, Float32, Grid, Missing, undefined

_DB2_HIGH: Final = np.array([-0.4829629131445341, 0.8365163037378079, -0.2241438680420134, -0.1294095225512604])
_GAUSSIAN_MAD: Final = 0.6744897501960817  # the 75 % quantile of a standard normal
_ROUNDING: Final = 1e-3  # grey levels under which a float32 wavelet coefficient of 8-bit data is rounding


def read_quality(
    image: RGB, working: RGB | None = None, edges: LumaEdges | None = None, *, cautions: tuple[str, ...] = ()
) -> QualityReadings:
    """All readings of one picture.

    Args:
        image: H×W×3, 8-bit sRGB: traces of sensors and codecs, which stand between neighbouring pixels, are read here.
        working: the same on the working grid, for the others; None = ``image``.
        edges: of that; None = not known yet.
        cautions: of all values.
    """
    small = image if working is None else working
    if edges is None:
        edges = LumaEdges.of(small)
    return QualityReadings(
        blur=_blur(edges),
        noise_sigma=noise_sigma(image),
        blockiness=blockiness(image),
        clipped_highlights=clipped_highlights(image),
        clipped_shadows=clipped_shadows(image),
        banding=banding(image),
        colourfulness=colourfulness(small),
        resolution_loss=_resolution_loss(edges.luma),
        cautions=cautions,
    )


@reading_columns(
    "quality.blur_edited", "quality.blur_delta",
    direction=Direction.LOWER_IS_BETTER, upper=1.0, unit="", grid=Grid.WORKING,
)  # fmt: skip
def blur(image: RGB) -> float | Missing:
    """Perceptual blur (Crete et al. 2007): how little a further low pass takes from the picture's edges.

    Args:
        image: H×W×3, 8-bit sRGB; read as BT.709 luma.

    Returns:
        A number in [0, 1], high = blurred. ``undefined(flat)`` without any edge, ``undefined(too_small)`` under 32 px.
        Equal to ``skimage.measure.blur_effect(image, h_size=11)``.
    """
    return _blur(LumaEdges.of(image))


def _blur(edges: LumaEdges) -> float | Missing:
    if min(edges.luma.shape) < SMALLEST_SIDE:
        return undefined("too_small")
    effects = []
    for axis in (edges.down, edges.across):
        strength, lost = (plane[2:-1, 2:-1] for plane in (axis.strength, axis.lost))
        variation = float(strength.sum(dtype=np.float64))
        if variation < strength.size * _ROUNDING:
            return undefined("flat")
        effects.append(1.0 - float(lost.sum(dtype=np.float64)) / variation)
    return max(effects)


@reading_columns(
    "quality.noise_sigma_edited", "quality.noise_sigma_delta",
    direction=Direction.NEITHER, upper=None, unit="levels",
)  # fmt: skip
def noise_sigma(image: RGB) -> float | Missing:
    """Standard deviation of the noise: median absolute diagonal wavelet detail / .6745 (Donoho & Johnstone 1994).

    Two-sided: JPEG and denoising lower it, fine texture raises it (the screen tone of a comic: to tens of levels).

    Args:
        image: H×W×3, 8-bit sRGB; db2 wavelet, each channel by itself, then their mean.

    Returns:
        8-bit levels, ≥ 0; 0 = over half of the frame has no detail at all. ``undefined(flat)`` when under 1 % of a
        channel's coefficients have any, ``undefined(too_small)`` under 32 px. Equal to
        ``skimage.restoration.estimate_sigma(image, channel_axis=-1, average_sigmas=True)`` wherever no coefficient is
        exactly zero. That function leaves such out; here they count, since in flat areas it is rounding that decides.
    """
    if min(image.shape[:2]) < SMALLEST_SIDE:
        return undefined("too_small")
    sigmas = []
    for channel in range(3):
        detail = np.abs(_diagonal_detail(image[..., channel])).ravel()
        if np.count_nonzero(detail > _ROUNDING) < 0.01 * detail.size:
            return undefined("flat")
        middle = median(detail)
        sigmas.append(middle / _GAUSSIAN_MAD if middle > _ROUNDING else 0.0)
    return float(np.mean(sigmas))


def _diagonal_detail(channel: RGB) -> Float32:
    """The ``dd`` coefficients of a one-level db2 transform with symmetric extension, H×W → (H+3)//2 × (W+3)//2."""
    taps = _DB2_HIGH[::-1].astype(np.float32)
    rows, columns = ((side + 3) // 2 for side in channel.shape)
    found = []
    # Every second row of the result is a coefficient, the first of a band too: bands begin at even rows.
    for reached, band in bands(2 * rows, reach=4):
        below = 3 if reached.stop > len(channel) - 3 else 0
        part = cv2.copyMakeBorder(np.ascontiguousarray(channel[reached]), 0, below, 0, 3, cv2.BORDER_REFLECT)
        detail = cv2.sepFilter2D(part, cv2.CV_32F, taps, taps, anchor=(3, 3), borderType=cv2.BORDER_REFLECT)
        found.append(detail[band][1::2, 1 : 2 * columns : 2].copy())
    return np.asarray(np.concatenate(found), np.float32)


@reading_columns(
    "quality.clipped_highlights_edited", "quality.clipped_highlights_delta",
    direction=Direction.LOWER_IS_BETTER, upper=1.0, unit="share", flip_invariant=0.0,
)  # fmt: skip
def clipped_highlights(image: RGB) -> float:
    """Share of pixels that are blown out: all three channels ≥ 254 of 255. In [0, 1]."""
    return _share_between(image, 254, 255)


@reading_columns(
    "quality.clipped_shadows_edited", "quality.clipped_shadows_delta",
    direction=Direction.LOWER_IS_BETTER, upper=1.0, unit="share", flip_invariant=0.0,
)  # fmt: skip
def clipped_shadows(image: RGB) -> float:
    """Share of pixels that are crushed: all three channels ≤ 1 of 255. In [0, 1]."""
    return _share_between(image, 0, 1)


def _share_between(image: RGB, low: int, high: int) -> float:
    inside = cv2.inRange(image, (low, low, low), (high, high, high))
    return float(cv2.countNonZero(inside) / inside.size)


@reading_columns(
    "quality.colourfulness_edited", "quality.colourfulness_delta",
    direction=Direction.NEITHER, upper=None, unit="levels", flip_invariant=1e-6, grid=Grid.WORKING,
)  # fmt: skip
def colourfulness(image: RGB) -> float:
    """Colourfulness M³ of Hasler & Süsstrunk (2003): √(σ²rg + σ²yb) + .3·√(μ²rg + μ²yb).

    Args:
        image: H×W×3, 8-bit sRGB; rg = R − G, yb = (R + G)/2 − B.

    Returns:
        8-bit levels, ≥ 0; 0 = grey. Published words: 15 slightly, 33 moderately, 59 quite, 109 extremely colourful.
    """
    red, green, blue = cv2.split(image)
    # rg and 2·yb in whole numbers: half the time of the same in float32, and exact.
    rg = cv2.subtract(red, green, dtype=cv2.CV_16S)
    yb = cv2.subtract(cv2.add(red, green, dtype=cv2.CV_16S), cv2.add(blue, blue, dtype=cv2.CV_16S))
    means, deviations = zip(*(cv2.meanStdDev(plane) for plane in (rg, yb)), strict=True)
    mean, deviation = (np.hypot(float(one[0, 0]), float(two[0, 0]) / 2) for one, two in (means, deviations))
    return float(deviation + 0.3 * mean)


@reading_columns(
    "quality.resolution_loss_edited", "quality.resolution_loss_delta",
    direction=Direction.LOWER_IS_BETTER, upper=1.0, unit="share", flip_invariant=1e-6, grid=Grid.WORKING,
)  # fmt: skip
def resolution_loss(image: RGB) -> float | Missing:
    """How much of the frequency range is empty: 1 − f95 / Nyquist.

    f95 is the radial frequency under which 95 % of the gradient energy f²·|F|² lies, F the Fourier transform of the
    Hann-windowed luma, f ≤ .5 cycles/px. Natural pictures fall as |F|² ~ f⁻² (Field 1987), so that their gradient
    energy is spread over all frequencies; enlarging by k leaves at most Nyquist / k. Noise and blocks count as detail.

    Args:
        image: H×W×3, 8-bit sRGB; read as BT.709 luma.

    Returns:
        A share in [0, 1], high = soft. ``undefined(flat)`` without energy, ``undefined(too_small)`` under 32 px.
    """
    return _resolution_loss(bt709(image))


def _resolution_loss(grey: Float32) -> float | Missing:
    from scipy import fft

    rows, columns = grey.shape
    if min(rows, columns) < SMALLEST_SIDE:
        return undefined("too_small")
    plan = _spectrum_plan(rows, columns)
    spectrum = fft.rfft2((grey - grey.mean()) * plan.window)
    energy = (spectrum.real**2 + spectrum.imag**2) * plan.weight
    by_radius = np.bincount(plan.ring.ravel(), weights=energy.ravel(), minlength=plan.rings + 1)[: plan.rings]
    total = float(by_radius.sum())
    if total < (grey.size * _ROUNDING) ** 2:
        return undefined("flat")
    share = np.cumsum(by_radius) / total
    reached = int(np.searchsorted(share, 0.95))
    below = share[reached - 1] if reached else 0.0
    f95 = (reached + (0.95 - below) / (share[reached] - below)) / plan.rings
    return float(np.clip(1.0 - f95, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _SpectrumPlan:
    """What the spectrum of one size needs: window (H×W), ring and gradient weight of each rfft2 bin."""

    window: Float32
    ring: np.ndarray[tuple[int, ...], np.dtype[np.int32]]
    weight: Float32
    rings: int


@lru_cache(maxsize=8)
def _spectrum_plan(rows: int, columns: int) -> _SpectrumPlan:
    window = np.outer(np.hanning(rows + 2)[1:-1], np.hanning(columns + 2)[1:-1]).astype(np.float32)
    vertical = np.fft.fftfreq(rows)[:, None]
    horizontal = np.fft.rfftfreq(columns)[None, :]
    radius = np.hypot(vertical, horizontal)
    rings = min(rows, columns) // 2
    ring = np.minimum((radius * 2 * rings).astype(np.int32), rings)
    # Columns other than the first and Nyquist's stand for their mirror images too.
    multiplicity = np.full((1, horizontal.size), 2.0)
    multiplicity[0, 0] = 1.0
    if columns % 2 == 0:
        multiplicity[0, -1] = 1.0
    return _SpectrumPlan(window, ring, (radius**2 * multiplicity).astype(np.float32), rings)
