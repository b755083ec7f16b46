"""What a killed driver of Ray leaves behind is ended; what is not Ray's, or not below it, is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="reads /proc")

DRIVER = """
import subprocess, sys, time
from edit_metrics.engine.ray_watch import watched
with watched():
    parent = subprocess.Popen(
        ["/bin/bash", "-c", "for n in ray::Agent other; do (exec -a $n sleep 300) & echo $!; done; wait"],
        stdout=subprocess.PIPE, text=True)
    print(parent.pid, *(parent.stdout.readline().strip() for _ in range(2)), flush=True)
    time.sleep(300 if sys.argv[1] == "killed" else 2)
"""


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_an_agent_that_a_killed_driver_leaves_is_ended_and_nothing_else_is() -> None:
    driver = subprocess.Popen(
        [sys.executable, "-c", DRIVER, "killed"], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    assert driver.stdout is not None
    shell, agent, other = map(int, driver.stdout.readline().split())
    try:
        time.sleep(4)  # the watcher looks once a second
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        deadline = time.monotonic() + 60
        while is_running(agent) and time.monotonic() < deadline:
            time.sleep(0.2)
        assert not is_running(agent)
        assert is_running(other)
    finally:
        driver.stdout.close()
        for pid in (agent, other, shell):
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


def test_in_order_the_watcher_goes_with_the_run() -> None:
    from edit_metrics.engine.ray_watch import watched

    before = set(children())
    with watched():
        assert len(set(children()) - before) == 1
    assert set(children()) == before


def children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return [int(pid) for pid in text.split()]
