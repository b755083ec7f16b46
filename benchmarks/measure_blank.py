"""How little there is to see in real pictures, and how much in blank ones: where metrics/blank.py draws its lines.

python benchmarks/measure_blank.py
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from rated_sets import read_sets, shared_folder

from edit_metrics.io.images import decode_image
from edit_metrics.metrics.blank import extent

COLOURS = ((0, 0, 0), (128, 120, 90), (255, 255, 255))
NOISE = 8.0


def main() -> None:
    paths = {
        Path(item.folder) / name
        for rated in read_sets(shared_folder())
        for item in rated.items.itertuples()
        for name in (item.source, item.edited)
    }
    real = [extent(decode_image(str(path)).pixels) for path in sorted(paths)]
    print(f"{len(real)} real pictures: smallest span {min(r.span for r in real):.0f}, ", end="")
    print(f"darkest brightest cell {min(r.brightest for r in real):.0f}")
    rng = np.random.default_rng(0)
    for colour in COLOURS:
        noisy = np.clip(np.array(colour) + rng.normal(0, NOISE, (512, 512, 3)), 0, 255).astype(np.uint8)
        buffer = BytesIO()
        Image.fromarray(noisy).save(buffer, "JPEG", quality=60)
        found = extent(np.asarray(Image.open(buffer)))
        print(f"{colour} with noise of {NOISE:.0f}, JPEG 60: span {found.span:.1f}, brightest {found.brightest:.1f}")


if __name__ == "__main__":
    main()
