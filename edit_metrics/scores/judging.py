"""What a judge leaves in a score table and in ``run.json``; and when the answers of two runs may stand side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

SUCCESS: Final = "adherence.judge"
UNTOUCHED: Final = "preservation.judge"
NATURAL: Final = "quality.judge_natural"
CLEAN: Final = "quality.judge_clean"
POSSIBLE: Final = "feasibility.judge"
UNSAFE: Final = "safety.judge_flags"

NUMBER_COLUMNS: Final = (SUCCESS, UNTOUCHED, NATURAL, CLEAN, POSSIBLE)
"""Measurements in [0, 1], higher is better."""
CATEGORY_COLUMNS: Final = (UNSAFE,)
"""Measurements that count categories; 0 = none seen."""
MEASURED: Final = (*NUMBER_COLUMNS, *CATEGORY_COLUMNS)

UNANSWERED: Final = f"{SUCCESS}.reason"
"""Why there is no answer; ``judge_not_asked`` also for items that needed none."""

WHY: Final = "judge.why"
MODEL: Final = "judge.model"
REPETITIONS: Final = "judge.repetitions"
SPREAD: Final = "judge.spread"
SELECTED_BY: Final = "judge.selected_by"
INCLUSION_PROB: Final = "judge.inclusion_prob"
VIESCORE_SC: Final = "judge.viescore_sc"
VIESCORE_PQ: Final = "judge.viescore_pq"
VIESCORE: Final = "judge.viescore"

JUDGED_DIMENSIONS: Final = ("adherence", "preservation", "quality")
"""Dimensions that an answer scores."""


class SelectedBy(StrEnum):
    """Why an item was asked; the column ``judge.selected_by``."""

    ALL = "all"
    RANDOM = "random"
    EXPECTED_CHANGE = "expected_change"
    SAME_AS = "same_as"
    LISTED = "listed"


DRAWN_BLINDLY: Final = frozenset({SelectedBy.ALL, SelectedBy.RANDOM})
"""Selections that no score has touched."""


class _Part(BaseModel):
    """Frozen; keys that this version does not know are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class TemplateRecord(_Part):
    """Which prompt was used.

    Attributes:
        sha256: of everything in its file.
    """

    name: str
    sha256: str


class RuleRecord(_Part):
    """Which items were asked; see :class:`edit_metrics.judge.selection.SelectionRule`."""

    budget: int | None = None
    random_share: float = 0.0
    seed: int = 0
    same_as: str = ""
    listed: str = ""


class CanaryRecord(_Part):
    """What the pinned questions were answered with in this run.

    Attributes:
        version: of the set; answers of different sets are not compared.
        answers: canary → column → [0, 1].
        doubts: what a judge that looks would not have said, in words.
        drift: how the answers moved since the first ones on this machine beyond the noise of asking twice, in words.
    """

    version: int
    answers: Mapping[str, Mapping[str, float]] = Field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()


class JudgeRecord(_Part):
    """The part ``judge`` of ``run.json``.

    Attributes:
        model: as the server names it.
        model_revision: as configured; servers do not name it.
        urls: base URLs that were asked.
        fingerprints: of the model's build, as the server names them → answers.
        repetitions: answers wanted of each item.
        settled: code → items that needed no judge.
        counts: items asked, answered, without an answer, left out; calls; tokens.
    """

    model: str
    model_revision: str = ""
    urls: tuple[str, ...] = ()
    fingerprints: Mapping[str, int] = Field(default_factory=dict)
    template: TemplateRecord
    repetitions: int = 1
    rule: RuleRecord = RuleRecord()
    settled: Mapping[str, int] = Field(default_factory=dict)
    counts: Mapping[str, int] = Field(default_factory=dict)
    canaries: CanaryRecord | None = None

    def of_a_baseline(self) -> JudgeRecord:
        """Without addresses and what was spent: asking again for nothing gives the same."""
        counts = {name: n for name, n in self.counts.items() if name in ("asked", "answered", "left_out")}
        return self.model_copy(update={"urls": (), "counts": counts})

    @property
    def in_part(self) -> bool:
        """Whether items that are open were left out."""
        return self.counts.get("left_out", 0) > 0


ASKED_TWICE_SD: Final[Mapping[str, float]] = {SUCCESS: 0.070, UNTOUCHED: 0.072, NATURAL: 0.080, CLEAN: 0.090}
"""Standard deviation of the difference when one judge is asked the same twice: recorded answers to 61 of the 250 rated
edits (``benchmarks/judge_replay.py``). A server at temperature 0 may be steadier; it is allowed as much."""
_MEAN_Z: Final = 4.0
_SCATTER: Final = 1.9
"""Standard errors by which a column's mean may move, and root mean square of the standardised differences. Of 20,000
draws of eight of those 61 differences (about their mean) .03 % exceed the first and none the second; with a judge
that is one point milder 83 % exceed the first (the same benchmark)."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Two reports of one set beside each other.

    Attributes:
        compared: numbers that both have.
        sentences: what moved beyond the noise of asking twice; empty: nothing.
    """

    compared: int
    sentences: tuple[str, ...]


def find_drift(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]], repetitions: int = 1
) -> Drift:
    """Compare canary answers of two runs.

    Args:
        before: canary → column → [0, 1].
        after: likewise.
        repetitions: asked of each canary, averaged.
    """
    sentences: list[str] = []
    standardised: list[float] = []
    for column, noise in ASKED_TWICE_SD.items():
        moves = [
            after[name][column] - numbers[column]
            for name, numbers in before.items()
            if column in numbers and column in after.get(name, {})
        ]
        if not moves:
            continue
        scale = noise / math.sqrt(repetitions)
        standardised += [move / scale for move in moves]
        mean = sum(moves) / len(moves)
        if abs(mean) > _MEAN_Z * scale / math.sqrt(len(moves)):
            sentences.append(f"{column} moved by {mean:+.2f} on the mean of {len(moves)} canaries")
    scatter = math.sqrt(sum(z * z for z in standardised) / len(standardised)) if standardised else 0.0
    if scatter > _SCATTER:
        sentences.append(f"single answers scatter {scatter:.1f} times as much as when the same is asked twice")
    return Drift(len(standardised), tuple(sentences))
