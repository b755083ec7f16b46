"""A Ray cluster: joined or started, and how many workers of which size it has room for."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from edit_metrics.engine.job import Job
from edit_metrics.engine.ray_watch import watched
from edit_metrics.errors import ConfigError, MissingExtraError, RunError

_THREADS: Final = "StreamingExecutor"
_TRACKER: Final = "ActorLocationTracker"
"""Names of Ray Data's; where another version has others, nothing is waited for."""
_SECONDS_TO_END: Final = 20.0
"""Ray Data itself waits for two; a busy machine takes longer."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers, and what each takes of its node.

    Attributes:
        actors: number of workers, each with models of its own.
        cpus: cores a worker, and threads in its models, its decoding and OpenCV.
        gpus: GPUs a worker: 0 or 1.
    """

    actors: int
    cpus: int
    gpus: int


def size_of_pool(job: Job, nodes: Sequence[dict[str, Any]], shards: int) -> Pool:
    """How many workers of which size, given what the cluster's nodes have.

    Args:
        job: see :func:`edit_metrics.engine.ray.run_shards_on_ray`.
        nodes: as ``ray.nodes()`` gives them.
        shards: more workers than that have nothing to do.

    Raises:
        ConfigError: no node has what one worker needs.
    """
    gpus = int(job.device.startswith("cuda"))
    rooms = [node["Resources"] for node in nodes if node["Alive"]]
    rooms = [room for room in rooms if room.get("GPU", 0) >= gpus]
    # Of the cores beside a GPU, its worker gets all: decoding and the pixel metrics keep a GPU waiting otherwise.
    shares = [int(room.get("CPU", 0) // room["GPU"]) for room in rooms] if gpus else [1]
    cpus = job.config.engine.model_threads or max(1, min(shares, default=1))
    held = [int(room.get("CPU", 0) // cpus) for room in rooms]
    if gpus:
        held = [min(by_cores, int(room["GPU"])) for by_cores, room in zip(held, rooms, strict=True)]
    if not any(held):
        need = f"{cpus} cores" + (" and a GPU" if gpus else "")
        raise ConfigError(f"a node with {need} for each worker", f"{len(nodes)} nodes without", "the Ray cluster")
    return Pool(min(job.config.engine.workers or sum(held), shards), cpus, gpus)


def import_ray() -> Any:
    """The module.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    try:
        import ray.data
    except ImportError:
        raise MissingExtraError("ray", "ray", "--engine ray") from None
    return ray


@contextlib.contextmanager
def connected(ray: Any, cpus: int) -> Iterator[None]:
    """Join the cluster that is there (``RAY_ADDRESS``, or an earlier ``ray.init``), else start one on this machine."""
    ours = not ray.is_initialized()
    if ours:
        _start(ray, cpus)
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with watched() if ours else contextlib.nullcontext():
            yield
    finally:
        logger.setLevel(level)
        if ours:
            _end_threads(ray)
            ray.shutdown()


def _end_threads(ray: Any) -> None:
    """Wait for Ray Data's own threads: one that asks Ray for anything once it is shut down ends the process with 1."""
    deadline = time.monotonic() + _SECONDS_TO_END
    while running := [one for one in threading.enumerate() if one.name.startswith(_THREADS)]:
        running[0].join(_SECONDS_TO_END / 10)
        if time.monotonic() > deadline:
            return
        if running[0].is_alive():
            # It may wait for an actor of Ray Data's that is started again for ever; for one that is gone it does not.
            with contextlib.suppress(Exception):
                ray.kill(ray.get_actor(_TRACKER, namespace=_TRACKER))


def _start(ray: Any, cpus: int) -> None:
    address = os.environ.get("RAY_ADDRESS")
    # "local": not a cluster of somebody else's that happens to run on this machine, which Ray would join unasked.
    alone = {"address": "local", "num_cpus": cpus, "include_dashboard": False}
    where = {"address": address} if address else alone
    try:
        # Ray's own core writes to stderr past Python's logging; what it has to say is in its log files as well.
        with _environment("RAY_BACKEND_LOG_LEVEL", "fatal"):
            ray.init(logging_level=logging.ERROR, log_to_driver=False, **where)
    except (OSError, RuntimeError, ValueError) as error:
        if address:
            todo = "Check the address, the version of Ray there and RAY_AUTH_MODE, or unset RAY_ADDRESS."
            raise ConfigError("a Ray cluster at RAY_ADDRESS", first_line(error), address, todo) from error
        raise RunError("Ray to start on this machine", first_line(error)) from error


@contextlib.contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable that the user has not set, for a while."""
    held = os.environ.get(name)
    os.environ.setdefault(name, value)
    try:
        yield
    finally:
        if held is None:
            del os.environ[name]


def first_line(error: Exception) -> str:
    """Kind and first line of an error: Ray's own run over many."""
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
