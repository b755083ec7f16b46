"""The same job on Ray: shard ids go through an actor pool that holds the models.

An actor calls the very shard function of the local engine and commits the shard itself, to a folder that every worker
and the driver can reach. The scoring function knows nothing of Ray. A worker that dies is replaced and its shard is
scored again; a shard counts once its done mark is there.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edit_metrics.engine.local import Job, Progress, commit_shard, shard_function
from edit_metrics.engine.shards import RunFolder, Shard
from edit_metrics.errors import MissingExtraError, RunError

ATTEMPTS = 3
"""Passes over what is not done: a shard that dies with its worker this often breaks the run."""


class ShardActor:
    """One worker: loads the models once, then scores and commits the shards it is given."""

    def __init__(self, job: Job, shards: Mapping[int, Shard]) -> None:
        self._job = job
        self._shards = shards
        self._score = shard_function(job)
        self._folder = RunFolder(job.out)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """A batch of shard ids, as Ray Data gives them → how many items each held."""
        sizes = []
        for index in batch["shard"]:
            shard = self._shards[int(index)]
            if self._folder.done_mark(shard) is None:
                tag = shard.inputs_tag()
                commit_shard(self._folder, self._job, shard, tag, self._score(shard, None))
            sizes.append(len(shard.items))
        return {"shard": batch["shard"], "items": sizes}


def run_shards_on_ray(job: Job, shards: Sequence[Shard], progress: Progress) -> None:
    """Score and commit shards on a Ray cluster, or on local worker processes when there is none.

    Raises:
        MissingExtraError: Ray is not installed.
        RunError: shards that are still not done after several attempts.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError("ray", "ray", "--engine ray") from None
    folder = RunFolder(job.out)
    with _connected(ray, job.workers):
        todo = list(shards)
        for attempt in range(1, ATTEMPTS + 1):
            _one_pass(ray, job, todo, progress)
            todo = [shard for shard in todo if folder.done_mark(shard) is None]
            if not todo:
                return
            progress.note(f"{len(todo)} shards were lost with their workers; attempt {attempt + 1} of {ATTEMPTS}.")
    raise RunError("every shard scored", f"{len(todo)} lost {ATTEMPTS} times, the first: {todo[0].name}", str(job.out))


def _one_pass(ray: Any, job: Job, shards: Sequence[Shard], progress: Progress) -> None:
    on_gpu = job.device.startswith("cuda")
    ids = ray.data.from_items([{"shard": shard.index} for shard in shards], override_num_blocks=len(shards))
    scored = ids.map_batches(
        ShardActor,
        fn_constructor_args=(job, {shard.index: shard for shard in shards}),
        batch_size=1,
        num_cpus=1,
        num_gpus=1 if on_gpu else 0,
        concurrency=min(job.workers, len(shards)),
        max_restarts=-1,
        max_task_retries=ATTEMPTS,
    )
    try:
        for row in scored.iter_rows():
            progress.advance(int(row["items"]))
    except ray.exceptions.RayError as error:
        progress.note(f"A worker was lost: {str(error).splitlines()[0][:200]}")


@contextlib.contextmanager
def _connected(ray: Any, workers: int) -> Iterator[None]:
    """Join the cluster that is there (``RAY_ADDRESS``, or an earlier ``ray.init``), else start local workers."""
    if ray.is_initialized():
        yield
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    address = os.environ.get("RAY_ADDRESS")
    options = {"address": address} if address else {"num_cpus": workers, "include_dashboard": False}
    ray.init(logging_level=logging.WARNING, log_to_driver=False, **options)
    try:
        yield
    finally:
        ray.shutdown()
