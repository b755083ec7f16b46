"""CPU seconds and memory of `gate` and of `compare --by model` on tables of many rows.

    python benchmarks/scale_gate.py                           10⁵ and 10⁶ items, 160 and 1,000 models
    python benchmarks/scale_gate.py --items 100000 --models   one size of the gate alone

Each verb runs in a process of its own, whose CPU time and peak memory the system reports.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from edit_metrics.types import DIMENSIONS

KINDS: Final = ("add", "background", "pose", "recolour", "remove", "replace", "style", "text")
TASKS: Final = 100
COMMAND: Final = "import sys; from edit_metrics.cli import main; main()"


def scores(frame: dict[str, Any], n: int, seed: int, missing: float) -> pd.DataFrame:
    """Eight dimensions beside the columns that name an item."""
    rng = np.random.default_rng(seed)
    for index, name in enumerate(DIMENSIONS):
        truth = np.random.default_rng(1000 + index).beta(4, 2, n)
        lost = rng.random(n) < missing
        frame[f"{name}.score"] = np.where(lost, np.nan, np.clip(truth + rng.normal(0, 0.05, n), 0, 1))
        frame[f"{name}.confidence"] = 0.5
        frame[f"{name}.status"] = np.where(lost, "undefined", "ok")
        frame[f"{name}.reasons"] = np.where(lost, "face_lost", "")
    frame["flags"] = np.where(rng.random(n) < 0.001, "no_op", "")
    return pd.DataFrame(frame)


def write_run(folder: Path, n: int, seed: int) -> Path:
    """Four edits of each source, 3 % of the values missing."""
    items = range(n)
    names = {
        "id": [f"item{i:07d}" for i in items],
        # As long as the content hash that is the default group.
        "group": [f"{i // 4:064x}" for i in items],
        "edit_type": [KINDS[i % len(KINDS)] for i in items],
        "instruction": [f"make the thing number {i % 97} red" for i in items],
        "source": [f"source/{i // 4}.png" for i in items],
        "edited": [f"edited{seed}/{i}.png" for i in items],
    }
    folder.mkdir()
    scores(names, n, seed, 0.03).to_parquet(folder / "scores.parquet", index=False)
    return folder


def write_models(folder: Path, models: int) -> Path:
    """Every model on the same tasks, two of a source."""
    task, model = np.tile(np.arange(TASKS), models), np.repeat(np.arange(models), TASKS)
    names = {
        "id": [f"m{a}/t{b}" for a, b in zip(model, task, strict=True)],
        "model": [f"m{a}" for a in model],
        "group": [f"g{b // 2}" for b in task],
        "instruction": [f"do {b}" for b in task],
        "edit_type": np.where(task % 2, "add", "remove"),
    }
    folder.mkdir()
    scores(names, len(task), 0, 0.0).to_parquet(folder / "scores.parquet", index=False)
    return folder


def apart(function: Callable[..., Path], *arguments: object) -> Path:
    """Make a table in a process of its own: a forked child starts with its parent's memory on its account."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def run(arguments: Sequence[str | Path]) -> str:
    """CPU seconds and peak memory of one verb, as cells."""
    command = [sys.executable, "-c", COMMAND, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return f"{usage.ru_utime + usage.ru_stime:.1f} | {usage.ru_maxrss / 1024:.0f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one row a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--models", type=int, nargs="*", default=[160, 1000])
    options = parser.parse_args(arguments)
    print("| verb | rows | CPU s | peak MiB |\n|---|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        for models in sorted(options.models):
            folder = apart(write_models, base / f"models{models}", models)
            cells = run(["compare", folder, "--by", "model", "--out", base / "out"])
            print(f"| compare, {models} models | {models * TASKS} | {cells} |", flush=True)
        for n in sorted(options.items):
            sides = [apart(write_run, base / f"{seed}_{n}", n, seed) for seed in (1, 2)]
            print(f"| gate | 2 × {n} | {run(['gate', *sides])} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
