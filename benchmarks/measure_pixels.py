"""Memory of one pair by its pixels: what engine.memory_bytes is counted in (docs/reliability.md, Memory).

    python benchmarks/measure_pixels.py [--profile embedded]

Each pair is scored in a process of its own; the peak is the largest resident memory of that process. The last two are
far too large for most machines, and run under the default bound.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from attacking import call, write_manifest
from PIL import Image

ROOM = 20_000_000_000
"""Bytes; more than the measured pairs need."""
MEASURED = {
    "96×96": ((96, 96), (96, 96)),
    "3000×2000": ((3000, 2000), (3000, 2000)),
    "3000×2000 source, edited 96×96": ((3000, 2000), (96, 96)),
    "4096×4096": ((4096, 4096), (4096, 4096)),
    "6144×6144": ((6144, 6144), (6144, 6144)),
    "64×100,000": ((64, 100_000), (64, 100_000)),
}
BOUNDED = {
    "10,000×9,999 source, edited 96×96, default bound": ((10_000, 9_999), (96, 96)),
    "64×1,000,000, default bound": ((64, 1_000_000), (64, 1_000_000)),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    profile = parser.parse_args().profile
    print("| one pair | peak (MiB) | bytes a pixel, both grids |\n|---|---|---|")
    base = 0.0
    with tempfile.TemporaryDirectory() as name:
        for pair, sizes in (MEASURED | BOUNDED).items():
            options = ["--set", f"engine.memory_bytes={ROOM}"] if pair in MEASURED else []
            peak = measure(Path(name), sizes, profile, options)
            base = base or peak
            pixels = 2 * max(width * height for width, height in sizes)
            a_pixel = f"{(peak - base) * 2**20 / pixels:.0f}" if pair in MEASURED and peak > base else ""
            print(f"| {pair} | {peak:,.0f} | {a_pixel} |", flush=True)


def measure(folder: Path, sizes: tuple[tuple[int, int], ...], profile: str, options: list[str]) -> float:
    """MiB at the peak of scoring one pair of those sizes."""
    for number, (side, size) in enumerate(zip(("source", "edited"), sizes, strict=True)):
        noise = np.random.default_rng(number).integers(0, 256, (size[1] // 50 + 1, size[0] // 50 + 1, 3), np.uint8)
        Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC).save(folder / f"{side}.png", compress_level=1)
    row = {"id": "a", "source": "source.png", "edited": "edited.png", "instruction": "make it red"}
    manifest = write_manifest([row], folder / "manifest.jsonl")
    ended = call("score", manifest, "--out", folder / "run", "--profile", profile, "--no-resume", *options)
    if ended.code:
        raise RuntimeError(ended.err[-500:])
    return ended.peak_mib


if __name__ == "__main__":
    main()
