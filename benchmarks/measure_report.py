"""How large the page of a run is, and how fast Chromium opens it: 2,000 made-up items, 120 of them with pictures.

    python benchmarks/measure_report.py [ITEMS]

Prints the time to write the page, its size, and of three fresh browsers the time until the page stands with its table.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from selenium import webdriver

from edit_metrics.io.tables import write_parquet
from edit_metrics.report.write import write_report
from edit_metrics.types import DIMENSIONS

PICTURES = 40
SIDE = 512
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
REASONS = (
    "no_mask;derived_region;near_threshold",
    "change_floor_saturated;low_over_edit_share",
    "metrics_disagree",
    "",
)


def write_run(folder: Path, n: int) -> None:
    """A score table with eight dimensions and natural-looking pictures beside it."""
    rng = np.random.default_rng(1)
    for index in range(PICTURES):
        coarse = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{index}.jpg")
    table: dict[str, object] = {
        "id": [f"benchmark/task-{index:05d}/sample" for index in range(n)],
        "instruction": [
            f"Replace the object number {index} by a green one and keep everything else" for index in range(n)
        ],
        "source": [f"{index % PICTURES}.jpg" for index in range(n)],
        "edited": [f"{(index + 1) % PICTURES}.jpg" for index in range(n)],
        "model": [f"model-{index % 5}" for index in range(n)],
        "edit_type": [("add", "remove", "recolour", "style")[index % 4] for index in range(n)],
        "flags": ["unsafe" if index % 97 == 0 else "no_op" if index % 11 == 0 else "" for index in range(n)],
        "priority": rng.permutation(n) + 1,
        "priority.reasons": "low_confidence:preservation;weakest:style=0.25",
    }
    scores = {name: rng.beta(3, 1, n) for name in DIMENSIONS}
    for name, values in scores.items():
        table |= {f"{name}.score": values, f"{name}.confidence": rng.random(n), f"{name}.status": "ok"}
        table[f"{name}.reasons"] = rng.choice(REASONS, n)
    table["overall.min"] = np.min(list(scores.values()), axis=0)
    write_parquet(pd.DataFrame(table), folder / "scores.parquet")


def load_seconds(page: Path) -> list[float]:
    """Seconds from the start of the navigation to the end of the load event, scripts included; three fresh browsers."""
    found = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            options = webdriver.ChromeOptions()
            options.binary_location = shutil.which("chromium") or ""
            for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
                options.add_argument(argument)
            browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
            browser.get(page.as_uri())
            timing = "return performance.getEntriesByType('navigation')[0].loadEventEnd"
            found.append(browser.execute_script(timing) / 1000)
            rows = browser.execute_script("return document.querySelectorAll('#items-table tbody tr').length")
            browser.quit()
            if rows != 50:  # one page of the table
                raise SystemExit(f"expected 50 rows on the first page, got {rows}")
    return found


def main(n: int) -> None:
    """Write the page and open it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_run(folder, n)
        started = time.perf_counter()
        made = write_report(folder)
        written = time.perf_counter() - started
        seconds = load_seconds(made.path)
        opened = ", ".join(f"{value:.2f}" for value in seconds)
        print(f"{n} items: written in {written:.1f} s, {made.size / 2**20:.1f} MiB, opened in {opened} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
