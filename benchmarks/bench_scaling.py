"""How time and memory grow: items, picture size, workers, checkpoints with a cache, Ray, start-up, resuming.

Each measurement runs `edit-metrics score` in a process of its own, models and all, unless said otherwise.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench_set import make_set

_HERE = Path(__file__).resolve().parent
_CHILD = """
import json, os, sys, time
started = time.perf_counter()
from edit_metrics.config import load_config
from edit_metrics.engine import local
from edit_metrics.engine.job import RunOptions, ShardWorker
from edit_metrics.engine.run import run
from edit_metrics.io.manifest import read_manifest
from bench_memory import own_peak_mib
from pathlib import Path
loading, loading_cpu, commits = [0.0], [0.0], [0]
class TimedWorker(ShardWorker):
    def __init__(self, job):
        before, cpu = time.perf_counter(), time.process_time()
        super().__init__(job)
        loading[0] += time.perf_counter() - before
        loading_cpu[0] += time.process_time() - cpu
    def commit(self, shard, result):
        mark = super().commit(shard, result)
        commits[0] += 1
        if commits[0] == stop_after:
            os._exit(9)
        return mark
local.ShardWorker = TimedWorker
class Noted:
    def start(self, total, done): pass
    def advance(self, items): advances.append((time.perf_counter(), items))
    def note(self, text): pass
advances = []
manifest, out, stop_after, *overrides = sys.argv[1:]
stop_after = int(stop_after)
config = load_config("embedded", overrides=overrides)
rows = read_manifest(manifest)
before, cpu = time.perf_counter(), time.process_time()
run(rows, config, RunOptions(out=Path(out), engine=os.environ.get("BENCH_ENGINE", "local")), Noted())
ended = time.perf_counter()
print(json.dumps({"seconds": ended - started, "loading": loading[0], "scoring": ended - before - loading[0],
                  "scoring_cpu": time.process_time() - cpu - loading_cpu[0], "peak_mib": own_peak_mib(),
                  "advances": advances}))
"""


def items(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Time and peak memory of 100 to 10,000 items of `--side` (at most `--items`); rows repeat a set of 128 pairs."""
    counts: tuple[int, ...] = (50, 100) if arguments.quick else (100, 1000, 10_000)
    counts = tuple(count for count in counts if count <= (arguments.items or max(counts)))
    made = make_set(folder / f"set-{arguments.side}", min(128, max(counts)), arguments.side)
    runs = {}
    for count in counts:
        rows = [{**made.rows[i % len(made.rows)], "id": str(i)} for i in range(count)]
        manifest = made.manifest.with_name(f"repeated-{count}.jsonl")
        manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        runs[str(count)] = _say(f"{count} items", count, _run(manifest, folder / "out-items"))
    return {"runs": runs, "side": arguments.side}


def size(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Time and peak memory from 256² to 4096²; and the time of items in a process whose models are loaded and warm."""
    from bench import profile_config
    from bench_ours import Ours, forget

    runs = {}
    for side, count in (
        ((256, 16), (512, 16)) if arguments.quick else ((256, 64), (512, 64), (1024, 32), (2048, 8), (4096, 4))
    ):
        made = make_set(folder / f"set-{side}", count, side)
        runs[str(side)] = _say(f"{side} px", count, _run(made.manifest, folder / "out-size"))
        ours, part = Ours(profile_config(arguments, folder), made.manifest, folder / "out-warm"), slice(min(count, 16))
        seconds = []
        for _ in range(4):
            forget()
            seconds.append(_seconds(partial(ours.score, part)))
        runs[str(side)]["warm_ms"] = 1e3 * statistics.median(seconds[1:]) / part.stop
        print(f"{side} px, models loaded and warm: {runs[str(side)]['warm_ms']:.0f} ms an item", flush=True)
    return {"runs": runs}


def workers(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Time with one worker and one thread, with two, and in larger batches."""
    count = 16 if arguments.quick else 64
    made = make_set(folder / f"set-{arguments.side}", count, arguments.side)
    runs = {}
    for name, lanes, threads, batch in (
        ("1", 1, 1, 2),
        ("2", 2, 2, 2),
        ("2, one lane", 1, 2, 2),
        ("2, by fours", 2, 2, 4),
    ):
        overrides = [f"engine.batch_size={batch}"]
        overrides += [f"engine.workers={threads}", f"engine.lanes={lanes}", f"engine.model_threads={threads}"]
        runs[name] = _say(f"{name} workers", count, _run(made.manifest, folder / "out-workers", overrides=overrides))
    return {"runs": runs, "side": arguments.side}


def cache(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Five checkpoints on one benchmark, one after another, without and with a cache; models are loaded already.

    The plain combination is timed on the first checkpoint: it has no memory, the others cost it the same.
    """
    from bench import profile_config
    from bench_ours import Ours, same_work
    from bench_plain_models import load_plain

    count = arguments.items or (16 if arguments.quick else 48)
    made = make_set(folder / f"set-{arguments.side}", count, arguments.side, checkpoints=5)
    config = profile_config(arguments, folder)
    plain = load_plain(config)
    plain.score(made.manifest.parent, made.rows[:2])
    seconds = {"plain": [_seconds(lambda: plain.score(made.manifest.parent, made.rows[:count]))]}
    for kind, chosen in (("same work", same_work(config)), ("full profile", config)):
        for name in ("without", "with"):
            kept = folder / f"cache-{kind.split()[0]}" if name == "with" else None
            shutil.rmtree(kept or folder / "absent", ignore_errors=True)
            ours = Ours(chosen, made.manifest, folder / "out-cache", kept)
            _warm(ours, folder, arguments.side)
            parts = [slice(start, start + count) for start in range(0, 5 * count, count)]
            seconds[f"{kind}, {name} cache"] = [_seconds(partial(ours.score, part)) for part in parts]
    per_item = {name: [one / count for one in several] for name, several in seconds.items()}
    for name, several in per_item.items():
        print(f"{name}: " + ", ".join(f"{1e3 * one:.0f}" for one in several) + " ms an item, by checkpoint", flush=True)
    return {
        "profile": arguments.profile, "dtype": arguments.dtype, "side": arguments.side, "items": count,
        "seconds_per_item": per_item,
    }  # fmt: skip


def _warm(ours: Any, folder: Path, side: int) -> None:
    """First calls are slower; on other pictures, so that the cache stays empty for those that are timed."""
    other = make_set(folder / f"set-warm-{side}", 4, size=side - 4)
    ours.score_items(other.manifest)


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def ray(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """The local engine, and Ray with one worker of all cores, one of one core, and two of one core each.

    Beside the whole process: items a second after each worker has had time for its first shard, without the start of
    Ray and of the models.
    """
    count, shard = (16, 2) if arguments.quick else (96, 8)
    made = make_set(folder / f"set-{arguments.side}", count, arguments.side)
    runs = {}
    for name, engine, workers, threads in (
        ("local", "local", None, None),
        ("Ray, 1 worker of 1 core", "ray", 1, 1),
        ("Ray, 2 workers of 1 core", "ray", 2, 1),
        (f"Ray, 1 worker of {os.cpu_count()} cores", "ray", 1, os.cpu_count()),
    ):
        overrides = [f"engine.shard_size={shard}"]
        if engine == "ray":
            overrides += [f"engine.workers={workers}", f"engine.model_threads={threads}"]
        out = folder / "out-ray"
        found = _run(made.manifest, out, overrides=overrides, engine=engine)
        rate = _rate(found.pop("advances"), shard * (workers or 1))
        print(f"{name}: {found['process_seconds']:.1f} s in all; once it ran {rate:.2f} items/s", flush=True)
        runs[name] = {"process_seconds": found["process_seconds"], "items": count, "items_per_second": rate}
    return {"runs": runs, "side": arguments.side}


def _rate(advances: Sequence[tuple[float, int]], first: int) -> float:
    """Items a second after the first so many."""
    done = list(itertools.accumulate(items for _, items in advances))
    start = next(i for i, count in enumerate(done) if count >= first)
    return (done[-1] - done[start]) / (advances[-1][0] - advances[start][0])


def startup(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """`edit-metrics --help`, and `score` on one item with warm weights, step by step; the fastest of three."""
    made = make_set(folder / "set-512", 1)
    help_seconds = min(_command("--help") for _ in range(3))
    print(f"edit-metrics --help: {help_seconds:.2f} s")
    best = min((_start(made.manifest, folder / "out-startup") for _ in range(3)), key=lambda run: run["seconds"])
    print(f"score, one item: {best['seconds']:.2f} s")
    for name, seconds in best["steps"].items():
        print(f"  {name:30s}{seconds:8.2f} s")
    return {"help_seconds": help_seconds, **best}


def _start(manifest: Path, out: Path) -> dict[str, Any]:
    shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, str(_HERE / "bench_startup.py"), str(time.monotonic()), str(manifest), str(out)]
    found: dict[str, Any] = json.loads(_printed(command)[-1])
    return found


def resume(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """A run in one go; the same run, killed after half of its shards, and taken up again."""
    count = 16 if arguments.quick else 128
    made = make_set(folder / "set-512", count)
    overrides = [f"engine.shard_size={count // 4}"]
    out = folder / "out-resume"
    whole = _say("in one go", count, _run(made.manifest, out, overrides=overrides))
    _run(made.manifest, out, overrides=overrides, stop_after=2)
    half = _say("the second half, resumed", count // 2, _run(made.manifest, out, overrides=overrides, clear=False))
    nothing = _say("nothing left to do", count, _run(made.manifest, out, overrides=overrides, clear=False))
    return {"runs": {"in one go": whole, "second half, resumed": half, "nothing left to do": nothing}}


def _run(
    manifest: Path,
    out: Path,
    *,
    overrides: Sequence[str] = (),
    clear: bool = True,
    stop_after: int = 0,
    engine: str = "local",
) -> dict[str, Any]:
    """What the process says of itself; nothing when it was to be killed after some shards."""
    if clear:
        shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-c", _CHILD, str(manifest), str(out), str(stop_after), *overrides]
    started = time.perf_counter()
    # Ray's workers give way to everything else unless told not to (niceness 15).
    variables = {"BENCH_ENGINE": engine, "RAY_worker_niceness": "0"}
    lines = _printed(command, expected=9 if stop_after else 0, **variables)
    found: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return {**found, "process_seconds": time.perf_counter() - started}


def _printed(command: list[str], expected: int = 0, **variables: str) -> list[str]:
    environment = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join([str(_HERE.parent), str(_HERE)])}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    if done.returncode != expected:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


def _say(name: str, count: int, run: Mapping[str, Any]) -> dict[str, Any]:
    each = f"{1e3 * run['scoring'] / count:.1f} ms an item, {1e3 * run['scoring_cpu'] / count:.0f} ms of CPU"
    print(f"{name}: {run['process_seconds']:.1f} s in all, {run['loading']:.1f} s of it for the models, "
          f"{run['scoring']:.1f} s for the run ({each}), peak {run['peak_mib']} MiB", flush=True)  # fmt: skip
    return {**{name: value for name, value in run.items() if name != "advances"}, "items": count}


def _command(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("edit-metrics"), *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


SCALING_RUNS: Mapping[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "items": items,
    "size": size,
    "workers": workers,
    "cache": cache,
    "ray": ray,
    "startup": startup,
    "resume": resume,
}
