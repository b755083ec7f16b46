"""The same job on Ray: shards go through an actor pool that holds the models.

An actor is the local engine's own worker: it scores a shard and commits it, to a folder that every worker and the
driver can reach. The scoring function knows nothing of Ray. A worker that dies is replaced and its shard is scored
again; a shard counts once its done mark is there.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from edit_metrics.engine.attempts import ATTEMPTS, AttemptLog
from edit_metrics.engine.budget import default_bytes
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.job import RESUME, Job, Outcome, Progress, ShardWorker
from edit_metrics.engine.ray_cluster import Pool, connected, first_line, import_ray, size_of_pool
from edit_metrics.engine.ray_losses import Losses, counted, restarts
from edit_metrics.engine.shard_files import DoneMark
from edit_metrics.engine.shards import Shard
from edit_metrics.errors import EditMetricsError, RunError


class ShardActor:
    """One worker: loads the models once, then scores and commits the shards it is given.

    An exception is handed back as text and never raised: Ray would take it for the loss of the worker.
    """

    def __init__(self, job: Job) -> None:
        self._folder = RunFolder(job.out, job.run_signature)
        self._problem = ""
        try:
            self._worker = _load(job)
        except Exception as error:
            self._problem = _where(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """A batch of shards, as Ray Data gives them → index, done mark (JSON, or ``""``) and problem of each."""
        shards = list(batch["shard"])
        answers = [self._answer(shard) for shard in shards]
        marks, problems = zip(*answers, strict=True)
        return {"index": [shard.index for shard in shards], "mark": list(marks), "problem": list(problems)}

    def _answer(self, shard: Shard) -> tuple[str, str]:
        if self._problem:
            return "", self._problem
        attempts = AttemptLog(self._folder, shard)
        try:
            mark = self._folder.mark_of(shard)
            if mark is None:
                if (lost := attempts.count()) >= ATTEMPTS:
                    return "", f"shard {shard.name} (from item {shard.items[0].id!r}) took {lost} workers down"
                attempts.add()
                mark = self._worker.work(shard)
        except Exception as error:
            return "", _where(error)
        return mark.to_json(), ""


def run_shards_on_ray(job: Job, shards: Sequence[Shard], progress: Progress) -> Outcome:
    """Score and commit shards on a Ray cluster, or on local worker processes when there is none.

    Args:
        job: its ``config.engine.workers`` is the number of workers (0: as many as the cluster has room for), its
            ``config.engine.model_threads`` the cores of each (0: one, or a GPU's share of its node).
        shards: what to do; each is committed to ``job.out``, which every worker must be able to write.
        progress: told of finished shards and of lost workers.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: no node has what one worker needs.
        RunError: a worker cannot load its models or write, a shard took several workers down, or workers are lost
            faster than they score.
    """
    ray = import_ray()
    folder = RunFolder(job.out.resolve())
    attempts = [AttemptLog(folder, shard) for shard in shards]
    for log in attempts:
        log.clear()
    with connected(ray, job.workers * (job.config.engine.model_threads or 1)):
        pool = size_of_pool(job, ray.nodes(), len(shards))
        progress.note(f"Ray workers: {pool.actors}; cores of each: {pool.cpus}; GPUs of each: {pool.gpus}.")
        losses = Losses(pool.actors, partial(restarts, ray))
        try:
            with counted(losses):
                marks = _score_all(ray, _job_of_a_worker(job, pool), pool, shards, progress, losses)
        except ray.exceptions.RayError as error:
            raise RunError("a Ray cluster that goes on working", first_line(error), str(job.out), RESUME) from error
        except KeyboardInterrupt:
            if not losses.given_up:
                raise
            todo = f"{RESUME} Fewer --workers, or other programs on its nodes, need less memory."
            raise RunError("workers that live to score a shard", losses.words, str(job.out), todo) from None
    retries = sum(max(0, log.count() - 1) for log in attempts)
    if retries:
        progress.note(f"Shards begun again because their worker was lost: {retries}.")
    return Outcome(tuple(marks[shard.index] for shard in shards), retries)


def _score_all(
    ray: Any, job: Job, pool: Pool, shards: Sequence[Shard], progress: Progress, losses: Losses
) -> dict[int, DoneMark]:
    """Index → done mark, in whatever order shards are through."""
    rows = ray.data.from_items([{"shard": shard} for shard in shards], override_num_blocks=len(shards))
    scored = rows.map_batches(
        ShardActor,
        fn_constructor_args=(job,),
        batch_size=1,
        num_cpus=pool.cpus,
        num_gpus=pool.gpus,
        # One shard at a time: a shard that waits for a busy worker cannot be taken by one that is idle.
        compute=ray.data.ActorPoolStrategy(size=pool.actors, max_tasks_in_flight_per_actor=1),
    )
    scored.context.enable_progress_bars = False
    # Ray Data gives up after half an hour without a finished shard; a large shard on a slow machine takes longer.
    scored.context.execution_no_progress_timeout_s = -1
    marks = {}
    for row in scored.iter_rows():
        if row["problem"]:
            raise RunError("a worker that scores its shards", row["problem"], str(job.out), RESUME)
        mark = DoneMark.from_json(row["mark"])
        marks[int(row["index"])] = mark
        losses.finished_one()
        progress.advance(len(mark.scored) + len(mark.rejected))
    return marks


def _load(job: Job) -> ShardWorker:
    if not RunFolder(job.out).shards.is_dir():
        raise RunError("a run folder that every node can reach", "no such folder there", str(job.out))
    return ShardWorker(job)


def _job_of_a_worker(job: Job, pool: Pool) -> Job:
    """The job as a worker sees it: its share of the threads, its own GPU, and paths that hold on any node."""
    share = job.config.engine.memory_bytes or default_bytes() * pool.cpus // max(pool.cpus, os.cpu_count() or 1)
    engine = job.config.engine.model_copy(update={"model_threads": pool.cpus, "memory_bytes": share})
    return replace(
        job,
        config=job.config.model_copy(update={"engine": engine}),
        workers=pool.cpus,
        # Ray shows each worker its own GPU only, whatever that is called on the driver.
        device="cuda" if pool.gpus else job.device,
        out=job.out.resolve(),
        cache=None if job.cache is None else job.cache.resolve(),
    )


def _where(error: Exception) -> str:
    text = str(error) if isinstance(error, EditMetricsError) else f"{type(error).__name__}: {error}"
    return f"on {platform.node()}: {text}"
