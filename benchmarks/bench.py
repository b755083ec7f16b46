"""Time ours against the plain combination: same images, same weights, same process.

    python benchmarks/bench.py --profile embedded            the comparison; last line: ratio X.XX floor Y.YY
    python benchmarks/bench.py --profile embedded --side 1024
    python benchmarks/bench.py --profile clip --detector YUNET.onnx [--dtype bfloat16|float32] [--side 1024]
    python benchmarks/bench.py --scaling items|size|workers|cache|ray|startup|resume  (with embedded; cache with either)
    python benchmarks/bench.py --page docs/performance.md    write the page from what the runs above left in --results

``ratio`` is the plain combination's time over ours for the same measures, the median over repetitions that alternate
between the two. ``floor`` is our time for them over the time of the unavoidable model calls alone, likewise.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SCALINGS = ("items", "size", "workers", "cache", "ray", "startup", "resume")


def main() -> None:
    arguments = parse()
    if arguments.page:
        from bench_page import write_page

        write_page(arguments.results, arguments.page)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        folder = arguments.folder or Path(temporary)
        if arguments.scaling:
            from bench_scaling import SCALING_RUNS

            record = SCALING_RUNS[arguments.scaling](folder, arguments)
            profile = () if arguments.profile == "embedded" else (arguments.profile,)
            keep(arguments.results, named(f"scaling-{arguments.scaling}", arguments, profile), record)
        else:
            record = compare(folder, arguments)
            keep(arguments.results, named("compare", arguments, (arguments.profile,)), record)
            print(f"ratio {record['ratio']['same']['median']:.2f} floor {record['floor_ratio']['median']:.2f}")


def named(kind: str, arguments: argparse.Namespace, parts: Sequence[str]) -> str:
    """The file of a run: what sets it apart from the usual is in its name."""
    dtype = (arguments.dtype,) if arguments.dtype else ()
    side = (str(arguments.side),) if arguments.side != 512 else ()
    return "-".join((kind, *parts, *dtype, *side))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=("embedded", "clip"), default="embedded")
    parser.add_argument("--quick", action="store_true", help="fewer items and repetitions")
    parser.add_argument("--repetitions", type=int)
    parser.add_argument("--items", type=int)
    parser.add_argument("--side", type=int, default=512, help="of the pictures, px; not of --scaling size")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), help="of every torch model; default: the profile's")
    parser.add_argument("--detector", type=Path, help="YuNet's ONNX file, for the faces of --profile clip")
    parser.add_argument("--folder", type=Path, help="keeps pictures and random checkpoints between calls")
    parser.add_argument("--scaling", choices=SCALINGS)
    parser.add_argument("--results", type=Path, help="folder that each run leaves its figures in, as JSON")
    parser.add_argument("--page", type=Path, help="write this page from --results, and do nothing else")
    return parser.parse_args()


def compare(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    from bench_memory import peak_memory
    from bench_ours import Ours, floor, forget, same_work, values_of
    from bench_plain_models import load_plain
    from bench_set import make_set

    count = arguments.items or (8 if arguments.quick else 32)
    repetitions = arguments.repetitions or (2 if arguments.quick else 5)
    made = make_set(folder / f"set-{arguments.side}", count, arguments.side)
    config = profile_config(arguments, folder)
    plain = load_plain(config)
    same = Ours(same_work(config), made.manifest, folder / "out-same")
    full = Ours(config, made.manifest, folder / "out-full")
    for warm in (
        lambda: plain.score(made.manifest.parent, made.rows[:2]),
        lambda: same.score(slice(0, 4)),
        lambda: full.score(slice(0, 4)),
    ):
        warm()
    plain.seconds.clear()
    floors = floor(config, made.manifest, min(count, 16), os.cpu_count() or 1)
    floor_seconds: dict[str, list[float]] = defaultdict(list)
    stages: dict[str, dict[str, float]] = {"same": defaultdict(float), "full": defaultdict(float)}
    walls: dict[str, list[float]] = defaultdict(list)
    cpus: dict[str, list[float]] = defaultdict(list)
    others = OtherProcesses()
    for _ in range(repetitions):
        theirs, walls["plain"], cpus["plain"] = timed(
            lambda: plain.score(made.manifest.parent, made.rows), walls["plain"], cpus["plain"]
        )
        for name, ours in (("same", same), ("full", full)):
            forget()
            result, walls[name], cpus[name] = timed(ours.score, walls[name], cpus[name])
            for stage, seconds in result.seconds.items():
                stages[name][stage] += seconds
            if name == "same":
                mine = values_of(result)
        for floor_stage in floors:
            floor_seconds[floor_stage.name].append(floor_stage.seconds_per_item())
    record = {
        "profile": arguments.profile, "dtype": arguments.dtype, "side": arguments.side,
        "items": count, "repetitions": repetitions,
        "machine": machine() | {"busy_with_others": others.cores()},
        "seconds_per_item": {name: summary([w / count for w in wall]) for name, wall in walls.items()},
        "cpu_seconds_per_item": {name: summary([c / count for c in cpu]) for name, cpu in cpus.items()},
        "ratio": {name: summary([p / o for p, o in zip(walls["plain"], walls[name], strict=True)]) for name in stages},
        "cpu_ratio": {n: summary([p / o for p, o in zip(cpus["plain"], cpus[n], strict=True)]) for n in stages},
        "stages": {n: per_item(s, count * repetitions) for n, s in {"plain": plain.seconds, **stages}.items()},
        "differences": differences(theirs, mine),
        "floor": {
            s.name: {"seconds": float(np.median(floor_seconds[s.name])), "batch": s.batch, "at_once": s.at_once}
            for s in floors
        },
        "floor_ratio": summary(
            [w / count / sum(s) for w, s in zip(walls["same"], zip(*floor_seconds.values(), strict=True), strict=True)]
        ),
        "peak_memory_mib": {} if arguments.quick else {n: peak_memory(n, arguments, folder) for n in walls},
    }  # fmt: skip
    show(record)
    return record


def profile_config(arguments: argparse.Namespace, folder: Path) -> Any:
    from bench_set import default_checkpoints

    from edit_metrics.config import load_config

    overrides = default_checkpoints(folder / "checkpoints", arguments.detector) if arguments.profile == "clip" else []
    config = load_config(arguments.profile, overrides=overrides)
    if arguments.dtype:
        torch_roles = sorted({"clip", "conse", "perceptual", "patches"} & set(config.backends))
        torch_roles += ["safety"] if arguments.profile == "clip" else []
        overrides = [*overrides, *(f"backends.{role}.dtype={arguments.dtype}" for role in torch_roles)]
        config = load_config(arguments.profile, overrides=overrides)
    return config


def timed(call: Callable[[], Any], walls: list[float], cpus: list[float]) -> tuple[Any, list[float], list[float]]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    return result, [*walls, time.perf_counter() - wall], [*cpus, time.process_time() - cpu]


def summary(values: list[float]) -> dict[str, float]:
    return {"median": float(np.median(values)), "lowest": min(values), "highest": max(values)}


def per_item(seconds: Mapping[str, float], items: int) -> dict[str, float]:
    return {name: value / items for name, value in sorted(seconds.items(), key=lambda entry: -entry[1])}


def differences(
    theirs: Mapping[str, Mapping[str, float]], mine: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Per column: the largest absolute difference, and over how many items."""
    found: dict[str, list[float]] = defaultdict(list)
    for item, values in theirs.items():
        for column, value in values.items():
            if column in mine[item]:
                found[column].append(abs(value - mine[item][column]))
    return {column: {"largest": max(values), "items": len(values)} for column, values in sorted(found.items())}


class OtherProcesses:
    """How many cores other processes have kept busy since this was made: what a timing has to be read with."""

    def __init__(self) -> None:
        self._start = self._read()

    def cores(self) -> float:
        """Busy cores, on average."""
        wall, busy, own = (now - then for now, then in zip(self._read(), self._start, strict=True))
        return round(max(busy - own, 0.0) / wall, 2)

    @staticmethod
    def _read() -> tuple[float, float, float]:
        """Wall clock, busy time of all cores (stolen time included), own time; seconds."""
        ticks = [int(cell) for cell in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        busy = sum(ticks) - ticks[3] - ticks[4]  # all but idle and waiting for a disk
        return time.perf_counter(), busy / os.sysconf("SC_CLK_TCK"), time.process_time()


def machine() -> dict[str, Any]:
    import platform

    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "",
    )
    flags = Path("/proc/cpuinfo").read_text()
    return {
        "cpu": model or platform.processor(), "cores": os.cpu_count(), "bf16": "avx512_bf16" in flags,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "python": platform.python_version(),
    }  # fmt: skip


def show(record: Mapping[str, Any]) -> None:
    print(json.dumps(record["machine"]))
    for name, stages in record["stages"].items():
        one = record["seconds_per_item"][name]
        print(f"\n{name}: {1 / one['median']:.2f} items/s ({1 / one['highest']:.2f} to {1 / one['lowest']:.2f}), "
              f"{1e3 * record['cpu_seconds_per_item'][name]['median']:.0f} ms CPU an item")  # fmt: skip
        for stage, seconds in stages.items():
            if seconds > 5e-4:
                print(f"  {stage:36s}{1e3 * seconds:8.1f} ms an item")
    print("\nfloor")
    for name, stage in record["floor"].items():
        how = f"batches of {stage['batch']}, {stage['at_once']} at once"
        print(f"  {name:36s}{1e3 * stage['seconds']:8.1f} ms an item, {how}")
    print("\nlargest difference from the plain combination")
    for column, entry in record["differences"].items():
        print(f"  {column:36s}{entry['largest']:12.2e}  {entry['items']} items")
    for name, mib in record["peak_memory_mib"].items():
        print(f"peak memory {name}: {mib} MiB")
    for name in ("same", "full"):
        wall, cpu = record["ratio"][name], record["cpu_ratio"][name]
        print(f"plain / {name}: {wall['median']:.2f} ({wall['lowest']:.2f} to {wall['highest']:.2f}); "
              f"by CPU time {cpu['median']:.2f}")  # fmt: skip


def keep(folder: Path | None, name: str, record: Mapping[str, Any]) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.json").write_text(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
