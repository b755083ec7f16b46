"""What became of the frame, and what is left of the picture on the part that both pictures show.

``*_registered`` is measured with E laid on S where its frame was found, and S taken through the same resampling: what
another crop or zoom alone does is not in it. As delivered, pixel metrics count a new frame as damage, or are undefined.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from edit_metrics.metrics.perceptual import masked_lpips_from_maps
from edit_metrics.metrics.preservation import PSNR_CAP, masked_mse, mse_to_psnr
from edit_metrics.metrics.reframing import Frame
from edit_metrics.metrics.ssim import mean_ssim, ssim_map
from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.change import ChangeMap
from edit_metrics.registry import metric
from edit_metrics.types import Direction, Grid, Missing, Noted, Result, not_applicable

_IDENTITY: Final = not_applicable("same_frame")
_CLEAR: Final = 0.01
"""Share of a side of S that must lie outside E's frame before a crop is told in words; chosen, not measured."""
_frame = partial(metric, features={"frame": "found_frame"}, identity=_IDENTITY, unit="share")
_registered = partial(metric, features={"pair": "registered_pair"}, identity=_IDENTITY, grid=Grid.WORKING)


@_frame("preservation.frame_kept", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0))
def frame_kept(frame: Frame) -> float:
    """Share of S that E still shows; ``not_applicable(same_frame | mask_given)``, ``undefined(no_registration)``."""
    return frame.kept


@_frame("preservation.frame_new", direction=Direction.NEITHER, bounds=(0.0, 1.0))
def frame_new(frame: Frame) -> float:
    """Share of E that S does not hold: what was painted on, or what S is set in. Missing as ``frame_kept``."""
    return max(frame.new, 0.0)


@_frame(
    "preservation.zoom", direction=Direction.NEITHER, bounds=(0.0, None), unit="ratio",
    evidence="preservation.frame_evidence",
)  # fmt: skip
def zoom(frame: Frame) -> Result:
    """How much larger things are drawn than where E's frame is just filled with S; 1 = a crop to the aspect alone.

    Missing as ``frame_kept``. In words: what the frame did.
    """
    return Noted(frame.zoom, (), in_words(frame))


def in_words(frame: Frame) -> str:
    """What became of the frame: "the picture was zoomed by 1.08 and cropped on the left"."""
    left, top, right, bottom = frame.box
    width, height = frame.source_size
    beyond = {"left": left / width, "right": 1 - right / width, "top": top / height, "bottom": 1 - bottom / height}
    parts = []
    if abs(frame.zoom - 1) > _CLEAR:
        parts.append(f"zoomed {'by' if frame.zoom > 1 else 'out to'} {frame.zoom:.2f}")
    for word, sides in (
        ("cropped on the", [side for side, share in beyond.items() if share > _CLEAR]),
        ("extended on the", [side for side, share in beyond.items() if share < -_CLEAR]),
    ):
        if sides:
            parts.append(f"{word} {_listed(sides)}")
    return f"the picture was {_listed(parts)}" if parts else "the picture was drawn on a frame of another aspect"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@_registered(
    "preservation.lpips_registered", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, None), unit="",
    features={"pair": "registered_pair", "maps": "lpips_maps_registered"}, grid=Grid.PERCEPTUAL,
)  # fmt: skip
def lpips_registered(pair: Any, maps: PerceptualPair) -> float | Missing:
    """LPIPS (Zhang et al. 2018) on the overlap; missing as ``frame_kept`` and ``lpips``."""
    return masked_lpips_from_maps(maps.layer_maps, pair.kept)


@_registered(
    "preservation.ssim_registered", direction=Direction.HIGHER_IS_BETTER, bounds=(-1.0, 1.0), unit="", version=2,
)  # fmt: skip
def ssim_registered(pair: Any) -> float | Missing:
    """Mean SSIM (Wang et al. 2004) on the overlap; missing as ``frame_kept``."""
    return mean_ssim(ssim_map(pair.source, pair.edited, pair.kept), pair.kept)


@_registered("preservation.psnr_registered", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, PSNR_CAP), unit="dB")
def psnr_registered(pair: Any) -> float | Missing:
    """PSNR on the overlap; missing as ``frame_kept``."""
    error = masked_mse(pair.source, pair.edited, pair.kept)
    return error if isinstance(error, Missing) else mse_to_psnr(error)


@_registered(
    "preservation.changed_share_registered", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="share",
    features={"pair": "registered_pair", "changes": "registered_change_map"},
)  # fmt: skip
def changed_share_registered(pair: Any, changes: ChangeMap) -> float:
    """Share of the overlap that changed visibly; missing as ``frame_kept``."""
    return float(changes.changed[pair.kept].mean())
