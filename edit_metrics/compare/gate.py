"""The CI gate: two score tables in, one verdict out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from edit_metrics.compare.changes import Flip, NewlyMissing, Unmatched, find_flips, find_newly_missing, find_unmatched
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge import judge
from edit_metrics.compare.judging import comparable_runs
from edit_metrics.compare.matching import Matched, match
from edit_metrics.compare.measures import Declared, Measure, find_measures, nothing_to_compare
from edit_metrics.compare.pairing import to_units
from edit_metrics.compare.signatures import check_signatures
from edit_metrics.compare.verdict import DimensionVerdict, Outcome, PairedDimension, overall
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.scores.table import ScoreTable
from edit_metrics.types import Float64, Status

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate found.

    Attributes:
        flips: items that passed in the baseline and now fail, and the reverse.
        newly_missing: items that lost their score, with the reason.
    """

    outcome: Outcome
    baseline: str
    candidate: str
    config: GateConfig
    dimensions: tuple[DimensionVerdict, ...]
    unmatched: Unmatched
    newly_missing: tuple[NewlyMissing, ...]
    flips: tuple[Flip, ...]
    warnings: tuple[str, ...]


def run_gate(
    baseline: ScoreTable,
    candidate: ScoreTable,
    config: GateConfig,
    declared: Declared | None = None,
    pair_by: Sequence[str] = ("id",),
) -> GateResult:
    """Judge a candidate against a baseline.

    Args:
        baseline: the accepted scores; decides which items count and how they are grouped.
        candidate: the scores to judge.
        config: tolerances.
        declared: directions of columns that are judged beside the dimensions (any table's own numbers).
        pair_by: columns that make two rows the same task.

    Raises:
        SignatureError: the two were made with different definitions.
        TableError: no common item, or nothing to judge.
        ConfigError: the config names a dimension that neither table has.
    """
    comparable = comparable_runs((baseline, candidate))
    baseline, candidate = comparable.runs
    warnings = (*check_signatures((baseline, candidate)), *comparable.warnings)
    measures = _judged(baseline, candidate, config, declared or Declared())
    sides = [to_units(run, [measure.column for measure in measures], pair_by) for run in (baseline, candidate)]
    # An item that the candidate lacks counts as missing in every dimension that the baseline scored.
    matched = match(*sides, keep_absent=True)
    required = config.dimensions or ()
    verdicts = judge([_paired(matched, m, m.name in required) for m in measures], config)
    verdicts = tuple(_in_own_units(found, measure) for found, measure in zip(verdicts, measures, strict=True))
    return GateResult(
        outcome=overall(verdicts),
        baseline=baseline.name,
        candidate=candidate.name,
        config=config,
        dimensions=verdicts,
        unmatched=find_unmatched(*sides),
        newly_missing=tuple(row for measure in measures for row in find_newly_missing(matched, measure)),
        flips=tuple(row for m in measures if m.kind == "dimension" for row in find_flips(matched, m, config.pass_at)),
        warnings=(*warnings, *(text for side in sides for text in side.warnings), *matched.warnings),
    )


def _judged(baseline: ScoreTable, candidate: ScoreTable, config: GateConfig, declared: Declared) -> list[Measure]:
    """Dimension scores, and the columns whose direction the user gave."""
    frames = [baseline.frame, candidate.frame]
    found = find_measures(frames, declared, margin=config.margin, tie=0.0, metrics=False)
    measures = [measure for measure in found if measure.kind in ("dimension", "declared")]
    names = [measure.name for measure in measures]
    for name in [*(config.dimensions or ()), *config.per_dimension]:
        if name not in names:
            raise ConfigError("a dimension that one of the tables scores", repr(name), "gate", suggest(name, names))
    if config.dimensions is not None:
        measures = [measure for measure in measures if measure.name in config.dimensions]
    if not measures:
        raise nothing_to_compare([str(name) for name in baseline.frame.columns])
    return measures


def _paired(matched: Matched, measure: Measure, required: bool) -> PairedDimension:
    pair = matched.column(measure)
    return PairedDimension(
        name=measure.name,
        baseline=pair.reference * measure.sign,
        candidate=pair.other * measure.sign,
        groups=pair.groups,
        baseline_missing=pair.reference_missing,
        candidate_missing=pair.other_missing,
        candidate_failed=_failed_share(matched, measure),
        required=required,
    )


def _in_own_units(found: DimensionVerdict, measure: Measure) -> DimensionVerdict:
    """Means as the table has them; the difference stays "positive is better"."""
    if measure.sign > 0 or found.baseline_mean is None or found.candidate_mean is None:
        return found
    return replace(found, baseline_mean=-found.baseline_mean, candidate_mean=-found.candidate_mean)


def _failed_share(matched: Matched, measure: Measure) -> Float64:
    """Share of samples that lack the value because a measurement raised; 0 at absent keys."""
    frame: pd.DataFrame = matched.other.run.frame
    if measure.status_column not in frame.columns:
        return np.zeros(len(matched.keys))
    failed = (frame[measure.status_column] == Status.FAILED.value).astype(np.float64)
    share = failed.groupby(matched.other.sample_keys, sort=False).mean()
    return np.asarray(share.reindex(matched.keys).fillna(0.0), dtype=np.float64)
