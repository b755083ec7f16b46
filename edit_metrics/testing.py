"""For teams whose CI is pytest.

from edit_metrics.testing import assert_no_regression

def test_the_new_checkpoint_is_not_worse():
    assert_no_regression("baselines/main", "runs/candidate", margin=0.02)
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edit_metrics.compare.gate import GateResult


class InconclusiveWarning(UserWarning):
    """The gate could neither pass nor fail the candidate."""


def assert_no_regression(
    baseline: str | PathLike[str],
    candidate: str | PathLike[str],
    *,
    allow_inconclusive: bool = False,
    config: str | PathLike[str] | None = None,
    higher: Sequence[str] = (),
    lower: Sequence[str] = (),
    pair_by: Sequence[str] = ("id",),
    by: Sequence[str] | None = None,
    **settings: Any,
) -> GateResult:
    """Run the gate; raise AssertionError with the table of dimensions unless it passes.

    Args:
        baseline: run folder or score table.
        candidate: run folder or score table.
        allow_inconclusive: too little data is a warning, not a failure.
        config: YAML file of gate settings.
        higher: columns of another program of which more is better.
        lower: columns of which less is better.
        pair_by: columns that make two rows the same task.
        by: columns whose slices decide; None: ``edit_type`` warns.
        **settings: gate settings by name (``margin``, ``alpha``, ``dimensions`` …), over those of the file.

    Returns:
        The result, for further checks.

    Raises:
        AssertionError: a regression, a broken measurement, or an inconclusive result.
        UserError: the tables or the settings are wrong.
    """
    from edit_metrics.compare.gate import run_gate
    from edit_metrics.compare.gate_config import load_gate_config
    from edit_metrics.compare.measures import Declared
    from edit_metrics.compare.verdict import Outcome
    from edit_metrics.scores.table import read_runs

    # A failing test shows the caller's line and the message, not this function.
    __tracebackhide__ = True
    sliced = None if by is None else _names(by)
    loaded = load_gate_config(Path(config) if config else None, by=sliced, **settings)
    before, after = read_runs([baseline, candidate])
    result = run_gate(before, after, loaded, Declared(_names(higher), _names(lower)), _names(pair_by))
    if result.outcome is Outcome.PASS:
        return result
    message = _message(result)
    if result.outcome is Outcome.INCONCLUSIVE and allow_inconclusive:
        warnings.warn(message, InconclusiveWarning, stacklevel=2)
        return result
    raise AssertionError(message)


def _names(columns: Sequence[str]) -> tuple[str, ...]:
    # One name is meant as one name, not as its letters.
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _message(result: GateResult) -> str:
    from edit_metrics.compare.gate_output import condition_why, flag_why, headline, slice_rows, why
    from edit_metrics.compare.verdict import Outcome

    fine = (Outcome.PASS, Outcome.IGNORED, Outcome.NOT_JUDGED)
    lines = [headline(result)]
    for found in result.dimensions:
        if found.outcome not in fine:
            drop = "" if found.difference is None else f" {found.difference:+.3f}"
            lines.append(f"  {found.name}: {found.outcome}{drop} over {found.n_groups} groups: {why(found)}")
    for flag in result.flags:
        if flag.outcome not in fine:
            ids = [row.id for row in result.newly_flagged if row.flag == flag.name][:5]
            lines.append(f"  flag {flag.name}: {flag.newly} newly: {flag_why(flag)}: {', '.join(ids)}")
    for dimension, name, difference, p, groups in slice_rows(result) if result.config.by else ():
        lines.append(f"  {dimension} where {name}: {difference} over {groups} groups, p (Holm) {p}")
    for one in result.conditions:
        if one.outcome not in fine:
            lines.append(f"  {one.text}: {one.outcome}: {condition_why(one)}: {', '.join(one.failing_ids[:5])}")
    failed = result.failed_dimensions
    failing = [flip for flip in result.flips if flip.change == "now_fails" and flip.measure in failed][:5]
    lines += [f"  now fails {f.measure}: {f.id} ({f.reference_score:.3f} to {f.score:.3f})" for f in failing]
    return "\n".join(lines)
