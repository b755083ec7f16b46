"""Which real edits get a displacement map, how much of them moved, and what finding it costs.

python benchmarks/measure_displacement.py MANIFEST [MANIFEST …]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from bench_set import read_rgb

from edit_metrics.evidence.arrows import has_moved
from edit_metrics.io.manifest import read_manifest
from edit_metrics.metrics.grid import fit_to_grid
from edit_metrics.pixels.displacement import find_displacement
from edit_metrics.types import Missing


def main() -> None:
    for path in sys.argv[1:]:
        shown, times = [], []
        for item in read_manifest(path).items:
            source, edited = read_rgb(Path(item.source)), read_rgb(Path(item.edited))
            grid = fit_to_grid(source, edited)
            if isinstance(grid, Missing):
                continue
            started = time.process_time()
            found = find_displacement(source, grid.edited)
            times.append(time.process_time() - started)
            if not isinstance(found, Missing) and has_moved(found):
                far = float(np.quantile(found.length[found.seen], 0.95))
                shown.append(
                    f"{item.id}: seen {found.seen.mean():.2f} of the frame, 95 % of it moved by {far:.1f} px or less"
                )
        print(f"{path}: drawn for {len(shown)} of {len(times)}; {1e3 * np.median(times):.0f} CPU ms each")
        print("\n".join(f"  {line}" for line in shown))


if __name__ == "__main__":
    main()
