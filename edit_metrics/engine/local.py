"""The engine of one process: shards one after another."""

from __future__ import annotations

from collections.abc import Sequence

from edit_metrics.engine.job import Job, Outcome, Progress, ShardWorker
from edit_metrics.engine.shards import Shard


def run_shards(job: Job, shards: Sequence[Shard], progress: Progress) -> Outcome:
    """Score and commit shards in this process; no worker can be lost."""
    worker = ShardWorker(job)
    return Outcome(tuple(worker.work(shard, progress.advance) for shard in shards))
