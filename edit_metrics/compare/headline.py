"""A comparison in sentences: who won, on what, and where the gate would say something else of the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from edit_metrics.compare.differences import Difference
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.stats import holm

if TYPE_CHECKING:
    from edit_metrics.compare.comparison import Comparison

_MOST_RUNS: Final = 6
"""More runs than this have a sentence for the ranking alone: a page of sentences is no headline."""
_MOST_SLICES: Final = 3  # the sentence stays one; all of them are in the table below it
_VERDICTS: Final = ("worse", "better", "equivalent", "unclear")


def headlines(comparison: Comparison) -> tuple[str, ...]:
    """A sentence for each run beside a baseline, and one on the ranking of three runs or more."""
    judged = [one for one in comparison.differences if one.kind in ("dimension", "declared")]
    pairs = dict.fromkeys((one.reference, one.run) for one in judged)
    said: list[str] = []
    if len(pairs) <= _MOST_RUNS:
        slices = [one for one in comparison.slices if one.verdict == "worse"]
        for pair in pairs:
            own, sliced = ([x for x in rows if (x.reference, x.run) == pair] for rows in (judged, slices))
            said.append(_of_pair(*pair, own, sliced))
    return (*said, *_of_ranking(comparison))


def notes(comparison: Comparison) -> tuple[str, ...]:
    """Dimensions on which :mod:`the gate <.judge>` and the comparison would not say the same, and why.

    The gate asks of one candidate "did it drop?", one-sided and with a minimum effect; the comparison asks of all runs
    "do they differ?", two-sided and over all of them. Speaks of scores alone: the gate also judges losses and flags.
    """
    rule, found = GateConfig(), []
    dimensions = [one for one in comparison.differences if one.kind == "dimension" and one.p_value is not None]
    for run, reference in dict.fromkeys((one.run, one.reference) for one in dimensions):
        own = [one for one in dimensions if (one.run, one.reference) == (run, reference)]
        for one, p in zip(own, holm([_one_sided(one) for one in own]), strict=True):
            drop = -(one.difference or 0.0)
            regression = p <= comparison.options.alpha and drop >= rule.minimum_effect
            if regression and one.verdict != "worse":
                verdict = one.verdict.replace("_", " ")
                found.append(
                    f"{one.measure} of {run} is {verdict} here (two-sided p {one.p_holm:.3f}) and a regression to the "
                    f"gate against {reference}, which asks one-sided whether it dropped (p {p:.3f})."
                )
            elif one.verdict == "worse" and drop < rule.minimum_effect:
                found.append(
                    f"{one.measure} of {run} is worse than in {reference} by {drop:.3f}, less than the gate's minimum "
                    f"effect of {rule.minimum_effect:g}: no regression there."
                )
    return tuple(found)


def _one_sided(one: Difference) -> float:
    half = (one.p_value or 0.0) / 2
    return half if (one.difference or 0.0) < 0 else 1 - half


def _of_pair(reference: str, run: str, found: Sequence[Difference], slices: Sequence[Difference]) -> str:
    said = []
    for verdict in _VERDICTS:
        names = [_name(one) for one in found if one.verdict == verdict]
        if names:
            said.append(f"{verdict} in {', '.join(names)}")
    unjudged = [one.measure for one in found if one.verdict == "too_few_groups" and one.n_items]
    if unjudged:
        said.append(f"too few groups for {', '.join(unjudged)}")
    worse = {one.measure for one in found if one.verdict == "worse"}
    hidden = sorted((one for one in slices if one.measure not in worse), key=lambda one: -abs(one.difference or 0.0))
    if hidden:
        places = ", ".join(f"{one.measure} where {one.slice} ({one.difference:+.3f})" for one in hidden[:_MOST_SLICES])
        more = f" and {len(hidden) - _MOST_SLICES} more" if len(hidden) > _MOST_SLICES else ""
        said.append(f"yet worse in {places}{more}")
    return f"{run} against {reference}: {'; '.join(said) or 'nothing to compare'}."


def _name(one: Difference) -> str:
    if one.verdict not in ("better", "worse"):
        return one.measure
    inside = ", within the margin" if one.equivalent else ""
    return f"{one.measure} ({one.difference:+.3f}{inside})"


def _of_ranking(comparison: Comparison) -> list[str]:
    if len(comparison.runs) < 3:
        return []
    first: dict[str, list[str]] = {}
    for row in comparison.ranking:
        if row.rank == 1:
            first.setdefault(row.measure, []).append(row.run)
    ranked = {row.measure for row in comparison.ranking if row.rank is not None and row.n_items}
    alone: dict[str, list[str]] = {}
    for measure, runs in first.items():
        if len(runs) == 1 and measure in ranked:
            alone.setdefault(runs[0], []).append(measure)
    said = [f"{run} is first alone in {', '.join(measures)}" for run, measures in alone.items()]
    shared = [measure for measure, runs in first.items() if len(runs) > 1 and measure in ranked]
    if shared:
        said.append(f"first place is not separated in {', '.join(shared)}")
    return [f"Of {len(comparison.runs)} runs: {'; '.join(said)}."] if said else []
