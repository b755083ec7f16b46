"""How long `edit-metrics lint` takes: files a second by format, and the checks alone on a large set.

python benchmarks/lint_speed.py [--pictures 200] [--rows 100000]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from edit_metrics.io.glance import GRID, Glance
from edit_metrics.io.manifest import Manifest, items_from_rows
from edit_metrics.lint.edit_set import EditSet, look_at
from edit_metrics.lint.registry import all_checks

SIDES = (512, 1024)


def files_a_second(n: int) -> None:
    """Photograph-like pictures: smooth shapes and some grain."""
    rng = np.random.default_rng(1)
    for side in SIDES:
        for suffix in ("jpg", "png", "webp"):
            with tempfile.TemporaryDirectory() as folder:
                names = [Path(folder) / f"{k}.{suffix}" for k in range(n)]
                for name in names:
                    rough = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
                    smooth = np.asarray(rough.resize((side, side), Image.Resampling.BICUBIC)).astype(float)
                    grain = smooth + rng.normal(0, 4, smooth.shape)
                    Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(name)
                pairs = zip(names[::2], names[1::2], strict=False)
                rows = [
                    {"id": str(k), "source": str(a), "edited": str(b), "instruction": "x"}
                    for k, (a, b) in enumerate(pairs)
                ]
                manifest = items_from_rows(rows, root=folder)
                start, busy = time.perf_counter(), time.process_time()
                look_at(manifest)
                took, cpu = time.perf_counter() - start, time.process_time() - busy
                rate = f"{n / took:.0f} files/s on {os.cpu_count()} cores, {n / cpu:.0f} a core-second"
                print(f"{suffix} {side}²: {rate}")


def checks_alone(n: int) -> None:
    """Random pictures, five edits a source, an instruction of its own for every tenth row."""
    rng = np.random.default_rng(2)
    rows = [
        {
            "id": str(k),
            "source": f"s{k // 5}",
            "edited": f"e{k}",
            "instruction": f"make the {('dog', 'cat', 'car')[k % 3]} red {k // 10}",
        }
        for k in range(n)
    ]
    items = items_from_rows(rows, root="/nowhere")
    paths = dict.fromkeys(path for item in items.items for path in (item.source, item.edited))
    seen = {
        path: Glance(512, 512, path, int(rng.integers(1, 2**63)), rng.integers(0, 256, (GRID, GRID, 3), dtype=np.uint8))
        for path in paths
    }
    edits = EditSet(Manifest(items.items, (), "", "rows", (), ""), seen, {}, {})
    total = 0.0
    for one in all_checks().values():
        start = time.process_time()
        hits = len(list(one.function(edits)))
        took = time.process_time() - start
        total += took
        if took > 1:
            print(f"  {one.code}: {took:.1f} s, {hits} hits")
    print(f"checks alone, {n} rows: {total:.0f} core-seconds")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args()
    files_a_second(given.pictures)
    checks_alone(given.rows)
