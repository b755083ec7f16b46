"""Automated pre-screening of AI image edits: honest per-dimension scores, with confidence, before people rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edit_metrics._version import __version__ as __version__

if TYPE_CHECKING:
    from edit_metrics.engine.api import score as score

__all__ = ["__version__", "score"]


def __getattr__(name: str) -> Any:
    # `score` is looked up on first use, so that importing the package, and `edit-metrics --help`, stay fast.
    if name == "score":
        from edit_metrics.engine.api import score

        return score
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
