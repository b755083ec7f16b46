"""What is to be done, as it can be sent to another process, and one shard of it, as every engine does it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2

from edit_metrics.backends.base import Backend
from edit_metrics.backends.factory import build_backend
from edit_metrics.backends.torch_runtime import device_name
from edit_metrics.choices import EvidenceLevel
from edit_metrics.config import Config
from edit_metrics.engine.definitions import cache_rules
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.plan import Plan, build_plan
from edit_metrics.engine.scoring import Scorer, ShardResult
from edit_metrics.engine.shard_files import DoneMark
from edit_metrics.engine.shards import Shard, all_there
from edit_metrics.evidence.writer import EvidenceWriter
from edit_metrics.features.cache import FeatureCache
from edit_metrics.io.manifest import Manifest
from edit_metrics.pixels.placement import place_pixels
from edit_metrics.scores.rows import TableLayout

RESUME: Final = "What is done is kept: the same command goes on from there."
"""What there is to do when a worker was lost."""
DEFAULT_LANES = 2
"""Micro-batches under way at a time, where there are threads for them: docs/decisions/0006."""


class Progress(Protocol):
    """What a run tells while it goes on."""

    def start(self, total: int, done: int) -> None:
        """Before the first shard: items in all, and those that an earlier attempt has finished."""

    def advance(self, items: int) -> None:
        """After each micro-batch."""

    def note(self, text: str) -> None:
        """One line for the user."""


class Silent:
    """Progress for callers that want none."""

    def start(self, total: int, done: int) -> None:
        """Say nothing."""

    def advance(self, items: int) -> None:
        """Say nothing."""

    def note(self, text: str) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run, as opposed to what to compute: nothing here changes a value.

    Attributes:
        out: run folder.
        resume: go on with what the folder holds; otherwise start over.
        engine: ``local`` or ``ray``.
        cache: folder of the feature cache, or None.
        evidence: which items get evidence pictures.
    """

    out: Path
    resume: bool = True
    engine: str = "local"
    cache: Path | None = None
    evidence: EvidenceLevel = EvidenceLevel.NONE


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that scoring a shard needs and that can be sent to another process.

    Attributes:
        layout: of a shard's rows.
        workers: threads for decoding and for model-free steps.
        device: where models run.
        out, cache, evidence: see :class:`RunOptions`.
        run_signature: SHA-256 of the run's signature, which every shard carries.
    """

    config: Config
    layout: TableLayout
    workers: int
    device: str
    out: Path
    cache: Path | None
    evidence: EvidenceLevel
    run_signature: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine says once all its shards are committed.

    Attributes:
        marks: of the shards that it was given, in their order.
        retries: shards that were begun again because their worker was lost.
    """

    marks: tuple[DoneMark, ...]
    retries: int = 0


def make_job(manifest: Manifest, plan: Plan, options: RunOptions, run_signature: str = "") -> Job:
    """The job of scoring a manifest by a plan on this machine."""
    config = plan.config
    return Job(
        config=config,
        layout=TableLayout.of([m.name for m in plan.metrics], plan.labels, manifest.items, manifest.root),
        workers=config.engine.workers or _cores(),
        device=device_name(config.engine.device),
        out=options.out,
        cache=options.cache,
        evidence=options.evidence,
        run_signature=run_signature,
    )


class ShardWorker:
    """A job with its models loaded: scores its shards, one after another, and commits them.

    Args:
        job: what to do.
        backends: role → model, from :func:`load_backends` for a job of the same config; None: loaded here.

    Raises:
        UserError: a model that cannot be loaded.
    """

    def __init__(self, job: Job, backends: Mapping[str, Backend] | None = None) -> None:
        self._job = job
        self._folder = RunFolder(job.out, job.run_signature)
        self._scorer = _load(job, load_backends(job) if backends is None else backends)

    def work(self, shard: Shard, on_done: Callable[[int], None] | None = None) -> DoneMark:
        """Score a shard and commit it; ``on_done`` is told the number of items after each micro-batch.

        An interrupt, or whatever else ends it before its time, commits the batches that are finished.
        """
        batches: list[ShardResult] = []
        try:
            for batch in self._scorer.batches(shard.items):
                batches.append(batch)
                if on_done is not None and batch.size:
                    on_done(batch.size)
        except BaseException:
            if batches:
                with uninterrupted(), contextlib.suppress(OSError):  # What ended it may be a full disk.
                    done = ShardResult.of(batches)
                    finished = {*(one.item.id for one in done.scored), *(one.id for one in done.rejections)}
                    positions = [n for n, item in enumerate(shard.items) if item.id in finished]
                    self.commit(shard.of_items(positions), done)
            raise
        with uninterrupted():
            return self.commit(shard, ShardResult.of(batches))

    def score(self, shard: Shard, on_done: Callable[[int], None] | None = None) -> ShardResult:
        """Score a shard; nothing is written but its evidence."""
        return self._scorer.score_shard(shard.items, on_done)

    def commit(self, shard: Shard, result: ShardResult) -> DoneMark:
        """Write the table of a shard's result, and its mark."""
        table = self._job.layout.to_stored(result.scored)
        tag_of = dict(zip((item.id for item in shard.items), shard.tags, strict=True))
        # A file that was there when the run began, and was gone when it was read, may come back as it was.
        unsettled = [
            one.item.id for one in result.scored if one.unsettled or (one.absent and all_there(tag_of[one.item.id]))
        ]
        return self._folder.files.commit(shard, table, result.rejections, result.seconds, unsettled)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let an interrupt wait for the end of a write; only the main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # Those that would raise here: what the system does by itself with a signal cannot be put off.
    held = {number: handler for number, handler in before.items() if callable(handler)}
    for number in held:
        signal.signal(number, lambda got, _: asked.append(got))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
    if asked:
        raise KeyboardInterrupt


def load_backends(job: Job) -> dict[str, Backend]:
    """Role → model, for every role that the job's plan has.

    Raises:
        UserError: a model that cannot be loaded.
    """
    plan = build_plan(job.config)
    _, threads = _lanes_and_threads(job)
    sections = job.config.backends
    return {
        role: build_backend(role, sections[role], device=job.device, threads=threads, wants=plan.wants)
        for role in plan.roles
    }


def _lanes_and_threads(job: Job) -> tuple[int, int]:
    engine = job.config.engine
    lanes = engine.lanes or min(DEFAULT_LANES, job.workers)
    return lanes, max(1, (engine.model_threads or _cores()) // lanes)


def _load(job: Job, backends: Mapping[str, Backend]) -> Scorer:
    plan = build_plan(job.config)
    engine = job.config.engine
    place_pixels(job.device)
    # OpenCV's threads are for each caller: with every one of the workers' threads asking for all cores, sixteen cores
    # measured a picture's SSIM in eight times the time that one takes (docs/performance.md).
    cv2.setNumThreads(max(1, (engine.model_threads or _cores()) // job.workers))
    lanes, threads = _lanes_and_threads(job)
    watch = None
    if job.evidence != EvidenceLevel.NONE:
        watch = EvidenceWriter(job.config, plan.computed, job.out, job.evidence)
    return Scorer(
        plan,
        backends,
        workers=job.workers,
        lanes=lanes,
        model_threads=threads,
        memory_bytes=engine.memory_bytes,
        watch=watch,
        keep=watch.needs if watch else (),
        cache=FeatureCache(job.cache, engine.cache_max_bytes) if job.cache is not None else None,
        cache_rules=cache_rules(plan, {role: backend.fingerprint for role, backend in backends.items()}),
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
