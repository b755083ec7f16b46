"""A score table as a list of items with plain values: what every page is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.types import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

BLURRING_FLAGS: Final = frozenset({"unsafe", "unsafe_request"})
_SAFE_ENOUGH: Final = 0.5
_ALARMING: Final = ("failed", "undefined")


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


def dimensions_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Dimensions that the table has scores of, in the rubric's order."""
    return tuple(name for name in DIMENSIONS if f"{name}.score" in frame.columns)


def read_items(frame: pd.DataFrame, reach: Mapping[str, float], values: tuple[str, ...] = ()) -> list[Item]:
    """Rows to items, in the table's order.

    Args:
        frame: a score table with the column ``id``.
        reach: dimension → highest confidence that its profile allows.
        values: further numeric columns to carry along.
    """
    names = dimensions_of(frame)
    return [_item(row, names, reach, values) for row in rows_of(frame)]


def reachable_confidence(config: Mapping[str, Any] | None, frame: pd.DataFrame) -> dict[str, float]:
    """Dimension → highest confidence: by the profile's cap and trust, else the highest of the table."""
    sections: Mapping[str, Any] = (config or {}).get("dimensions", {})
    found = {}
    for name in dimensions_of(frame):
        section = sections.get(name)
        if section is not None:
            trust = max((curve["trust"] for curve in section["curves"].values()), default=1.0)
            found[name] = min(section["cap"], trust)
        elif f"{name}.confidence" in frame.columns:
            highest = frame[f"{name}.confidence"].max()
            found[name] = float(highest) if highest == highest else 1.0  # noqa: PLR0124 - NaN
    return found


def rows_of(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain dictionaries, column names as text."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def text(value: Any) -> str:
    """A cell as text; missing is empty."""
    return "" if value is None or (isinstance(value, float) and value != value) else str(value)  # noqa: PLR0124 - NaN


def number(value: Any) -> float | None:
    """A cell as a finite number, or None."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < float("inf") else None


def codes(value: Any) -> tuple[str, ...]:
    """A cell of ``;``-joined codes."""
    return tuple(code for code in text(value).split(";") if code)


def _item(row: Mapping[str, Any], names: tuple[str, ...], reach: Mapping[str, float], values: tuple[str, ...]) -> Item:
    scores = {name: _score(row, name, reach.get(name, 1.0)) for name in names}
    flags = codes(row.get("flags"))
    priority = number(row.get("priority"))
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
        priority_reasons=codes(row.get("priority.reasons")),
        overall=number(row.get("overall.min")),
        geometric_mean=number(row.get("overall.geomean")),
        evidence=text(row.get("adherence.check_evidence")),
        scores=scores,
        values={name: number(row.get(name)) for name in values},
        sensitive=_is_sensitive(flags, scores.get("safety")),
    )


def _score(row: Mapping[str, Any], name: str, reach: float) -> Score:
    confidence = number(row.get(f"{name}.confidence"))
    certainty = None if confidence is None else min(1.0, confidence / reach if reach else 0.0)
    return Score(
        score=number(row.get(f"{name}.score")),
        confidence=confidence,
        certainty=certainty,
        status=text(row.get(f"{name}.status")) or "ok",
        reasons=codes(row.get(f"{name}.reasons")),
    )


def _is_sensitive(flags: tuple[str, ...], safety: Score | None) -> bool:
    """Flagged, scored low, or not checked because the check broke."""
    if BLURRING_FLAGS & set(flags):
        return True
    if safety is None:
        return False
    return safety.status == "failed" or (safety.score is not None and safety.score < _SAFE_ENOUGH)
