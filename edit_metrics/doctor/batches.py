"""A few items once more, one at a time: the same values as in a batch, and how long each stage takes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edit_metrics.doctor.checks import Finding
from edit_metrics.doctor.trial import Trial, one_at_a_time, score_items, wrap_functions
from edit_metrics.engine.plan import Step
from edit_metrics.types import EditItem, Measurement

REPEATED: Final = ("inside_flat", "offset_0.50", "same_portrait", "face_kept")
_TOLERANCE: Final = 1e-5
"""Relative: float32, summed in another order."""
_TOLERANCE_BF16: Final = 0.02
"""A few of bfloat16's steps of 2⁻⁸; chosen, not measured (docs/doctor.md)."""


@dataclass(frozen=True, slots=True)
class StageTime:
    """Processor time of one stage, and of one item of about 200×200 px in it."""

    stage: str
    cpu_seconds: float


def repeat_alone(trial: Trial, stages: list[StageTime]) -> Finding:
    """Score the repeated cases in batches of one, with every step timed.

    Args:
        trial: what the batches said.
        stages: filled with the stages, slowest first.
    """
    spent: defaultdict[str, float] = defaultdict(float)
    plan = wrap_functions(one_at_a_time(trial.plan), lambda step: _timed(step, spent))
    items: Sequence[EditItem] = [trial.scored[name].item for name in REPEATED if name in trial.scored]
    started = time.process_time()
    alone = score_items(plan, trial.backends, items, workers=1)
    spent["all of it, decoding included"] = time.process_time() - started
    problems, examined = [], 0
    tolerance = _tolerance(trial)
    for name, scored in alone.items():
        for metric, found in scored.measurements.items():
            together = trial.scored[name].measurements[metric]
            examined += 1
            if not _agree(found, together, tolerance):
                problems.append(f"{metric} of {name}: {_words(found)} alone, {_words(together)} in a batch")
    stages += [StageTime(stage, spent[stage] / len(items)) for stage in sorted(spent, key=spent.__getitem__)[::-1]]
    return Finding(examined, tuple(problems), f"values of {len(items)} items alone and in a batch")


def _timed(step: Step, spent: defaultdict[str, float]) -> Callable[..., Any]:
    spec = step.spec

    def call(*arguments: Any, **options: Any) -> Any:
        started = time.process_time()
        try:
            return spec.function(*arguments, **options)
        finally:
            spent[spec.stage] += time.process_time() - started

    return call


def _tolerance(trial: Trial) -> float:
    exact = all(backend.fingerprint.dtype == "float32" for backend in trial.backends.values())
    return _TOLERANCE if exact else _TOLERANCE_BF16


def _agree(first: Measurement, second: Measurement, tolerance: float) -> bool:
    if first.value is None or second.value is None:
        return first == second
    return abs(first.value - second.value) <= tolerance * max(1.0, abs(second.value))


def _words(found: Measurement) -> str:
    return f"{found.value:.8g}" if found.value is not None else f"{found.status}({found.reason})"
