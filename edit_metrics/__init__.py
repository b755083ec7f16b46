"""Automated pre-screening of AI image edits: honest per-dimension scores, with confidence, before people rate.

import edit_metrics
frame = edit_metrics.score("manifest.jsonl")                          # or (source, edited, "make it orange")
print(frame.worst("preservation", 10), frame.explain("item-17"))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edit_metrics._version import __version__ as __version__

if TYPE_CHECKING:
    from edit_metrics.api.frame import Scores as Scores
    from edit_metrics.api.frame import explain as explain
    from edit_metrics.api.listing import list_metrics as list_metrics
    from edit_metrics.api.one_liners import gmsd as gmsd
    from edit_metrics.api.one_liners import lpips as lpips
    from edit_metrics.api.one_liners import mae as mae
    from edit_metrics.api.one_liners import ms_ssim as ms_ssim
    from edit_metrics.api.one_liners import mse as mse
    from edit_metrics.api.one_liners import psnr as psnr
    from edit_metrics.api.one_liners import ssim as ssim
    from edit_metrics.api.scoring import Scorer as Scorer
    from edit_metrics.api.scoring import score as score

_HOMES = {
    "Scorer": "scoring",
    "Scores": "frame",
    "explain": "frame",
    "gmsd": "one_liners",
    "list_metrics": "listing",
    "lpips": "one_liners",
    "mae": "one_liners",
    "ms_ssim": "one_liners",
    "mse": "one_liners",
    "psnr": "one_liners",
    "score": "scoring",
    "ssim": "one_liners",
}
"""Name → module of :mod:`edit_metrics.api`."""

__all__ = [
    "Scorer",
    "Scores",
    "__version__",
    "explain",
    "gmsd",
    "list_metrics",
    "lpips",
    "mae",
    "ms_ssim",
    "mse",
    "psnr",
    "score",
    "ssim",
]


def __getattr__(name: str) -> Any:
    # Looked up on first use, so that importing the package, and `edit-metrics --help`, stay fast.
    if name in _HOMES:
        from importlib import import_module

        from edit_metrics.errors import missing_extra

        try:
            return getattr(import_module(f"edit_metrics.api.{_HOMES[name]}"), name)
        except ModuleNotFoundError as error:
            raise missing_extra(error, f"edit_metrics.{name}") or error from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
