"""A plan as JSON, as rows, and in one sentence."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from edit_metrics.compare.plan import CORRELATIONS, Plan
from edit_metrics.compare.sample_size import POWER

FORMAT: Final = "edit-metrics/plan"
VERSION: Final = 1
OF_TWO: Final = (
    "dimension",
    "groups",
    "spread of differences",
    "margin",
    "chance to pass",
    "groups to pass",
    "groups to find a drop",
    "smallest margin",
)
OF_ONE: Final = (
    "dimension",
    "groups",
    "spread of scores",
    "margin",
    "correlation needed",
    *(f"groups to pass at {rho:g}" for rho in CORRELATIONS),
)


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """The content of ``--plan --json``."""
    body = asdict(plan) | {"config": plan.config.model_dump(mode="json")}
    return {"format": FORMAT, "version": VERSION, **body}


def plan_table(plan: Plan) -> tuple[tuple[str, ...], list[list[object]]]:
    """Headings and a row for each dimension."""
    if plan.other is None:
        rows: list[list[object]] = [
            [one.name, one.n_groups, one.spread, one.margin, one.correlation_needed, *_at_correlations(one.examples)]
            for one in plan.dimensions
        ]
        return OF_ONE, rows
    return OF_TWO, [
        [
            one.name,
            one.n_groups,
            one.spread,
            one.margin,
            one.chance_to_pass,
            one.groups_to_pass,
            one.groups_to_find,
            one.smallest_margin,
        ]
        for one in plan.dimensions
    ]


def plan_headline(plan: Plan) -> str:
    """Can it pass?"""
    judged = [one for one in plan.dimensions if one.spread is not None]
    if not judged:
        return f"{plan.run}: no dimension has two groups, so that the gate would judge nothing."
    unjudged = [one.name for one in plan.dimensions if one.spread is None]
    rest = f" Not judged, with fewer than two groups: {', '.join(unjudged)}." if unjudged else ""
    if plan.other is None:
        hardest = max(judged, key=lambda one: one.correlation_needed or 0.0)
        needed = hardest.correlation_needed or 0.0
        if needed == 0:
            return f"{plan.run}: an unchanged candidate passes, however little it resembles this run.{rest}"
        return (
            f"{plan.run}: an unchanged candidate passes with {POWER:.0%} chance in every dimension if its scores "
            f"correlate with this run's at {needed:.3f} or more over sources ({hardest.name} needs most). "
            f"A second run of the same checkpoint shows whether they do: --plan with both.{rest}"
        )
    chance = plan.chance_to_pass or 0.0
    verdict = "can pass" if chance >= POWER else "can hardly pass"
    return (
        f"{plan.run} {verdict}: an unchanged candidate passes all {len(judged)} dimensions with about {chance:.0%} "
        f"chance; {plan.groups_to_pass} groups give {POWER:.0%}.{rest}"
    )


def _at_correlations(examples: Any) -> list[object]:
    return [one.groups_to_pass for one in examples] or [None] * len(CORRELATIONS)
