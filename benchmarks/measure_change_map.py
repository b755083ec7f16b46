"""What the change map calls changed, measured: false alarms, planted changes, and real edits.

    python benchmarks/measure_change_map.py [--shared DIR] [--overlays DIR] [--quick]

Prints, for pictures that scikit-image ships (and those of the real data, where that folder is there): the share of
the frame called changed after nothing but a re-encode, a resize, a shift or a gain, and whether each copy counts as a
no-op; recall and IoU of planted patches at each noise level; and the figures of the real edits. Deterministic.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from skimage import data

from edit_metrics.features.alignment import registration, steadied_labs, whole_change_map
from edit_metrics.features.pixels import labs
from edit_metrics.io.images import decode_image
from edit_metrics.io.masks import decode_mask
from edit_metrics.metrics.grid import fit_to_grid
from edit_metrics.metrics.no_op import no_op
from edit_metrics.pixels.areas import fill
from edit_metrics.pixels.change import ChangeMap, change_reference, find_changes
from edit_metrics.pixels.lab import rgb_to_lab
from edit_metrics.types import RGB, Mask, Missing

SHARED = Path(os.environ.get("EDIT_METRICS_SHARED", Path(__file__).resolve().parents[2] / "shared" / "data"))
SHIPPED = (
    "astronaut", "brick", "camera", "cell", "chelsea", "clock", "coffee", "coins", "grass", "gravel",
    "hubble_deep_field", "immunohistochemistry", "moon", "page", "retina", "rocket", "text",
)  # fmt: skip
LONGEST = 640
SIZES = (12, 24, 48)
KINDS = ("opaque", "copied", "recoloured")
THIRDS = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture to change: its name and its pixels."""

    name: str
    pixels: RGB


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a pair."""

    change: ChangeMap
    is_no_op: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with triples.jsonl")
    parser.add_argument("--overlays", type=Path, help="write the real edits with the changed region outlined here")
    parser.add_argument("--quick", action="store_true", help="five pictures, no real data")
    arguments = parser.parse_args()
    has_real = (arguments.shared / "triples.jsonl").is_file() and not arguments.quick
    pictures = shipped_pictures()[: 5 if arguments.quick else None]
    if has_real:
        pictures += real_sources(arguments.shared)
    print(f"{len(pictures)} pictures, longest side {LONGEST} px")
    print_false_alarms(pictures)
    print_planted([p for p in pictures if min(p.pixels.shape[:2]) >= 300][:20])
    if has_real:
        print_real(arguments.shared, arguments.overlays)
    else:
        print("real data: not there" if not arguments.quick else "real data: left out (--quick)")


def shipped_pictures() -> list[Picture]:
    return [Picture(name, shrink(to_rgb(getattr(data, name)()))) for name in SHIPPED]


def real_sources(folder: Path) -> list[Picture]:
    rows = [row for row in read_rows(folder) if not row["id"].startswith(("kubric", "magicbrush_368667_t"))]
    return [Picture(row["id"], shrink(decode_image(str(folder / row["source"])).pixels)) for row in rows[::3]]


def read_rows(folder: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in (folder / "triples.jsonl").read_text("utf-8").splitlines() if line]


def to_rgb(image: np.ndarray) -> RGB:
    return np.ascontiguousarray(np.dstack([image] * 3) if image.ndim == 2 else image[..., :3]).astype(np.uint8)


def shrink(image: RGB) -> RGB:
    factor = LONGEST / max(image.shape[:2])
    if factor >= 1:
        return image
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def encoded(extension: str, flag: int, quality: int) -> Callable[[RGB], tuple[RGB, RGB]]:
    def run(image: RGB) -> tuple[RGB, RGB]:
        _, code = cv2.imencode(extension, image[..., ::-1], [flag, quality])
        return image, np.ascontiguousarray(cv2.imdecode(code, cv2.IMREAD_COLOR)[..., ::-1])

    return run


def resized(factor: float) -> Callable[[RGB], tuple[RGB, RGB]]:
    def run(image: RGB) -> tuple[RGB, RGB]:
        size, own = (round(image.shape[1] * factor), round(image.shape[0] * factor)), image.shape[1::-1]
        there = cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
        return image, np.asarray(cv2.resize(there, own, interpolation=cv2.INTER_CUBIC), np.uint8)

    return run


def shifted(pixels: int) -> Callable[[RGB], tuple[RGB, RGB]]:
    def run(image: RGB) -> tuple[RGB, RGB]:
        cut = [np.ascontiguousarray(part) for part in (image[pixels:, pixels:], image[:-pixels, :-pixels])]
        return cut[0], cut[1]

    return run


def gained(factor: float) -> Callable[[RGB], tuple[RGB, RGB]]:
    return lambda image: (image, np.clip(image * factor + 0.5, 0, 255).astype(np.uint8))


def noised(sigma: float) -> Callable[[RGB], tuple[RGB, RGB]]:
    def run(image: RGB) -> tuple[RGB, RGB]:
        noise = np.random.default_rng(7).normal(0, sigma, image.shape)
        return image, np.clip(image + noise + 0.5, 0, 255).astype(np.uint8)

    return run


UNEDITED: dict[str, Callable[[RGB], tuple[RGB, RGB]]] = {
    **{f"JPEG {q}": encoded(".jpg", cv2.IMWRITE_JPEG_QUALITY, q) for q in (95, 75, 50, 30)},
    **{f"WebP {q}": encoded(".webp", cv2.IMWRITE_WEBP_QUALITY, q) for q in (90, 75, 50)},
    **{f"resize to {f:.0%} and back": resized(f) for f in (0.5, 0.75, 0.97, 2.0)},
    **{f"shift {p} px, both axes": shifted(p) for p in (1, 2, 3)},
    **{f"gain {g - 1:+.0%}": gained(g) for g in (0.95, 1.05)},
    **{f"noise, {s} levels": noised(s) for s in (4, 9)},
}
NOISE: dict[str, Callable[[RGB], tuple[RGB, RGB]]] = {
    "clean": lambda image: (image, image),
    "JPEG 75": UNEDITED["JPEG 75"],
    "JPEG 30": UNEDITED["JPEG 30"],
    "noise, 29 dB": noised(9),
    "half size and back": UNEDITED["resize to 50% and back"],
}


def print_false_alarms(pictures: list[Picture]) -> None:
    print("\nUnedited copies: share of the frame called changed, and copies called a no-op")
    print(f"{'copy':26}{'mean':>9}{'worst':>9}  {'worst picture':28}{'> 1 %':>7}{'no-op':>9}")
    for name, make in UNEDITED.items():
        shares, flags = [], []
        for picture in pictures:
            source, edited = make(picture.pixels)
            reading = read(source, edited)
            shares.append(float(reading.change.changed.mean()))
            flags.append(reading.is_no_op)
        worst = int(np.argmax(shares))
        over = sum(share > 0.01 for share in shares)
        print(
            f"{name:26}{np.mean(shares):9.3%}{shares[worst]:9.3%}  {pictures[worst].name:28}{over:7}"
            f"{sum(flags):6}/{len(flags)}"
        )


def read(source: RGB, edited: RGB) -> Reading:
    """The change map and the no-op flag, as the engine computes them for an edit without a mask."""
    pair, found = labs(source, edited), registration(source, edited)
    place = None if isinstance(found, Missing) else found
    change = whole_change_map(steadied_labs(pair, place), change_reference(pair.source))
    return Reading(change, no_op(source, edited, pair, change, place) == 1)


def print_planted(pictures: list[Picture]) -> None:
    print(
        "\nPlanted patches: found (half of its pixels marked), mean share of its pixels, mean IoU of its surroundings"
    )
    print(f"{'kind':12}{'side':>5}  " + "".join(f"{name:>26}" for name in NOISE))
    for kind in KINDS:
        for size in SIZES:
            cells = []
            for disturb in NOISE.values():
                results = [
                    r for i, picture in enumerate(pictures) for r in plant(picture.pixels, kind, size, disturb, i)
                ]
                recalls = np.array([recall for recall, _ in results])
                overlap = np.mean([iou for _, iou in results])
                cells.append(f"{(recalls >= 0.5).sum():4}/{len(recalls)} {recalls.mean():.2f} IoU {overlap:.2f}")
            print(f"{kind:12}{size:5}  " + "".join(f"{cell:>26}" for cell in cells))


def plant(
    image: RGB, kind: str, size: int, disturb: Callable[[RGB], tuple[RGB, RGB]], seed: int
) -> Iterator[tuple[float, float]]:
    """Plant one patch in each third of the picture; yields each one's found share, and its IoU within 24 px around."""
    rng = np.random.default_rng([seed, size, KINDS.index(kind)])
    edited, corners = image.copy(), []
    height, third = image.shape[0], image.shape[1] // THIRDS
    for part in range(THIRDS):
        y = int(rng.integers(24, height - size - 24))
        x = part * third + int(rng.integers(24, third - size - 24))
        place = (slice(y, y + size), slice(x, x + size))
        edited[place] = patch(image, place, kind, size, rng)
        corners.append((y, x))
    changed = read(image, disturb(edited)[1]).change.changed
    for y, x in corners:
        near = (slice(y - 24, y + size + 24), slice(x - 24, x + size + 24))
        found, wanted = changed[near], np.pad(np.ones((size, size), np.bool_), 24)
        yield float(found[wanted].mean()), float((found & wanted).sum() / (found | wanted).sum())


def patch(image: RGB, place: tuple[slice, slice], kind: str, size: int, rng: np.random.Generator) -> RGB:
    """A patch that differs from what it covers by 20 ΔE or more in the mean (recoloured: 15)."""
    here = image[place]
    lab = cv2.cvtColor(here, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(float).mean(axis=0)
    for _ in range(60):
        if kind == "opaque":
            new = np.broadcast_to(rng.integers(0, 256, 3), here.shape)
        elif kind == "copied":
            y, x = (int(rng.integers(0, n - size)) for n in image.shape[:2])
            new = image[y : y + size, x : x + size]
        else:
            new = np.clip(here + rng.choice([-45, -30, 30, 45], 3), 0, 255)
        new = np.ascontiguousarray(new, np.uint8)
        other = cv2.cvtColor(new, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(float).mean(axis=0)
        if np.linalg.norm((other - lab) * (100 / 255, 1, 1)) >= (15 if kind == "recoloured" else 20):
            return new
    return np.full_like(here, 0 if here.mean() > 127 else 255)


def print_real(folder: Path, overlays: Path | None) -> None:
    print("\nReal edits: share changed, floor, saturated share, no-op; with a mask, the share of U too")
    flagged = comparable = 0
    for row in read_rows(folder):
        source = decode_image(str(folder / row["source"])).pixels
        kept = given_kept(folder, row)
        fit = fit_to_grid(source, decode_image(str(folder / row["edited"])).pixels, kept)
        if isinstance(fit, Missing):
            print(f"{row['id']:38}{fit.reason}")
            continue
        reading = read(source, fit.edited)
        change, idle = reading.change, reading.is_no_op
        comparable, flagged = comparable + 1, flagged + idle
        print(
            f"{row['id']:38}{change.changed.mean():8.2%}{change.floor:7.2f}{change.saturated:6.2f}  "
            f"{'no-op' if idle else ''}{kept_note(source, fit.edited, kept)}"
        )
        if overlays is not None:
            write_overlay(overlays / f"{row['id']}.png", source, fit.edited, change.changed)
    print(f"no-ops among {comparable} real edits on one grid: {flagged}")


def given_kept(folder: Path, row: dict[str, str]) -> Mask | None:
    if not row.get("mask"):
        return None
    white: Literal["edited", "preserved"] = "preserved" if row["mask_white_means"] == "preserved" else "edited"
    return ~decode_mask(str(folder / row["mask"]), white_means=white).mask


def kept_note(source: RGB, edited: RGB, kept: Mask | None) -> str:
    if kept is None:
        return ""
    change = find_changes(change_reference(rgb_to_lab(source)), rgb_to_lab(fill(edited, source, kept)), kept)
    return f"U {kept.mean():.0%}, of it changed {change.changed.sum() / kept.sum():.3%}"


def write_overlay(path: Path, source: RGB, edited: RGB, changed: Mask) -> None:
    outline = cv2.dilate(changed.view(np.uint8), np.ones((3, 3), np.uint8)) - changed.view(np.uint8)
    panels = [source.copy(), edited.copy(), (edited * 0.4).astype(np.uint8)]
    panels[2][changed] = edited[changed]
    for panel in panels[:2]:
        panel[outline > 0] = (255, 0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.hstack(panels)[..., ::-1])


if __name__ == "__main__":
    main()
