"""N runs against the first one, or against several baselines: the whole comparison as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edit_metrics.compare.changes import Flip, NewlyMissing, Unmatched, find_flips, find_newly_missing, find_unmatched
from edit_metrics.compare.differences import Difference, Mean, PairedColumn, own_mean, paired_difference, settle
from edit_metrics.compare.judging import Comparable, comparable_runs
from edit_metrics.compare.matching import Matched, match
from edit_metrics.compare.measures import Declared, Measure, find_measures
from edit_metrics.compare.pairing import Units, to_units
from edit_metrics.compare.ranking import RankRow, rank_runs
from edit_metrics.compare.signatures import check_signatures, signatures
from edit_metrics.compare.slicing import DEFAULT_SLICES, check_slice_column
from edit_metrics.errors import TableError
from edit_metrics.scores.table import ScoreTable


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
        baselines: the first so many runs are each what all the others are compared with.
    """

    pair_by: tuple[str, ...] = ("id",)
    slices: tuple[str, ...] | None = None
    margin: float = 0.02
    tie: float = 0.01
    alpha: float = 0.05
    confidence: float = 0.95
    pass_at: float = 0.5
    metrics: bool = True
    baselines: int = 1
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
    """Compare every run with the first, or with each of the first ``options.baselines``.

    A single run has means with intervals, and nothing else.

    Raises:
        TableError: no run, equal names, no common item, or a column that is needed and absent.
        SignatureError: runs whose scores do not mean the same.
    """
    _check_names(runs)
    # One run alone may have been judged in part: nothing stands beside it.
    comparable = comparable_runs(runs) if len(runs) > 1 else Comparable(tuple(runs))
    runs = comparable.runs
    warnings = (*check_signatures(runs), *comparable.warnings)
    slices = _slice_columns(runs[0], options)
    measures = find_measures(
        [run.frame for run in runs],
        options.declared,
        margin=options.margin,
        tie=options.tie,
        reserved=(*options.pair_by, *slices),
        metrics=options.metrics,
    )
    units = [to_units(run, options.pair_by) for run in runs]
    baselines, others = units[: options.baselines], units[options.baselines :]
    found = _Found()
    for number, baseline in enumerate(baselines):
        for other in others:
            found.add(match(baseline, other), measures, slices, options, lists=number == 0)
    signs = {measure.name: measure.sign for measure in measures}
    return Comparison(
        runs=tuple(_summary(unit) for unit in units),
        options=options,
        measures=measures,
        means=tuple(_mean(unit, measure, options) for measure in measures for unit in units),
        differences=settle(found.differences, signs, options.alpha),
        slices=settle(found.slices, signs, options.alpha),
        ranking=rank_runs(units, measures, options.alpha),
        unmatched=tuple(found.unmatched),
        newly_missing=tuple(found.newly_missing),
        flips=tuple(found.flips),
        warnings=(*warnings, *(w for unit in units for w in unit.warnings), *dict.fromkeys(found.warnings)),
    )


@dataclass(slots=True)
class _Found:
    """What pairs of runs add up to."""

    differences: list[Difference] = field(default_factory=list)
    slices: list[Difference] = field(default_factory=list)
    unmatched: list[Unmatched] = field(default_factory=list)
    newly_missing: list[NewlyMissing] = field(default_factory=list)
    flips: list[Flip] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(
        self,
        matched: Matched,
        measures: Sequence[Measure],
        slices: Sequence[str],
        options: CompareOptions,
        *,
        lists: bool,
    ) -> None:
        """One pair of runs; single items are listed against the first baseline alone."""
        self.warnings += matched.warnings
        if lists:
            self.unmatched.append(find_unmatched(matched))
        labelled = [(name, *matched.reference.labelled(name, matched.at)) for name in slices]
        for measure in measures:
            pair = matched.column(measure)
            self.differences.append(_paired(matched, pair, "", options))
            if measure.kind == "metric":
                continue
            for name, codes, texts in labelled:
                for code, text in enumerate(texts):
                    part = pair.take(codes == code)
                    self.slices.append(_paired(matched, part, f"{name}={text or '(none)'}", options))
            if lists and measure.kind in ("dimension", "declared"):
                self.newly_missing += find_newly_missing(matched, pair)
            if lists and measure.kind == "dimension":
                self.flips += find_flips(matched, pair, options.pass_at)


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
    if not names or len(set(names)) < len(names):
        raise TableError("runs with different names", repr(names))


def _slice_columns(run: ScoreTable, options: CompareOptions) -> tuple[str, ...]:
    if options.slices is None:
        return tuple(n for n in DEFAULT_SLICES if n in run.frame.columns and run.frame[n].notna().any())
    for column in options.slices:
        check_slice_column(run, column)
    return options.slices


def _summary(units: Units) -> RunSummary:
    frame = units.run.frame
    hashes = {name: signature.sha256 for name, signature in signatures(units.run).items()}
    return RunSummary(units.run.name, str(units.run.path), len(frame), len(units.labels), hashes)


def _mean(units: Units, measure: Measure, options: CompareOptions) -> Mean:
    return own_mean(measure, units.run.name, units.values(measure.column), units.codes, options.confidence)
