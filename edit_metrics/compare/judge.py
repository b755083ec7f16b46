"""The gate's decision on plain arrays: no tables, no files, so that the simulation runs this very code.

δ = candidate − baseline, averaged within groups, then over groups.

* *Regression*: the Holm-adjusted one-sided cluster-t p-value of δ ≥ 0 is at most α **and** δ̂ ≤ −minimum effect; or the
  candidate lost values (below).
* *Pass*: no regression, and the lower one-sided 1 − α bound of δ lies above −margin. All dimensions have to pass, so
  the chance to pass with one of them at −margin is at most α without any correction (intersection-union; Berger 1982).
* *Inconclusive*: everything between.

Missing values are never imputed; a candidate must not pass by having fewer numbers. A group is *worse* when the
candidate lacks more values in it than the baseline, *better* when fewer. More worse than better groups by an exact
McNemar test, or more net newly missing items than allowed, is a regression; a net share above ``missing_margin`` alone
cannot pass. The missingness tests share one Holm family with the score tests. Those with so few discordant groups that
they could never reach α are left out of it (Tarone 1990), so that they cost no power.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.differences import group_mean
from edit_metrics.compare.gate_config import DimensionRule, GateConfig
from edit_metrics.compare.sample_size import data_to_decide
from edit_metrics.compare.verdict import DimensionVerdict, Missingness, Outcome, PairedDimension
from edit_metrics.stats import ClusterTTest, cluster_t_test, holm, mcnemar_exact, one_sided_bound

_LOST_VALUES: Final = frozenset({"absent_from_candidate", "newly_missing", "more_newly_missing_than_allowed"})


@dataclass(frozen=True, slots=True)
class _Evidence:
    pair: PairedDimension
    test: ClusterTTest | None
    missing: Missingness
    both: NDArray[np.bool_]


def judge(pairs: Sequence[PairedDimension], config: GateConfig) -> tuple[DimensionVerdict, ...]:
    """A verdict for every dimension, in the order given."""
    evidence = [_gather(pair) for pair in pairs]
    adjusted = _adjust(evidence, config.alpha)
    n_tests = sum(item.test is not None for item in evidence)
    return tuple(_decide(item, *p, n_tests, config) for item, p in zip(evidence, adjusted, strict=True))


def _gather(pair: PairedDimension) -> _Evidence:
    both = np.isfinite(pair.baseline) & np.isfinite(pair.candidate)
    groups = pair.groups[both]
    test = None
    if len(groups) and (groups != groups[0]).any():
        test = cluster_t_test(pair.candidate[both] - pair.baseline[both], groups, "less")
    return _Evidence(pair, test, _missingness(pair), both)


def _missingness(pair: PairedDimension) -> Missingness:
    change = pair.candidate_missing - pair.baseline_missing
    counts = np.bincount(pair.groups)
    by_group = np.bincount(pair.groups, weights=change)[counts > 0] / counts[counts > 0]
    worse, better = int((by_group > 0).sum()), int((by_group < 0).sum())
    lost = np.maximum(change, 0.0)
    failed = float(np.minimum(lost, pair.candidate_failed).sum())
    return Missingness(
        newly_missing=float(lost.sum()),
        newly_present=float(np.maximum(-change, 0.0).sum()),
        net_share=float(by_group.mean()) if len(by_group) else 0.0,
        worse_groups=worse,
        better_groups=better,
        p_value=mcnemar_exact(better, worse, "greater").p_value,
        p_adjusted=1.0,
        by_failure=failed / float(lost.sum()) if lost.any() else 0.0,
    )


def _adjust(evidence: Sequence[_Evidence], alpha: float) -> list[tuple[float | None, float]]:
    """Holm over all score tests and those missingness tests that can reach α, as (score, missingness) pairs."""
    family: list[tuple[int, str, float]] = []
    for index, item in enumerate(evidence):
        if item.test is not None:
            family.append((index, "score", item.test.p_value))
        if (
            np.isfinite(item.pair.baseline).any()
            and 0.5 ** (item.missing.worse_groups + item.missing.better_groups) <= alpha
        ):
            family.append((index, "missing", item.missing.p_value))
    adjusted = holm([p for _, _, p in family])
    found = {(index, kind): float(p) for (index, kind, _), p in zip(family, adjusted, strict=True)}
    return [(found.get((index, "score")), found.get((index, "missing"), 1.0)) for index in range(len(evidence))]


def _decide(
    item: _Evidence, p_score: float | None, p_missing: float, n_tests: int, config: GateConfig
) -> DimensionVerdict:
    pair, test, both = item.pair, item.test, item.both
    ignored = _nothing_to_compare(pair)
    if ignored is not None:
        return ignored
    bound = None if test is None else one_sided_bound(test.mean, test.standard_error, test.df + 1, config.alpha).low
    outcome, reasons = _outcome(item, p_score, p_missing, bound, config)
    n_items = int(both.sum())
    more = None
    if test is not None and outcome is Outcome.INCONCLUSIVE and "margin_not_excluded" in reasons:
        more = data_to_decide(test, n_items, config.rule(pair.name), config.alpha, n_tests)
    return DimensionVerdict(
        name=pair.name,
        outcome=outcome,
        reasons=reasons,
        n_items=n_items,
        n_groups=len(np.unique(pair.groups[both])),
        baseline_mean=group_mean(pair.baseline[both], pair.groups[both]),
        candidate_mean=group_mean(pair.candidate[both], pair.groups[both]),
        difference=None if test is None else test.mean,
        standard_error=None if test is None else test.standard_error,
        lower_bound=bound,
        p_value=None if test is None else test.p_value,
        p_adjusted=p_score,
        missingness=replace(item.missing, p_adjusted=p_missing),
        more_data=more,
    )


def _outcome(
    item: _Evidence, p_score: float | None, p_missing: float, bound: float | None, config: GateConfig
) -> tuple[Outcome, tuple[str, ...]]:
    rule = config.rule(item.pair.name)
    against = _reasons_for_regression(item, p_score, p_missing, rule, config)
    if against and item.missing.by_failure > 0.5 and set(against) <= _LOST_VALUES:
        return Outcome.BROKEN, ("measurement_failed", *against)
    if against:
        return Outcome.REGRESSION, against
    doubt = _reasons_for_doubt(item, bound, rule)
    return (Outcome.INCONCLUSIVE if doubt else Outcome.PASS), doubt


def _nothing_to_compare(pair: PairedDimension) -> DimensionVerdict | None:
    if np.isfinite(pair.baseline).any():
        return None
    if pair.required:
        return DimensionVerdict(pair.name, Outcome.INCONCLUSIVE, ("no_baseline_values",), 0, 0)
    reason = "new_in_candidate" if np.isfinite(pair.candidate).any() else "no_values"
    return DimensionVerdict(pair.name, Outcome.IGNORED, (reason,), 0, 0)


def _reasons_for_regression(
    item: _Evidence, p_score: float | None, p_missing: float, rule: DimensionRule, config: GateConfig
) -> tuple[str, ...]:
    reasons = []
    if not np.isfinite(item.pair.candidate).any():
        reasons.append("absent_from_candidate")
    if item.test and p_score is not None and p_score <= config.alpha and item.test.mean <= -rule.minimum_effect:
        reasons.append("score_dropped")
    if p_missing <= config.alpha:
        reasons.append("newly_missing")
    net = item.missing.newly_missing - item.missing.newly_present
    if rule.allowed_newly_missing is not None and net > rule.allowed_newly_missing:
        reasons.append("more_newly_missing_than_allowed")
    if rule.allowed_newly_failing is not None and _newly_failing(item, config.pass_at) > rule.allowed_newly_failing:
        reasons.append("more_newly_failing_than_allowed")
    return tuple(reasons)


def _newly_failing(item: _Evidence, pass_at: float) -> int:
    before, after = item.pair.baseline[item.both] >= pass_at, item.pair.candidate[item.both] >= pass_at
    return int((before & ~after).sum()) - int((~before & after).sum())


def _reasons_for_doubt(item: _Evidence, bound: float | None, rule: DimensionRule) -> tuple[str, ...]:
    reasons = []
    if bound is None:
        reasons.append("fewer_than_two_groups")
    elif not bound > -rule.margin:
        reasons.append("margin_not_excluded")
    if item.missing.net_share > rule.missing_margin:
        reasons.append("newly_missing_above_margin")
    return tuple(reasons)
