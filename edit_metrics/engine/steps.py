"""Run the steps of a plan on one micro-batch: features and metrics, batched or item by item, cached or not."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from edit_metrics.engine.inputs import DecodedItem
from edit_metrics.engine.plan import CacheRule, Step
from edit_metrics.features.cache import FeatureCache
from edit_metrics.registry import Feature, Label, Metric
from edit_metrics.types import Measurement, Missing, PreScore, Status, failed, not_applicable, unavailable

Seconds = MutableMapping[str, float]
_INFEASIBLE = not_applicable("infeasible")
_FREE = nullcontext()


@dataclass(slots=True)
class Work:
    """One item on its way: what has been computed and is still needed."""

    decoded: DecodedItem
    values: dict[str, Any]
    measurements: dict[str, Measurement] = field(default_factory=dict)
    labels: dict[str, str | None] = field(default_factory=dict)
    prescores: dict[str, PreScore] = field(default_factory=dict)
    infeasible: bool = False


@dataclass(frozen=True, slots=True)
class Lane:
    """Where one micro-batch is worked on: threads for its model-free steps, and the time that each step took."""

    pool: ThreadPoolExecutor | None
    seconds: Seconds


class StepRunner:
    """Runs steps; knows the models, the cache, and which arrays no later step reads.

    Args:
        steps: all steps of the plan, in the order in which they are numbered.
        backends: role → backend.
        keep: features that are never let go.
        cache: where features that are worth keeping are read from and written to.
        cache_rules: feature → how its values are keyed; needed with a cache.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        backends: Mapping[str, Any],
        keep: Sequence[str],
        cache: FeatureCache | None,
        cache_rules: Mapping[str, CacheRule],
    ) -> None:
        self._backends = backends
        self._model_locks: dict[str, AbstractContextManager[Any]] = {
            role: _FREE if getattr(backend, "reentrant", False) else threading.Lock()
            for role, backend in backends.items()
        }
        self._last_use = _last_uses(steps, keep)
        self._cache, self._cache_rules = cache, cache_rules

    def run(self, steps: Sequence[tuple[int, Step]], works: Sequence[Work], lane: Lane) -> None:
        """Stretches of model-free steps run item by item; each batched step is a barrier within the micro-batch."""
        stretch: list[tuple[int, Step]] = []
        side_by_side = map if lane.pool is None else lane.pool.map
        for index, step in [*steps, (-1, None)]:
            if step is not None and not step.is_batched:
                stretch.append((index, step))
                continue
            if stretch:
                for spent in side_by_side(partial(self._run_item, steps=tuple(stretch)), works):
                    add_seconds(lane.seconds, spent)
                stretch = []
            if step is not None:
                lane.seconds[step.spec.name] += self._run_batched(step, works)
                for work in works:
                    self._forget(work, index)

    def _run_item(self, work: Work, steps: Sequence[tuple[int, Step]]) -> dict[str, float]:
        spent: Seconds = defaultdict(float)
        for index, step in steps:
            started = time.perf_counter()
            missing = self._missing_input(step, work)
            self._store(step, work, missing if missing is not None else self._call(step, work))
            self._forget(work, index)
            spent[_stage(step)] += time.perf_counter() - started
        return dict(spent)

    def _run_batched(self, step: Step, works: Sequence[Work]) -> float:
        """Seconds that it took, without the wait for a model that is at work in another lane."""
        role = step.spec.backend if isinstance(step.spec, Feature) else None
        with self._model_locks.get(role or "", _FREE):
            started = time.perf_counter()
            self._run_ready(step, works)
            return time.perf_counter() - started

    def _run_ready(self, step: Step, works: Sequence[Work]) -> None:
        ready: list[Work] = []
        for work in works:
            missing = self._missing_input(step, work)
            if missing is not None:
                self._store(step, work, missing)
            else:
                ready.append(work)
        keys = self._cache_keys(step, ready)
        if keys and self._cache is not None:
            kept = self._cache.get(list(keys.values()))
            for work in ready:
                if (key := keys[id(work)]) in kept:
                    self._store(step, work, kept[key])
            ready = [work for work in ready if keys[id(work)] not in kept]
        if not ready:
            return
        results = self._results(step, ready)
        for work, result in zip(ready, results, strict=True):
            self._store(step, work, result)
        if keys and self._cache is not None:
            fresh = {keys[id(work)]: result for work, result in zip(ready, results, strict=True)}
            self._cache.put({key: result for key, result in fresh.items() if not _is_failure(result)})

    def _cache_keys(self, step: Step, works: Sequence[Work]) -> dict[int, str]:
        """id(work) → key, for a step whose values are kept; empty without a cache."""
        rule = self._cache_rules.get(step.spec.name)
        if self._cache is None or rule is None:
            return {}
        return {id(work): f"{rule.definition}:{work.decoded.content_hash(rule.inputs)}" for work in works}

    def _results(self, step: Step, ready: Sequence[Work]) -> Sequence[Any]:
        try:
            return self._call_batched(step, ready)
        except Exception:
            # One bad item must not cost the others theirs: run them alone, and let only those fail that do.
            return [self._call_alone(step, work) for work in ready]

    def _call_alone(self, step: Step, work: Work) -> Any:
        try:
            return self._call_batched(step, [work])[0]
        except Exception as error:
            return failed(error)

    def _call_batched(self, step: Step, works: Sequence[Work]) -> Sequence[Any]:
        spec = step.spec
        arguments: dict[str, Any] = {p: [w.values[n] for w in works] for p, n in spec.inputs.items()}
        arguments |= {p: [_or_none(w.values[n]) for w in works] for p, n in spec.optional.items()}
        results: Sequence[Any] = spec.function(**self._backend_argument(spec), **arguments, **step.options)
        if len(results) != len(works):
            raise ValueError(f"the feature {spec.name!r} returned {len(results)} results for {len(works)} items")
        return results

    def _call(self, step: Step, work: Work) -> Any:
        spec = step.spec
        arguments = {p: work.values[n] for p, n in spec.inputs.items()}
        arguments |= {p: _or_none(work.values[n]) for p, n in spec.optional.items()}
        try:
            return spec.function(**self._backend_argument(spec), **arguments, **step.options)
        except Exception as error:
            return failed(error)

    def _backend_argument(self, spec: Any) -> dict[str, Any]:
        return {"backend": self._backends[spec.backend]} if isinstance(spec, Feature) and spec.backend else {}

    def _missing_input(self, step: Step, work: Work) -> Missing | None:
        spec = step.spec
        if work.infeasible and not step.always:
            return _INFEASIBLE
        if isinstance(spec, Feature) and spec.backend and spec.backend not in self._backends:
            return unavailable(f"no_{spec.backend}_backend")
        return next((v for n in spec.inputs.values() if isinstance(v := work.values[n], Missing)), None)

    def _store(self, step: Step, work: Work, result: Any) -> None:
        spec = step.spec
        if isinstance(spec, Metric):
            work.measurements[spec.name] = Measurement.of(result)
        elif isinstance(spec, Label):
            work.labels[spec.name] = None if isinstance(result, Missing) or result is None else str(result)
        else:
            work.values[spec.name] = result

    def _forget(self, work: Work, index: int) -> None:
        """Let go of arrays that no later step reads: memory is bounded by what is still needed."""
        for name in self._last_use.get(index, ()):
            work.values.pop(name, None)


def _is_failure(result: Any) -> bool:
    # The next run may fare better: an exception is not a property of the content.
    return isinstance(result, Missing) and result.status is Status.FAILED


def add_seconds(total: Seconds, spent: Mapping[str, float]) -> None:
    """Add up the time of stages."""
    for name, value in spent.items():
        total[name] += value


def _or_none(value: Any) -> Any:
    return None if isinstance(value, Missing) else value


def _stage(step: Step) -> str:
    """Metrics are timed by dimension, features by name: metrics are many and cheap."""
    spec = step.spec
    return f"metrics.{spec.dimension}" if isinstance(spec, Metric) else spec.name


def _last_uses(steps: Sequence[Step], keep: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """Step index → names that no step after it reads. Early steps run before all others, so they count by run order."""
    order = [i for i, s in enumerate(steps) if s.early] + [i for i, s in enumerate(steps) if not s.early]
    last: dict[str, int] = {}
    for index in order:
        spec = steps[index].spec
        for name in (*spec.needs, *((spec.name,) if isinstance(spec, Feature) else ())):
            last[name] = index
    by_step: dict[int, list[str]] = {}
    for name, index in last.items():
        if name not in keep:
            by_step.setdefault(index, []).append(name)
    return {index: tuple(names) for index, names in by_step.items()}
