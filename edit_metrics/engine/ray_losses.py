"""An end to workers that are lost faster than they score: Ray itself starts a lost actor again for ever.

A shard that takes workers down is given up after three (:mod:`edit_metrics.engine.attempts`). Workers that are lost
before they begin one, while they load their models or as soon as they start, leave no such trace: Ray's memory monitor
ends every process that it may on a node above its threshold, also those of Ray Data itself, and then nothing ever ends.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from edit_metrics.engine.attempts import ATTEMPTS

_SECONDS: Final = 2.0
"""Between two looks; each is one question to the cluster's head."""
_RAYS_OWN: Final = 3
"""Actors that Ray Data runs beside the workers: they are lost with them."""


class Losses:
    """Counts lost workers since the last shard that was finished.

    Args:
        actors: of the pool.
        look: the restarts and out-of-memory deaths of all actors of this run so far.
    """

    def __init__(self, actors: int, look: Callable[[], tuple[int, bool]]) -> None:
        self.allowed = ATTEMPTS * (actors + _RAYS_OWN)
        self.lost, self.for_memory, self.given_up = 0, False, False
        self._look = look
        self._before = 0
        self._seen = 0

    def finished_one(self) -> None:
        """A shard is done: what was lost until now did not stop the run."""
        self._before = self._seen

    def too_many(self) -> bool:
        """Look again; whether it is time to end."""
        self._seen, for_memory = self._look()
        self.lost = self._seen - self._before
        self.for_memory |= for_memory
        return self.lost > self.allowed

    @property
    def words(self) -> str:
        """What happened."""
        why = " for want of memory, by Ray's memory monitor" if self.for_memory else ""
        return f"{self.lost} processes lost{why} since a shard was last finished"


@contextmanager
def counted(losses: Losses) -> Iterator[None]:
    """Interrupt the main thread once there are too many; in another thread, which has no interrupts, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_SECONDS):
            if losses.too_many():
                losses.given_up = True
                # A signal, since the main thread waits in Ray; it raises KeyboardInterrupt there.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
                return

    thread = threading.Thread(target=watch, name="edit-metrics-losses", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def restarts(ray: Any) -> tuple[int, bool]:
    """Restarts of this run's actors and deaths for want of memory so far, and whether there were such deaths.

    (0, False) where this version of Ray does not tell: its table of actors is no part of what it promises.
    """
    try:
        from ray._private import state

        job = ray.get_runtime_context().get_job_id()
        actors = [one for one in state.actors().values() if one["JobID"] == job]
        killed = [one for one in actors if str(one.get("DeathCause")).lstrip().startswith("oom_context")]
        return sum(int(one.get("NumRestarts") or 0) for one in actors) + len(killed), bool(killed)
    except Exception:
        return 0, False
