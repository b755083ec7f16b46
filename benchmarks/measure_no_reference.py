"""Print what the readings without a reference say of real pictures, real edits and known damage.

The tables help to choose the anchors of the quality curves. Pictures: the real edits outside the repository.

    python benchmarks/measure_no_reference.py [--shared ../shared/data] [--pictures 20]
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edit_metrics.io.images import decode_image
from edit_metrics.metrics.no_reference import read_quality
from edit_metrics.metrics.readings import READINGS
from edit_metrics.types import RGB, Missing

SIDE: Final = 512


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    arguments.add_argument("--pictures", type=int, default=20, help="sources that are damaged")
    given = arguments.parse_args()
    pairs = read_pairs(given.shared)
    sources = np.array([readings(source) for source, _ in pairs])
    edits = np.array([readings(edited) for _, edited in pairs])
    print(f"{len(pairs)} real pairs, both at most {SIDE} px on the longer side. 5 % · median · 95 % (n defined)\n")
    print_quantiles({"sources": sources, "real edits, E − S": edits - sources})
    chosen = [pairs[i][0] for i in np.linspace(0, len(pairs) - 1, given.pictures).round().astype(int)]
    print(f"\nKnown damage to {len(chosen)} sources: median of the delta\n")
    before = np.array([readings(picture) for picture in chosen])
    print_header("damage")
    for name, damage in damages().items():
        after = np.array([readings(damage(picture)) for picture in chosen])
        print(f"| {name} | " + " | ".join(f"{value:+.3g}" for value in np.nanmedian(after - before, axis=0)) + " |")


def read_pairs(shared: Path) -> list[tuple[RGB, RGB]]:
    """Source and edit of each line of triples.jsonl, E on S's grid, both scaled down to SIDE."""
    lines = (shared / "triples.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = []
    for line in map(json.loads, lines):
        source, edited = (decode_image(str(shared / line[key])).pixels for key in ("source", "edited"))
        scale = min(1.0, SIDE / max(source.shape[:2]))
        size = (round(source.shape[1] * scale), round(source.shape[0] * scale))
        pairs.append((resized(source, size), resized(edited, size)))
    return pairs


def readings(image: RGB) -> NDArray[np.float64]:
    """All readings; nan where there is none, for this table only."""
    found = read_quality(image)
    values = [getattr(found, name) for name in READINGS]
    return np.array([np.nan if isinstance(value, Missing) else value for value in values])


def damages() -> Mapping[str, Callable[[RGB], RGB]]:
    table: dict[str, Callable[[RGB], RGB]] = {}
    for quality in (90, 70, 50, 30, 10):
        table[f"JPEG {quality}"] = lambda image, q=quality: jpeg(image, q)
    for sigma in (1, 2, 4):
        table[f"gaussian blur σ {sigma}"] = lambda image, s=sigma: blurred(image, s)
    for sigma in (2, 5, 10, 20):
        table[f"noise σ {sigma}"] = lambda image, s=sigma: noisy(image, s)
    for factor in (1.5, 2, 4):
        table[f"down and up ×{factor:g}"] = lambda image, f=factor: down_and_up(image, f)
    for levels in (4, 8, 16):
        table[f"posterised by {levels} levels"] = lambda image, n=levels: image // n * n
    for gain in (0.7, 1.3):
        table[f"gain {gain:g}"] = lambda image, g=gain: np.asarray(cv2.convertScaleAbs(image, alpha=g), np.uint8)
    return table


def jpeg(image: RGB, quality: int) -> RGB:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def blurred(image: RGB, sigma: float) -> RGB:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def noisy(image: RGB, sigma: float) -> RGB:
    noise = np.random.default_rng(0).normal(0, sigma, image.shape)
    return np.clip(image + noise, 0, 255).round().astype(np.uint8)


def down_and_up(image: RGB, factor: float) -> RGB:
    height, width = image.shape[:2]
    return resized(resized(image, (round(width / factor), round(height / factor))), (width, height))


def resized(image: RGB, size: tuple[int, int]) -> RGB:
    if (image.shape[1], image.shape[0]) == size:
        return image
    return np.array(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def print_header(first: str) -> None:
    print(f"| {first} | {' | '.join(READINGS)} |")
    print("|---" * (len(READINGS) + 1) + "|")


def print_quantiles(tables: Mapping[str, NDArray[np.float64]]) -> None:
    print_header("pictures")
    for name, values in tables.items():
        low, middle, high = np.nanquantile(values, (0.05, 0.5, 0.95), axis=0)
        counts = np.isfinite(values).sum(axis=0)
        cells = [f"{a:.3g} · {b:.3g} · {c:.3g} ({n})" for a, b, c, n in zip(low, middle, high, counts, strict=True)]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
