"""How the curve of `preservation.lpips_outside`, and weakest against mean, were chosen, and what that is worth unseen.

    python benchmarks/choose_outside_curve.py RUNS

RUNS holds a scored run of each rated set (``validity.py --runs``). Three curves and two ways to combine them are held
against the ratings of unmasked edits in ``multi_method`` and ``triples``. Then each origin is left out in turn: the
choice is made on the others, and its scores of the origin left out are pooled ("held out").
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from ordering import concordance, estimate, spearman
from rated_sets import plain_metrics, read_sets, shared_folder
from validity_rows import join

from edit_metrics.config import Anchors, load_config
from edit_metrics.dimensions.prescores import apply_curve

CURVES: Final[dict[str, Anchors]] = {
    "as LPIPS": [(0, 1), (0.03, 0.9), (0.12, 0.5), (0.4, 0)],
    "shipped": [(0, 1), (0.1, 0.9), (0.2, 0.6), (0.45, 0.1), (0.6, 0)],
    "softer": [(0, 1), (0.15, 0.9), (0.25, 0.6), (0.5, 0.1), (0.6, 0)],
}
WAYS: Final = ("min", "mean")
SETS: Final = {"multi_method": "untouched", "triples": "preservation"}
Choice = tuple[str, str]
CHOICES: Final[tuple[Choice, ...]] = tuple(product(CURVES, WAYS))


def main() -> None:
    runs, cache = Path(sys.argv[1]), Path(sys.argv[1])
    frames = {}
    for rated in read_sets(shared_folder()):
        if rated.name in SETS:
            scored = join(rated, runs / rated.name, plain_metrics(rated, cache))
            frame = scored.frame.assign(LPIPS=scored.scores["LPIPS"], rating=scored.frame[SETS[rated.name]])
            unmasked = frame[(frame["mask_source"] != "given") & frame["rating"].notna()]
            frames[rated.name] = unmasked[unmasked["preservation.over_edit_share"].notna()]
    for choice in CHOICES:
        told = "; ".join(f"{name} {_told(score(frame, choice), frame)}" for name, frame in frames.items())
        print(f"{choice[0]}, {choice[1]}: {told}")
    for name, frame in frames.items():
        print(f"plain LPIPS on the same: {name} {_told(frame['LPIPS'], frame)}")
    for name, frame in frames.items():
        held = pd.Series(np.nan, frame.index)
        for origin in frame["origin"].unique():
            others = {n: f if n != name else f[f["origin"] != origin] for n, f in frames.items()}
            best = max(CHOICES, key=lambda choice: sum(_rho(score(f, choice), f) for f in others.values()))
            out = frame["origin"] == origin
            held[out] = score(frame[out], best)
        own = concordance(held.to_numpy(float), frame["rating"].to_numpy(float))
        low = estimate(own, frame["group"].to_numpy(object)).lower_tenth
        print(f"held out by origin: {name} {_told(held, frame)}, lower 90 % bound of C {low:.3f}")


def score(frame: pd.DataFrame, choice: Choice) -> pd.Series[float]:
    """Preservation of unmasked edits."""
    shipped = load_config("embedded").dimension("preservation").curves
    curve, way = choice
    anchors = {
        "lpips_outside": CURVES[curve],
        "over_edit_share": shipped["over_edit_share"].anchors,
        "colour_shift": shipped["colour_shift"].anchors,
    }
    parts = {
        name: frame[f"preservation.{name}"].map(lambda value, a=a: apply_curve(a, value), na_action="ignore")
        for name, a in anchors.items()
    }
    found: pd.Series[float] = pd.DataFrame(parts).agg(way, axis=1)
    return found


def _rho(values: pd.Series[float], frame: pd.DataFrame) -> float:
    ones = np.ones((1, len(frame)))
    return float(spearman(values.to_numpy(float), frame["rating"].to_numpy(float))(ones)[0])


def _told(values: pd.Series[float], frame: pd.DataFrame) -> str:
    ones = np.ones((1, len(frame)))
    share = float(concordance(values.to_numpy(float), frame["rating"].to_numpy(float))(ones)[0])
    return f"n {len(frame)}, ρ {_rho(values, frame):.3f}, C {share:.3f}"


if __name__ == "__main__":
    main()
