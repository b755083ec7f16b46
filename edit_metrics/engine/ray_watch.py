"""No process of a Ray that we started outlives us, however we end.

A driver that is killed (``kill -9``, out of memory) takes its raylet along, but two agents that the raylet started stay
for good. A small process of its own, which no Ctrl-C reaches, remembers what the driver has started, notices by a pipe
that the driver is gone, and ends what is left. Linux only: elsewhere nothing is watched.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

# Standard library alone, and nothing of ours: it must start fast and hold no memory.
_WATCH: Final = r"""
import os, select, signal, sys, time

driver = int(sys.argv[1])
known = {}

def processes():
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
                found[int(name)] = (int(fields[1]), fields[19])
            except (OSError, IndexError, ValueError):
                pass
    return found

def is_rays(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            text = file.read()
    except OSError:
        return False
    return text.startswith(b"ray::") or b"/ray/" in text

while True:
    now = processes()
    family = {driver}
    while True:
        more = {pid for pid, (parent, _) in now.items() if parent in family} - family
        if not more:
            break
        family |= more
    for pid in family - {driver, os.getpid()}:
        if pid in now and is_rays(pid):
            known[pid] = now[pid][1]
    if select.select([sys.stdin], [], [], 1.0)[0]:
        break
time.sleep(2)
for how in (signal.SIGTERM, signal.SIGKILL):
    now = processes()
    # A number that another process has by now has another start.
    left = [pid for pid, start in known.items() if pid in now and now[pid][1] == start and is_rays(pid)]
    for pid in left:
        try:
            os.kill(pid, how)
        except OSError:
            pass
    time.sleep(2)
"""


@contextlib.contextmanager
def watched() -> Iterator[None]:
    """While this is open, processes of Ray below this one are ended a few seconds after this one is gone."""
    if not Path("/proc/self/stat").is_file():
        yield
        return
    watcher = subprocess.Popen(  # noqa: S603 - this interpreter, text of ours, our own number
        [sys.executable, "-S", "-E", "-c", _WATCH, str(os.getpid())],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        # In order: Ray has ended its processes itself, and there is nobody to wait for.
        watcher.kill()
        watcher.wait()
        if watcher.stdin is not None:
            watcher.stdin.close()
