"""Score the cases through the engine: the same plan, backends and decoding as a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from edit_metrics.backends.factory import build_backend
from edit_metrics.config import Config
from edit_metrics.doctor.cases import Case, write_case
from edit_metrics.engine.plan import Plan, Stage, Step, build_plan
from edit_metrics.engine.scoring import Scorer
from edit_metrics.errors import UserError, WeightsError
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.types import EditItem, Measurement

BATCH: Final = 8
"""More than one, so that `batch_of_one_equals_batch` compares two things."""


@dataclass(frozen=True, slots=True)
class LoadedBackends:
    """What could be built.

    Attributes:
        by_role: role → backend.
        problems: role → why it could not.
        cpu_seconds: role → processor time of loading it.
    """

    by_role: Mapping[str, Any]
    problems: Mapping[str, str]
    cpu_seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Trial:
    """A profile's plan on this machine, and what it measured.

    Attributes:
        scored: case → the scored item.
        folder: temporary; further cases may be written to it.
    """

    plan: Plan
    backends: Mapping[str, Any]
    folder: Path
    scored: Mapping[str, ScoredItem]

    def measurement(self, case: str, metric: str) -> Measurement | None:
        """What a metric said of a case; None when the plan does not have it."""
        return self.scored[case].measurements.get(metric)

    def value(self, case: str, metric: str) -> float | None:
        """The value, where there is one."""
        found = self.measurement(case, metric)
        return None if found is None else found.value


def load_backends(plan: Plan, config: Config) -> LoadedBackends:
    """Build the backend of every role; one that cannot be built costs its own metrics, not the others'."""
    by_role: dict[str, Any] = {}
    problems: dict[str, str] = {}
    seconds: dict[str, float] = {}
    threads = config.engine.model_threads or None
    for role in plan.roles:
        started = time.process_time()
        try:
            by_role[role] = build_backend(role, config.backends[role], device=config.engine.device, threads=threads)
        except WeightsError:
            problems[role] = "its weights are missing or do not fit (see the group weights); its metrics are not tested"
        except (UserError, ImportError, OSError, RuntimeError) as error:
            problems[role] = " ".join(str(error).split())
        else:
            seconds[role] = time.process_time() - started
    return LoadedBackends(by_role, problems, seconds)


def start_trial(config: Config, backends: Mapping[str, Any], folder: Path, cases: Sequence[Case]) -> Trial:
    """Write the cases and score them, in batches."""
    engine = config.engine.model_copy(update={"batch_size": BATCH})
    plan = build_plan(config.model_copy(update={"engine": engine}))
    items = [write_case(case, folder) for case in cases]
    return Trial(plan, backends, folder, score_items(plan, backends, items))


def score_items(
    plan: Plan, backends: Mapping[str, Any], items: Sequence[EditItem], workers: int = 2
) -> dict[str, ScoredItem]:
    """Item id → what was scored."""
    result = Scorer(plan, backends, workers=workers).score_shard(items)
    return {scored.item.id: scored for scored in result.scored}


def one_at_a_time(plan: Plan) -> Plan:
    """The same plan in batches of one."""
    engine = plan.config.engine.model_copy(update={"batch_size": 1})
    return replace(plan, config=plan.config.model_copy(update={"engine": engine}))


def wrap_functions(plan: Plan, wrap: Callable[[Step], Callable[..., Any]]) -> Plan:
    """The same plan with each step's function replaced."""
    stages = [[replace(step, spec=replace(step.spec, function=wrap(step))) for step in s.steps] for s in plan.stages]
    return replace(plan, stages=tuple(Stage(tuple(steps)) for steps in stages))
