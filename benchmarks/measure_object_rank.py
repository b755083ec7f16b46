"""Print whether the object rank tells the object that a real instruction names from those that others name.

Each source of the real edits outside the repository, with its own object and with every other item's object.

    python benchmarks/measure_object_rank.py [--shared ../shared/data] [--role conse] [--use conse]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from edit_metrics.backends.factory import build_backend
from edit_metrics.features.feasibility import EDITS_AN_OBJECT, object_rank
from edit_metrics.instruction.instruction import Instruction, understand
from edit_metrics.io.images import decode_image


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    arguments.add_argument("--role", default="conse")
    arguments.add_argument("--use", default="conse")
    given = arguments.parse_args()
    backend: Any = build_backend(given.role, {"use": given.use}, device="cpu")
    paths, parsed = read_items(given.shared)
    pictures = list(backend.encode_images([decode_image(path).pixels for path in paths]))
    own = np.array(object_rank(pictures, parsed, backend))
    others = []
    for place, picture in enumerate(pictures):
        strangers = [p for p in parsed if not set(str(p.object).split()) & set(str(parsed[place].object).split())]
        others += object_rank([picture] * len(strangers), strangers, backend)
    labels = np.repeat([1, 0], [len(own), len(others)])
    print(f"{given.role}/{given.use}: {len(own)} items whose instruction names an object to edit")
    print(f"own object: median rank {np.median(own):.2f}; others' objects: {np.median(others):.2f}")
    print(f"AUROC {roc_auc_score(labels, np.concatenate([own, others])):.2f} (.5 = chance)")
    print(f"own object at or under rank .5: {np.mean(own <= 0.5):.2f}; others': {np.mean(np.array(others) <= 0.5):.2f}")


def read_items(shared: Path) -> tuple[list[str], list[Instruction]]:
    """Sources and parsed instructions of the items that name an object to edit."""
    lines = map(json.loads, (shared / "triples.jsonl").read_text(encoding="utf-8").splitlines())
    read = [
        (str(shared / line["source"]), understand(line["instruction"])) for line in lines if line.get("instruction")
    ]
    kept = [(path, parsed) for path, parsed in read if str(parsed.edit_type) in EDITS_AN_OBJECT and parsed.object]
    return [path for path, _ in kept], [parsed for _, parsed in kept]


if __name__ == "__main__":
    main()
