"""Score one shard: items in, a table out. Knows nothing of files it writes, done marks, progress or Ray."""

from __future__ import annotations

import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from edit_metrics.backends.torch_runtime import bound_threads
from edit_metrics.dimensions import to_flags, to_overall, to_prescore
from edit_metrics.engine.inputs import DecodedItem, RejectedAtDecoding, decode_item
from edit_metrics.engine.plan import CacheRule, Plan, Step
from edit_metrics.features.cache import FeatureCache
from edit_metrics.registry import Feature, Label, Metric
from edit_metrics.types import (
    DIMENSIONS,
    EditItem,
    Measurement,
    Missing,
    PreScore,
    Rejection,
    Status,
    failed,
    not_applicable,
    unavailable,
)

Seconds = MutableMapping[str, float]
INFEASIBLE = not_applicable("infeasible")
_FREE = nullcontext()


@dataclass(frozen=True, slots=True)
class ScoredItem:
    """Everything the table says of one item, apart from its place in the queue."""

    item: EditItem
    group: str
    source_phash: str | None
    edited_phash: str | None
    measurements: Mapping[str, Measurement]
    labels: Mapping[str, str | None]
    prescores: Mapping[str, PreScore]
    overall_minimum: float | None
    overall_geometric_mean: float | None
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShardResult:
    """Scored and rejected rows of one shard, each item in exactly one of them, and where the time went."""

    scored: tuple[ScoredItem, ...]
    rejections: tuple[Rejection, ...]
    seconds: Mapping[str, float]


@dataclass(slots=True)
class _Work:
    """One item on its way: what has been computed and is still needed."""

    decoded: DecodedItem
    values: dict[str, Any]
    measurements: dict[str, Measurement] = field(default_factory=dict)
    labels: dict[str, str | None] = field(default_factory=dict)
    prescores: dict[str, PreScore] = field(default_factory=dict)
    infeasible: bool = False


@dataclass(frozen=True, slots=True)
class _Lane:
    """Where one micro-batch is worked on: threads for its model-free steps, and the time that each step took."""

    pool: ThreadPoolExecutor | None
    seconds: Seconds


class Scorer:
    """A plan with its models loaded; scores shards, one after another.

    Several micro-batches are under way at a time, each in a lane of its own: while one waits for a model, another one
    measures pixels, so that no core is idle where a step cannot use them all. A model runs in one lane at a time,
    unless its backend says ``reentrant = True``.

    Args:
        plan: what to compute.
        backends: role → backend, one for every role of the plan.
        workers: threads for decoding and for model-free steps, shared by the lanes.
        lanes: micro-batches under way at a time.
        model_threads: of one torch operation in a lane; None leaves torch's own choice.
        watch: called with each item when its batch is through, while its features in ``keep`` are still there.
        keep: features that ``watch`` reads and that must live until it has been called.
        cache: where features that are worth keeping are read from and written to.
        cache_rules: feature → how its values are keyed; needed with a cache.
    """

    def __init__(
        self,
        plan: Plan,
        backends: Mapping[str, Any],
        *,
        workers: int = 2,
        lanes: int = 1,
        model_threads: int | None = None,
        watch: Callable[[ScoredItem, Mapping[str, Any]], None] | None = None,
        keep: Sequence[str] = (),
        cache: FeatureCache | None = None,
        cache_rules: Mapping[str, CacheRule] | None = None,
    ) -> None:
        self._plan = plan
        self._backends = backends
        self._workers, self._lanes, self._model_threads = max(1, workers), max(1, lanes), model_threads
        self._watch = watch
        self._watching = threading.Lock()
        self._model_locks: dict[str, AbstractContextManager[Any]] = {
            role: _FREE if getattr(backend, "reentrant", False) else threading.Lock()
            for role, backend in backends.items()
        }
        self._last_use = _last_uses(plan.steps, keep)
        self._cache = cache
        self._cache_rules = cache_rules or {}

    def score_shard(self, items: Sequence[EditItem], on_done: Callable[[int], None] | None = None) -> ShardResult:
        """Score the items of one shard; batches never reach over its edge.

        Args:
            items: rows of the manifest.
            on_done: called with the number of items finished, after each micro-batch.

        Returns:
            Scored items in the order given, rejections, and seconds per stage. An exception in a metric or a feature
            costs that item's measurement (``failed``, with the text), never the shard.
        """
        scored: list[ScoredItem] = []
        rejections: list[Rejection] = []
        seconds: Seconds = defaultdict(float)
        pending: deque[tuple[int, Future[list[ScoredItem]], Seconds]] = deque()

        def collect() -> None:
            size, future, spent = pending.popleft()
            scored.extend(future.result())
            _add(seconds, spent)
            if on_done is not None:
                on_done(size)

        with ExitStack() as stack:
            decoders = stack.enter_context(ThreadPoolExecutor(self._workers, thread_name_prefix="edit-metrics-decode"))
            lanes = stack.enter_context(
                ThreadPoolExecutor(
                    self._lanes, "edit-metrics-lane", initializer=bound_threads, initargs=(self._model_threads,)
                )
            )
            per_lane = self._workers // self._lanes
            helpers = (
                stack.enter_context(ThreadPoolExecutor(per_lane * self._lanes, thread_name_prefix="edit-metrics"))
                if per_lane > 1
                else None
            )
            stack.callback(lambda: [future.cancel() for _, future, _ in pending])
            for batch in self._decoded_batches(items, decoders, seconds):
                good = [d for d in batch if isinstance(d, DecodedItem)]
                rejections.extend(d.rejection for d in batch if isinstance(d, RejectedAtDecoding))
                lane = _Lane(helpers, defaultdict(float))
                pending.append((len(batch), lanes.submit(self._score_batch, good, lane), lane.seconds))
                # One more than there are lanes, so that a lane that is through finds its next batch decoded.
                while len(pending) > self._lanes:
                    collect()
            while pending:
                collect()
        return ShardResult(tuple(scored), tuple(rejections), dict(seconds))

    def _decoded_batches(
        self, items: Sequence[EditItem], pool: ThreadPoolExecutor, seconds: Seconds
    ) -> Iterator[list[DecodedItem | RejectedAtDecoding]]:
        """Decode ahead of the models through a bounded queue; cut micro-batches by count and by pixels."""
        engine, limits = self._plan.config.engine, self._plan.config.decode
        # One batch ahead, and no more: what waits decoded is what memory has to hold.
        ahead = engine.batch_size
        waiting: deque[Future[DecodedItem | RejectedAtDecoding]] = deque()
        remaining = iter(items)

        def refill() -> None:
            while len(waiting) < ahead and (item := next(remaining, None)) is not None:
                waiting.append(pool.submit(decode_item, item, limits))

        batch: list[DecodedItem | RejectedAtDecoding] = []
        pixels = 0
        refill()
        while waiting:
            started = time.perf_counter()
            decoded = waiting.popleft().result()
            seconds["wait_for_decode"] += time.perf_counter() - started
            refill()
            size = decoded.pixels if isinstance(decoded, DecodedItem) else 0
            if batch and (len(batch) >= engine.batch_size or pixels + size > engine.batch_pixels):
                yield batch
                batch, pixels = [], 0
            batch.append(decoded)
            pixels += size
        if batch:
            yield batch

    def _score_batch(self, decoded: Sequence[DecodedItem], lane: _Lane) -> list[ScoredItem]:
        works = [_Work(d, d.values) for d in decoded]
        early = [(i, s) for i, s in enumerate(self._plan.steps) if s.early]
        late = [(i, s) for i, s in enumerate(self._plan.steps) if not s.early]
        self._run_steps(early, works, lane)
        for work in works:
            work.prescores["feasibility"] = self._prescore("feasibility", work)
            work.infeasible = work.prescores["feasibility"].score == 0
        self._run_steps(late, works, lane)
        return [self._finish(work) for work in works]

    def _run_steps(self, steps: Sequence[tuple[int, Step]], works: Sequence[_Work], lane: _Lane) -> None:
        """Stretches of model-free steps run item by item; each batched step is a barrier within the micro-batch."""
        stretch: list[tuple[int, Step]] = []
        side_by_side = map if lane.pool is None else lane.pool.map
        for index, step in [*steps, (-1, None)]:
            if step is not None and not step.is_batched:
                stretch.append((index, step))
                continue
            if stretch:
                for spent in side_by_side(partial(self._run_item, steps=tuple(stretch)), works):
                    _add(lane.seconds, spent)
                stretch = []
            if step is not None:
                lane.seconds[step.spec.name] += self._run_batched(step, works)
                for work in works:
                    self._forget(work, index)

    def _run_item(self, work: _Work, steps: Sequence[tuple[int, Step]]) -> dict[str, float]:
        spent: Seconds = defaultdict(float)
        for index, step in steps:
            started = time.perf_counter()
            missing = self._missing_input(step, work)
            self._store(step, work, missing if missing is not None else self._call(step, work))
            self._forget(work, index)
            spent[_stage(step)] += time.perf_counter() - started
        return dict(spent)

    def _run_batched(self, step: Step, works: Sequence[_Work]) -> float:
        """Seconds that it took, without the wait for a model that is at work in another lane."""
        role = step.spec.backend if isinstance(step.spec, Feature) else None
        with self._model_locks.get(role or "", _FREE):
            started = time.perf_counter()
            self._run_ready(step, works)
            return time.perf_counter() - started

    def _run_ready(self, step: Step, works: Sequence[_Work]) -> None:
        ready: list[_Work] = []
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

    def _cache_keys(self, step: Step, works: Sequence[_Work]) -> dict[int, str]:
        """id(work) → key, for a step whose values are kept; empty without a cache."""
        rule = self._cache_rules.get(step.spec.name)
        if self._cache is None or rule is None:
            return {}
        return {id(work): f"{rule.definition}:{work.decoded.content_hash(rule.inputs)}" for work in works}

    def _results(self, step: Step, ready: Sequence[_Work]) -> Sequence[Any]:
        try:
            return self._call_batched(step, ready)
        except Exception:
            # One bad item must not cost the others theirs: run them alone, and let only those fail that do.
            return [self._call_alone(step, work) for work in ready]

    def _call_alone(self, step: Step, work: _Work) -> Any:
        try:
            return self._call_batched(step, [work])[0]
        except Exception as error:
            return failed(error)

    def _call_batched(self, step: Step, works: Sequence[_Work]) -> Sequence[Any]:
        spec = step.spec
        arguments: dict[str, Any] = {p: [w.values[n] for w in works] for p, n in spec.inputs.items()}
        arguments |= {p: [_or_none(w.values[n]) for w in works] for p, n in spec.optional.items()}
        results: Sequence[Any] = spec.function(**self._backend_argument(spec), **arguments, **step.options)
        if len(results) != len(works):
            raise ValueError(f"the feature {spec.name!r} returned {len(results)} results for {len(works)} items")
        return results

    def _call(self, step: Step, work: _Work) -> Any:
        spec = step.spec
        arguments = {p: work.values[n] for p, n in spec.inputs.items()}
        arguments |= {p: _or_none(work.values[n]) for p, n in spec.optional.items()}
        try:
            return spec.function(**self._backend_argument(spec), **arguments, **step.options)
        except Exception as error:
            return failed(error)

    def _backend_argument(self, spec: Any) -> dict[str, Any]:
        return {"backend": self._backends[spec.backend]} if isinstance(spec, Feature) and spec.backend else {}

    def _missing_input(self, step: Step, work: _Work) -> Missing | None:
        spec = step.spec
        if work.infeasible and not step.always:
            return INFEASIBLE
        if isinstance(spec, Feature) and spec.backend and spec.backend not in self._backends:
            return unavailable(f"no_{spec.backend}_backend")
        return next((v for n in spec.inputs.values() if isinstance(v := work.values[n], Missing)), None)

    def _store(self, step: Step, work: _Work, result: Any) -> None:
        spec = step.spec
        if isinstance(spec, Metric):
            work.measurements[spec.name] = Measurement.of(result)
        elif isinstance(spec, Label):
            work.labels[spec.name] = None if isinstance(result, Missing) or result is None else str(result)
        else:
            work.values[spec.name] = result

    def _forget(self, work: _Work, index: int) -> None:
        """Let go of arrays that no later step reads: memory is bounded by what is still needed."""
        for name in self._last_use.get(index, ()):
            work.values.pop(name, None)

    def _prescore(self, dimension: str, work: _Work) -> PreScore:
        config = self._plan.config
        if work.infeasible and dimension != "feasibility" and dimension not in config.run_if_infeasible:
            return PreScore(None, None, Status.NOT_APPLICABLE, ("infeasible",))
        prefix = f"{dimension}."
        own = {n.removeprefix(prefix): m for n, m in work.measurements.items() if n.startswith(prefix)}
        return to_prescore(config.dimension(dimension), config.confidence, own)

    def _finish(self, work: _Work) -> ScoredItem:
        for dimension in DIMENSIONS:
            if dimension != "feasibility":
                work.prescores[dimension] = self._prescore(dimension, work)
        overall = to_overall(work.prescores)
        flags = to_flags(self._plan.config.flags, work.measurements)
        decoded = work.decoded
        scored = ScoredItem(
            item=decoded.item,
            group=decoded.group,
            source_phash=decoded.source_phash,
            edited_phash=decoded.edited_phash,
            measurements=work.measurements,
            labels=work.labels,
            prescores={name: work.prescores[name] for name in DIMENSIONS},
            overall_minimum=overall.minimum,
            overall_geometric_mean=overall.geometric_mean,
            flags=(("infeasible",) if work.infeasible else ()) + flags,
        )
        if self._watch is not None:
            with self._watching:
                self._watch(scored, work.values)
        work.values.clear()
        return scored


def _is_failure(result: Any) -> bool:
    # The next run may fare better: an exception is not a property of the content.
    return isinstance(result, Missing) and result.status is Status.FAILED


def _add(total: Seconds, spent: Mapping[str, float]) -> None:
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
