"""What a calibration says of its own quality, typed; written to its file and printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edit_metrics.calibration.evaluation import ReliabilityBin, Scored

Statistics = Mapping[str, Scored]
"""Name of a statistic → its value with its interval."""


@dataclass(frozen=True, slots=True)
class DataCounts:
    """How much a calibration rests on; ``models`` are rated items a model."""

    items: int
    groups: int
    passed: int
    random_items: int
    models: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ChosenQuality:
    """The recipes that were taken.

    Attributes:
        p_pass: recipe of P(pass).
        rating: recipe of the mean rating.
        edit_types: with a predictor of their own.
        held_out: left out by group.
        leave_one_model_out: left out by model; None with fewer than two.
    """

    p_pass: str
    rating: str
    edit_types: tuple[str, ...]
    held_out: Statistics
    leave_one_model_out: Statistics | None


@dataclass(frozen=True, slots=True)
class ModelQuality:
    """One model, predicted by fits that have not seen it; None where a statistic is not defined."""

    model: str
    n: int
    pass_rate: float
    mean_p_pass: float
    auroc: float | None
    brier: float
    spearman: float | None


@dataclass(frozen=True, slots=True)
class CandidateQuality:
    """A recipe that was tried, held out by group."""

    recipe: str
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class ColumnQuality:
    """The raw column that orders the ``n`` items with a value best."""

    column: str
    n: int
    statistics: Statistics


@dataclass(frozen=True, slots=True)
class QualityReport:
    """Everything that is reported.

    Attributes:
        one_rater: against the mean of the others: what one more rater would reach; empty with one rater.
    """

    data: DataCounts
    chosen: ChosenQuality
    by_model: tuple[ModelQuality, ...]
    candidates: tuple[CandidateQuality, ...]
    best_single_metric: ColumnQuality
    one_rater: Statistics
    reliability: tuple[ReliabilityBin, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON record."""
        chosen, best = self.chosen, self.best_single_metric
        apart = {} if chosen.leave_one_model_out is None else {"leave_one_model_out": _said(chosen.leave_one_model_out)}
        return {
            "data": asdict(self.data),
            "chosen": {
                "p_pass": chosen.p_pass,
                "rating": chosen.rating,
                "edit_types": list(chosen.edit_types),
                "held_out": _said(chosen.held_out),
                **apart,
            },
            "by_model": [asdict(one) for one in self.by_model],
            "candidates": [{"recipe": one.recipe, **_said(one.statistics)} for one in self.candidates],
            "best_single_metric": {"column": best.column, "n": best.n, **_said(best.statistics)},
            "one_rater_against_the_rest": _said(self.one_rater),
            "reliability": [asdict(one) for one in self.reliability],
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> QualityReport:
        """The inverse of :meth:`to_json`."""
        chosen, best = record["chosen"], record["best_single_metric"]
        apart = chosen.get("leave_one_model_out")
        return cls(
            DataCounts(**record["data"]),
            ChosenQuality(
                chosen["p_pass"],
                chosen["rating"],
                tuple(chosen["edit_types"]),
                _read(chosen["held_out"]),
                None if apart is None else _read(apart),
            ),
            tuple(ModelQuality(**one) for one in record["by_model"]),
            tuple(CandidateQuality(one["recipe"], _read(one)) for one in record["candidates"]),
            ColumnQuality(best["column"], best["n"], _read(best)),
            _read(record["one_rater_against_the_rest"]),
            tuple(ReliabilityBin(**one) for one in record["reliability"]),
        )


def _said(statistics: Statistics) -> dict[str, Any]:
    return {name: one.to_json() for name, one in statistics.items()}


def _read(record: Mapping[str, Any]) -> Statistics:
    """The statistics among the entries of a record."""
    return {name: Scored(**one) for name, one in record.items() if isinstance(one, dict)}
