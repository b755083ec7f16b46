"""What asking costs this side: processor time an item, memory, pictures encoded, beside a server that takes 50 ms.

The server is a process of its own, so that its time is not counted. Pictures pass through as they are, or are written
anew as JPEG; edits go two to a source.

    python benchmarks/bench_judge.py [--side 512] [--items 250 1000]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import skimage.data
from judge_replay import ROOT, command, replaying
from PIL import Image

DELAY: Final = 0.05
CONCURRENCY: Final = 16
PICTURES: Final = 100
"""Sources; more items than twice as many show them again under other instructions."""
READABLE: Final = """\
profile: readable
dimensions: {feasibility: {metrics: [verdict], curves: {verdict: {anchors: [[0, 0], [1, 1]]}}}}
"""
MODES: Final = {"passed through": ("JPEG", "PNG", "WEBP"), "written anew": ("WEBP",)}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--side", type=int, default=512)
    arguments.add_argument("--items", type=int, nargs="+", default=[250, 1000])
    arguments.add_argument("--ask", nargs=3, metavar=("RUN", "URL", "FORMATS"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.ask:
        print(json.dumps(ask(Path(given.ask[0]), given.ask[1], given.ask[2].split(","))))
        return
    print(f"{given.side} px PNG, {DELAY * 1000:.0f} ms a call, {CONCURRENCY} at a time\n")
    print("| pictures | items | CPU, ms an item | planning, ms | wall s | peak memory MiB | encoded | distinct |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary, replaying(None, "--delay", str(DELAY)) as url:
        for items in given.items:
            run = write_run(Path(temporary) / str(items), items, given.side)
            for mode, formats in MODES.items():
                words = [sys.executable, __file__, "--ask", str(run), url, ",".join(formats)]
                environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}", "OMP_NUM_THREADS": "1"}
                done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
                found = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"| {mode} | {items} | {found['cpu_ms']:.1f} | {found['plan_ms']:.1f} | {found['wall']:.1f} | "
                    f"{found['peak_mib']:.0f} | {found['encoded']} | {found['distinct']} |"
                )


def write_run(folder: Path, items: int, side: int) -> Path:
    """A scored run: photographs at random crops, edits that differ by a stripe."""
    rng = np.random.default_rng(0)
    photo = Image.fromarray(skimage.data.astronaut())
    (folder / "pictures").mkdir(parents=True)
    rows = []
    for number in range(items):
        key = number % (2 * PICTURES)
        source, edited = f"pictures/s{key // 2}.png", f"pictures/e{key}.png"
        if number == key:
            if key % 2 == 0:
                left, top = (int(value) for value in rng.integers(0, 256, 2))
                crop = photo.crop((left, top, left + 256, top + 256)).resize((side, side), Image.Resampling.BICUBIC)
                crop.save(folder / source)
            pixels = np.array(Image.open(folder / source))
            pixels[key : key + 40] = 255 - pixels[key : key + 40]
            Image.fromarray(pixels).save(folder / edited)
        rows.append({"id": f"i{number}", "source": source, "edited": edited, "instruction": f"invert stripe {number}"})
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "readable.yaml").write_text(READABLE)
    command("score", folder / "manifest.jsonl", "--config", folder / "readable.yaml", "--out", folder / "run")
    return folder / "run"


class Quiet:
    """Progress that nobody watches."""

    def advance(self, meter: object) -> None:
        """Say nothing."""

    def stopping(self) -> None:
        """Say nothing."""


def ask(run: Path, url: str, formats: list[str]) -> dict[str, Any]:
    """In a process of its own: plan, ask, and say what it took."""
    from edit_metrics.backends.chat_judge import ChatJudge
    from edit_metrics.judge.selection import SelectionRule
    from edit_metrics.judge.session import greet, judge_run, plan_judging
    from edit_metrics.judge.store import AnswerStore
    from edit_metrics.judge.template import load_template
    from edit_metrics.scores.table import read_scores

    judge = ChatJudge(base_url=url, concurrency=CONCURRENCY, pass_through=formats)
    started = time.process_time()
    plan = plan_judging(read_scores(run), SelectionRule(), load_template())
    planned = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        store = AnswerStore(Path(folder))
        greeting = greet(judge, plan.template, store)
        encoded, cpu, wall = judge.pictures_encoded, time.process_time(), time.monotonic()
        judged = judge_run(plan, judge, store, greeting, Quiet())
        cpu, wall = time.process_time() - cpu, time.monotonic() - wall
        store.close()
    if judged.record.counts["answered"] != len(plan.edits):
        raise SystemExit(f"not every question was answered: {judged.record.counts}")
    pictures = {picture.sha256 for edit in plan.edits for picture in (edit.source, edit.edited)}
    return {
        "cpu_ms": 1000 * cpu / len(plan.edits),
        "plan_ms": 1000 * planned / len(plan.edits),
        "wall": wall,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "encoded": judge.pictures_encoded - encoded,
        "distinct": len(pictures),
    }


if __name__ == "__main__":
    main()
