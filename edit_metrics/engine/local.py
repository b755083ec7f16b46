"""The engine of one machine: shards one after another in this process, or side by side in several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

from edit_metrics.engine.attempts import AttemptLog, begun_and_not_done
from edit_metrics.engine.budget import default_bytes
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.job import RESUME, Job, Outcome, Progress, ShardWorker
from edit_metrics.engine.shard_files import DoneMark
from edit_metrics.engine.shards import Shard
from edit_metrics.errors import EditMetricsError, RunError

_worker: list[ShardWorker] = []
_problem: list[str] = []
_folder: list[RunFolder] = []
"""Of a process of the pool: its models, or why there are none, and where it says what it has begun."""


def run_shards(job: Job, shards: Sequence[Shard], progress: Progress) -> Outcome:
    """Score and commit shards here, in as many processes as ``engine.processes`` says (no more than shards).

    Raises:
        RunError: a process was lost. Committed shards stay.
    """
    processes = min(job.config.engine.processes, len(shards))
    if processes > 1:
        return _run_in_processes(job, shards, progress, processes)
    worker = ShardWorker(job)
    return Outcome(tuple(worker.work(shard, progress.advance) for shard in shards))


def _run_in_processes(job: Job, shards: Sequence[Shard], progress: Progress, processes: int) -> Outcome:
    # Spawned: a fork of a process in which torch has threads, or CUDA is set up, hangs.
    context = multiprocessing.get_context("spawn")
    marks: dict[Future[DoneMark | str], DoneMark] = {}
    folder = RunFolder(job.out, job.run_signature)
    for shard in shards:
        AttemptLog(folder, shard).clear()
    with ProcessPoolExecutor(processes, context, _load, (_share(job, processes),)) as pool:
        futures = [pool.submit(_work, shard) for shard in shards]
        try:
            for future in as_completed(futures):
                mark = future.result()
                if isinstance(mark, str):
                    raise RunError("a process that scores its shards", mark, str(job.out), RESUME)
                marks[future] = mark
                progress.advance(len(mark.scored) + len(mark.rejected))
        except BrokenProcessPool as error:
            under_way = ", ".join(begun_and_not_done(folder, shards)) or "none"
            raise RunError(
                f"{processes} processes that score shards",
                f"one of them was lost (out of memory, perhaps); shards under way: {under_way}",
                str(job.out), f"{RESUME} Fewer engine.processes need less memory.",
            ) from error  # fmt: skip
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    return Outcome(tuple(marks[future] for future in futures))


def _share(job: Job, processes: int) -> Job:
    """The job as one of several processes sees it: its share of the cores and of the memory."""
    engine = job.config.engine
    share = {
        "model_threads": max(1, (engine.model_threads or os.cpu_count() or 1) // processes),
        "memory_bytes": (engine.memory_bytes or default_bytes()) // processes,
    }
    config = job.config.model_copy(update={"engine": engine.model_copy(update=share)})
    return replace(job, config=config, workers=max(1, job.workers // processes))


def _load(job: Job) -> None:
    try:
        _worker[:] = [ShardWorker(job)]
        _folder[:] = [RunFolder(job.out, job.run_signature)]
    except EditMetricsError as error:
        # What an initializer raises is told to nobody, and an error of ours does not come whole through a pipe: the
        # first shard brings its text.
        _problem[:] = [str(error)]


def _work(shard: Shard) -> DoneMark | str:
    if _problem:
        return _problem[0]
    try:
        AttemptLog(_folder[0], shard).add()
        return _worker[0].work(shard)
    except EditMetricsError as error:
        return str(error)
