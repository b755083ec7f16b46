"""Codes that programs build or decide by. Their sentences are in :mod:`edit_metrics.scores.words`."""

from __future__ import annotations

from typing import Final

UNSAFE: Final = "unsafe"
UNSAFE_SEEN: Final = "unsafe_seen"
UNSAFE_REQUEST: Final = "unsafe_request"
INFEASIBLE: Final = "infeasible"
"""Flags; the second is a judge's. ``infeasible`` is also the reason of every dimension that it left without a score."""

NOT_IN_PROFILE: Final = "not_in_profile"
NO_CURVE: Final = "no_curve"
METRICS_DISAGREE: Final = "metrics_disagree"
NEAR_THRESHOLD: Final = "near_threshold"
UNVALIDATED: Final = "unvalidated"
NO_ORDER: Final = "no_order"

UNREADABLE: Final = (
    "missing_file",
    "unreadable",
    "not_an_image",
    "too_large",
    "too_many_pixels",
    "unsupported_samples",
)
"""Endings of ``feasibility.reasons`` that mean: there is no picture to rate."""


def failed(metric: str) -> str:
    """A measurement that a pre-score rests on raised."""
    return f"failed:{metric}"


def missing(name: str) -> str:
    """A dimension, or a column of a calibration, that should have a value and has none."""
    return f"missing:{name}"


def missing_curve(short: str) -> str:
    """A curve's metric failed or is undefined; its short name."""
    return f"missing_{short}"


def pulled_down_by(short: str) -> str:
    """The metric that limits a pre-score; its short name."""
    return f"low_{short}"


def low_confidence(dimension: str) -> str:
    """A dimension that is less certain than the profile can be."""
    return f"low_confidence:{dimension}"


WEAKEST: Final = "weakest:"


def weakest(dimension: str, score: float) -> str:
    """The dimension that gives the most to fear: its score, discounted by its confidence."""
    return f"{WEAKEST}{dimension}={score:.2f}"


def rank(value: float) -> str:
    """The calibrated rank by which an item was decided."""
    return f"rank={value:.3f}"


def saving(cost: float) -> str:
    """What asking a person is expected to save."""
    return f"saves={cost:.3f}"


def ordered_by(column: str) -> str:
    """The column that put an item where it is in the queue."""
    return f"by:{column}"


def short_cause(reason: str) -> str:
    """A reason without a failure's own text, which differs every time."""
    return reason.split(":", maxsplit=1)[0]
