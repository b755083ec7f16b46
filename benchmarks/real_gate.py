"""Four "checkpoints" made from real edits, scored and put through the gate: does it say what a person would?

    python benchmarks/real_gate.py ../shared/data --out out/real_gate

good: the edits as they are. reencoded: JPEG, quality 95. degraded: a third of the resolution, blurred, JPEG 30.
faceless: the portraits' edits blurred until no face is left, everything else as it is. Expected: pass or inconclusive,
regression of quality, regression of character.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageFilter

from edit_metrics.api.scoring import score
from edit_metrics.compare.gate import run_gate
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.gate_output import gate_rows, headline
from edit_metrics.compare.verdict import EXIT_CODES
from edit_metrics.scores.table import read_runs

SIDE: Final = 384
Picture = Image.Image


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How a "model" answers: what it does to an edit, and how it saves it."""

    name: str
    suffix: str
    change: Callable[[Picture, bool], Picture]
    save: dict[str, Any]


def degrade(edit: Picture, is_face: bool) -> Picture:
    small = edit.resize((edit.width // 3, edit.height // 3))
    return small.resize(edit.size).filter(ImageFilter.GaussianBlur(3))


CHECKPOINTS: Final = (
    Checkpoint("good", ".png", lambda edit, is_face: edit, {}),
    Checkpoint("reencoded", ".jpg", lambda edit, is_face: edit, {"quality": 95}),
    Checkpoint("degraded", ".jpg", degrade, {"quality": 30}),
    Checkpoint(
        "faceless", ".png", lambda edit, is_face: edit.filter(ImageFilter.GaussianBlur(25)) if is_face else edit, {}
    ),
)


def shrunk(path: Path) -> Picture:
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    return small


def warmer(face: Picture) -> Picture:
    red, green, blue = face.split()
    return Image.merge("RGB", (red.point(lambda v: min(255, int(v * 1.08))), green, blue.point(lambda v: v * 0.92)))


def tasks(data: Path, every: int) -> list[dict[str, Any]]:
    """Every n-th real triple, all that have a mask, and the portraits, made warmer."""
    triples = [json.loads(line) for line in (data / "triples.jsonl").read_text(encoding="utf-8").splitlines()]
    worded = [row for row in triples if row.get("instruction") or row.get("target_caption")]
    kept = [row for index, row in enumerate(worded) if index % every == 0 or row.get("mask")]
    faces = sorted((data / "faces" / "face_recognition").glob("*.jpg"))
    return kept + [
        {"id": f"face_{path.stem}", "source": path, "edited": path, "instruction": "make it warmer", "face": True}
        for path in faces
    ]


def write(checkpoint: Checkpoint, rows: list[dict[str, Any]], data: Path, out: Path) -> Path:
    """The checkpoint's pictures and manifest."""
    records = []
    for row in rows:
        source, edit = shrunk(data / row["source"]), shrunk(data / row["edited"])
        record = {key: row[key] for key in ("id", "instruction", "target_caption", "mask_white_means") if row.get(key)}
        record |= {"source": f"source/{row['id']}.png", "edited": f"{checkpoint.name}/{row['id']}{checkpoint.suffix}"}
        for path in record["source"], record["edited"], "mask/":
            (out / path).parent.mkdir(parents=True, exist_ok=True)
        source.save(out / record["source"])
        edit = warmer(edit) if row.get("face") else edit
        checkpoint.change(edit, bool(row.get("face"))).save(out / record["edited"], **checkpoint.save)
        if row.get("mask"):
            record["mask"] = f"mask/{row['id']}.png"
            with Image.open(data / row["mask"]) as mask:
                layers = mask.convert("RGBA" if mask.mode in ("RGBA", "P", "LA") else "L")
            (out / "mask").mkdir(exist_ok=True)
            layers.resize(source.size, Image.Resampling.NEAREST).save(out / record["mask"])
        records.append(record)
    manifest = out / f"{checkpoint.name}.jsonl"
    manifest.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return manifest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with triples.jsonl and faces/")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=2, help="take every n-th triple")
    options = parser.parse_args()
    rows = tasks(options.data, options.every)
    for checkpoint in CHECKPOINTS:
        manifest = write(checkpoint, rows, options.data, options.out)
        score(manifest, profile="embedded", out=options.out / f"run_{checkpoint.name}")
    for checkpoint in CHECKPOINTS:
        runs = read_runs([options.out / "run_good", options.out / f"run_{checkpoint.name}"])
        result = run_gate(runs[0], runs[1], GateConfig())
        print(f"\n{headline(result)}: exit {EXIT_CODES[result.outcome]}")
        for cells in gate_rows(result):
            print("  " + " · ".join(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
