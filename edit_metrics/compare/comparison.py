"""N runs against the first one: the whole comparison as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from edit_metrics.compare.changes import Flip, NewlyMissing, Unmatched, find_flips, find_newly_missing, find_unmatched
from edit_metrics.compare.differences import Difference, Mean, PairedColumn, own_mean, paired_difference, settle
from edit_metrics.compare.judging import comparable_runs
from edit_metrics.compare.matching import Matched, match
from edit_metrics.compare.measures import Declared, Measure, find_measures
from edit_metrics.compare.pairing import Units, to_units
from edit_metrics.compare.ranking import RankRow, rank_runs
from edit_metrics.compare.signatures import check_signatures, signatures
from edit_metrics.errors import TableError
from edit_metrics.scores.table import ScoreTable

MAX_SLICE_VALUES = 30
"""More values than this make no slices: the column is a number or an identifier."""


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """How to compare.

    Attributes:
        pair_by: columns that make two rows the same task.
        slices: columns to slice by; None: ``edit_type`` where the table has it.
        margin: a difference of dimension scores within this does not matter.
        tie: a difference of one item's dimension scores within this is a tie.
        pass_at: score from which an item counts as passing, for the list of flips.
        metrics: compare the metrics too, not the dimensions alone.
    """

    pair_by: tuple[str, ...] = ("id",)
    slices: tuple[str, ...] | None = None
    margin: float = 0.02
    tie: float = 0.01
    alpha: float = 0.05
    confidence: float = 0.95
    pass_at: float = 0.5
    metrics: bool = True
    declared: Declared = field(default_factory=Declared)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What was compared."""

    name: str
    path: str
    n_items: int
    n_groups: int
    signatures: dict[str, str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result; see docs/compare.md for the JSON that it becomes."""

    runs: tuple[RunSummary, ...]
    options: CompareOptions
    measures: tuple[Measure, ...]
    means: tuple[Mean, ...]
    differences: tuple[Difference, ...]
    slices: tuple[Difference, ...]
    ranking: tuple[RankRow, ...]
    unmatched: tuple[Unmatched, ...]
    newly_missing: tuple[NewlyMissing, ...]
    flips: tuple[Flip, ...]
    warnings: tuple[str, ...]


def compare_runs(runs: Sequence[ScoreTable], options: CompareOptions) -> Comparison:
    """Compare every run with the first.

    Raises:
        TableError: fewer than two runs, equal names, no common item, or a column that is needed and absent.
        SignatureError: runs whose scores do not mean the same.
    """
    _check_names(runs)
    comparable = comparable_runs(runs)
    runs = comparable.runs
    warnings = (*check_signatures(runs), *comparable.warnings)
    slices = _slice_columns(runs[0], options)
    reserved = (*options.pair_by, *slices)
    measures = find_measures(
        [run.frame for run in runs],
        options.declared,
        margin=options.margin,
        tie=options.tie,
        reserved=reserved,
        metrics=options.metrics,
    )
    units = [to_units(run, [m.column for m in measures], options.pair_by) for run in runs]
    matches = [match(units[0], other) for other in units[1:]]
    signs = {measure.name: measure.sign for measure in measures}
    dimensions = [measure for measure in measures if measure.kind == "dimension"]
    judged = [measure for measure in measures if measure.kind in ("dimension", "declared")]
    return Comparison(
        runs=tuple(_summary(unit) for unit in units),
        options=options,
        measures=measures,
        means=tuple(_mean(unit, measure, options) for measure in measures for unit in units),
        differences=settle([_difference(m, x, options) for m in matches for x in measures], signs, options.alpha),
        slices=settle([x for m in matches for x in _slices(m, slices, measures, options)], signs, options.alpha),
        ranking=rank_runs(units, measures, options.alpha),
        unmatched=tuple(find_unmatched(units[0], other) for other in units[1:]),
        newly_missing=tuple(row for m in matches for x in judged for row in find_newly_missing(m, x)),
        flips=tuple(row for m in matches for x in dimensions for row in find_flips(m, x, options.pass_at)),
        warnings=(
            *warnings,
            *(w for unit in units for w in unit.warnings),
            *(w for m in matches for w in m.warnings),
        ),
    )


def _difference(matched: Matched, measure: Measure, options: CompareOptions) -> Difference:
    return _paired(matched, matched.column(measure), "", options)


def _slices(
    matched: Matched, columns: Sequence[str], measures: Sequence[Measure], options: CompareOptions
) -> list[Difference]:
    found = []
    pairs = [matched.column(measure) for measure in measures if measure.kind != "metric"]
    for column in columns:
        labels = np.array(matched.reference.text(column, matched.keys), dtype=object)
        for label in dict.fromkeys(labels.tolist()):
            name = f"{column}={label or '(none)'}"
            found += [_paired(matched, pair.take(labels == label), name, options) for pair in pairs]
    return found


def _paired(matched: Matched, pair: PairedColumn, slice_name: str, options: CompareOptions) -> Difference:
    return paired_difference(
        pair,
        matched.other.run.name,
        matched.reference.run.name,
        slice_name=slice_name,
        alpha=options.alpha,
        confidence=options.confidence,
    )


def _check_names(runs: Sequence[ScoreTable]) -> None:
    names = [run.name for run in runs]
    if len(names) < 2 or len(set(names)) < len(names):
        raise TableError("at least two runs with different names", repr(names))


def _slice_columns(run: ScoreTable, options: CompareOptions) -> tuple[str, ...]:
    if options.slices is None:
        return ("edit_type",) if "edit_type" in run.frame.columns and run.frame["edit_type"].notna().any() else ()
    for column in options.slices:
        if column not in run.frame.columns:
            raise TableError(f"a column {column!r} to slice by", "none of that name", str(run.path))
        values = run.frame[column].nunique()
        if values > MAX_SLICE_VALUES:
            raise TableError(f"at most {MAX_SLICE_VALUES} values of {column!r} to slice by", str(values), str(run.path))
    return options.slices


def _summary(units: Units) -> RunSummary:
    frame = units.run.frame
    hashes = {name: signature.sha256 for name, signature in signatures(units.run).items()}
    return RunSummary(units.run.name, str(units.run.path), len(frame), len(set(units.groups)), hashes)


def _mean(units: Units, measure: Measure, options: CompareOptions) -> Mean:
    values = units.column(measure.column, units.keys)
    return own_mean(measure, units.run.name, values, units.codes, options.confidence)
