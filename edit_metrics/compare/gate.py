"""The CI gate: two score tables in, one verdict out."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from edit_metrics.compare.changes import Flip, NewlyMissing, Unmatched, find_flips, find_newly_missing, find_unmatched
from edit_metrics.compare.conditions import ConditionVerdict, judge_conditions, parse_condition
from edit_metrics.compare.differences import PairedColumn
from edit_metrics.compare.flags import NewlyFlagged, read_flags
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.judge import judge_all
from edit_metrics.compare.judging import comparable_runs
from edit_metrics.compare.markdown import p_value_text
from edit_metrics.compare.matching import Matched, match
from edit_metrics.compare.measures import Declared, Measure, find_measures, nothing_to_compare
from edit_metrics.compare.pairing import to_units
from edit_metrics.compare.plan import Plan, plan_one, plan_pair
from edit_metrics.compare.signatures import check_signatures
from edit_metrics.compare.slicing import sliced
from edit_metrics.compare.verdict import (
    DimensionVerdict,
    FlagVerdict,
    Outcome,
    PairedDimension,
    SliceVerdict,
    overall,
)
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.scores.columns import DimensionColumns, dimension_of, is_measured
from edit_metrics.scores.table import ScoreTable
from edit_metrics.types import Float64, Status

if TYPE_CHECKING:
    import pandas as pd


MOST_LISTED: Final = 2_000
"""Items of one kind that are listed for a dimension: nobody reads more, and 10⁶ items would make half a million."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What the gate found.

    Attributes:
        flags: a verdict for each judged flag; empty where neither table has flags.
        slices: every dimension on every slice that is large enough.
        baseline: None where a run is held against conditions alone.
        conditions: what the config requires of the candidate.
        newly_missing: items that lost their score, with the reason; :data:`MOST_LISTED` a dimension at most.
        newly_flagged: items that carry a judged flag now and did not.
        flips: items that passed in the baseline and now fail, and the reverse; the largest changes, as many.
    """

    outcome: Outcome
    baseline: str | None
    candidate: str
    config: GateConfig
    dimensions: tuple[DimensionVerdict, ...]
    unmatched: Unmatched
    newly_missing: tuple[NewlyMissing, ...]
    flips: tuple[Flip, ...]
    warnings: tuple[str, ...]
    flags: tuple[FlagVerdict, ...] = ()
    slices: tuple[SliceVerdict, ...] = ()
    newly_flagged: tuple[NewlyFlagged, ...] = ()
    conditions: tuple[ConditionVerdict, ...] = ()

    @property
    def failed_dimensions(self) -> frozenset[str]:
        """Names of the dimensions, whole or in a slice that decides, that speak against the candidate."""
        whole = {one.name for one in self.dimensions if one.outcome in (Outcome.REGRESSION, Outcome.BROKEN)}
        return frozenset(whole | {one.dimension for one in self.worse_slices if self.config.by})

    @property
    def worse_slices(self) -> tuple[SliceVerdict, ...]:
        """Slices that dropped."""
        return tuple(one for one in self.slices if one.worse)


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
        TableError: no common item, nothing to judge, or a column to slice by that is absent or has too many values.
        ConfigError: the config names a dimension or a flag that neither table has.
    """
    whole = (baseline, candidate)
    comparable = comparable_runs(whole)
    baseline, candidate = comparable.runs
    warnings = (*check_signatures((baseline, candidate)), *comparable.warnings)
    measures = _judged(baseline, candidate, config, declared or Declared())
    sides = [to_units(run, pair_by) for run in (baseline, candidate)]
    # An item that the candidate lacks counts as missing in every dimension that the baseline scored.
    matched = match(*sides, keep_absent=True)
    pairs = [matched.column(measure) for measure in measures]
    # A newly unsafe picture counts whether or not a judge was asked about it.
    everything = matched
    if baseline is not whole[0]:
        everything = match(*(to_units(run, pair_by) for run in whole), keep_absent=True)
    flags = read_flags(everything, config)
    slices, notes = sliced(matched, config.by)
    judged = judge_all([_paired(matched, pair, config) for pair in pairs], flags.pairs, slices, config)
    dimensions = tuple(_in_own_units(found, m) for found, m in zip(judged.dimensions, measures, strict=True))
    verdicts = (*judged.flags, *flags.undecided)
    worse = [one for one in judged.slices if one.worse]
    conditions = require(whole[1], config, pair_by)
    also = [*(one.outcome for one in verdicts), *(one.outcome for one in conditions)]
    also += [Outcome.REGRESSION for _ in worse if config.by]
    found = GateResult(
        outcome=overall(dimensions, also),
        baseline=baseline.name,
        candidate=candidate.name,
        config=config,
        dimensions=dimensions,
        unmatched=find_unmatched(matched),
        newly_missing=tuple(row for pair in pairs for row in find_newly_missing(matched, pair, MOST_LISTED)),
        flips=tuple(row for pair in pairs for row in _flips(matched, pair, config.pass_at)),
        warnings=(*warnings, *(text for side in sides for text in side.warnings), *matched.warnings, *notes),
        flags=verdicts,
        slices=judged.slices,
        newly_flagged=flags.newly,
        conditions=conditions,
    )
    # Of a dimension that dropped as a whole its slices say nothing new.
    dropped = [] if config.by else [_dropped(one) for one in worse if one.dimension not in found.failed_dimensions]
    return replace(found, warnings=(*found.warnings, *_unjudged(found), *dropped))


def run_conditions(candidate: ScoreTable, config: GateConfig, pair_by: Sequence[str] = ("id",)) -> GateResult:
    """Hold a run against the config's conditions alone, without a baseline.

    Raises:
        ConfigError: the config requires nothing, or a condition cannot be read.
        TableError: a condition's column is absent or holds no numbers.
    """
    conditions = require(candidate, config, pair_by)
    if not conditions:
        raise ConfigError(
            "a condition to hold a single run against", "none", "gate", "--require 'COLUMN >= NUMBER in P %'"
        )
    outcomes = {one.outcome for one in conditions}
    outcome = next(o for o in (Outcome.REGRESSION, Outcome.INCONCLUSIVE, Outcome.PASS) if o in outcomes)
    nothing = Unmatched(candidate.name, (), ())
    warnings = to_units(candidate, pair_by).warnings
    return GateResult(outcome, None, candidate.name, config, (), nothing, (), (), warnings, conditions=conditions)


def make_plan(
    runs: Sequence[ScoreTable], config: GateConfig, declared: Declared | None = None, pair_by: Sequence[str] = ("id",)
) -> Plan:
    """Whether a benchmark can pass, from one run or from two; see :mod:`.plan`.

    Raises:
        SignatureError, TableError, ConfigError: as :func:`run_gate`.
    """
    measures = _judged(runs[0], runs[-1], config, declared or Declared())
    if len(runs) == 1:
        return plan_one(to_units(runs[0], pair_by), measures, config)
    check_signatures(runs)
    sides = comparable_runs(runs).runs
    matched = match(to_units(sides[0], pair_by), to_units(sides[1], pair_by))
    columns = [matched.column(measure) for measure in measures]
    changes = [(column.measure, column.other - column.reference, column.groups) for column in columns]
    return plan_pair((runs[0].name, runs[1].name), changes, config)


def require(candidate: ScoreTable, config: GateConfig, pair_by: Sequence[str]) -> tuple[ConditionVerdict, ...]:
    """The verdicts on the config's conditions."""
    if not config.require:
        return ()
    return judge_conditions(to_units(candidate, pair_by), [parse_condition(t) for t in config.require], config.alpha)


def _flips(matched: Matched, pair: PairedColumn, pass_at: float) -> list[Flip]:
    # A declared column of another program has units of its own, in which nobody said what passes.
    return find_flips(matched, pair, pass_at, MOST_LISTED) if pair.measure.kind == "dimension" else []


def _unjudged(result: GateResult) -> list[str]:
    names = [one.name for one in result.dimensions if one.outcome is Outcome.NOT_JUDGED]
    flags = [one.name for one in result.flags if one.outcome is Outcome.NOT_JUDGED]
    found = []
    if names:
        found.append(f"not judged: {', '.join(names)}: {result.baseline} has values in fewer than two groups")
    if flags:
        found.append(f"not judged: the flags {', '.join(flags)}: {result.baseline} has no column 'flags'")
    return found


def _dropped(found: SliceVerdict) -> str:
    return (
        f"{found.dimension} dropped by {-found.difference:.3f} where {found.column} is {found.value or '(none)'} "
        f"({found.n_groups} groups, p (Holm) {p_value_text(found.p_adjusted)}); "
        f"--by {found.column} makes that a regression"
    )


def is_read(column: str, also: Collection[str] = ()) -> bool:
    """Whether the gate needs a column: not the metrics of a large table, nor confidences.

    Args:
        column: its name.
        also: columns that are judged, paired or sliced by, or that a condition names.
    """
    if column in also or not is_measured(column):
        return True
    own = DimensionColumns(dimension_of(column))
    return column in (own.score, own.status, own.reasons)


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


def _paired(matched: Matched, pair: PairedColumn, config: GateConfig) -> PairedDimension:
    measure = pair.measure
    return PairedDimension(
        name=measure.name,
        baseline=pair.reference if measure.sign > 0 else -pair.reference,
        candidate=pair.other if measure.sign > 0 else -pair.other,
        groups=pair.groups,
        baseline_missing=pair.reference_missing,
        candidate_missing=pair.other_missing,
        candidate_failed=_failed_share(matched, measure),
        required=measure.name in (config.dimensions or ()),
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
        return np.zeros(len(matched.at))
    failed = np.asarray(frame[measure.status_column] == Status.FAILED.value, dtype=bool)
    return matched.theirs(matched.other.share(failed), 0.0)
