"""Single metrics on two pictures, one call each; every one also over what lies outside of a mask alone."""

from __future__ import annotations

from functools import cache
from typing import Any, cast

from edit_metrics.api.pictures import to_mask, to_rgb
from edit_metrics.backends.base import PerceptualBackbone
from edit_metrics.errors import UserError
from edit_metrics.metrics.perceptual import lpips_over_kept
from edit_metrics.metrics.preservation import masked_mae, masked_mse, masked_psnr, masked_ssim
from edit_metrics.metrics.structure import gmsd as gmsd_over
from edit_metrics.metrics.structure import ms_ssim as ms_ssim_over
from edit_metrics.pixels.areas import fill
from edit_metrics.scores.words import in_words
from edit_metrics.types import RGB, Mask, Missing

_SIDE = "Pictures are paths, PIL pictures, arrays or tensors of one size; white in the mask marks what may differ."


def psnr(a: Any, b: Any, mask: Any = None) -> float:
    """Peak signal-to-noise ratio in dB, higher is better, capped at 100 (equal pictures).

    Args:
        a: the source: a path, a PIL picture, an array or a tensor.
        b: the edited picture, of the same size.
        mask: white where the edit was wanted; only the rest counts. None: the whole picture.

    Raises:
        UserError: sizes differ, or there is nothing to measure.
    """
    return _value("psnr", masked_psnr(*_inputs(a, b, mask)))


def mse(a: Any, b: Any, mask: Any = None) -> float:
    """Mean squared difference of values in [0, 1], lower is better; arguments as :func:`psnr`."""
    return _value("mse", masked_mse(*_inputs(a, b, mask)))


def mae(a: Any, b: Any, mask: Any = None) -> float:
    """Mean absolute difference of values in [0, 1], lower is better; arguments as :func:`psnr`."""
    return _value("mae", masked_mae(*_inputs(a, b, mask)))


def ssim(a: Any, b: Any, mask: Any = None) -> float:
    """Structural similarity (Wang et al. 2004), mean of the channels, higher is better; arguments as :func:`psnr`."""
    return _value("ssim", masked_ssim(*_inputs(a, b, mask)))


def ms_ssim(a: Any, b: Any, mask: Any = None) -> float:
    """SSIM over five scales (Wang et al. 2003), higher is better, 1 = alike; arguments as :func:`psnr`."""
    return _value("ms_ssim", ms_ssim_over(*_inputs(a, b, mask)))


def gmsd(a: Any, b: Any, mask: Any = None) -> float:
    """Gradient magnitude similarity deviation (Xue et al. 2014), lower is better; arguments as :func:`psnr`."""
    return _value("gmsd", gmsd_over(*_inputs(a, b, mask)))


def lpips(a: Any, b: Any, mask: Any = None) -> float:
    """LPIPS v0.1, AlexNet (Zhang et al. 2018), lower is better, 0 = alike; arguments as :func:`psnr`.

    Inside the mask the edited picture is filled from the source, so that what lies there cannot count. The weights of
    the profile ``embedded`` are loaded with the first call and kept.

    Raises:
        WeightsError: not pulled yet: ``edit-metrics models pull --profile embedded``.
    """
    source, edited, kept = _inputs(a, b, mask)
    (pair,) = _backbone().compare([source], [fill(edited, source, kept)], [kept])
    return _value("lpips", lpips_over_kept(pair, kept))


@cache
def _backbone() -> PerceptualBackbone:
    from edit_metrics.backends.factory import build_backend
    from edit_metrics.config import load_config

    return cast(PerceptualBackbone, build_backend("perceptual", load_config("embedded").backends["perceptual"]))


def _inputs(a: Any, b: Any, mask: Any) -> tuple[RGB, RGB, Mask]:
    import numpy as np

    source, edited = to_rgb(a, "the first picture"), to_rgb(b, "the second picture")
    if source.shape != edited.shape:
        sizes = " and ".join(f"{one.shape[1]}×{one.shape[0]}" for one in (source, edited))
        raise UserError("two pictures of one size", sizes, todo="score() brings them onto one grid by itself.")
    if mask is None:
        return source, edited, np.ones(source.shape[:2], np.bool_)
    white = to_mask(mask, "the mask")
    if white.shape != source.shape[:2]:
        raise UserError(f"a mask of {source.shape[1]}×{source.shape[0]}", f"{white.shape[1]}×{white.shape[0]}")
    return source, edited, ~white


def _value(name: str, found: Any) -> float:
    value = getattr(found, "result", found)
    if isinstance(value, Missing):
        raise UserError(f"pictures that {name} can be measured on", in_words(value.reason), todo=_SIDE)
    return float(value)
