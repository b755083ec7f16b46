"""Does everything work on this machine? Environment, weights, and self-tests of every metric of a profile."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

from edit_metrics.config import Config
from edit_metrics.doctor import claims, known_bugs, properties
from edit_metrics.doctor.batches import StageTime, repeat_alone
from edit_metrics.doctor.cases import ladders, single_cases, typed_cases
from edit_metrics.doctor.checks import Check, State, is_healthy, run_test
from edit_metrics.doctor.decoding import decode_traps
from edit_metrics.doctor.environment import check_environment
from edit_metrics.doctor.model_files import check_weights
from edit_metrics.doctor.probes import network_inputs
from edit_metrics.doctor.trial import LoadedBackends, Trial, load_backends, start_trial
from edit_metrics.engine.plan import Plan, build_plan

__all__ = ["Check", "Diagnosis", "StageTime", "State", "examine"]

SELF_TESTS: Final = "self-tests"
KNOWN_BUGS: Final = "known bugs"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything the doctor found.

    Attributes:
        stages: processor seconds an item, slowest stage first.
        loading: role → processor seconds of loading its model.
    """

    checks: tuple[Check, ...]
    stages: tuple[StageTime, ...]
    loading: dict[str, float]

    @property
    def healthy(self) -> bool:
        """Whether no check failed."""
        return is_healthy(self.checks)


def examine(config: Config) -> Diagnosis:
    """Run every check of a profile on this machine.

    A model that cannot be loaded is a failed check; the metrics that do without it are tested all the same.

    Raises:
        ConfigError: the profile itself is wrong.
    """
    plan = build_plan(config)
    checks = [*check_environment(config, plan), *check_weights(config, plan)]
    loaded = load_backends(plan, config)
    checks += [Check(SELF_TESTS, f"load_{role}", State.FAIL, text) for role, text in loaded.problems.items()]
    with tempfile.TemporaryDirectory(prefix="edit-metrics-doctor-") as folder:
        trial = _trial(config, plan, loaded, Path(folder))
        stages: list[StageTime] = []
        checks.append(run_test(SELF_TESTS, "batch_of_one_equals_batch", partial(repeat_alone, trial, stages)))
        checks += _self_tests(config, trial)
        checks += _known_bugs(trial)
    return Diagnosis(tuple(checks), tuple(stages), dict(loaded.cpu_seconds))


def _trial(config: Config, plan: Plan, loaded: LoadedBackends, folder: Path) -> Trial:
    """Score what the plan's metrics have something to say about: ladders of metrics that it lacks are left out."""
    names = {spec.name for spec in plan.metrics}
    climbed = [ladder for ladder in ladders() if names & claims.MONOTONE[ladder.name].keys()]
    moved = any(map(properties.is_of_moved_pictures, plan.metrics))
    needed = [ladder for ladder in ladders() if ladder.name == "shift" and moved]
    chosen = {ladder.name: ladder for ladder in (*climbed, *needed)}
    typed = typed_cases() if names & set(claims.DONE.values()) else ()
    cases = [*single_cases(), *typed, *(case for ladder in chosen.values() for case in ladder.cases)]
    return start_trial(config, loaded.by_role, folder, cases)


def _self_tests(config: Config, trial: Trial) -> Iterator[Check]:
    for name, test in properties.PROPERTIES.items():
        yield run_test(SELF_TESTS, name, partial(test, trial))
    for ladder in claims.MONOTONE:
        if f"{ladder}_0" in trial.scored:
            yield run_test(SELF_TESTS, f"monotone_{ladder}", partial(properties.monotone, trial, ladder))
    yield run_test(SELF_TESTS, "decode_traps", partial(decode_traps, config.decode, trial.folder))


def _known_bugs(trial: Trial) -> Iterator[Check]:
    inputs = cache(partial(network_inputs, trial))
    for name, input_test in known_bugs.INPUT_TESTS.items():
        yield run_test(KNOWN_BUGS, name, lambda test=input_test: test(inputs()))  # type: ignore[misc]
    for name, trial_test in known_bugs.TRIAL_TESTS.items():
        yield run_test(KNOWN_BUGS, name, partial(trial_test, trial))
