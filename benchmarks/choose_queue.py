"""What else could order the queue: the share of bad edits in its first 40 %, less what highest LPIPS first finds there.

    python benchmarks/choose_queue.py RUNS [CACHE]

RUNS holds a scored run of each rated set, CACHE its plain metrics (``validity.py --runs --cache``). Printed beside the
shipped ``priority`` and ``overall.min`` are orders made from the same columns. In brackets 95 % of resampled groups.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from ordering import estimate, found_in_queue, found_more
from rated_sets import plain_metrics, read_sets, shared_folder
from validity_rows import Scored, join

from edit_metrics.types import DIMENSIONS, Float64

SHARE: Final = 0.4
GATES: Final = ("feasibility", "safety")
Columns = Mapping[str, Float64]


def main() -> None:
    runs, cache = Path(sys.argv[1]), Path(sys.argv[-1])
    for rated in read_sets(shared_folder()):
        scored = join(rated, runs / rated.name, plain_metrics(rated, cache))
        construct = next(name for name, about in rated.constructs.items() if about == "overall")
        bad = (scored.frame[construct] < rated.bad_below).to_numpy()
        groups = scored.frame["group"].to_numpy(object)
        plain = scored.scores["LPIPS"].to_numpy(float)
        first = found_in_queue(plain, bad, SHARE)(np.ones((1, len(bad))))[0]
        print(f"{rated.name}: {bad.sum()} bad of {len(bad)}; highest LPIPS first finds {first:.2f}")
        for name, order in orders(scored).items():
            found = found_in_queue(order, bad, SHARE)(np.ones((1, len(bad))))[0]
            more = estimate(found_more(order, plain, bad, SHARE), groups)
            print(f"  {name:64s} {found:.2f}; {more.value:+.2f} [{more.low:+.2f}, {more.high:+.2f}]")


def orders(scored: Scored) -> dict[str, Float64]:
    """Name → value, lowest first."""
    frame = scored.frame
    score = {name: frame[f"{name}.score"].to_numpy(float) for name in DIMENSIONS}
    claim = {name: np.nan_to_num(frame[f"{name}.confidence"].to_numpy(float)) for name in DIMENSIONS}
    flat = {name: np.where(claim[name] > 0, 0.2, 0.0) for name in DIMENSIONS}
    no_structure = claim | {"structure": np.zeros(len(frame))}
    own = score["preservation"]
    return {
        "priority": scored.scores["priority"].to_numpy(float),
        "overall.min": _last(scored.scores["overall.min"].to_numpy(float)),
        "preservation alone, unscored last": _last(own),
        "preservation alone, unscored at the mean": np.where(np.isnan(own), np.nanmean(own), own),
        "feared most, no lanes": -feared(score, claim),
        "feared most, no lanes, gates too": -feared(score, claim, ()),
        "feared most, no lanes, unscored last": -feared(score, claim, unknown=0.0),
        "feared most, no lanes, every claim alike": -feared(score, flat),
        "feared most, no lanes, without structure": -feared(score, no_structure),
        "feared most, no lanes, preservation a product": -feared(score | {"preservation": product(frame)}, claim),
    }


def feared(
    score: Columns, claim: Columns, without: tuple[str, ...] = GATES, unknown: float | None = None
) -> Float64:  # fmt: skip
    """Largest claim × (1 − score); where nothing speaks, ``unknown`` or the mean of the others."""
    spoken = [np.where(np.isnan(score[n]), np.nan, claim[n] * (1 - score[n])) for n in DIMENSIONS if n not in without]
    most = pd.DataFrame(np.array(spoken).T).max(axis=1).to_numpy(float)
    silent = np.all([np.isnan(score[n]) | (claim[n] == 0) for n in DIMENSIONS if n not in GATES], axis=0)
    filled: Float64 = np.where(silent, np.nanmean(most[~silent]) if unknown is None else unknown, most)
    return filled


def product(frame: pd.DataFrame) -> Float64:
    """Unmasked preservation as the share that did not change times how alike the rest is, by LPIPS' range."""
    left = 1 - frame["preservation.over_edit_share"].to_numpy(float)
    alike = 1 - np.clip(np.nan_to_num(frame["preservation.lpips_outside"].to_numpy(float)) / 0.7, 0, 1)
    own = frame["preservation.score"].to_numpy(float)
    made: Float64 = np.where(np.isnan(own) | (frame["mask_source"] == "given"), own, left * alike)
    return made


def _last(values: Float64) -> Float64:
    return np.where(np.isnan(values), np.inf, values)


if __name__ == "__main__":
    main()
