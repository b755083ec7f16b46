"""The nouns: item, measurement, pre-score. Each is one frozen dataclass and means one thing everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from edit_metrics.choices import FramePolicy, WhiteMeans
from edit_metrics.errors import is_out_of_memory
from edit_metrics.printable import printable

RGB = NDArray[np.uint8]
"""H×W×3, 8-bit sRGB."""
Mask = NDArray[np.bool_]
"""H×W; True means what the name of the variable says (``mask``: may change, ``kept``: must stay)."""
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
PathT = TypeVar("PathT", str, Path)

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


def join_codes(codes: Iterable[str]) -> str:
    """Codes as the one text in which they travel; empty ones are dropped."""
    return ";".join(code for code in codes if code)


def split_codes(text: str) -> tuple[str, ...]:
    """The inverse of :func:`join_codes`."""
    return tuple(code for code in text.split(";") if code)


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


class Grid(StrEnum):
    """On which pixels a computation reads its pictures.

    A grid with a cap is S's own, area-downsampled once to a longer side of at most that: docs/metrics.md, Grids.
    """

    NATIVE = "native"
    """S's own pixels: what is exact, or brings pictures to a size of its own."""
    WORKING = "working"
    """The cap of ``features.working_grid.max_side``: windows, gradients, colours, the change map."""
    PERCEPTUAL = "perceptual"
    """The cap of ``features.perceptual_grid.max_side``: LPIPS, and what is read off the same features."""


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


OUT_OF_MEMORY: Final = "out_of_memory"
"""The machine had no room at that moment, which says nothing of the item: a later run measures it again."""


def failed(error: BaseException) -> Missing:
    """An exception, with its text kept: on one line, and such that every encoding takes it.

    One that :func:`is_out_of_memory` has the code ``out_of_memory`` before its text, in place of its class.
    """
    try:
        text = printable(" ".join(str(error).split()))
    except Exception as broken:  # a library's exception whose own text raises
        text = f"(no text: {type(broken).__name__})"
    if is_out_of_memory(error):
        return Missing(Status.FAILED, f"{OUT_OF_MEMORY}{': ' if text else ''}{text}"[:300])
    return Missing(Status.FAILED, f"{type(error).__name__}: {text}"[:300])


def for_want_of_memory(result: object) -> bool:
    """Whether a result is missing because there was no memory."""
    return isinstance(result, Missing) and result.status is Status.FAILED and result.reason.startswith(OUT_OF_MEMORY)


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with what must be known beside it: what a metric returns when a number alone would not do.

    Attributes:
        value: the number.
        cautions: codes, each of which lowers the confidence of the pre-score (``derived_region``).
        evidence: what was seen, in words for a person; empty when there is nothing to add.
    """

    value: float
    cautions: tuple[str, ...] = ()
    evidence: str = ""


Result: TypeAlias = float | Noted | Missing
"""What a metric function returns: a number, a number with notes, or the typed reason why there is none."""


def with_cautions(result: Result, *codes: str) -> Result:
    """The result with further caution codes; empty codes are dropped, and what is missing stays as it is."""
    added = tuple(code for code in codes if code)
    if not added or isinstance(result, Missing):
        return result
    if isinstance(result, Noted):
        return replace(result, cautions=(*result.cautions, *added))
    return Noted(result, added)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric of one item: a finite value, or the typed reason why there is none. Made by the engine.

    Attributes:
        value: finite exactly when ``status`` is ``ok``, else None. Never a stand-in number.
        status: see :class:`Status`.
        reason: when ``ok``, caution codes joined by ``;`` (``resized``), each of which lowers the confidence of the
            pre-score; otherwise why the value is missing.
        evidence: of a value that is there: what was seen, in words for a person; may be empty.
    """

    value: float | None
    status: Status = Status.OK
    reason: str = ""
    evidence: str = ""

    def __post_init__(self) -> None:
        if (self.status is Status.OK) != (self.value is not None and math.isfinite(self.value)):
            raise ValueError(f"a measurement has a finite value exactly when its status is ok, got {self!r}")

    @classmethod
    def of(cls, result: Result, cautions: Iterable[str] = ()) -> Measurement:
        """What a metric function returned, as a measurement; a non-finite number becomes ``failed``.

        Args:
            result: a number, a number with notes, or why there is none.
            cautions: codes that go onto a value before its own.
        """
        if isinstance(result, Missing):
            return cls(None, result.status, result.reason)
        noted = result if isinstance(result, Noted) else Noted(float(result))
        value = float(noted.value)
        if not math.isfinite(value):
            return cls(None, Status.FAILED, f"non_finite_value: {value}")
        return cls(value, Status.OK, join_codes((*cautions, *noted.cautions)), noted.evidence)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Caution codes of a value that is there."""
        return split_codes(self.reason) if self.status is Status.OK else ()


@dataclass(frozen=True, slots=True)
class ManifestRow(Generic[PathT]):
    """The manifest's columns, declared here and nowhere else; paths are of one kind.

    Attributes:
        mask_white_means: what the light part of the mask file marks.
        frame: whether the model may return another crop, zoom or aspect.
        group: the manifest's own group, or None: then the source's content hash takes its place.
        metadata: every other column of the manifest, as it stood there.
    """

    id: str
    source: PathT
    edited: PathT
    instruction: str | None = None
    mask: PathT | None = None
    mask_white_means: WhiteMeans = "edited"
    source_caption: str | None = None
    target_caption: str | None = None
    edit_type: str | None = None
    model: str | None = None
    references: tuple[PathT, ...] = ()
    group: str | None = None
    frame: FramePolicy = "same"
    metadata: Mapping[str, Any] = field(default_factory=dict)


MANIFEST_COLUMNS: Final = tuple(column.name for column in fields(ManifestRow) if column.name != "metadata")
"""In the order of every table."""


@dataclass(frozen=True, slots=True)
class EditItem(ManifestRow[str]):
    """One row of the manifest, checked. Paths are absolute paths or fsspec URLs; nothing is decoded yet.

    Attributes:
        row: 0-based position in the manifest; the order of every table.
        line: where it stands in the manifest file, for messages; 0 when it came from no file.
    """

    row: int = field(kw_only=True)
    line: int = field(default=0, kw_only=True)


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


@dataclass(frozen=True, slots=True)
class Overall:
    """Two summaries side by side, over the dimensions that have a score; None where none has.

    Attributes:
        minimum: the weakest dimension's score.
        geometric_mean: of all scored dimensions, equal weights.
    """

    minimum: float | None
    geometric_mean: float | None


@dataclass(frozen=True, slots=True)
class ItemScores:
    """All that follows from the measurements of one item and a config.

    Attributes:
        prescores: every dimension → its pre-score, in the rubric's order.
        flags: names; ``infeasible`` first.
    """

    prescores: Mapping[str, PreScore]
    overall: Overall
    flags: tuple[str, ...]
