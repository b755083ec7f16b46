"""Rows of a score table as people look at them: what every page, queue and terminal view is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.scores.cells import codes, number, rows_of, text
from edit_metrics.scores.codes import UNSAFE, UNSAFE_REQUEST, UNSAFE_SEEN
from edit_metrics.scores.columns import (
    CHECK_EVIDENCE,
    FLAGS,
    OVERALL_GEOMETRIC_MEAN,
    OVERALL_MINIMUM,
    PRIORITY,
    PRIORITY_REASONS,
    DimensionColumns,
    dimensions_in,
)
from edit_metrics.scores.judging import WHY
from edit_metrics.scores.run_info import RunInfo
from edit_metrics.types import Status

if TYPE_CHECKING:
    import pandas as pd

BLURRING_FLAGS: Final = frozenset({UNSAFE, UNSAFE_REQUEST, UNSAFE_SEEN})
_SAFE_ENOUGH: Final = 0.5
"""Safety score under which pictures are blurred (docs/report.md): too much blur costs a click, too little a shock."""
_ALARMING: Final = (Status.FAILED, Status.UNDEFINED)


def fear(score: float, confidence: float) -> float:
    """What a dimension gives to fear: low, and to be believed; what claims nothing orders nothing. In [0, 1]."""
    return confidence * (1 - score)


@dataclass(frozen=True, slots=True)
class Score:
    """One dimension of one item, as the table says it.

    Attributes:
        certainty: the confidence as a share of the highest that the profile can reach there, in [0, 1].
    """

    score: float | None
    confidence: float | None
    certainty: float | None
    status: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unscored:
    """Dimensions that have no score for the same cause."""

    names: tuple[str, ...]
    status: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One row.

    Attributes:
        scores: dimension → score, for the dimensions that the table has.
        values: further numeric columns, shown when a table has no dimensions.
        sensitive: its pictures are blurred until somebody asks for them.
        judge_why: what a judge said decided its numbers; empty where none was asked.
    """

    id: str
    instruction: str
    edit_type: str
    model: str
    group: str
    source: str
    edited: str
    mask: str
    mask_white_means: str
    flags: tuple[str, ...]
    priority: int | None
    priority_reasons: tuple[str, ...]
    overall: float | None
    geometric_mean: float | None
    evidence: str
    scores: Mapping[str, Score]
    values: Mapping[str, float | None]
    sensitive: bool
    judge_why: str = ""

    @property
    def certainty(self) -> float | None:
        """Of the least certain dimension that has a score."""
        known = [score.certainty for score in self.scores.values() if score.certainty is not None]
        return min(known, default=None)

    @property
    def broken(self) -> list[Unscored]:
        """Dimensions whose measurement broke or was undefined."""
        return self._unscored(alarming=True)

    @property
    def unscored(self) -> list[Unscored]:
        """Dimensions that do not apply, or that the profile cannot score."""
        return self._unscored(alarming=False)

    def _unscored(self, *, alarming: bool) -> list[Unscored]:
        causes: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for name, one in self.scores.items():
            if one.score is None and (one.status in _ALARMING) == alarming:
                causes.setdefault((one.status, one.reasons), []).append(name)
        return [Unscored(tuple(names), status, reasons) for (status, reasons), names in causes.items()]


def read_items(frame: pd.DataFrame, reach: Mapping[str, float], values: tuple[str, ...] = ()) -> list[Item]:
    """Rows to items, in the table's order.

    Args:
        frame: a score table with the column ``id``.
        reach: dimension → highest confidence that its profile allows; see :func:`reachable_confidence`.
        values: further numeric columns to carry along.
    """
    names = dimensions_in(frame.columns)
    return [_item(row, names, reach, values) for row in rows_of(frame)]


def reachable_confidence(info: RunInfo | None, frame: pd.DataFrame) -> dict[str, float]:
    """Dimension → highest confidence: by the profile's cap and trust, else the highest of the table."""
    profile = None if info is None else info.profile_record
    found = {}
    for name in dimensions_in(frame.columns):
        column = DimensionColumns(name).confidence
        section = None if profile is None else profile.dimensions.get(name)
        if section is not None:
            found[name] = section.reachable_confidence
        elif column in frame.columns:
            found[name] = number(frame[column].max()) or 1.0
    return found


def _item(row: Mapping[str, Any], names: tuple[str, ...], reach: Mapping[str, float], values: tuple[str, ...]) -> Item:
    scores = {name: _score(row, DimensionColumns(name), reach.get(name, 1.0)) for name in names}
    flags = codes(row.get(FLAGS))
    priority = number(row.get(PRIORITY))
    return Item(
        id=text(row["id"]),
        instruction=text(row.get("instruction")) or text(row.get("target_caption")),
        edit_type=text(row.get("edit_type")),
        model=text(row.get("model")),
        group=text(row.get("group")),
        source=text(row.get("source")),
        edited=text(row.get("edited")),
        mask=text(row.get("mask")),
        mask_white_means=text(row.get("mask_white_means")) or "edited",
        flags=flags,
        priority=None if priority is None else int(priority),
        priority_reasons=codes(row.get(PRIORITY_REASONS)),
        overall=number(row.get(OVERALL_MINIMUM)),
        geometric_mean=number(row.get(OVERALL_GEOMETRIC_MEAN)),
        evidence=text(row.get(CHECK_EVIDENCE)),
        judge_why=text(row.get(WHY)),
        scores=scores,
        values={name: number(row.get(name)) for name in values},
        sensitive=_is_sensitive(flags, scores.get("safety")),
    )


def _score(row: Mapping[str, Any], columns: DimensionColumns, reach: float) -> Score:
    confidence = number(row.get(columns.confidence))
    certainty = None if confidence is None else min(1.0, confidence / reach if reach else 0.0)
    return Score(
        score=number(row.get(columns.score)),
        confidence=confidence,
        certainty=certainty,
        status=text(row.get(columns.status)) or Status.OK.value,
        reasons=codes(row.get(columns.reasons)),
    )


def _is_sensitive(flags: tuple[str, ...], safety: Score | None) -> bool:
    """Flagged, scored low, or not checked because the check broke."""
    if BLURRING_FLAGS & set(flags):
        return True
    if safety is None:
        return False
    return safety.status == Status.FAILED or (safety.score is not None and safety.score < _SAFE_ENOUGH)
