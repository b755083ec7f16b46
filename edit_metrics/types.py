"""The nouns: item, measurement, pre-score. Each is one frozen dataclass and means one thing everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

RGB = NDArray[np.uint8]
"""H×W×3, 8-bit sRGB."""
Mask = NDArray[np.bool_]
"""H×W; True means what the name of the variable says (``mask``: may change, ``kept``: must stay)."""
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

DIMENSIONS: Final = (
    "feasibility",
    "safety",
    "adherence",
    "structure",
    "preservation",
    "quality",
    "style",
    "character",
)
"""The rubric, in the order of every table that this package writes."""


class Status(StrEnum):
    """Why a measurement has a value, or has none."""

    OK = "ok"
    NOT_APPLICABLE = "not_applicable"
    UNDEFINED = "undefined"
    UNAVAILABLE = "unavailable"
    FAILED = "failed"


class Direction(StrEnum):
    """What a larger value of a metric means."""

    HIGHER_IS_BETTER = "higher"
    LOWER_IS_BETTER = "lower"
    NEITHER = "neither"
    """A diagnostic: read beside other values, never ranked on its own."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no value: stands where a feature or a measurement would be.

    Attributes:
        status: any status but ``ok``.
        reason: a snake_case code (``no_mask``), or the exception's text when ``failed``.
    """

    status: Status
    reason: str

    def __post_init__(self) -> None:
        if self.status is Status.OK or not self.reason:
            raise ValueError(f"a missing value needs a status other than ok and a reason, got {self!r}")


def not_applicable(reason: str) -> Missing:
    """The question makes no sense here: no face in the source, a full mask."""
    return Missing(Status.NOT_APPLICABLE, reason)


def undefined(reason: str) -> Missing:
    """The input is degenerate: a zero denominator, too little area, a file that does not decode."""
    return Missing(Status.UNDEFINED, reason)


def unavailable(reason: str) -> Missing:
    """What the metric needs was not supplied: no weights, no caption."""
    return Missing(Status.UNAVAILABLE, reason)


def failed(error: BaseException) -> Missing:
    """An exception, with its text kept."""
    text = " ".join(str(error).split())
    return Missing(Status.FAILED, f"{type(error).__name__}: {text}"[:300])


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric of one item: a finite value, or the typed reason why there is none.

    Attributes:
        value: finite exactly when ``status`` is ``ok``, else None. Never a stand-in number.
        status: see :class:`Status`.
        reason: when ``ok``, caution codes joined by ``;`` (``resized``), each of which lowers the confidence of the
            pre-score; otherwise why the value is missing.
    """

    value: float | None
    status: Status = Status.OK
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.value is not None and math.isfinite(self.value)):
            raise ValueError(f"a measurement has a finite value exactly when its status is ok, got {self!r}")

    @classmethod
    def of(cls, result: float | Measurement | Missing) -> Measurement:
        """What a metric function returned, as a measurement; a non-finite number becomes ``failed``."""
        if isinstance(result, Measurement):
            return result
        if isinstance(result, Missing):
            return cls(None, result.status, result.reason)
        value = float(result)
        if not math.isfinite(value):
            return cls(None, Status.FAILED, f"non_finite_value: {value}")
        return cls(value)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Caution codes of a value that is there."""
        return tuple(self.reason.split(";")) if self.status is Status.OK and self.reason else ()


def measured(value: float, *cautions: str) -> Measurement:
    """A value with caution codes; empty codes are dropped, a non-finite value becomes ``failed``."""
    plain = Measurement.of(value)
    if plain.status is not Status.OK:
        return plain
    return Measurement(plain.value, Status.OK, ";".join(code for code in cautions if code))


@dataclass(frozen=True, slots=True)
class EditItem:
    """One row of the manifest, checked. Paths are absolute paths or fsspec URLs; nothing is decoded yet.

    Attributes:
        row: 0-based position in the manifest; the order of every table.
        line: where it stands in the manifest file, for messages; 0 when it came from no file.
        mask_white_means: what the light part of the mask file marks.
        group: the manifest's own group, or None: then the source's content hash takes its place.
        metadata: every other column of the manifest, as it stood there.
    """

    row: int
    id: str
    source: str
    edited: str
    instruction: str | None = None
    mask: str | None = None
    mask_white_means: Literal["edited", "preserved"] = "edited"
    source_caption: str | None = None
    target_caption: str | None = None
    edit_type: str | None = None
    model: str | None = None
    references: tuple[str, ...] = ()
    group: str | None = None
    line: int = 0
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A manifest row that breaks the contract; it is written to ``rejected.jsonl`` and not scored."""

    line: int
    id: str | None
    field: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class PreScore:
    """One dimension of one item.

    Attributes:
        score: in [0, 1], higher is better; None exactly when ``status`` is not ``ok``.
        confidence: in [0, 1]; None when there is no score.
        reasons: codes in order of weight: what lowered the score or the confidence, or why there is no score.
    """

    score: float | None
    confidence: float | None
    status: Status
    reasons: tuple[str, ...] = ()
