"""The pixel measures that cost most, in torch, for a GPU: the same definitions as the OpenCV ones beside them.

numpy in, numpy out. Blurs are sums of shifted planes and no convolutions: those would run in TF32, whose ten bits are
not enough for a variance. ``benchmarks/measure_kernels.py`` holds every function against OpenCV's on real pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from edit_metrics.pixels.ssim_window import C1, C2, SIGMA, WINDOW
from edit_metrics.types import RGB, Float32, Mask

if TYPE_CHECKING:
    import torch


def blurred(planes: torch.Tensor, size: int, sigma: float, border: str) -> torch.Tensor:
    """Gaussian blur of N×H×W, as ``cv2.GaussianBlur`` with that kernel size.

    Args:
        planes: float.
        size: taps, odd.
        sigma: px.
        border: ``zero``, ``reflect`` (without the edge, OpenCV's 101), or ``none``: windows that lie in the frame.
    """
    from torch.nn import functional

    taps = [float(tap) for tap in cv2.getGaussianKernel(size, sigma, cv2.CV_64F)[:, 0]]
    margin = size // 2
    if border != "none":
        mode = "constant" if border == "zero" else "reflect"
        planes = functional.pad(planes[None], (margin,) * 4, mode=mode)[0]
    rows = planes.shape[1] - 2 * margin
    down = _weighted_sum([planes[:, i : i + rows] for i in range(size)], taps)
    columns = planes.shape[2] - 2 * margin
    return _weighted_sum([down[:, :, i : i + columns] for i in range(size)], taps)


def _weighted_sum(parts: list[torch.Tensor], taps: list[float]) -> torch.Tensor:
    # Symmetric taps: pairs are added first, which halves the multiplications.
    middle = len(parts) // 2
    total = parts[middle] * taps[middle]
    for near, far, tap in zip(parts[:middle], reversed(parts), taps, strict=False):
        total.add_(near + far, alpha=tap)
    return total


def ssim_map(source: RGB, edited: RGB, kept: Mask | None, device: torch.device) -> tuple[Float32, Float32]:
    """Values and weights of :class:`edit_metrics.metrics.ssim.SsimMap`, float32."""
    import torch

    with torch.inference_mode():
        first, second = (_on(device, image).permute(2, 0, 1) for image in (source, edited))
        share = torch.ones(first.shape[1:], device=device) if kept is None else _on(device, kept).float()
        # U·(x − ½): variances do not change, and float32 keeps one more bit of them.
        x, y = ((plane * (1 / 255) - 0.5) * share for plane in (first, second))
        means = blurred(torch.cat([share[None], x, y, x * x + y * y, x * y]), WINDOW, SIGMA, "zero")
        weights = means[0]
        mean_x, mean_y, squares, products = (means[1:] / weights.clamp_min(1e-12)).chunk(4)
        variances = squares - (mean_x * mean_x + mean_y * mean_y)
        covariance = products - mean_x * mean_y
        mean_x, mean_y = mean_x + 0.5, mean_y + 0.5
        numerator = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
        values = numerator / ((mean_x * mean_x + mean_y * mean_y + C1) * (variances + C2))
        values = values.sum(0) * ((weights > 0) / 3)
        return _array(values), _array(weights)


def rgb_to_lab(image: RGB, linear: Float32, to_xyz: Float32, to_lab: Float32, device: torch.device) -> Float32:
    """CIELAB, H×W×3; the tables and matrices are those of :mod:`edit_metrics.pixels.lab`."""
    import torch

    with torch.inference_mode():
        light = _on(device, linear)[_on(device, image).int()].unbind(-1)
        xyz = torch.stack([_mixed(light, row) for row in to_xyz])
        f = torch.where(xyz > 0.008856, xyz.pow(1 / 3), 7.787 * xyz + 16 / 116).unbind()
        return _array(torch.stack([_mixed(f, row[:3]) + float(row[3]) for row in to_lab], dim=-1))


def _mixed(planes: Sequence[torch.Tensor], weights: Float32) -> torch.Tensor:
    red, green, blue = (plane * float(weight) for plane, weight in zip(planes, weights, strict=True))
    return red + green + blue


def smoothed_and_activity(
    lab: Float32, blur: float, activity: float, device: torch.device
) -> tuple[tuple[Float32, ...], Float32]:
    """Blurred L, a and b, flat; and the local standard deviation of L, H×W."""
    import torch

    with torch.inference_mode():
        planes = _on(device, lab).permute(2, 0, 1)
        smooth = blurred(planes, _size_of(blur), blur, "reflect")
        light = planes[:1]
        mean, square = blurred(torch.cat([light, light * light]), _size_of(activity), activity, "reflect")
        deviation = (square - mean * mean).clamp_min(0).sqrt()
        return tuple(_array(plane.reshape(-1)) for plane in smooth), _array(deviation)


class NearestDifference:
    """ΔE2000 of every pixel to the nearest, in Lab, of its nine neighbours in E; and what it is at most.

    Args:
        source: blurred L, a and b of S, flat.
        edited_lab: E, H×W×3, not blurred yet.
        blur: σ, px.
        bound: weights of the squared differences in the bound, L, a and b.
        device: where.
    """

    def __init__(
        self,
        source: tuple[Float32, ...],
        edited_lab: Float32,
        blur: float,
        bound: tuple[np.float32, ...],
        device: torch.device,
    ) -> None:
        import torch
        from torch.nn import functional

        height, width = edited_lab.shape[:2]
        with torch.inference_mode():
            own = torch.stack([_on(device, plane).reshape(height, width) for plane in source])
            other = blurred(_on(device, edited_lab).permute(2, 0, 1), _size_of(blur), blur, "reflect")
            weights = torch.tensor([float(weight) for weight in bound], device=device)[:, None, None]
            self._squared_bound = ((own - other).square() * weights).sum(0)
            framed = functional.pad(other[None], (1, 1, 1, 1), mode="replicate")[0]
            best = other
            distance = (own - other).square().sum(0)
            for dy in range(3):
                for dx in range(3):
                    shifted = framed[:, dy : dy + height, dx : dx + width]
                    far = (own - shifted).square().sum(0)
                    nearer = far < distance
                    best = torch.where(nearer, shifted, best)
                    distance = torch.where(nearer, far, distance)
            self._difference = delta_e_planes(*own, *best)

    def difference_at(self, places: Any) -> Float32:
        """At flat places."""
        import torch

        with torch.inference_mode():
            return _array(self._difference.reshape(-1)[_on(self._difference.device, places)])

    def difference_above(self, threshold: Float32, area: Mask) -> Float32:
        """H×W: the difference where it may be over the threshold and lies in the area, else 0."""
        import torch

        device = self._difference.device
        with torch.inference_mode():
            seen = (self._squared_bound > _on(device, threshold).square()) & _on(device, area)
            return _array(torch.where(seen, self._difference, 0))


def delta_e_planes(
    L1: torch.Tensor, a1: torch.Tensor, b1: torch.Tensor, L2: torch.Tensor, a2: torch.Tensor, b2: torch.Tensor
) -> torch.Tensor:
    """CIEDE2000, term by term as :func:`edit_metrics.pixels.lab.delta_e_planes`."""
    import torch

    stretch = 1.5 - 0.5 * _seventh_power_ratio(0.5 * (torch.hypot(a1, b1) + torch.hypot(a2, b2)))
    a1, a2 = a1 * stretch, a2 * stretch
    C1, C2 = torch.hypot(a1, b1), torch.hypot(a2, b2)
    mean_chroma = 0.5 * (C1 + C2)
    da, db, dC = a2 - a1, b2 - b1, C2 - C1
    dH = torch.copysign((da * da + db * db - dC * dC).clamp_min(0).sqrt(), a1 * b2 - b1 * a2)
    cos_h = a1 / C1.clamp_min(1e-9) + a2 / C2.clamp_min(1e-9)
    sin_h = b1 / C1.clamp_min(1e-9) + b2 / C2.clamp_min(1e-9)
    hue = torch.atan2(sin_h, cos_h)
    T = (
        1
        - 0.17 * torch.cos(hue - np.pi / 6)
        + 0.24 * torch.cos(2 * hue)
        + 0.32 * torch.cos(3 * hue + np.deg2rad(6))
        - 0.20 * torch.cos(4 * hue - np.deg2rad(63))
    )
    from_blue = (torch.rad2deg(hue) + torch.where(hue < 0, 85.0, -275.0)) / 25
    rotation = -2 * _seventh_power_ratio(mean_chroma) * torch.sin(np.pi / 3 * torch.exp(-from_blue * from_blue))
    mid = ((L1 + L2) / 2 - 50) ** 2
    x = (L2 - L1) / (1 + 0.015 * mid / (20 + mid).sqrt())
    y = dC / (1 + 0.045 * mean_chroma)
    z = dH / (1 + 0.015 * mean_chroma * T)
    return (x * x + y * y + z * z + rotation * y * z).clamp_min(0).sqrt()


def _seventh_power_ratio(chroma: torch.Tensor) -> torch.Tensor:
    power = chroma**7
    return (power / (power + 25.0**7)).sqrt()


def gradient_similarity(first: Float32, second: Float32, c: float, device: torch.device) -> np.ndarray[Any, Any]:
    """GMSD's similarity map of two planes, float64: Prewitt/3, zeros beyond the frame."""
    import torch
    from torch.nn import functional

    with torch.inference_mode():
        planes = torch.stack([_on(device, first), _on(device, second)]).double()
        framed = functional.pad(planes, (1, 1, 1, 1))
        across = framed[:, :, :-2] - framed[:, :, 2:]
        down = framed[:, :-2] - framed[:, 2:]
        across = (across[:, :-2] + across[:, 1:-1] + across[:, 2:]) / 3
        down = (down[:, :, :-2] + down[:, :, 1:-1] + down[:, :, 2:]) / 3
        before, after = (across * across + down * down).sqrt()
        return _array((2 * before * after + c) / (before**2 + after**2 + c))


class ScalePyramid:
    """x, y and the weight of MS-SSIM, at one scale after the other.

    Args:
        x: H×W in [0, 1].
        y: the same.
        weight: R, H×W in [0, 1].
        device: where.
    """

    def __init__(self, x: Float32, y: Float32, weight: Float32, device: torch.device) -> None:
        self._planes = [_on(device, plane) for plane in (x, y, weight)]

    def halve(self) -> None:
        """To half the size: weighted means of 2×2 blocks."""
        import torch

        with torch.inference_mode():
            x, y, weight = self._planes
            total = _halve(weight)
            safe = torch.where(total > 0, total, 1.0)
            self._planes = [_halve(x * weight) / safe, _halve(y * weight) / safe, total]

    def mean(self, *, with_luminance: bool) -> float | None:
        """Of the SSIM map, or of its contrast-structure part; None when no window is half in R."""
        import torch

        with torch.inference_mode():
            x, y, weight = self._planes
            stacked = torch.stack([weight, weight * x, weight * y, weight * x * x, weight * y * y, weight * x * y])
            share, *moments = blurred(stacked, WINDOW, SIGMA, "none")
            centre = WINDOW // 2
            inside = (share >= 0.5) & (weight[centre:-centre, centre:-centre] >= 0.5)
            safe = torch.where(inside, share, 1.0)
            mean_x, mean_y, square_x, square_y, product = (moment / safe for moment in moments)
            variance_x, variance_y = square_x - mean_x**2, square_y - mean_y**2
            contrast = (2 * (product - mean_x * mean_y) + C2) / (variance_x + variance_y + C2)
            if with_luminance:
                contrast = contrast * (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
            total = torch.where(inside, contrast, 0).sum(dtype=torch.float64)
            sum_and_count = torch.stack([total, inside.sum().double()]).tolist()
            return sum_and_count[0] / sum_and_count[1] if sum_and_count[1] else None


def _halve(values: torch.Tensor) -> torch.Tensor:
    rows, columns = values.shape[0] // 2 * 2, values.shape[1] // 2 * 2
    even = values[:rows, :columns]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


@cache
def _size_of(sigma: float) -> int:
    """The taps that OpenCV takes for a float picture when it is given σ alone."""
    return round(sigma * 8 + 1) | 1


def _on(device: torch.device, array: Any) -> torch.Tensor:
    import torch

    # torch shares memory with arrays that may be written to, and warns of others: those are copied.
    return torch.from_numpy(np.require(array, requirements=("C", "W"))).to(device)


def _array(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    return tensor.cpu().numpy()
