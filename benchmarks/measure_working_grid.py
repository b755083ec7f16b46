"""What the caps of the grids cost: pre-scores and columns at the caps against S's own pixels.

    python benchmarks/measure_working_grid.py [--shared DIR] [--perceptual PX] [--working PX] [--only real|made]

Two sets. *Real*: the pairs of triples.jsonl whose source has a megapixel or more. *Made*: larger pictures at hand (of
the triples, multi_method and the faces, four a folder), each with a local edit inside a mask, once re-encoded (JPEG
85) and once softened, and each without a mask as a generator leaves it (a local edit, the rest softened by σ = .7 and
noised by σ = 2). Both are scored with ``embedded`` twice: with the caps, and with ``null``. Prints Markdown: of every
pre-score, and of every column that a grid with a cap feeds, n, median, 95th percentile and largest |difference|, and
Spearman.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from scipy.stats import spearmanr

from edit_metrics.config import Config, load_config
from edit_metrics.engine.job import RunOptions, ShardWorker, make_job
from edit_metrics.engine.plan import build_plan
from edit_metrics.io.manifest import read_manifest
from edit_metrics.types import DIMENSIONS, Grid

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Values = dict[str, dict[str, float]]
"""Column → item → value."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--working", type=int, default=1024)
    parser.add_argument("--perceptual", type=int, default=768)
    parser.add_argument("--only", choices=("real", "made"))
    arguments = parser.parse_args()
    caps = {"working_grid": arguments.working, "perceptual_grid": arguments.perceptual}
    sets = {"real": real_rows, "made": made_rows}
    with tempfile.TemporaryDirectory() as name:
        for kind, rows in sets.items():
            if arguments.only in (None, kind):
                folder = Path(name) / kind
                folder.mkdir()
                compare(kind, folder, list(rows(arguments.shared, arguments.working, folder)), caps)


def compare(kind: str, folder: Path, rows: Sequence[Mapping[str, str]], caps: Mapping[str, int]) -> None:
    manifest = folder / "manifest.jsonl"
    manifest.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    configs = [
        load_config("embedded", overrides=[f"features.{grid}.max_side={cap}" for grid, cap in one.items()])
        for one in (dict.fromkeys(caps, "null"), caps)
    ]
    native, capped = (score(config, manifest, folder / str(n)) for n, config in enumerate(configs))
    grids = {spec.name: spec.grid for spec in build_plan(configs[1]).metrics}
    print(f"\n### {kind}: {len(rows)} pairs, caps {', '.join(f'{k} {v}' for k, v in caps.items())}\n")
    print("| column | grid | n | median | 95 % | largest | Spearman |\n|---|---|---|---|---|---|---|")
    scores = [f"{dimension}.score" for dimension in DIMENSIONS]
    for column in [*scores, "overall.min", *(name for name, grid in grids.items() if grid is not Grid.NATIVE)]:
        print_row(column, grids.get(column, ""), native.get(column, {}), capped.get(column, {}))


def print_row(column: str, grid: str, native: Mapping[str, float], capped: Mapping[str, float]) -> None:
    both = sorted(native.keys() & capped.keys())
    if not both:
        return
    first, second = (np.array([side[name] for name in both]) for side in (native, capped))
    off = np.abs(first - second)
    order = "–" if len(both) < 5 or min(np.ptp(first), np.ptp(second)) == 0 else f"{spearmanr(first, second)[0]:.3f}"
    lost = len(native) - len(both), len(capped) - len(both)
    counted = f"{len(both)}" + (f" (alone: {lost[0]} native, {lost[1]} capped)" if any(lost) else "")
    numbers = (np.median(off), np.quantile(off, 0.95), off.max())
    print(f"| `{column}` | {grid} | {counted} | {' | '.join(f'{one:.3g}' for one in numbers)} | {order} |", flush=True)


def score(config: Config, manifest: Path, out: Path) -> Values:
    """Column → item → value, pre-scores among them."""
    rows = read_manifest(manifest, allow_outside_root=True)
    worker = ShardWorker(make_job(rows, build_plan(config), RunOptions(out=out)))
    found: Values = {}

    class _Shard:
        items = rows.items

    for one in worker.score(_Shard()).scored:  # type: ignore[arg-type]  # all that is read of a shard
        measured: dict[str, Any] = {name: m.value for name, m in one.measurements.items()}
        prescores = one.scores.prescores
        measured |= {f"{name}.score": prescore.score for name, prescore in prescores.items()}
        measured["overall.min"] = min((p.score for p in prescores.values() if p.score is not None), default=None)
        for name, value in measured.items():
            if value is not None:
                found.setdefault(name, {})[one.item.id] = float(value)
    return found


def real_rows(shared: Path, _: int, __: Path) -> Iterator[dict[str, str]]:
    """Rows of triples.jsonl whose source has a megapixel or more: over one of the caps, or both."""
    for line in (shared / "triples.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if pixels(shared / row["source"]) >= MEGAPIXEL:
            names = [name for name in ("source", "edited", "mask") if row.get(name)]
            yield row | {name: str(shared / row[name]) for name in names}


def made_rows(shared: Path, cap: int, folder: Path) -> Iterator[dict[str, str]]:
    """Three edits of each large picture."""
    for number, path in enumerate(large_pictures(shared, cap)):
        with Image.open(path) as opened:
            source = np.asarray(opened.convert("RGB"))
        rng = np.random.default_rng(number)
        mask = region(source.shape[:2], rng)
        edited = source.copy()
        edited[mask] = edited[mask] // 2 + rng.integers(0, 120, 3, dtype=np.uint8)
        soft = np.asarray(cv2.GaussianBlur(edited, (0, 0), 1.0), np.uint8)
        drawn = cv2.GaussianBlur(edited, (0, 0), 0.7) + rng.normal(0, 2, source.shape)
        Image.fromarray(mask).save(folder / f"{number}-mask.png")
        Image.fromarray(edited).save(folder / f"{number}-jpeg.jpg", quality=85)
        Image.fromarray(soft).save(folder / f"{number}-soft.png", compress_level=1)
        Image.fromarray(np.clip(drawn, 0, 255).astype(np.uint8)).save(folder / f"{number}-drawn.png", compress_level=1)
        for kind, ending in (("jpeg", "jpg"), ("soft", "png"), ("drawn", "png")):
            row = {"id": f"{number}-{kind}", "source": str(path), "edited": f"{number}-{kind}.{ending}"}
            row["instruction"] = "Make the round thing blue"
            yield row if kind == "drawn" else row | {"mask": f"{number}-mask.png"}


def large_pictures(shared: Path, cap: int) -> list[Path]:
    folders = [shared / name for name in ("triples", "multi_method", "faces")]
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix.lower() in IMAGES)
    named = [path for path in files if not any(word in path.stem.lower() for word in ("edit", "result", "mask", "out"))]
    found: dict[Path, list[Path]] = {}
    for path in named:
        if longer_side(path) > cap:
            found.setdefault(path.parent, []).append(path)
    return [
        several[place]
        for several in found.values()
        for place in np.unique(np.linspace(0, len(several) - 1, A_FOLDER).astype(int))
    ]


A_FOLDER = 4
MEGAPIXEL = 1_000_000
IMAGES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def region(shape: tuple[int, ...], rng: np.random.Generator) -> Any:
    height, width = shape
    centre = (int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.3, 0.7)))
    drawn = np.zeros(shape, np.uint8)
    cv2.ellipse(drawn, centre, (width // 6, height // 7), float(rng.uniform(0, 180)), 0, 360, 1, -1)
    return drawn.astype(np.bool_)


def pixels(path: Path) -> int:
    with Image.open(path) as opened:
        return opened.width * opened.height


def longer_side(path: Path) -> int:
    with Image.open(path) as opened:
        return max(opened.size)


if __name__ == "__main__":
    main()
