"""The gate's decision on plain arrays: no tables, no files, so that the simulation runs this very code.

δ = candidate − baseline, averaged within groups, then over groups.

* *Regression*: the Holm-adjusted one-sided cluster-t p-value of δ ≥ 0 is at most α **and** δ̂ ≤ −minimum effect; or the
  candidate lost values (below).
* *Pass*: no regression, and the lower one-sided 1 − α bound of δ lies above −margin. All dimensions have to pass, so
  the chance to pass with one of them at −margin is at most α without any correction (intersection-union; Berger 1982).
* *Not judged*: the baseline itself has values in fewer than two groups, from which no spread can be had; the others
  decide.
* *Inconclusive*: everything between.

Missing values are never imputed; a candidate must not pass by having fewer numbers. More values lost than gained by an
exact McNemar test (:mod:`.discordance`), or more newly missing items than allowed, is a regression; a net share above
``missing_margin`` alone cannot pass. Tests of lost values and of flags share one Holm family with those of the scores.
Those with so few changed items that they could never reach α are left out of it (Tarone 1990), so that they cost no
power. Slices that the config asks for have a share of α of their own (:mod:`.judge_slices`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.differences import group_mean, n_groups
from edit_metrics.compare.discordance import Discordance, discordance
from edit_metrics.compare.gate_config import DimensionRule, GateConfig
from edit_metrics.compare.judge_flags import decide_flag
from edit_metrics.compare.judge_slices import SLICES_SHARE, judge_slices
from edit_metrics.compare.sample_size import data_to_decide
from edit_metrics.compare.verdict import (
    DimensionVerdict,
    FlagVerdict,
    Missingness,
    Outcome,
    PairedDimension,
    PairedFlag,
    PairedSlices,
    SliceVerdict,
)
from edit_metrics.stats import ClusterTTest, cluster_t_test, holm, one_sided_bound

_LOST_VALUES: Final = frozenset({"absent_from_candidate", "newly_missing", "more_newly_missing_than_allowed"})


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything that the gate says about paired values."""

    dimensions: tuple[DimensionVerdict, ...]
    flags: tuple[FlagVerdict, ...]
    slices: tuple[SliceVerdict, ...]


@dataclass(frozen=True, slots=True)
class _Evidence:
    pair: PairedDimension
    test: ClusterTTest | None
    lost: Discordance
    both: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Adjusted:
    """p-values of the one family: by dimension of the scores and of lost values, and by flag."""

    scores: dict[int, float]
    lost: dict[int, float]
    flags: dict[int, float]


def judge(pairs: Sequence[PairedDimension], config: GateConfig) -> tuple[DimensionVerdict, ...]:
    """A verdict for every dimension, in the order given."""
    return judge_all(pairs, (), (), config).dimensions


def judge_all(
    pairs: Sequence[PairedDimension], flags: Sequence[PairedFlag], slices: Sequence[PairedSlices], config: GateConfig
) -> Judged:
    """Verdicts of dimensions, flags and slices, all of the same items."""
    n_tests = 2 * len(pairs) + len(flags)
    evidence = [_gather(pair, config.alpha, n_tests) for pair in pairs]
    changes = [discordance(f.candidate - f.baseline, f.groups, config.alpha, n_tests) for f in flags]
    # A flag with a limit is counted, not tested.
    tested = {i: one for i, one in enumerate(changes) if config.allowed_flagged(flags[i].name) is None}
    p = _adjust(evidence, tested, 1.0 - SLICES_SHARE if config.by and slices else 1.0)
    n_scores = sum(item.test is not None for item in evidence)
    return Judged(
        tuple(
            _decide(item, p.scores.get(index), p.lost.get(index, 1.0), n_scores, config)
            for index, item in enumerate(evidence)
        ),
        tuple(
            decide_flag(flag.name, found, p.flags.get(index, 1.0), config)
            for index, (flag, found) in enumerate(zip(flags, changes, strict=True))
        ),
        judge_slices(pairs, slices, config),
    )


def _gather(pair: PairedDimension, alpha: float, n_tests: int) -> _Evidence:
    both = np.isfinite(pair.baseline) & np.isfinite(pair.candidate)
    groups = pair.groups[both]
    test = None
    if len(groups) and (groups != groups[0]).any():
        test = cluster_t_test(pair.candidate[both] - pair.baseline[both], groups, "less")
    lost = discordance(pair.candidate_missing - pair.baseline_missing, pair.groups, alpha, n_tests)
    return _Evidence(pair, test, lost, both)


def _adjust(evidence: Sequence[_Evidence], flags: Mapping[int, Discordance], share: float) -> _Adjusted:
    """Holm at a share of α over all score tests and those tests of events that can reach α."""
    found = _Adjusted({}, {}, {})
    family: list[tuple[dict[int, float], int, float]] = []
    for index, item in enumerate(evidence):
        if item.test is not None:
            family.append((found.scores, index, item.test.p_value))
        if item.lost.unit is not None and np.isfinite(item.pair.baseline).any():
            family.append((found.lost, index, item.lost.p_value))
    family += [(found.flags, index, one.p_value) for index, one in flags.items() if one.unit is not None]
    for (kind, index, _), p in zip(family, holm([p for _, _, p in family]), strict=True):
        kind[index] = min(1.0, float(p) / share)
    return found


def _decide(
    item: _Evidence, p_score: float | None, p_missing: float, n_tests: int, config: GateConfig
) -> DimensionVerdict:
    pair, test, both = item.pair, item.test, item.both
    ignored = _nothing_to_compare(pair)
    if ignored is not None:
        return ignored
    missing = _missingness(item, p_missing)
    bound = None if test is None else one_sided_bound(test.mean, test.standard_error, test.df + 1, config.alpha).low
    outcome, reasons = _outcome(item, missing, p_score, bound, config)
    n_items = int(both.sum())
    more = None
    if test is not None and outcome is Outcome.INCONCLUSIVE and "margin_not_excluded" in reasons:
        more = data_to_decide(test, n_items, config.rule(pair.name), config.alpha, n_tests)
    return DimensionVerdict(
        name=pair.name,
        outcome=outcome,
        reasons=reasons,
        n_items=n_items,
        n_groups=n_groups(pair.groups[both]),
        baseline_mean=group_mean(pair.baseline[both], pair.groups[both]),
        candidate_mean=group_mean(pair.candidate[both], pair.groups[both]),
        difference=None if test is None else test.mean,
        standard_error=None if test is None else test.standard_error,
        lower_bound=bound,
        p_value=None if test is None else test.p_value,
        p_adjusted=p_score,
        missingness=missing,
        more_data=more,
    )


def _missingness(item: _Evidence, p_adjusted: float) -> Missingness:
    change = item.pair.candidate_missing - item.pair.baseline_missing
    lost, found = np.maximum(change, 0.0), item.lost
    failed = float(np.minimum(lost, item.pair.candidate_failed).sum())
    return Missingness(
        newly_missing=float(lost.sum()),
        newly_present=float(np.maximum(-change, 0.0).sum()),
        net_share=found.net_share,
        worse_groups=found.worse_groups,
        better_groups=found.better_groups,
        p_value=found.p_value,
        p_adjusted=p_adjusted,
        by_failure=failed / float(lost.sum()) if lost.any() else 0.0,
        unit=found.unit,
    )


def _outcome(
    item: _Evidence, missing: Missingness, p_score: float | None, bound: float | None, config: GateConfig
) -> tuple[Outcome, tuple[str, ...]]:
    rule = config.rule(item.pair.name)
    against = _reasons_for_regression(item, missing, p_score, rule, config)
    if against and missing.by_failure > 0.5 and set(against) <= _LOST_VALUES:
        return Outcome.BROKEN, ("measurement_failed", *against)
    if against:
        return Outcome.REGRESSION, against
    doubt = _reasons_for_doubt(missing, bound, rule)
    if doubt == ("fewer_than_two_groups",) and not item.pair.required:
        scored = np.isfinite(item.pair.baseline)
        if n_groups(item.pair.groups[scored]) < 2:
            return Outcome.NOT_JUDGED, doubt
    return (Outcome.INCONCLUSIVE if doubt else Outcome.PASS), doubt


def _nothing_to_compare(pair: PairedDimension) -> DimensionVerdict | None:
    if np.isfinite(pair.baseline).any():
        return None
    if pair.required:
        return DimensionVerdict(pair.name, Outcome.INCONCLUSIVE, ("no_baseline_values",), 0, 0)
    reason = "new_in_candidate" if np.isfinite(pair.candidate).any() else "no_values"
    return DimensionVerdict(pair.name, Outcome.IGNORED, (reason,), 0, 0)


def _reasons_for_regression(
    item: _Evidence, missing: Missingness, p_score: float | None, rule: DimensionRule, config: GateConfig
) -> tuple[str, ...]:
    reasons = []
    if not np.isfinite(item.pair.candidate).any():
        reasons.append("absent_from_candidate")
    if item.test and p_score is not None and p_score <= config.alpha and item.test.mean <= -rule.minimum_effect:
        reasons.append("score_dropped")
    # Items are tested where groups are too few to say anything; then the loss has to matter, too.
    matters = missing.unit == "groups" or missing.net_share >= rule.missing_margin / 2
    if missing.p_adjusted <= config.alpha and matters:
        reasons.append("newly_missing")
    if rule.allowed_newly_missing is not None and missing.newly_missing > rule.allowed_newly_missing:
        reasons.append("more_newly_missing_than_allowed")
    if rule.allowed_newly_failing is not None and _newly_failing(item, config.pass_at) > rule.allowed_newly_failing:
        reasons.append("more_newly_failing_than_allowed")
    return tuple(reasons)


def _newly_failing(item: _Evidence, pass_at: float) -> int:
    before, after = item.pair.baseline[item.both] >= pass_at, item.pair.candidate[item.both] >= pass_at
    return int((before & ~after).sum())


def _reasons_for_doubt(missing: Missingness, bound: float | None, rule: DimensionRule) -> tuple[str, ...]:
    reasons = []
    if bound is None:
        reasons.append("fewer_than_two_groups")
    elif not bound > -rule.margin:
        reasons.append("margin_not_excluded")
    if missing.net_share > rule.missing_margin:
        reasons.append("newly_missing_above_margin")
    return tuple(reasons)
