"""Score one shard: items in, a table out. Knows nothing of files it writes, done marks, progress or Ray."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from edit_metrics.backends.torch_runtime import bound_threads
from edit_metrics.dimensions.prescores import is_infeasible, score_item
from edit_metrics.engine.budget import Budget
from edit_metrics.engine.decoding import Batch, decoded_batches
from edit_metrics.engine.definitions import CacheRule
from edit_metrics.engine.inputs import DecodedItem, RejectedAtDecoding
from edit_metrics.engine.plan import Plan
from edit_metrics.engine.steps import Lane, Seconds, StepRunner, Work, add_seconds
from edit_metrics.features.cache import FeatureCache
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.types import EditItem, Rejection


@dataclass(frozen=True, slots=True)
class ShardResult:
    """Scored and rejected rows of a shard or a batch, each item in exactly one of them, and where the time went."""

    scored: tuple[ScoredItem, ...]
    rejections: tuple[Rejection, ...]
    seconds: Mapping[str, float]

    @property
    def size(self) -> int:
        """Items."""
        return len(self.scored) + len(self.rejections)

    @classmethod
    def of(cls, parts: Iterable[ShardResult]) -> ShardResult:
        """Several in one, in their order."""
        scored: list[ScoredItem] = []
        rejections: list[Rejection] = []
        seconds: Seconds = defaultdict(float)
        for part in parts:
            scored += part.scored
            rejections += part.rejections
            add_seconds(seconds, part.seconds)
        return cls(tuple(scored), tuple(rejections), dict(seconds))


@dataclass(frozen=True, slots=True)
class _Pending:
    """A micro-batch in a lane."""

    future: Future[list[ScoredItem]]
    rejections: tuple[Rejection, ...]
    seconds: Seconds

    def result(self) -> ShardResult:
        """Waits for it."""
        return ShardResult(tuple(self.future.result()), self.rejections, dict(self.seconds))


def _next_of(pending: deque[_Pending]) -> ShardResult:
    """The first one's result; while it is waited for it stays where it is, so that an interrupt does not lose it."""
    result = pending[0].result()
    pending.popleft()
    return result


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
        memory_bytes: of items under way, see :class:`edit_metrics.config.EngineConfig`.
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
        memory_bytes: int = 0,
        watch: Callable[[ScoredItem, Mapping[str, Any]], None] | None = None,
        keep: Collection[str] = (),
        cache: FeatureCache | None = None,
        cache_rules: Mapping[str, CacheRule] | None = None,
    ) -> None:
        self._plan = plan
        self._workers, self._lanes, self._model_threads = max(1, workers), max(1, lanes), model_threads
        self._memory_bytes = memory_bytes
        self._watch = watch
        self._watching = threading.Lock()
        self._runner = StepRunner(backends, keep, cache, cache_rules or {})

    def score_shard(self, items: Sequence[EditItem], on_done: Callable[[int], None] | None = None) -> ShardResult:
        """Score the items of one shard; batches never reach over its edge.

        Args:
            items: rows of the manifest.
            on_done: called with the number of items finished, after each micro-batch.

        Returns:
            Scored items in the order given, rejections, and seconds per stage. An exception in a metric or a feature
            costs that item's measurement (``failed``, with the text), never the shard.
        """
        parts = []
        for part in self.batches(items):
            parts.append(part)
            if on_done is not None and part.size:
                on_done(part.size)
        return ShardResult.of(parts)

    def batches(self, items: Sequence[EditItem]) -> Iterator[ShardResult]:
        """The micro-batches of a shard, each as soon as it is through, in order.

        On an interrupt those that are finished, or under way, still come, and the interrupt after them.

        Args:
            items: rows of the manifest.
        """
        pending: deque[_Pending] = deque()
        waited: Seconds = defaultdict(float)
        budget = Budget(self._memory_bytes)
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
            stack.callback(lambda: [one.future.cancel() for one in pending])
            try:
                for batch in decoded_batches(items, self._plan.config, decoders, budget, waited):
                    rejected = tuple(d.rejection for d in batch.items if isinstance(d, RejectedAtDecoding))
                    lane = Lane(helpers, defaultdict(float))
                    future = lanes.submit(self._score_within, batch, lane, budget)
                    pending.append(_Pending(future, rejected, lane.seconds))
                    # One more than there are lanes, so that a lane that is through finds its next batch decoded; where
                    # pictures are large, their memory is worth more: the core that is free decodes the next one.
                    most = self._lanes - 1 if batch.large else self._lanes
                    while len(pending) > most:
                        yield _next_of(pending)
                while pending:
                    yield _next_of(pending)
            except KeyboardInterrupt:
                running = [one for one in pending if not one.future.cancel()]
                yield from (one.result() for one in running)
                raise
        yield ShardResult((), (), dict(waited))

    def _score_within(self, batch: Batch, lane: Lane, budget: Budget) -> list[ScoredItem]:
        try:
            return self._score_batch([one for one in batch.items if isinstance(one, DecodedItem)], lane)
        finally:
            budget.give_back(batch.cost)

    def _score_batch(self, decoded: Sequence[DecodedItem], lane: Lane) -> list[ScoredItem]:
        works = [Work(d, d.values) for d in decoded]
        first, *others = self._plan.stages
        self._runner.run(first, works, lane)
        for work in works:
            work.infeasible = is_infeasible(self._plan.config, work.measurements)
        for stage in others:
            self._runner.run(stage, works, lane)
        return [self._finish(work) for work in works]

    def _finish(self, work: Work) -> ScoredItem:
        decoded, columns = work.decoded, self._plan.evidence_columns
        scored = ScoredItem(
            item=decoded.item,
            group=decoded.group,
            source_phash=decoded.source_phash,
            edited_phash=decoded.edited_phash,
            source_sha256=decoded.source_sha256,
            edited_sha256=decoded.edited_sha256,
            measurements=work.measurements,
            labels=work.labels | {name: _words(metrics, work) for name, metrics in columns.items()},
            scores=score_item(self._plan.config, work.measurements),
            unsettled=decoded.unsettled or work.unsettled,
            absent=decoded.absent,
        )
        if self._watch is not None:
            with self._watching:
                self._watch(scored, work.values)
        work.values.clear()
        return scored


def _words(metrics: Sequence[str], work: Work) -> str | None:
    """The evidence of those metrics that have a value, in words; None where none has any."""
    found = [work.measurements[name].evidence for name in metrics if name in work.measurements]
    return " / ".join(filter(None, found)) or None
