"""What a GPU gives: values held against the CPU's, items a second, memory, and where the time goes.

    python benchmarks/gpu_check.py --seconds 300 --results gpu.json

Made for a machine that reaches no package index and no model hub. Weights that are in the model cache are used; the
others are drawn at random in the true architectures, which costs the same and means nothing; a role whose model can be
had neither way is left out. The first line says which.

Exit status 1 when a value differs from the CPU's by more than is allowed, 2 where there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

TOLERANCES: Final = {
    "safety.": 0.02, "adherence.": 0.02, "style.": 0.02, "character.": 0.02, "structure.": 0.02, "preservation.": 0.004,
    "preservation.psnr": 1e-6, "preservation.lpips": 0.004, "preservation.ssim": 2e-5,
}  # fmt: skip
"""Column, or its beginning → what bfloat16 and another order of summation may change; the longest that fits counts."""
PARTS: Final = ("kernels", "profiles", "processes")
PROFILES: Final = ("embedded", "clip", "large")


@dataclass(frozen=True, slots=True)
class Clock:
    """The time that is left: what does not fit any more is not begun, and said."""

    end: float

    def left(self) -> float:
        """Seconds."""
        return self.end - time.monotonic()


def main() -> None:
    import torch

    arguments = parse()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print(f"Expected a GPU that torch {torch.__version__} can use, found none.", file=sys.stderr)
        raise SystemExit(2)
    clock = Clock(time.monotonic() + arguments.seconds)
    with tempfile.TemporaryDirectory(prefix="gpu-check-") as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if arguments.only:
            measure_one(folder, arguments)
            return
        record: dict[str, Any] = {"machine": machine(arguments.device), "profiles": {}}
        print(json.dumps(record["machine"]))
        if "kernels" in arguments.parts:
            record["kernels"] = kernels(folder, arguments)
        for number, profile in enumerate(PROFILES if "profiles" in arguments.parts else ()):
            share = clock.left() / (len(PROFILES) - number)
            found = measure(profile, folder, arguments, Clock(time.monotonic() + share))
            record["profiles"][profile] = found
        if "processes" in arguments.parts:
            record["processes"] = side_by_side(folder, arguments, clock)
    if arguments.results:
        arguments.results.write_text(json.dumps(record, indent=1))
    wrong = list(record.get("kernels", {}).get("wrong", ()))
    wrong += [f"{p}: {line}" for p, found in record["profiles"].items() for line in found.get("wrong", ())]
    print("\n".join(wrong) or "every value is within its tolerance")
    raise SystemExit(1 if wrong else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300, help="nothing is begun after them")
    parser.add_argument("--items", type=int, default=96, help="of each timing")
    parser.add_argument("--side", type=int, default=512, help="of the pictures")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda", help="cpu: try the check itself")
    parser.add_argument("--folder", type=Path, help="keeps pictures and random checkpoints between calls")
    parser.add_argument("--results", type=Path, help="file for the figures, as JSON")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured")
    parser.add_argument("--processes", nargs="+", type=int, default=(2, 4, 8), help="on one card, in the last part")
    parser.add_argument("--workers", type=int, help="threads of each of them; its share of the cores without it")
    parser.add_argument("--only", choices=PROFILES, help=argparse.SUPPRESS)
    return parser.parse_args()


def machine(device: str) -> dict[str, Any]:
    import torch

    card = torch.cuda.get_device_name(0) if device == "cuda" else "none"
    return {
        "card": card, "torch": torch.__version__, "cuda": torch.version.cuda, "cores": os.cpu_count(),
        "python": sys.version.split()[0],
    }  # fmt: skip


def kernels(folder: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """The torch kernels against OpenCV's, at two sizes."""
    from bench_set import make_set, read_rgb
    from measure_kernels import BOUNDS, compare, show

    found: dict[str, Any] = {}
    for side in (arguments.side, 2 * arguments.side):
        rows = make_set(folder / f"set-{side}", 8, side).rows
        where = folder / f"set-{side}"
        pairs = [(read_rgb(where / row["source"]), read_rgb(where / row["edited"])) for row in rows]
        print(f"\nkernels at {side}x{side}, 8 pairs")
        found[str(side)] = compare(pairs, arguments.device)
        show(found[str(side)])
    wrong = [
        f"{name} at {side} differs by {row['largest']:.1e}"
        for side, rows in found.items()
        for name, row in rows.items()
        if name in BOUNDS and row["largest"] > BOUNDS[name]
    ]
    return {"sizes": found, "wrong": wrong}


def measure(profile: str, folder: Path, arguments: argparse.Namespace, clock: Clock) -> dict[str, Any]:
    """Values, then speed at several batch sizes, of one profile."""
    from bench_set import make_set

    config, note = resolved(profile, folder)
    print(f"\n{profile}: {note}", flush=True)
    few = make_set(folder / f"set-{arguments.side}", 8, arguments.side)
    many = make_set(folder / f"set-{arguments.side}", arguments.items, arguments.side)
    ours = runner(config, few.manifest, folder, "cpu")
    here = values(ours.score())
    ours = runner(config, few.manifest, folder, arguments.device)
    there = values(ours.score())
    found: dict[str, Any] = {"weights": note} | compared(here, there)
    for column, difference in list(found["largest"].items())[:12]:
        print(f"  {column:44} {difference:.1e}")
    timings = found["speed"] = []
    for batch, lanes in ((4, 2), (16, 2), (16, 4), (64, 2)):
        if clock.left() < 8:
            print("  no time left for larger batches: not measured")
            break
        timings.append(timed(config, many.manifest, folder, arguments, batch, lanes))
        print("  " + line(timings[-1]), flush=True)
    best = max(timings, key=lambda t: t["items_per_second"], default=None)
    if best is not None:
        where = sorted(best["stages"].items(), key=lambda entry: -entry[1])[:18]
        print("  ms an item, summed over threads: " + ", ".join(f"{name} {1e3 * s:.1f}" for name, s in where))
    return found


def resolved(profile: str, folder: Path) -> tuple[Any, str]:
    """The profile with what can be had here, and a sentence on its weights."""
    from bench_set import default_checkpoints, random_lpips, random_open_clip

    from edit_metrics.config import load_config
    from edit_metrics.weights.catalogue import get
    from edit_metrics.weights.store import is_present

    overrides: list[str] = []
    drawn: list[str] = []
    if profile != "embedded":
        overrides += default_checkpoints(folder / "checkpoints", None)
        drawn = ["clip", "safety", "patches"]
    if profile == "large":
        model = random_open_clip(folder / "checkpoints", "ViT-L-14")
        overrides += [f"backends.clip.weights={model}"]
    net = "vgg" if profile == "large" else "alex"
    if not is_present(get(f"lpips.{net}")):
        overrides.append(f"backends.perceptual.weights={random_lpips(folder / 'checkpoints', net)}")
        drawn.append("perceptual")
    left_out = []
    for role, names in needs(profile).items():
        if not all(is_present(get(name)) for name in names) or not importable(role):
            overrides.append(f"backends.{role}=null")
            left_out.append(role)
    config = load_config(profile, overrides=overrides)
    words = [f"random: {', '.join(drawn)}"] if drawn else []
    words += [f"left out: {', '.join(left_out)}"] if left_out else []
    words += ["real: " + ", ".join(sorted(set(config.backends) - set(drawn)))]
    return config, "; ".join(words)


def needs(profile: str) -> Mapping[str, tuple[str, ...]]:
    """Role → catalogued weights without which it is left out."""
    if profile != "embedded":
        return {}
    return {
        "safety": ("open_nsfw",),
        "conse": ("conse.image", "conse.text"),
        "faces": ("dlib.landmarks5", "dlib.face_resnet"),
        "ocr": (),
    }


def importable(role: str) -> bool:
    from importlib.util import find_spec

    package = {"ocr": "rapidocr", "faces": "_dlib_pybind11", "safety": "onnxruntime", "conse": "timm"}[role]
    return find_spec(package) is not None


def runner(config: Any, manifest: Path, folder: Path, device: str) -> Any:
    from bench_ours import Ours

    return Ours(config, manifest, folder / "out", device=device)


def values(result: Any) -> dict[str, dict[str, float]]:
    from bench_ours import values_of

    return values_of(result)


def compared(here: Mapping[str, Mapping[str, float]], there: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Largest difference of each column, and the columns that differ by more than they may."""
    largest: dict[str, float] = {}
    wrong = []
    for item, own in here.items():
        for column in sorted(own.keys() ^ there[item].keys()):
            wrong.append(f"{column} of {item} has a value on one device only")
        for column in own.keys() & there[item].keys():
            largest[column] = max(largest.get(column, 0.0), abs(own[column] - there[item][column]))
    for column, difference in largest.items():
        allowed = TOLERANCES[max((key for key in TOLERANCES if column.startswith(key)), key=len, default="safety.")]
        if difference > allowed:
            wrong.append(f"{column} differs by {difference:.2g}, allowed {allowed:g}")
    order = dict(sorted(largest.items(), key=lambda entry: -entry[1]))
    return {"largest": order, "wrong": wrong}


def timed(
    config: Any, manifest: Path, folder: Path, arguments: argparse.Namespace, batch: int, lanes: int
) -> dict[str, Any]:
    """One pass over the set after a warm-up of two batches."""
    import torch

    cores = os.cpu_count() or 1
    engine = config.engine.model_copy(update={"batch_size": batch, "lanes": lanes, "workers": cores})
    ours = runner(config.model_copy(update={"engine": engine}), manifest, folder, arguments.device)
    ours.score(slice(0, 2 * batch))
    on_card = arguments.device == "cuda"
    if on_card:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started, processor = time.perf_counter(), time.process_time()
    result = ours.score()
    wall = time.perf_counter() - started
    count = len(result.scored)
    return {
        "batch_size": batch, "lanes": lanes, "workers": cores, "items": count, "items_per_second": count / wall,
        "cpu_seconds_per_item": (time.process_time() - processor) / count,
        "card_memory_mib": torch.cuda.max_memory_allocated() / 2**20 if on_card else None,
        "stages": {name: seconds / count for name, seconds in result.seconds.items()},
    }  # fmt: skip


def line(timing: Mapping[str, Any]) -> str:
    memory = timing["card_memory_mib"]
    return (
        f"batches of {timing['batch_size']:2}, {timing['lanes']} lanes: {timing['items_per_second']:6.1f} items/s, "
        f"{1e3 * timing['cpu_seconds_per_item']:.0f} CPU ms an item"
        + ("" if memory is None else f", {memory:.0f} MiB of the card")
    )


def side_by_side(folder: Path, arguments: argparse.Namespace, clock: Clock) -> list[dict[str, Any]]:
    """Several processes on one card: what Python's lock costs a single one."""
    found = []
    for profile in ("embedded", "clip"):
        for count in arguments.processes:
            if clock.left() < 40:
                print(f"  {profile}, {count} processes: no time left, not measured")
                continue
            rate, processor = rate_of(profile, count, folder, arguments)
            found.append({"profile": profile, "processes": count, "items_per_second": rate, "cpu_seconds": processor})
            words = f"{rate:.1f} items/s, {1e3 * processor:.0f} CPU ms an item"
            print(f"{profile}, processes on one card: {count}: {words}", flush=True)
    return found


def rate_of(profile: str, count: int, folder: Path, arguments: argparse.Namespace) -> tuple[float, float]:
    """Items a second of that many processes together, and CPU seconds an item."""
    command = [sys.executable, __file__, "--only", profile, "--folder", str(folder)]
    command += ["--device", arguments.device, "--items", "64", "--side", str(arguments.side)]
    command += ["--workers", str(arguments.workers)] if arguments.workers else []
    environment = os.environ | {"EDIT_METRICS_CHECK_SHARE": str(count)}
    begun = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) for _ in range(count)]
    spans = [json.loads(process.communicate()[0].splitlines()[-1]) for process in begun]
    wall = max(span["end"] for span in spans) - min(span["start"] for span in spans)
    items = sum(span["items"] for span in spans)
    return float(items / wall), float(sum(span["processor"] for span in spans) / items)


def measure_one(folder: Path, arguments: argparse.Namespace) -> None:
    """A child of :func:`side_by_side`: one timing, its beginning and end on the wall clock."""
    from bench_set import make_set

    count = int(os.environ["EDIT_METRICS_CHECK_SHARE"])
    config, _ = resolved(arguments.only, folder)
    cores = max(1, (os.cpu_count() or 1) // count)
    update = {"batch_size": 8, "lanes": 2, "workers": arguments.workers or cores, "model_threads": cores}
    config = config.model_copy(update={"engine": config.engine.model_copy(update=update)})
    made = make_set(folder / f"set-{arguments.side}", arguments.items, arguments.side)
    ours = runner(config, made.manifest, folder / f"process-{os.getpid()}", arguments.device)
    ours.score(slice(0, 32))
    # All begin at the next full ten seconds, so that none measures a card that the others do not use yet.
    time.sleep(10 - time.time() % 10)
    start, processor = time.time(), time.process_time()
    scored = 0
    while time.time() - start < 6:
        scored += len(ours.score().scored)
    span = {"start": start, "end": time.time(), "items": scored, "processor": time.process_time() - processor}
    print(json.dumps(span))


if __name__ == "__main__":
    np.seterr(all="ignore")
    main()
