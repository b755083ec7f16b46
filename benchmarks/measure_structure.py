"""Print what the structure and colour metrics say of known damage to whole pictures.

The table helps to choose the anchors of the structure and style curves. Pictures: sources of the real edits outside the
repository, at most 512 px on the longer side.

    python benchmarks/measure_structure.py [--shared ../shared/data] [--pictures 20]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
from measure_no_reference import damages, read_pairs
from numpy.typing import NDArray

from edit_metrics.features.pixels import LabPair
from edit_metrics.metrics.registration import Registration, register
from edit_metrics.metrics.structure import edge_f1, gmsd, ms_ssim
from edit_metrics.metrics.style import colour_emd
from edit_metrics.metrics.warp import warp_px
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import RGB, Measurement, Result

COLUMNS = ("gmsd", "ms_ssim", "edge_f1", "warp_px", "colour_emd")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    arguments.add_argument("--pictures", type=int, default=20, help="sources that are damaged")
    given = arguments.parse_args()
    sources = [source for source, _ in read_pairs(given.shared)]
    chosen = [sources[i] for i in np.linspace(0, len(sources) - 1, given.pictures).round().astype(int)]
    print(f"{len(chosen)} sources, whole frame: median (n defined)\n")
    print(f"| damage | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name, damage in {**damages(), **bends()}.items():
        values = np.array([measure(source, damage(source)) for source in chosen])
        print(f"| {name} | {' | '.join(map(cell, values.T))} |")


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
