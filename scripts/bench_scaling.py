"""How time and memory grow: items, picture size, workers, checkpoints with a cache, start-up, resuming.

Each measurement runs `edit-metrics score` in a process of its own, models and all, unless said otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from bench_set import make_set

_HERE = Path(__file__).resolve().parent
_CHILD = """
import json, sys, time
started = time.perf_counter()
from edit_metrics.config import load_config
from edit_metrics.engine.api import Silent
from edit_metrics.engine.local import RunOptions, run
from edit_metrics.io.manifest import read_manifest
from bench_memory import own_peak_mib
from pathlib import Path
imported = time.perf_counter()
manifest, out, cache, *overrides = sys.argv[1:]
config = load_config("embedded", overrides=overrides)
options = RunOptions(out=Path(out), cache=Path(cache) if cache != "off" else None)
info = run(read_manifest(manifest), config, options, Silent())
print(json.dumps({"seconds": time.perf_counter() - started, "imports": imported - started, "run": info["seconds"],
                  "peak_mib": own_peak_mib()}))
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
    """Time and peak memory from 256² to 4096²."""
    runs = {}
    for side, count in (
        ((256, 16), (512, 16)) if arguments.quick else ((256, 64), (512, 64), (1024, 32), (2048, 8), (4096, 4))
    ):
        made = make_set(folder / f"set-{side}", count, side)
        runs[str(side)] = _say(f"{side} px", count, _run(made.manifest, folder / "out-size"))
    return {"runs": runs}


def workers(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Time with one worker and one thread, and with two."""
    count = 16 if arguments.quick else 64
    made = make_set(folder / "set-512", count)
    runs = {}
    for name, lanes, threads in (("1", 1, 1), ("2", 2, 2), ("2, one lane", 1, 2)):
        overrides = [f"engine.workers={threads}", f"engine.lanes={lanes}", f"engine.model_threads={threads}"]
        runs[name] = _say(f"{name} workers", count, _run(made.manifest, folder / "out-workers", overrides=overrides))
    return {"runs": runs}


def cache(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Five checkpoints on one benchmark, one after another, without and with a cache; models are loaded already.

    The plain combination is timed on the first checkpoint: it has no memory, the others cost it the same.
    """
    from bench import profile_config
    from bench_ours import Ours, same_work
    from bench_plain_models import load_plain

    count = arguments.items or (16 if arguments.quick else 48)
    made = make_set(folder / "set-512", count, checkpoints=5)
    config = profile_config(arguments, folder)
    plain = load_plain(config)
    plain.score(made.manifest.parent, made.rows[:2])
    seconds = {"plain": [_seconds(lambda: plain.score(made.manifest.parent, made.rows[:count]))]}
    for kind, chosen in (("same work", same_work(config)), ("full profile", config)):
        for name in ("without", "with"):
            kept = folder / f"cache-{kind.split()[0]}" if name == "with" else None
            shutil.rmtree(kept or folder / "absent", ignore_errors=True)
            ours = Ours(chosen, made.manifest, folder / "out-cache", kept)
            _warm(ours, folder)
            parts = [slice(start, start + count) for start in range(0, 5 * count, count)]
            seconds[f"{kind}, {name} cache"] = [_seconds(partial(ours.score, part)) for part in parts]
    per_item = {name: [one / count for one in several] for name, several in seconds.items()}
    for name, several in per_item.items():
        print(f"{name}: " + ", ".join(f"{1e3 * one:.0f}" for one in several) + " ms an item, by checkpoint", flush=True)
    return {
        "profile": arguments.profile, "dtype": arguments.dtype, "items": count, "seconds_per_item": per_item
    }  # fmt: skip


def _warm(ours: Any, folder: Path) -> None:
    """First calls are slower; on other pictures, so that the cache stays empty for those that are timed."""
    other = make_set(folder / "set-warm", 4, size=508)
    ours.score_items(other.manifest)


def _seconds(call: Callable[[], Any]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


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
    """A run in one go, and the same run whose last shards are gone."""
    count = 16 if arguments.quick else 128
    made = make_set(folder / "set-512", count)
    overrides = [f"engine.shard_size={count // 4}"]
    out = folder / "out-resume"
    whole = _say("in one go", count, _run(made.manifest, out, overrides=overrides))
    _undo_half(out)
    half = _say("the second half, resumed", count // 2, _run(made.manifest, out, overrides=overrides, clear=False))
    nothing = _say("nothing left to do", count, _run(made.manifest, out, overrides=overrides, clear=False))
    return {"runs": {"whole": whole, "second half": half, "nothing left": nothing}}


def _undo_half(out: Path) -> None:
    """Take the folder back to where a kill in the middle would have left it."""
    shards = out / "shards"
    for path in shards.iterdir():
        if path.name.startswith(("000002", "000003")):
            path.unlink()
    for name in ("scores.parquet", "scores.csv", "run.json"):
        (out / name).unlink(missing_ok=True)


def _run(
    manifest: Path, out: Path, *, cache: Path | None = None, overrides: list[str] | None = None, clear: bool = True
) -> dict[str, Any]:
    if clear:
        shutil.rmtree(out, ignore_errors=True)
    command = [sys.executable, "-c", _CHILD, str(manifest), str(out), str(cache or "off"), *(overrides or [])]
    started = time.perf_counter()
    found: dict[str, Any] = json.loads(_printed(command)[-1])
    return {**found, "process_seconds": time.perf_counter() - started}


def _printed(command: list[str]) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_HERE.parent), str(_HERE)])}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()


def _say(name: str, count: int, run: Mapping[str, Any]) -> dict[str, Any]:
    scoring = sum(run["run"]["stages"].values())
    print(f"{name}: {run['process_seconds']:.1f} s in all, {run['run']['total']:.1f} s in the run "
          f"({1e3 * run['run']['total'] / count:.0f} ms an item), peak {run['peak_mib']} MiB", flush=True)  # fmt: skip
    return {**run, "items": count, "stage_seconds": scoring}


def _command(*arguments: str) -> float:
    started = time.perf_counter()
    subprocess.run([Path(sys.executable).with_name("edit-metrics"), *arguments], check=True, capture_output=True)
    return time.perf_counter() - started


SCALING_RUNS: Mapping[str, Callable[[Path, argparse.Namespace], dict[str, Any]]] = {
    "items": items,
    "size": size,
    "workers": workers,
    "cache": cache,
    "startup": startup,
    "resume": resume,
}
