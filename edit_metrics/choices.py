"""Closed sets of words that a caller chooses from, and the one message for a word that is not in the set.

Nothing here imports a library, so that the command line can show its choices before anything is loaded.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, TypeVar

from edit_metrics.errors import UserError, suggest

S = TypeVar("S", bound=str)

WhiteMeans = Literal["edited", "preserved"]
"""What the light part of a mask marks. A manifest's own field, written as a string in Python too; so no enum."""
FramePolicy = Literal["same", "reframed"]
"""Whether an edit must keep the source's frame, or may come with another crop, zoom or aspect; also a field."""
Level = Literal["nominal", "ordinal", "interval"]
"""Level of measurement of a rating scale (Stevens 1946). No enum either: a user writes these words."""


class EngineName(StrEnum):
    """What runs the shards."""

    LOCAL = "local"
    RAY = "ray"


class EvidenceLevel(StrEnum):
    """Which items get evidence pictures; each level draws those of the one before, and more."""

    NONE = "none"
    FLAGGED = "flagged"
    ALL = "all"


class RatingsFormat(StrEnum):
    """Where ratings come from."""

    CSV = "csv"
    LABEL_STUDIO = "label-studio"
    RATE = "rate"


class Repeated(StrEnum):
    """Which of several ratings of one item, rater and dimension counts."""

    LATEST = "latest"
    FIRST = "first"
    REFUSE = "refuse"


class PromisedSides(StrEnum):
    """Which decisions may be automatic."""

    BOTH = "both"
    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - a decision, not a password
    NONE = "none"


class FitBy(StrEnum):
    """What a calibration may be fitted for each value of."""

    EDIT_TYPE = "edit_type"


class EstimateBy(StrEnum):
    """What a mean rating may be estimated for each value of."""

    MODEL = "model"


def choose(known: Iterable[S], text: str, where: str) -> S:
    """The one of the known words that was given.

    Args:
        known: an enum, or the words of a ``Literal``.
        text: the word that was given.
        where: the option that it was given for.

    Raises:
        UserError: it is none of them; with the whole set, and the nearest of it.
    """
    words = list(known)
    if text in words:
        return words[words.index(text)]
    names = [str(word) for word in words]
    expected = " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    raise UserError(expected, repr(text), where, suggest(text, names))
