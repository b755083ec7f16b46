"""Hold the torch kernels against the OpenCV ones, on pairs of pictures: largest differences, and milliseconds.

    python benchmarks/measure_kernels.py PAIRS.jsonl [--limit 30] [--device cpu|cuda] [--results FILE]

PAIRS is a manifest. A pair whose pictures differ in size is left out, and counted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bench_set import read_rgb

from edit_metrics.io.manifest import read_manifest
from edit_metrics.metrics.ssim import mean_ssim, ssim_map
from edit_metrics.metrics.structure import gmsd, ms_ssim
from edit_metrics.pixels.change import change_reference, find_changes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.pixels.placement import torch_kernels_on
from edit_metrics.types import RGB, Missing

BOUNDS = {
    "ssim_map": 4e-4, "ssim": 2e-5, "lab": 4e-3, "changed_share": 1e-4, "floor": 2e-2, "gmsd": 2e-5, "ms_ssim": 2e-5,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--limit", type=int, default=30)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    items = read_manifest(arguments.pairs).items
    pairs = [(read_rgb(Path(item.source)), read_rgb(Path(item.edited))) for item in items[: 2 * arguments.limit]]
    same = [(a, b) for a, b in pairs if a.shape == b.shape][: arguments.limit]
    found = compare(same, arguments.device)
    print(f"{len(same)} pairs of one size, torch on {arguments.device} against OpenCV on the CPU")
    show(found)
    if arguments.results:
        arguments.results.write_text(json.dumps(found, indent=1))


def show(found: Mapping[str, Mapping[str, float]]) -> None:
    """The table."""
    print(f"{'measure':16}{'largest difference':>20}{'allowed':>10}{'OpenCV ms':>12}{'torch ms':>10}")
    for name, row in found.items():
        bound = f"{BOUNDS[name]:.0e}" if name in BOUNDS else ""
        times = "".join(f"{1e3 * row[key]:>{width}.1f}" for key, width in (("opencv", 12), ("torch", 10)) if key in row)
        print(f"{name:16}{row['largest']:>20.1e}{bound:>10}{times}")


def compare(pairs: list[tuple[RGB, RGB]], device: str) -> dict[str, dict[str, float]]:
    """Measure → largest difference, and the median seconds of either way."""
    largest: dict[str, float] = defaultdict(float)
    seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
    for source, edited in pairs:
        here = measures(source, edited, lambda name, spent: seconds[name, "opencv"].append(spent))
        with torch_kernels_on(device):
            measures(source, edited, lambda *_: None)
            there = measures(source, edited, lambda name, spent: seconds[name, "torch"].append(spent))
        for name, value in here.items():
            largest[name] = max(largest[name], float(np.max(np.abs(np.subtract(value, there[name])))))
    return {
        name: {"largest": value}
        | {way: float(np.median(seconds[name, way])) for way in ("opencv", "torch") if (name, way) in seconds}
        for name, value in largest.items()
    }


def measures(source: RGB, edited: RGB, took: Callable[[str, float], None]) -> dict[str, Any]:
    """Every measure that has two kernels."""
    everywhere = np.ones(source.shape[:2], np.bool_)

    def timed(name: str, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = call()
        took(name, time.perf_counter() - started)
        return result

    structural = timed("ssim_map", lambda: ssim_map(source, edited))
    labs = timed("lab", lambda: (rgb_to_lab(source), rgb_to_lab(edited)))
    changes = timed("changed_share", lambda: find_changes(change_reference(labs[0]), labs[1]))
    values = {
        "ssim_map": structural.values,
        "ssim": mean_ssim(structural, everywhere),
        "lab": np.stack(labs),
        "changed_share": changes.changed.mean(),
        "floor": changes.floor,
        "gmsd": timed("gmsd", lambda: gmsd(source, edited, everywhere)),
        "ms_ssim": timed("ms_ssim", lambda: ms_ssim(source, edited, everywhere)),
    }
    return {name: value for name, value in values.items() if not isinstance(value, Missing)}


if __name__ == "__main__":
    main()
