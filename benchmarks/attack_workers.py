"""Workers without memory: killed by the system, refused by it, ended by Ray's memory monitor, killed by one item."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

from attack_world import _arguments, _as_whole, _equal_values, _outcome, _whole, _wrong
from attacking import Attack, Outcome, Running, call, small_set, start

LIMIT = """
import os, threading
def limit(more):
    import resource, time
    while not any(one.name.startswith("edit-metrics-decode") for one in threading.enumerate()):
        time.sleep(0.002)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))
threading.Thread(target=limit, args=({more},), daemon=True).start()
"""
"""A ``sitecustomize`` of a process that gets no more address space than so many bytes once its models are loaded."""
MIB = 2**20
POISON = 5
"""Index of the shard that takes each of its workers down."""


def lost_processes(attack: Attack) -> list[Outcome]:
    """SIGKILL of one of two local processes inside a shard: exit 4, its shard named; then equal bytes."""
    data, whole = _whole(attack)
    codes, other, named = [], [], 0
    for n in range(attack.tries):
        out = attack.folder / f"out{n}"
        run = start(*_arguments(data, out), "--set", "engine.processes=2")
        killed = _kill_in_a_shard(out, attack.draw.randrange(0, 5), run)
        ended = run.wait()
        codes.append(ended.code)
        other += _wrong(f"try {n}", ended, (4,)) if killed else [f"try {n}: nobody to kill, exit {ended.code}"]
        named += killed is not None and f"{killed} (from item " in ended.err
        other += [] if _as_whole(call(*_arguments(data, out)), out, whole) else [f"try {n}: not resumed"]
        shutil.rmtree(out)
    row = _outcome("SIGKILL of one of `engine.processes=2` in a random shard", attack.tries, codes, other)
    return [
        Outcome(row.fault, row.tries, f"{row.happened}; its shard named: {named}; then byte-equal", row.lost, row.held)
    ]


def little_memory(attack: Attack) -> list[Outcome]:
    """An address space that ends while items are scored, in one process and in two: typed rows, or 4; never 1."""
    data = attack.folder / "data"
    small_set(data, 24, side=900)
    whole = attack.folder / "whole"
    call(*_arguments(data, whole))
    outcomes = []
    for processes in (1, 2):
        codes, other, typed = [], [], 0
        for n in range(attack.tries):
            folder, out = attack.folder / f"site{processes}-{n}", attack.folder / f"out{processes}-{n}"
            folder.mkdir()
            more = int(attack.draw.uniform(1, 120)) * MIB
            (folder / "sitecustomize.py").write_text(LIMIT.format(more=more))
            env = {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
            ended = call(*_arguments(data, out), "--set", f"engine.processes={processes}", env=env)
            codes.append(ended.code)
            # A library that does not look whether it was given memory ends its process by a signal.
            alone = (0, 4, -signal.SIGSEGV, -signal.SIGABRT) if processes == 1 else (0, 4)
            other += _wrong(f"try {n}, {more // MIB} MiB", ended, alone)
            typed += ended.code == 0 and "found no memory" in ended.err
            again = call(*_arguments(data, out))
            same = again.code == 0 and _equal_values(out, whole)
            other += [] if same else [f"try {n}: not resumed, exit {again.code}"]
            shutil.rmtree(out)
        fault = f"1–120 MiB of address space once models are loaded, {processes} process{'es' * (processes > 1)}"
        row = _outcome(fault, attack.tries, codes, other)
        said = f"{row.happened}; rows typed and tried again: {typed}; then the undisturbed run's values"
        outcomes.append(Outcome(row.fault, row.tries, said, row.lost, row.held))
    return outcomes


def ray_memory(attack: Attack) -> list[Outcome]:
    """Ray's memory monitor above its threshold from the start, and a shard that takes every worker down: exit 4."""
    data, whole = _whole(attack)
    monitor = {"RAY_memory_usage_threshold": "0.05", "RAY_memory_monitor_refresh_ms": "250"}
    faults: tuple[tuple[str, dict[str, str], str, Callable[[Running, Path], None]], ...] = (
        ("Ray's memory monitor ends every worker", monitor, "processes lost for want of memory", lambda *_: None),
        ("one shard takes each of its workers down", {}, f"shard {POISON:06d} (from item", _kill_poisoned),
    )
    outcomes = []
    for fault, env, words, meanwhile in faults:
        codes, other = [], []
        tries = min(attack.tries, 10)
        for n in range(tries):
            out = attack.folder / f"{fault[:3]}{n}"
            niceness = {"RAY_worker_niceness": "0"}
            run = start(*_arguments(data, out), "--engine", "ray", "--workers", "2", env=niceness | env)
            meanwhile(run, out)
            ended = run.wait()
            codes.append(ended.code)
            other += _wrong(f"try {n}", ended, (4,))
            other += [] if words in ended.err else [f"try {n}: said {ended.err[-200:]}"]
            again = call(*_arguments(data, out))
            same = again.code == 0 and _equal_values(out, whole)
            other += [] if same else [f"try {n}: then exit {again.code}"]
        row = _outcome(f"{fault}, under `--engine ray`", tries, codes, other)
        outcomes.append(
            Outcome(row.fault, row.tries, f"{row.happened}; then the undisturbed run's values", row.lost, row.held)
        )
    return outcomes


FAMILIES = {"lost-processes": lost_processes, "little-memory": little_memory, "ray-memory": ray_memory}


def _kill_in_a_shard(out: Path, after: int, run: Running) -> str | None:
    """SIGKILL of a process that has begun a shard and not ended it, once so many are done; the shard's name."""
    while not run.ended:
        if len(list((out / "shards").glob("*.done"))) >= after:
            for path in (out / "shards").glob("*.attempts"):
                if _killed(path):
                    return path.stem
        time.sleep(0.002)
    return None


def _kill_poisoned(run: Running, out: Path) -> None:
    path = out / "shards" / f"{POISON:06d}.attempts"
    seen = 0
    while not run.ended:
        if path.is_file() and len(path.read_text().splitlines()) > seen and _killed(path):
            seen += 1
        time.sleep(0.002)


def _killed(path: Path) -> bool:
    """Kill the process of the last line, held still first: one that has ended its shard loses nothing."""
    words = path.read_text().split()
    if len(words) < 2 or path.with_suffix(".done").exists():
        return False
    try:
        os.kill(int(words[-1]), signal.SIGSTOP)
        if path.with_suffix(".done").exists():
            os.kill(int(words[-1]), signal.SIGCONT)
            return False
        os.kill(int(words[-1]), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
