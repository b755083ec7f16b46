"""Run the steps of a plan on one micro-batch: features and metrics, batched or item by item, cached or not."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from edit_metrics.computation import Label, Metric, to_columns
from edit_metrics.engine.definitions import CacheRule
from edit_metrics.engine.inputs import DecodedItem
from edit_metrics.engine.plan import Stage, Step
from edit_metrics.features.cache import FeatureCache
from edit_metrics.types import Measurement, Missing, Status, failed, for_want_of_memory, not_applicable, unavailable

Seconds = MutableMapping[str, float]
_INFEASIBLE = not_applicable("infeasible")
_FREE = nullcontext()


@dataclass(slots=True)
class Work:
    """One item on its way: what has been computed and is still needed.

    Attributes:
        unsettled: there was no memory for one of its steps: a later run tries again.
    """

    decoded: DecodedItem
    values: dict[str, Any]
    measurements: dict[str, Measurement] = field(default_factory=dict)
    labels: dict[str, str | None] = field(default_factory=dict)
    infeasible: bool = False
    unsettled: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """An item for which a batched step can run, with the step's arguments for it."""

    work: Work
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lane:
    """Where one micro-batch is worked on: threads for its model-free steps, and the time that each step took."""

    pool: ThreadPoolExecutor | None
    seconds: Seconds


class StepRunner:
    """Runs steps; knows the models, the cache, and what must not be let go.

    Args:
        backends: role → backend.
        keep: features that are never let go.
        cache: where features that are worth keeping are read from and written to.
        cache_rules: feature → how its values are keyed; needed with a cache.
    """

    def __init__(
        self,
        backends: Mapping[str, Any],
        keep: Collection[str],
        cache: FeatureCache | None,
        cache_rules: Mapping[str, CacheRule],
    ) -> None:
        self._backends = backends
        self._model_locks: dict[str, AbstractContextManager[Any]] = {
            role: _FREE if getattr(backend, "reentrant", False) else threading.Lock()
            for role, backend in backends.items()
        }
        self._keep = frozenset(keep)
        self._cache, self._cache_rules = cache, cache_rules

    def run(self, stage: Stage, works: Sequence[Work], lane: Lane) -> None:
        """Stretches of model-free steps run item by item; each batched step is a barrier within the micro-batch."""
        side_by_side = map if lane.pool is None else lane.pool.map
        for steps in stage.stretches:
            if not steps[0].spec.batched:
                for spent in side_by_side(partial(self._run_item, steps=steps), works):
                    add_seconds(lane.seconds, spent)
                continue
            (step,) = steps
            lane.seconds[step.spec.stage] += self._run_batched(step, works)
            for work in works:
                self._forget(work, step)

    def _run_item(self, work: Work, steps: Sequence[Step]) -> dict[str, float]:
        spent: Seconds = defaultdict(float)
        for step in steps:
            started = time.perf_counter()
            bound = self._bind(step, work)
            self._store(step, work, bound if isinstance(bound, Missing) else self._call_or_fail(step, bound))
            self._forget(work, step)
            spent[step.spec.stage] += time.perf_counter() - started
        return dict(spent)

    def _run_batched(self, step: Step, works: Sequence[Work]) -> float:
        """Seconds that it took, without the wait for a model that is at work in another lane."""
        with self._model_locks.get(step.spec.backend or "", _FREE):
            started = time.perf_counter()
            self._run_ready(step, works)
            return time.perf_counter() - started

    def _run_ready(self, step: Step, works: Sequence[Work]) -> None:
        ready: list[Ready] = []
        for work in works:
            bound = self._bind(step, work)
            if isinstance(bound, Missing):
                self._store(step, work, bound)
            else:
                ready.append(Ready(work, bound))
        rule = self._cache_rules.get(step.spec.name)
        if self._cache is None or rule is None:
            self._run_fresh(step, ready)
            return
        keys = [f"{rule.definition}:{one.work.decoded.content_hash(rule.inputs)}" for one in ready]
        kept = self._cache.get(keys)
        for one, key in zip(ready, keys, strict=True):
            if key in kept:
                self._store(step, one.work, kept[key])
        fresh = [(one, key) for one, key in zip(ready, keys, strict=True) if key not in kept]
        results = self._run_fresh(step, [one for one, _ in fresh])
        new = {key: result for (_, key), result in zip(fresh, results, strict=True) if not _is_failure(result)}
        self._cache.put(new)

    def _run_fresh(self, step: Step, ready: Sequence[Ready]) -> Sequence[Any]:
        if not ready:
            return ()
        try:
            results = self._call_batched(step, ready)
        except BaseException as error:
            _let_interrupts_through(error)
            # One bad item must not cost the others theirs: run them alone, and let only those fail that do.
            results = [self._call_alone(step, one) for one in ready]
        for one, result in zip(ready, results, strict=True):
            self._store(step, one.work, result)
        return results

    def _call_alone(self, step: Step, one: Ready) -> Any:
        try:
            return self._call_batched(step, [one])[0]
        except BaseException as error:
            _let_interrupts_through(error)
            return failed(error)

    def _call_batched(self, step: Step, ready: Sequence[Ready]) -> Sequence[Any]:
        results: Sequence[Any] = self._call(step, to_columns([one.arguments for one in ready]))
        if len(results) != len(ready):
            raise ValueError(f"the feature {step.spec.name!r} returned {len(results)} results for {len(ready)} items")
        return results

    def _call_or_fail(self, step: Step, arguments: Mapping[str, Any]) -> Any:
        try:
            return self._call(step, arguments)
        except BaseException as error:
            _let_interrupts_through(error)
            return failed(error)

    def _call(self, step: Step, arguments: Mapping[str, Any]) -> Any:
        spec = step.spec
        model = {"backend": self._backends[spec.backend]} if spec.backend else {}
        return spec.function(**model, **arguments, **step.options)

    def _bind(self, step: Step, work: Work) -> dict[str, Any] | Missing:
        """The step's arguments for an item, or why it is not run for it."""
        spec = step.spec
        if work.infeasible and not step.always:
            return _INFEASIBLE
        if spec.backend and spec.backend not in self._backends:
            return unavailable(f"no_{spec.backend}_backend")
        return spec.bind(work.values)

    def _store(self, step: Step, work: Work, result: Any) -> None:
        spec = step.spec
        work.unsettled |= for_want_of_memory(result)
        if isinstance(spec, Metric):
            work.measurements[spec.name] = spec.measurement(result, work.values)
        elif isinstance(spec, Label):
            work.labels[spec.name] = None if isinstance(result, Missing) or result is None else str(result)
        else:
            work.values[spec.name] = result

    def _forget(self, work: Work, step: Step) -> None:
        for name in step.releases:
            if name not in self._keep:
                work.values.pop(name, None)


def _let_interrupts_through(error: BaseException) -> None:
    # A library that ends the program (SystemExit), or panics in another language (pyo3's PanicException), is a failure
    # of the item at hand like any other; somebody who wants the run to end is none.
    if isinstance(error, KeyboardInterrupt | GeneratorExit):
        raise error


def _is_failure(result: Any) -> bool:
    # The next run may fare better: an exception is not a property of the content.
    return isinstance(result, Missing) and result.status is Status.FAILED


def add_seconds(total: Seconds, spent: Mapping[str, float]) -> None:
    """Add up the time of stages."""
    for name, value in spent.items():
        total[name] += value
