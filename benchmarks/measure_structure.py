"""Print what the structure and colour metrics say of known damage to whole pictures.

The table helps to choose the anchors of the structure and style curves. Pictures: sources of the real edits outside the
repository, at most 512 px on the longer side.

    python benchmarks/measure_structure.py [--shared ../shared/data] [--pictures 20]

With ``--cost`` it prints instead what each measure costs on the benchmark's pairs of those sizes, on one thread:

    python benchmarks/measure_structure.py --cost 512 1024
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from bench_set import make_set, read_mask, read_rgb
from measure_no_reference import damages, read_pairs
from numpy.typing import NDArray

from edit_metrics.features.pixels import LabPair
from edit_metrics.metrics.registration import Registration, register
from edit_metrics.metrics.seam import seam
from edit_metrics.metrics.ssim import ssim_map
from edit_metrics.metrics.structure import edge_f1, gmsd, ms_ssim
from edit_metrics.metrics.style import colour_emd
from edit_metrics.metrics.warp import warp_px
from edit_metrics.pixels.areas import fill
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import RGB, Mask, Measurement, Result

COLUMNS = ("gmsd", "ms_ssim", "edge_f1", "warp_px", "colour_emd")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    arguments.add_argument("--pictures", type=int, default=20, help="sources that are damaged")
    arguments.add_argument("--cost", type=int, nargs="+", metavar="SIDE", help="print CPU time on squares of that side")
    given = arguments.parse_args()
    if given.cost:
        print_costs(given.cost)
        return
    sources = [source for source, _ in read_pairs(given.shared)]
    chosen = [sources[i] for i in np.linspace(0, len(sources) - 1, given.pictures).round().astype(int)]
    print(f"{len(chosen)} sources, whole frame: median (n defined)\n")
    print(f"| damage | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, damage in {**damages(), **bends()}.items():
        values = np.array([measure(source, damage(source)) for source in chosen])
        print(f"| {name} | {' | '.join(map(cell, values.T))} |")


def print_costs(sides: list[int], items: int = 8, repetitions: int = 20) -> None:
    """Table: the least CPU time of the repetitions, mean over the items; every second one has a mask."""
    cv2.setNumThreads(1)
    print("CPU ms an item: R everywhere, outside a mask\n\n| side, px |", end="")
    for number, side in enumerate(sides):
        with tempfile.TemporaryDirectory() as folder:
            rows = make_set(Path(folder), items, side).rows
            found: dict[str, list[list[float]]] = {}
            for index, row in enumerate(rows):
                pair = (read_rgb(Path(folder) / row[kind]) for kind in ("source", "edited"))
                for name, call in measures_of(*pair, ~read_mask(Path(folder) / row["mask"])).items():
                    found.setdefault(name, [[], []])[index % 2].append(least(call, repetitions))
        if number == 0:
            print(f" {' | '.join(found)} |\n{'|---' * (len(found) + 1)}|")
        cells = (", ".join(f"{np.mean(times):.1f}" for times in both) for both in found.values())
        print(f"| {side} | {' | '.join(cells)} |", flush=True)


def measures_of(source: RGB, edited: RGB, kept: Mask) -> dict[str, Callable[[], object]]:
    filled, found = fill(edited, source, kept), register(source, edited, kept)
    registration = found if isinstance(found, Registration) else None
    return {
        "ssim_map": lambda: ssim_map(source, filled, kept),
        "gmsd": lambda: gmsd(source, edited, kept),
        "ms_ssim": lambda: ms_ssim(source, edited, kept),
        "edge_f1": lambda: edge_f1(source, edited, kept),
        "seam": lambda: seam(source, edited, ~kept),
        "warp_px": lambda: warp_px(source, edited, kept, registration),
    }


def least(call: Callable[[], object], repetitions: int) -> float:
    """CPU ms."""
    spent = []
    for _ in range(repetitions):
        started = time.thread_time()
        call()
        spent.append(1e3 * (time.thread_time() - started))
    return min(spent)


def cell(values: NDArray[np.float64]) -> str:
    defined = values[np.isfinite(values)]
    return f"{np.median(defined):.3g} ({defined.size})" if defined.size else "– (0)"


def bends() -> Mapping[str, Callable[[RGB], RGB]]:
    table: dict[str, Callable[[RGB], RGB]] = {}
    for strength in (1, 2, 4, 8):
        table[f"bent by up to {strength} px"] = lambda image, s=strength: bent(image, s)
    for shift in (1, 2, 4):
        table[f"shifted by {shift} px"] = lambda image, s=shift: np.roll(image, (s, s), axis=(0, 1))
    table["another picture (mirrored and upside down)"] = lambda image: np.ascontiguousarray(image[::-1, ::-1])
    return table


def bent(image: RGB, strength: float) -> RGB:
    """Displaced smoothly, by up to ``strength`` px along either axis."""
    y, x = np.indices(image.shape[:2], np.float32)
    dx = strength * np.sin(2 * np.pi * y / 230)
    dy = strength * np.sin(2 * np.pi * x / 260)
    map_x, map_y = (x + dx).astype(np.float32), (y + dy).astype(np.float32)
    return np.asarray(cv2.remap(image, map_x, map_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101), np.uint8)


def measure(source: RGB, edited: RGB) -> list[float]:
    """All columns; nan where there is none, for this table only."""
    whole = np.ones(source.shape[:2], bool)
    found = register(source, edited, whole)
    labs = LabPair(rgb_to_lab(source), rgb_to_lab(edited))
    return [
        *(number(metric(source, edited, whole)) for metric in (gmsd, ms_ssim, edge_f1)),
        number(warp_px(source, edited, whole, found if isinstance(found, Registration) else None)),
        number(colour_emd(labs, whole)),
    ]


def number(result: Result) -> float:
    value = Measurement.of(result).value
    return np.nan if value is None else value


if __name__ == "__main__":
    main()
