"""Names of the score table's columns. Whoever reads or writes one builds its name here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from edit_metrics.types import DIMENSIONS, MANIFEST_COLUMNS

SOURCE_PHASH: Final = "source_phash"
EDITED_PHASH: Final = "edited_phash"
SOURCE_SHA256: Final = "source_sha256"
EDITED_SHA256: Final = "edited_sha256"
"""Of the files' bytes: whoever opens a picture later knows whether it is the one that was scored."""
OVERALL_MINIMUM: Final = "overall.min"
OVERALL_GEOMETRIC_MEAN: Final = "overall.geomean"
OVERALL: Final = (OVERALL_MINIMUM, OVERALL_GEOMETRIC_MEAN)
FLAGS: Final = "flags"
PRIORITY: Final = "priority"
"""1 = look at this first."""
PRIORITY_REASONS: Final = "priority.reasons"
CHECK_EVIDENCE: Final = "adherence.check_evidence"
"""The label in which a typed check says what it saw."""

GRIDS: Final = "grids"
"""The label that says on which pixels an item was measured."""

NOT_MEASUREMENTS: Final = frozenset({"id", "group", "model", "edit_type", PRIORITY, "line", "row", "index"})
"""Columns that name an item, its maker or its place: numbers there measure nothing."""

_OWN: Final = frozenset(
    {
        *MANIFEST_COLUMNS, SOURCE_PHASH, EDITED_PHASH, SOURCE_SHA256, EDITED_SHA256, FLAGS, PRIORITY, PRIORITY_REASONS,
    }
)  # fmt: skip
_JUDGED_PREFIX: Final = "judge."  # what a judge may add later: edit_metrics.scores.judging
_MEASURED_PREFIXES: Final = ("overall.", *(f"{dimension}." for dimension in DIMENSIONS))


@dataclass(frozen=True, slots=True)
class DimensionColumns:
    """The four columns of a dimension's pre-score."""

    dimension: str

    @property
    def score(self) -> str:
        """In [0, 1], higher is better; null when there is none."""
        return f"{self.dimension}.score"

    @property
    def confidence(self) -> str:
        """In [0, 1]; null where the score is."""
        return f"{self.dimension}.confidence"

    @property
    def status(self) -> str:
        """One of :class:`edit_metrics.types.Status`."""
        return f"{self.dimension}.status"

    @property
    def reasons(self) -> str:
        """Codes, joined."""
        return f"{self.dimension}.reasons"

    @property
    def all(self) -> tuple[str, str, str, str]:
        """In the table's order."""
        return self.score, self.confidence, self.status, self.reasons


@dataclass(frozen=True, slots=True)
class MetricColumns:
    """The three columns of a metric; ``value`` is its name, ``<dimension>.<metric>``."""

    value: str

    @property
    def status(self) -> str:
        """One of :class:`edit_metrics.types.Status`."""
        return f"{self.value}.status"

    @property
    def reason(self) -> str:
        """Caution codes of a value, or why there is none."""
        return f"{self.value}.reason"

    @property
    def all(self) -> tuple[str, str, str]:
        """In the table's order."""
        return self.value, self.status, self.reason


def metric_name(dimension: str, short: str) -> str:
    """A metric's column from its dimension and its name in that section of a config."""
    return f"{dimension}.{short}"


def dimension_of(metric: str) -> str:
    """The dimension whose section a metric's column stands in."""
    return metric.partition(".")[0]


def short_name(metric: str) -> str:
    """A metric's name below its dimension; a column without a dimension keeps its whole name."""
    return metric.partition(".")[2] or metric


def dimensions_in(columns: Collection[str]) -> tuple[str, ...]:
    """Dimensions that a table has scores of, in the rubric's order."""
    return tuple(name for name in DIMENSIONS if DimensionColumns(name).score in columns)


def metrics_in(columns: Iterable[str]) -> tuple[str, ...]:
    """Metric columns that have a status beside them, in the table's order."""
    names = [str(name) for name in columns]
    known = set(names)
    return tuple(name for name in names if MetricColumns(name).status in known and name not in DIMENSIONS)


def is_confidence(column: str) -> bool:
    """Whether a column says how sure another one is: ours, and another program's of the same ending."""
    return column.endswith(".confidence")


def is_measured(column: str) -> bool:
    """Whether the name is one that scores and metrics have: below a dimension, or an overall score."""
    return column.startswith(_MEASURED_PREFIXES)


def is_reserved(column: str) -> bool:
    """Whether the contract has the name, so that a further manifest column may not."""
    return column in _OWN or is_measured(column) or column.startswith(_JUDGED_PREFIX)
