"""For teams whose CI is pytest.

from edit_metrics.testing import assert_no_regression

def test_the_new_checkpoint_is_not_worse():
    assert_no_regression("baselines/main", "runs/candidate", margin=0.02)
"""

from __future__ import annotations

import warnings
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
    **settings: Any,
) -> GateResult:
    """Run the gate; raise AssertionError with the table of dimensions unless it passes.

    Args:
        baseline: run folder or score table.
        candidate: run folder or score table.
        allow_inconclusive: too little data is a warning, not a failure.
        config: YAML file of gate settings.
        **settings: gate settings by name (``margin``, ``alpha``, ``dimensions`` …), over those of the file.

    Returns:
        The result, for further checks.

    Raises:
        AssertionError: a regression, a broken measurement, or an inconclusive result.
        UserError: the tables or the settings are wrong.
    """
    from edit_metrics.compare.gate import run_gate
    from edit_metrics.compare.gate_config import load_gate_config
    from edit_metrics.compare.verdict import Outcome
    from edit_metrics.scores.table import read_runs

    before, after = read_runs([baseline, candidate])
    result = run_gate(before, after, load_gate_config(Path(config) if config else None, **settings))
    if result.outcome is Outcome.PASS:
        return result
    message = _message(result)
    if result.outcome is Outcome.INCONCLUSIVE and allow_inconclusive:
        warnings.warn(message, InconclusiveWarning, stacklevel=2)
        return result
    raise AssertionError(message)


def _message(result: GateResult) -> str:
    from edit_metrics.compare.gate_output import headline, why
    from edit_metrics.compare.verdict import Outcome

    lines = [headline(result)]
    for found in result.dimensions:
        if found.outcome in (Outcome.PASS, Outcome.IGNORED):
            continue
        drop = "" if found.difference is None else f" {found.difference:+.3f}"
        lines.append(f"  {found.name}: {found.outcome}{drop} over {found.n_groups} groups: {why(found)}")
    failing = [flip for flip in result.flips if flip.change == "now_fails"][:5]
    lines += [f"  now fails {f.measure}: {f.id} ({f.reference_score:.3f} to {f.score:.3f})" for f in failing]
    return "\n".join(lines)
